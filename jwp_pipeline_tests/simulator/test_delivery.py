"""The simulator delivers as JW Platform does: it checks signatures and tokens, and what it serves fits the video."""

import base64
import io
import struct
import time

import pytest
import requests
from PIL import Image

from jwp_pipeline.simulator import Behaviour, Fault, Simulator
from jwp_pipeline_tests.simulator.wire import TIMEOUT, signed, token, v2_ids
from jwp_pipeline_tests.support import video

SIGNED = [
    "players/video001-DemoPlyr.html",
    "players/video001-DemoPlyr.js",
    "libraries/DemoPlyr.js",
    "manifests/video001.m3u8",
    "videos/video001-180p.mp4",
    "videos/audio001-audio.m4a",
]
CUSTOM = {"sms_acl": "acl:WORLD:", "title": "not this one"}
NOT_SERVED = {
    "created1": {"status": "created"},
    "process1": {"status": "processing"},
    "updating": {"status": "updating"},
    "failed01": {"status": "failed"},
    "expired1": {"expires_date": 1_600_000_000},
    "future01": {"date": 4_000_000_000},
}


@pytest.fixture(scope="module")
def server():
    videos = [
        video("video001", title="<b>Tom & “Jerry”</b>", date=1_500_000_000, tags="a, b", custom=CUSTOM),
        video("audio001", mediatype="audio", duration="61.5"),
        *(video(key, **fields) for key, fields in NOT_SERVED.items()),
    ]
    with Simulator() as simulator:
        simulator.library.replace_all(videos, [])
        yield simulator


@pytest.fixture
def sim(server):
    server.behaviour.signed_content = server.behaviour.signed_players = True
    server.behaviour.requests_per_minute = None
    server.faults.clear()
    server.forget_requests()
    return server


def get(url, **options):
    return requests.get(url, timeout=TIMEOUT, **options)


def media(sim, key="video001", **params):
    path = f"/v2/media/{key}"
    params = {"token": token(sim.api_secret, {"resource": path, "exp": int(time.time()) + 60}), **params}
    return get(sim.url + path, params=params)


@pytest.mark.parametrize("path", SIGNED)
def test_a_path_is_served_only_with_its_own_signature_and_only_in_time(sim, path):
    assert get(signed(sim, path)).status_code == 200
    other = "videos/video001-320p.mp4"
    wrong = [
        f"{sim.url}/{path}",
        signed(sim, path, expires=int(time.time()) - 1),
        signed(sim, path, expires="soon"),
        signed(sim, path, expires="²"),
        signed(sim, path, secret="another secret"),
        signed(sim, other).replace(other, path),
        signed(sim, path).replace("sig=", "sig=%C3%A9"),
        signed(sim, path).split("&")[0],
    ]
    assert [get(url).status_code for url in wrong] == [403] * len(wrong)


def test_a_site_without_protection_serves_unsigned_urls_but_refuses_wrong_ones(sim):
    sim.behaviour.signed_players = False
    players = [path for path in SIGNED if path.startswith(("players", "libraries"))]
    content = [path for path in SIGNED if path not in players]
    assert {get(f"{sim.url}/{path}").status_code for path in players} == {200}
    assert {get(f"{sim.url}/{path}").status_code for path in content} == {403}
    sim.behaviour.signed_content = False
    assert {get(f"{sim.url}/{path}").status_code for path in content} == {200}
    assert get(signed(sim, SIGNED[0], secret="another secret")).status_code == 403
    answer = get(f"{sim.url}/v2/media/video001")
    assert "sig=" not in answer.text
    assert get(answer.json()["playlist"][0]["sources"][0]["file"]).status_code == 200
    assert media(sim, token="no token").status_code == 403


@pytest.mark.parametrize(
    ("claims", "alg", "secret"),
    [
        ({"exp": time.time() - 1}, "HS256", None),
        ({"exp": "4000000000"}, "HS256", None),
        ({"exp": True}, "HS256", None),
        ({"exp": float("nan")}, "HS256", None),
        ({"exp": None}, "HS256", None),
        ({"resource": "/v2/media/audio001"}, "HS256", None),
        ({"resource": "v2/media/video001"}, "HS256", None),
        ({"resource": None}, "HS256", None),
        ({"format": "rss"}, "HS256", None),
        ({}, "HS384", None),
        ({}, "none", None),
        ({}, ["HS256"], None),
        ({}, "HS256", "another secret"),
    ],
)
def test_a_token_that_does_not_fit_is_refused(sim, claims, alg, secret):
    fitting = {"resource": "/v2/media/video001", "exp": 4_000_000_000}
    assert media(sim, format="json", token=token(sim.api_secret, fitting)).status_code == 200
    refused = media(sim, format="json", token=token(secret or sim.api_secret, {**fitting, **claims}, alg))
    assert (refused.status_code, list(refused.json())) == (403, ["message"])


DEEP = base64.b64encode(b"[" * 30_000).decode()


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "W10.W10.W10", "é.é.é", f"{DEEP}..", "MQ==.MQ==.MQ=="])
def test_a_token_that_is_none_is_refused(sim, text):
    assert media(sim, token=text).status_code == 403


@pytest.mark.parametrize("key", [*NOT_SERVED, "missing1"])
def test_what_cannot_be_played_yet_or_any_more_is_not_found(sim, key):
    paths = [f"players/{key}-DemoPlyr.js", f"manifests/{key}.m3u8", f"videos/{key}-180p.mp4", f"thumbs/{key}-720.jpg"]
    assert media(sim, key).status_code == 404
    assert [get(signed(sim, path)).status_code for path in paths] == [404] * len(paths)
    assert get(f"{sim.url}/{paths[0]}").status_code == 403


def test_names_that_do_not_exist_are_not_found(sim):
    paths = [
        *("players/video001-OtherOne.js", "players/video001-DemoPlyr.xml", "libraries/OtherOne.js"),
        *("thumbs/video001-721.jpg", "videos/video001-181p.mp4", "videos/video001-180p.m4a"),
        *("videos/audio001-180p.mp4", "manifests/audio001.m3u8"),
    ]
    assert [get(signed(sim, path)).status_code for path in paths] == [404] * len(paths)


def test_any_page_may_ask_but_nothing_can_be_changed(sim):
    url = signed(sim, "videos/video001-180p.mp4")
    head = requests.head(url, timeout=TIMEOUT)
    assert (head.status_code, head.content, head.headers["Access-Control-Allow-Origin"]) == (200, b"", "*")
    assert int(head.headers["Content-Length"]) == len(get(url).content)
    assert {requests.request(method, url, timeout=TIMEOUT).status_code for method in ("POST", "DELETE")} == {405}


def test_the_media_answer_has_the_video_s_texts_and_its_custom_properties(sim):
    answer = media(sim, format="json").json()
    (item,) = answer["playlist"]
    assert (answer["kind"], answer["title"], item["title"]) == ("Single Item", *["<b>Tom & “Jerry”</b>"] * 2)
    assert (item["mediaid"], item["pubdate"], item["tags"], item["duration"]) == ("video001", 1_500_000_000, "a,b", 8)
    assert item["sms_acl"] == "acl:WORLD:"
    assert {"description", "link", "image", "images", "tracks", "variations"} <= item.keys()


def test_every_source_and_image_works_as_it_is_announced(sim):
    sources = {key: media(sim, key).json()["playlist"][0]["sources"] for key in ("video001", "audio001")}
    assert [source.get("height") for source in sources["video001"]] == [1080, 180, 320, 480, 720, 1080]
    assert [source["type"] for source in sources["audio001"]] == ["audio/mp4"]
    for source in [*sources["video001"], *sources["audio001"]]:
        answer = get(source["file"])
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, source["type"])
    for image in media(sim).json()["playlist"][0]["images"]:
        picture = Image.open(io.BytesIO(get(image["src"]).content))
        assert (picture.format, picture.width) == ("JPEG", image["width"])


def test_a_clip_is_an_mp4_file_of_the_video_s_length(sim):
    for path, seconds in (("videos/video001-720p.mp4", 8.06), ("videos/audio001-audio.m4a", 61.5)):
        clip = get(signed(sim, path)).content
        kinds, at = [], 0
        while at < len(clip):
            size, kind = struct.unpack_from(">I4s", clip, at)
            kinds.append(kind)
            at += size
        assert (kinds, at) == ([b"ftyp", b"moov", b"moof", b"mdat"], len(clip))
        (timescale,) = struct.unpack_from(">I", clip, clip.index(b"mvhd") + 16)
        (duration,) = struct.unpack_from(">I", clip, clip.index(b"mehd") + 8)
        assert duration / timescale == pytest.approx(seconds, abs=0.1)


def test_a_rendition_can_be_read_in_parts_as_its_manifest_says(sim):
    lines = get(signed(sim, "manifests/video001.m3u8")).text.splitlines()
    url = next(line for line in lines if line.startswith("http"))
    (head,) = (line.split('BYTERANGE="')[1].split("@")[0] for line in lines if line.startswith("#EXT-X-MAP"))
    ((length, start),) = (line.split(":")[1].split("@") for line in lines if line.startswith("#EXT-X-BYTERANGE"))
    whole = get(url).content
    assert (int(start), int(length) + int(start)) == (int(head), len(whole))
    part = get(url, headers={"Range": f"bytes={start}-"})
    assert (part.status_code, part.content[4:8]) == (206, b"moof")
    assert part.headers["Content-Range"] == f"bytes {start}-{len(whole) - 1}/{len(whole)}"
    ranges = {"bytes=0-3": whole[:4], "bytes=-5": whole[-5:], "bytes=5-4": whole, "lines=1-2": whole}
    ranges["bytes=" + "9" * 5000 + "-"] = whole
    assert {asked: get(url, headers={"Range": asked}).content for asked in ranges} == ranges
    beyond = get(url, headers={"Range": f"bytes={len(whole)}-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(whole)}")


def test_a_title_is_text_and_no_markup_in_the_player(sim):
    page = get(signed(sim, SIGNED[0])).text
    assert "<title>&lt;b&gt;Tom &amp; “Jerry”&lt;/b&gt;</title>" in page
    assert "<b>" not in page + get(signed(sim, SIGNED[1])).text


def test_delivery_is_logged_without_signatures_and_counts_against_no_limit(sim):
    sim.behaviour.requests_per_minute = 1
    for path in SIGNED:
        assert get(signed(sim, path)).status_code == 200
    assert media(sim, format="json").status_code == get(f"{sim.url}/thumbs/video001-120.jpg").status_code == 200
    assert v2_ids(sim)
    logged = [(request.api, request.route, request.resource) for request in sim.requests[:-1]]
    routes = ["player", "player", "library", "manifest", "rendition", "rendition", "sources", "poster"]
    assert logged == [("delivery", route, None if route == "library" else "video") for route in routes]
    assert {name for request in sim.requests for name in request.params} == {"exp", "format"}


def test_faults_work_for_delivery(sim):
    sim.faults.add(Fault.status(503), api="delivery", route="sources")
    sim.faults.add(Fault.html_with_200(), route="sources", nth=2)
    sim.faults.add(Fault.truncate(), path="/videos/*")
    sim.faults.add(Fault.drop(), api="v2", times=None)
    refused, html, whole = (media(sim) for _ in range(3))
    assert (refused.status_code, list(refused.json())) == (503, ["message"])
    assert (html.status_code, html.text[:6], whole.status_code) == (200, "<html>", 200)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        get(signed(sim, "videos/video001-180p.mp4"))


def test_malformed_videos_are_delivered_as_they_are():
    odd = {"title": ["no", "text"], "description": 5, "tags": 7, "custom": None, "duration": "long", "author": {}}
    videos = [
        video("oddvideo", **odd),
        video("halfchar", title="\ud800", duration="NaN"),
        {"key": "x", "status": "ready"},
    ]
    with Simulator(behaviour=Behaviour(signed_content=False, signed_players=False)) as simulator:
        simulator.library.replace_all(videos, [])
        item = get(f"{simulator.url}/v2/media/oddvideo").json()["playlist"][0]
        assert (item["title"], item["tags"], item["duration"]) == (["no", "text"], 7, 1)
        for key in simulator.library.keys("video"):
            for path in (
                f"v2/media/{key}",
                f"players/{key}-DemoPlyr.html",
                f"videos/{key}-180p.mp4",
                f"thumbs/{key}-320.jpg",
            ):
                assert get(f"{simulator.url}/{path}").status_code == 200

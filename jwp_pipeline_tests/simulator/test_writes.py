"""The simulated site takes writes as JW Platform does: the vendor's own clients write to it."""

import http.client
from contextlib import closing

import pytest
import requests
from jwplatform.client import JWPlatformClient
from jwplatform.errors import APIError, NotFoundError
from jwplatform.v1 import errors

from jwp_pipeline.simulator import Behaviour, Fault, Library, Simulator
from jwp_pipeline_tests.simulator.wire import TIMEOUT, v1_client, v1_keys, v2, v2_ids
from jwp_pipeline_tests.support import video

KEY = "AbCd1234"


class Time:
    now = 1_700_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Time()


@pytest.fixture
def sim(clock):
    videos = [video(KEY, custom={"a": "1", "b": "2"}, tags="x, y"), video("other123")]
    # Stamps follow the clock, and v1's signatures may be as old as they like.
    with Simulator(Library(videos, clock=clock), Behaviour(timestamp_tolerance=1e12)) as simulator:
        yield simulator


@pytest.fixture
def vendor_v1(sim):
    client = v1_client(sim)
    with client._connection:
        yield client


@pytest.fixture
def vendor_v2(sim):
    client = JWPlatformClient(secret=sim.v2_secret)
    client._connection = http.client.HTTPConnection("127.0.0.1", sim.port)
    with closing(client._connection):
        yield client


def test_v1_sets_what_is_named_and_keeps_the_rest(sim, vendor_v1, clock):
    was = sim.library.get("video", KEY)
    vendor_v1.videos.update(video_key=KEY, title="New", date=5, tags="z", **{"custom.b": "3", "custom.c.d": "4"})
    expected = {
        "title": "New",
        "date": 5,
        "tags": "z",
        "custom": {"a": "1", "b": "3", "c.d": "4"},
        "updated": clock.now,
    }
    assert sim.library.get("video", KEY) == {**was, **expected}
    vendor_v1.videos.update(video_key=KEY, description="")
    assert sim.library.get("video", KEY)["description"] is None


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({}, errors.JWPlatformParameterMissingError),
        ({"video_key": "nothere0", "title": "x"}, errors.JWPlatformNotFoundError),
        ({"video_key": KEY, "title": ""}, errors.JWPlatformParameterEmptyError),
        ({"video_key": KEY, "title": "x" * 5001}, errors.JWPlatformParameterInvalidError),
        ({"video_key": KEY, "date": "soon"}, errors.JWPlatformParameterInvalidError),
        ({"video_key": KEY, "custom.1": "x"}, errors.JWPlatformParameterInvalidError),
        ({"video_key": KEY, "custom.a": "x" * 7501}, errors.JWPlatformParameterInvalidError),
        (
            {"video_key": KEY, "update_file": "True", "upload_method": "carrier pigeon"},
            errors.JWPlatformParameterInvalidError,
        ),
    ],
)
def test_v1_refuses(sim, vendor_v1, params, error):
    was = sim.library.get("video", KEY)
    with pytest.raises(error):
        vendor_v1.videos.update(**params)
    assert sim.library.get("video", KEY) == was


def test_v2_replaces_all_properties_and_tags(sim, vendor_v2, clock):
    metadata = {"custom_params": {"c": "3"}, "tags": ["z ", "w"], "publish_start_date": "2020-09-13T12:26:40+00:00"}
    answered = vendor_v2.Media.update(sim.api_key, media_id=KEY, body={"metadata": metadata}).json_body
    assert answered == vendor_v2.Media.get(sim.api_key, media_id=KEY).json_body
    assert answered["metadata"]["custom_params"] == {"c": "3"}
    now = sim.library.get("video", KEY)
    assert (now["tags"], now["date"], now["title"]) == ("z, w", 1_600_000_000, f"Video {KEY}")
    assert (now["updated"], answered["last_modified"]) == (clock.now, "2023-11-14T22:13:20+00:00")


@pytest.mark.parametrize(
    "metadata",
    [
        {"title": None},
        {"title": "x" * 5001},
        {"description": 1},
        {"tags": "a,b"},
        {"custom_params": {"a": 1}},
        {"custom_params": {"a": "x" * 7501}},
        {"custom_params": []},
        {"publish_start_date": "soon"},
        {"views": 1},
    ],
)
def test_v2_refuses(sim, vendor_v2, metadata):
    was = sim.library.get("video", KEY)
    with pytest.raises(APIError) as refused:
        vendor_v2.Media.update(sim.api_key, media_id=KEY, body={"metadata": metadata})
    assert refused.value.response.status == 400
    assert sim.library.get("video", KEY) == was


def test_deletions(sim, vendor_v1, vendor_v2):
    vendor_v1.videos.delete(video_key=KEY)
    assert sim.library.keys("video") == ["other123"]
    vendor_v2.Media.delete(sim.api_key, media_id="other123")
    assert sim.library.keys("video") == []
    with pytest.raises(errors.JWPlatformNotFoundError):
        vendor_v1.videos.delete(video_key=KEY)
    with pytest.raises(NotFoundError):
        vendor_v2.Media.delete(sim.api_key, media_id=KEY)


@pytest.mark.parametrize("method", ["single", "multipart", "s3"])
def test_each_of_v1s_links_takes_a_file_for_its_own_video_until_it_expires(sim, vendor_v1, clock, method):
    made = vendor_v1.videos.create(title="New", upload_method=method)
    key, link = made["media"]["key"], made["link"]
    url = f"{link['protocol']}://{link['address']}{link['path']}"

    def send(**changes):
        query = {**link["query"], **changes}
        if method == "s3":
            return requests.put(url, params=query, data=b"file", timeout=TIMEOUT).status_code
        return requests.post(url, params=query, files={"file": b"file"}, timeout=TIMEOUT).status_code

    secret = "Signature" if method == "s3" else "token"
    assert send(**{secret: "forged"}) == 403
    assert sim.library.get("video", key)["status"] == "created"
    assert send() == 200
    assert sim.library.get("video", key)["status"] == "ready"
    clock.now += sim.behaviour.upload_link_seconds
    assert send() == 403
    assert all(secret not in each.params for each in sim.requests)


def test_a_v2_link_takes_only_what_was_announced(sim, vendor_v2):
    body = {"upload": {"method": "direct", "mime_type": "audio/mpeg"}, "metadata": {"title": "New"}}
    made = vendor_v2.Media.create(sim.api_key, body=body).json_body

    def send(content_type, method="PUT"):
        headers = {"Content-Type": content_type}
        return requests.request(method, made["upload_link"], data=b"x", headers=headers, timeout=TIMEOUT).status_code

    assert [send("video/mp4"), send("audio/mpeg", "POST"), send("audio/mpeg")] == [403, 405, 200]
    assert v2(sim, f"/media/{made['id']}/").json()["media_type"] == "audio"


def test_processing_takes_its_time(sim, vendor_v1, clock):
    sim.behaviour.processing_seconds = 60
    key = vendor_v1.videos.create(download_url="https://host/x.mp4")["video"]["key"]
    assert vendor_v1.videos.show(video_key=key)["video"]["status"] == "processing"
    clock.now += 60
    assert vendor_v1.videos.show(video_key=key)["video"]["status"] == "ready"


def test_a_lagging_index_lists_and_finds_what_was(sim, vendor_v1, clock):
    sim.behaviour.index_lag_seconds = 60
    new = vendor_v1.videos.create(title="New")["media"]["key"]
    vendor_v1.videos.update(video_key=KEY, title="Changed")
    assert vendor_v1.videos.show(video_key=KEY)["video"]["title"] == "Changed"
    assert vendor_v1.videos.show(video_key=new)["video"]["title"] == "New"
    listed = vendor_v1.videos.list()["videos"]
    assert [(each["key"], each["title"]) for each in listed] == [(KEY, f"Video {KEY}"), ("other123", "Video other123")]
    assert v2_ids(sim, q='title:"Changed"') == []
    clock.now += 60
    assert v1_keys(sim) == [KEY, "other123", new]
    assert v2_ids(sim, q='title:"Changed"') == [KEY]


def test_a_secret_that_may_only_read(sim, vendor_v1, vendor_v2):
    sim.behaviour.read_only = True
    with pytest.raises(errors.JWPlatformPermissionDeniedError):
        vendor_v1.videos.update(video_key=KEY, title="New")
    with pytest.raises(APIError) as refused:
        vendor_v2.Media.delete(sim.api_key, media_id=KEY)
    assert refused.value.response.status == 403
    assert sim.library.keys("video") == [KEY, "other123"]


def test_a_dry_run_only_validates(sim):
    headers = {"Authorization": f"Bearer {sim.v2_secret}", "Jw-Dry-Run": "true"}
    was = sim.library.get("video", KEY)

    def send(method, path, body):
        url = f"{sim.url}/v2/sites/{sim.api_key}/media/{path}"
        return requests.request(method, url, json=body, headers=headers, timeout=TIMEOUT).status_code

    assert send("PATCH", f"{KEY}/", {"metadata": {"title": "New"}}) == 200
    assert send("PATCH", f"{KEY}/", {"metadata": {"title": ""}}) == 400
    assert send("POST", "", {"upload": {"method": "direct"}}) == 200
    assert send("DELETE", f"{KEY}/", None) == 204
    assert sim.library.get("video", KEY) == was
    assert len(sim.library.keys("video")) == 2


def test_an_answer_is_lost_or_an_error_after_the_write_was_carried_out(sim, vendor_v1):
    sim.faults.add(Fault.lost_answer(), route="update", key=KEY)
    with pytest.raises((http.client.HTTPException, OSError)):
        vendor_v1.videos.update(video_key=KEY, title="First")
    assert sim.library.get("video", KEY)["title"] == "First"
    sim.faults.add(Fault.status(503, carried_out=True), route="update")
    sim.faults.add(Fault.status(503), route="update", nth=2)
    for title in ("Second", "Third"):
        with pytest.raises(errors.JWPlatformCallUnavailableError):
            vendor_v1.videos.update(video_key=KEY, title=title)
    assert sim.library.get("video", KEY)["title"] == "Second"


def test_a_fault_may_be_meant_for_one_key(sim, vendor_v1, vendor_v2):
    sim.faults.add(Fault.status(422), key=KEY, times=None)
    vendor_v1.videos.update(video_key="other123", title="New")
    for write in (
        lambda: vendor_v1.videos.update(video_key=KEY, title="New"),
        lambda: vendor_v2.Media.update(sim.api_key, media_id=KEY, body={"metadata": {"title": "New"}}),
    ):
        with pytest.raises((APIError, errors.JWPlatformError)):
            write()
    assert sim.library.get("video", KEY)["title"] == f"Video {KEY}"

"""What the clients ask, and how they read what JW Platform has been recorded to answer."""

import json
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from jwp_pipeline.errors import CredentialsRefused, MalformedAnswer, RequestRefused, ResourceNotFound
from jwp_pipeline.jwplatform.signing import signature
from jwp_pipeline_tests.jwplatform.conftest import KEY, SECRET, answer, send, v1_videos, v2_media

NOT_FOUND = {"v1": {"status": "error", "code": "NotFound", "message": "Video with key `x` not found."}}
NOT_FOUND["v2"] = {"errors": [{"code": "not_found", "description": "The requested resource could not be found."}]}


def asked(script):
    """Path and query of each request."""
    parts = [urlsplit(path) for path in script.requests]
    return [(part.path, {name: values[0] for name, values in parse_qs(part.query).items()}) for part in parts]


def test_v1_reads_the_recorded_lists(script, make_v1, recorded):
    for kind, name, total in (("video", "videos", 4303), ("channel", "channels", 3)):
        body = recorded(f"v1-{name}-list.json")
        script.answers = [answer(200, body)]
        page = next(make_v1().list_pages(kind))
        assert page.body == body
        assert page.items == json.loads(body)[name]
        assert (page.number, page.stretch, page.stretch_total, page.listing_total) == (1, 0, total, total)
        assert page.page_length == json.loads(body)["limit"]
    (videos_path, videos), (channels_path, channels) = asked(script)
    assert (videos_path, channels_path) == ("/v1/videos/list", "/v1/channels/list")
    assert (videos["order_by"], videos["result_limit"], videos["result_offset"]) == ("date:asc", "1000", "0")
    assert channels["types_filter"] == "manual"
    sent = videos.pop("api_signature")
    assert sent == signature(videos, SECRET)


def test_v1_reads_the_recorded_resources_and_members(script, make_v1, recorded):
    client = make_v1()
    script.answers = [answer(200, recorded("v1-videos-show.json"))]
    assert client.show("video", "617kMdbG")["title"] == "Old Odd Logo"
    script.answers = [answer(200, recorded("v1-channels-show.json"))]
    assert client.show("channel", "jfDeJZmI")["title"] == "Salon Series"
    body = recorded("v1-channels-videos-list.json")
    script.answers = [answer(200, body)]
    members = client.members("vyazhsme")
    assert members == [video["key"] for video in json.loads(body)["videos"]]
    assert len(set(members)) < len(members), "the recording has a video twice, and so must the members"


def test_v2_reads_the_recorded_list(script, make_v2, recorded):
    body = recorded("v2-media-list.json")
    # Recorded without its envelope's numbers: what v2 documents is put around it.
    whole = json.dumps({"page": 1, "page_length": 1000, "total": 1} | json.loads(body))
    script.answers = [answer(200, "\ufeff" + whole)]
    (page,) = make_v2().list_pages("video")
    assert (page.body, page.items[0]["id"], page.page_length) == (whole, "ABCD1234", 1000)
    assert asked(script) == [(f"/v2/sites/{KEY}/media/", {"page": "1", "page_length": "1000", "sort": "created:asc"})]
    assert script.headers[0]["Authorization"] == f"Bearer {SECRET}"


def test_v1_pages_by_what_came_and_stops_at_an_empty_page(script, make_v1):
    script.answers = [v1_videos("a", "b", total=9, limit=2), v1_videos("c", total=9, limit=2), v1_videos(total=9)]
    pages = list(make_v1().list_pages("video"))
    assert [query["result_offset"] for _, query in asked(script)] == ["0", "2", "3"]
    assert [(page.number, len(page.items), page.page_length) for page in pages] == [(1, 2, 2), (2, 1, 2), (3, 0, 1000)]


def test_v2_believes_the_page_length_that_is_echoed(script, make_v2):
    script.answers = [v2_media("a", "b", total=5, page_length=2), v2_media("c", total=5, page_length=2)]
    pages = list(make_v2().list_pages("video"))
    assert [(query["page"], query["page_length"]) for _, query in asked(script)] == [
        ("1", "1000"),
        ("2", "2"),
        ("3", "2"),
    ]
    assert [page.page_length for page in pages] == [2, 2, 2]


def test_v2_overlaps_rather_than_skips_when_the_page_length_changes(script, make_v2):
    ids = [f"id{number:06}" for number in range(10)]
    lengths = iter([4, 2, 3, 3, 2, 2, 2, 2])
    seen = []

    def serve(handler):
        query = {
            name: int(value[0]) for name, value in parse_qs(urlsplit(handler.path).query).items() if name != "sort"
        }
        length = next(lengths)
        first = (query["page"] - 1) * length
        seen.extend(ids[first : first + length])
        body = v2_media(*ids[first : first + length], total=10, page_length=length)[1]
        send(handler, 200, body)

    script.answers = [serve]
    list(make_v2().list_pages("video"))
    assert set(seen) == set(ids)


def test_a_listing_that_never_ends_is_given_up(script, make_client, api):
    """The server repeats its page and announces ever more."""
    totals = iter(range(5, 10_000, 5))

    def serve(handler):
        make = v1_videos if api == "v1" else v2_media
        body = make("AbCd1234", total=next(totals), limit=1, page_length=1)[1]
        send(handler, 200, body)

    script.answers = [serve]
    client = make_client(requests_per_minute=1000)
    assert len(list(client.list_pages("video"))) == 20


def test_only_a_404_about_the_resource_means_that_it_does_not_exist(script, make_client, api):
    client = make_client()
    script.answers = [answer(404, NOT_FOUND[api])]
    assert client.show("video", "AbCd1234") is None
    assert client.show("channel", "AbCd1234") is None
    with pytest.raises(ResourceNotFound, match="AbCd1234"):
        client.members("AbCd1234")
    with pytest.raises(RequestRefused, match="JWPLATFORM_API_KEY"):
        list(client.list_pages("video"))
    # A 404 from something else proves nothing.
    script.answers = [answer(404, "<html>Not Found</html>")]
    with pytest.raises(RequestRefused, match="JWPLATFORM_MANAGEMENT_API_URL"):
        client.show("video", "AbCd1234")
    # Nor does an answer about another resource prove presence.
    script.answers = [answer(200, {"status": "ok", "video": {"key": "EfGh5678"}, "id": "EfGh5678"})]
    with pytest.raises(MalformedAnswer):
        client.show("video", "AbCd1234")


@pytest.mark.parametrize("key", ["a/b", "a?b", "a%b", "../x", "é "])
def test_v2_keys_stay_inside_their_path(script, make_v2, key):
    script.answers = [answer(404, NOT_FOUND["v2"])]
    assert make_v2().show("video", key) is None
    # Split at the slashes as they were sent, encoded ones apart.
    assert all(path.count("/") == "/v2/sites/S/media/K/".count("/") for path, _ in asked(script))


@pytest.mark.parametrize("key", [".", "..", ""])
def test_v2_does_not_ask_about_keys_that_mean_another_place(script, make_v2, key):
    """Without an answer of JW Platform, such a key is not gone either."""
    with pytest.raises(MalformedAnswer, match="cannot be asked"):
        make_v2().show("video", key)
    assert not asked(script)


def test_v2_members(script, make_v2):
    def playlist(values):
        return answer(200, {"id": "manuCCCC", "metadata": {"media_filter": {"include": {"values": values}}}})

    client = make_v2()
    script.answers = [playlist(["b", "a", "b"])]
    assert client.members("manuCCCC") == ["b", "a", "b"]
    assert asked(script)[0][0] == f"/v2/sites/{KEY}/playlists/manuCCCC/manual_playlist/"
    script.answers = [answer(200, {"id": "manuCCCC", "metadata": {"media_filter": None}})]
    assert client.members("manuCCCC") == []
    script.answers = [playlist([1])]
    with pytest.raises(MalformedAnswer):
        client.members("manuCCCC")


def test_probes(script, make_v1, make_v2):
    moment = datetime(2024, 5, 28, 12, 14, 23, tzinfo=UTC)
    script.answers = [answer(200, {"videos": [{"updated": int(moment.timestamp())}], "total": 7})]
    assert make_v1().probe("video") == type(make_v1().probe("video"))(7, moment)
    script.answers = [answer(200, {"channels": [{"key": "x"}], "total": 3})]
    assert (make_v1().probe("channel").total, make_v1().probe("channel").newest_change) == (3, None)
    for stamp in ("2024-05-28T12:14:23+00:00", "2024-05-28T14:14:23.000000+02:00", "2024-05-28T12:14:23"):
        script.answers = [answer(200, {"media": [{"last_modified": stamp}], "total": 7})]
        assert make_v2().probe("video").newest_change == moment
    script.answers = [answer(200, {"playlists": [], "total": 0})]
    assert make_v2().probe("channel").newest_change is None
    queries = [query for _, query in asked(script)]
    assert queries[0]["order_by"] == "updated:desc"
    assert queries[-1] == {"page": "1", "page_length": "1", "sort": "last_modified:dsc", "q": "playlist_type:manual"}
    assert {query.get("result_limit", query.get("page_length")) for query in queries} == {"1"}


def test_refused_credentials_name_their_settings(script, make_v1, make_v2):
    script.answers = [answer(403, {"errors": [{"code": "unauthorized", "description": ""}]})]
    with pytest.raises(CredentialsRefused, match="JWPLATFORM_V2_API_SECRET"):
        make_v2().probe("video")
    script.answers = [answer(403, {"status": "error", "code": "PermissionDenied", "message": ""})]
    with pytest.raises(CredentialsRefused, match=r"JWPLATFORM_API_KEY and JWPLATFORM_API_SECRET"):
        make_v1().probe("video")

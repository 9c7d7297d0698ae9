"""What the clients ask to learn what changed, where they stop, and what a probe asks."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from jwp_pipeline.jwplatform import v2
from jwp_pipeline.jwplatform.management import Probe
from jwp_pipeline_tests.jwplatform.conftest import KEY, answer, v1_videos, v2_media

SINCE = datetime(2026, 3, 29, 0, 59, 30, tzinfo=UTC)


def asked(script):
    """Path and query of each request, without what signs it."""
    parts = [urlsplit(path) for path in script.requests]
    signing = ("api_key", "api_nonce", "api_timestamp", "api_signature", "api_format")
    return [
        (part.path, {name: values[0] for name, values in parse_qs(part.query).items() if name not in signing})
        for part in parts
    ]


def playlists(*stamps, total=None, **more):
    found = [{"id": f"p{number}", "last_modified": stamp.isoformat()} for number, stamp in enumerate(stamps)]
    return answer(200, {"playlists": found, "total": len(found) if total is None else total, **more})


def test_v1_asks_for_videos_changed_at_a_moment_or_later(script, make_v1):
    """`updated_after` may leave out its own second, so it is asked for the second before."""
    script.answers = [v1_videos("a", "b", total=3, limit=2), v1_videos("c", total=3, limit=2)]
    pages = list(make_v1().list_changes("video", SINCE))
    assert [(page.number, len(page.items), page.stretch_total) for page in pages] == [(1, 2, 3), (2, 1, 3)]
    changed = {"updated_after": str(int(SINCE.timestamp()) - 1), "order_by": "updated:asc", "result_limit": "1000"}
    assert asked(script) == [
        ("/v1/videos/list", {**changed, "result_offset": "0"}),
        ("/v1/videos/list", {**changed, "result_offset": "2"}),
    ]


def test_v1_never_asks_for_a_time_before_the_epoch(script, make_v1):
    script.answers = [v1_videos("a")]
    list(make_v1().list_changes("video", datetime.fromtimestamp(0, UTC)))
    assert asked(script)[0][1]["updated_after"] == "0"


def test_v1_channels_cannot_be_asked_for_by_change(script, make_v1):
    assert make_v1().list_changes("channel", SINCE) is None
    assert not script.requests


def test_v2_asks_for_media_by_the_day_of_their_change(script, make_v2):
    script.answers = [v2_media("a", "b", total=3, page_length=2), v2_media("c", total=3, page_length=2)]
    pages = list(make_v2().list_changes("video", SINCE))
    assert [item["id"] for page in pages for item in page.items] == ["a", "b", "c"]
    changed = {"q": "last_modified:[2026-03-29 TO *]", "sort": "last_modified:asc"}
    assert asked(script) == [
        (f"/v2/sites/{KEY}/media/", {**changed, "page": "1", "page_length": "1000"}),
        (f"/v2/sites/{KEY}/media/", {**changed, "page": "2", "page_length": "2"}),
    ]


def test_v2_lists_all_media_when_more_changed_than_a_query_returns(script, make_v2, monkeypatch):
    monkeypatch.setattr(v2, "WINDOW", 4)
    # The first answer is to the query for changes, which is left; the second to the listing, which is small enough.
    script.answers = [v2_media("a", "b", total=5, page_length=2), v2_media("a", total=1)]
    (page,) = make_v2().list_changes("video", SINCE)
    assert [item["id"] for item in page.items] == ["a"]
    assert [query.get("q") for _, query in asked(script)] == ["last_modified:[2026-03-29 TO *]", None]


@pytest.mark.parametrize(
    ("last_on_the_first_page", "pages"), [(timedelta(0), 2), (timedelta(seconds=1), 2), (timedelta(seconds=-1), 1)]
)
def test_v2_lists_playlists_until_one_is_older(script, make_v2, last_on_the_first_page, pages):
    """Those of the very second may go on on the next page."""
    first = [SINCE + timedelta(hours=1), SINCE + last_on_the_first_page]
    script.answers = [
        playlists(*first, total=6, page_length=2),
        playlists(*[SINCE - timedelta(hours=1)] * 2, total=6, page_length=2),
    ]
    assert len(list(make_v2().list_changes("channel", SINCE))) == pages
    queries = [query for _, query in asked(script)]
    assert {(query["q"], query["sort"]) for query in queries} == {("playlist_type:manual", "last_modified:dsc")}


def test_v2_goes_on_where_a_playlist_has_no_stamp_that_can_be_read(script, make_v2):
    pages = [
        answer(200, {"playlists": [{"id": f"p{number}", **stamp}], "total": 4, "page_length": 1})
        for number, stamp in enumerate([{}, {"last_modified": 7}, {"last_modified": "0001-01-01T00:00:00+05:00"}])
    ]
    script.answers = [*pages, playlists(SINCE - timedelta(days=1), total=4, page_length=1)]
    assert len(list(make_v2().list_changes("channel", SINCE))) == 4


def test_a_probe_is_one_request_for_one_element(script, make_v1, make_v2):
    script.answers = [answer(200, {"status": "ok", "videos": [{"key": "a", "updated": "1743209970"}], "total": 8})]
    assert make_v1().probe("video") == Probe(8, datetime.fromtimestamp(1743209970, UTC))
    script.answers = [answer(200, {"status": "ok", "channels": [{"key": "a"}], "total": 2})]
    assert make_v1().probe("channel") == Probe(2, None)
    script.answers = [v2_media("a", total=8)]
    assert make_v2().probe("video") == Probe(8, None)
    script.answers = [playlists(SINCE, total=2)]
    assert make_v2().probe("channel") == Probe(2, SINCE)
    videos, channels, media, listed = (query for _, query in asked(script))
    assert (videos["order_by"], videos["result_limit"]) == ("updated:desc", "1")
    assert (channels["types_filter"], channels["result_limit"]) == ("manual", "1")
    assert media == {"page": "1", "page_length": "1", "sort": "last_modified:dsc"}
    assert listed == {**media, "q": "playlist_type:manual"}


def test_a_probe_of_an_empty_site(script, make_v1, make_v2):
    script.answers = [v1_videos()]
    assert make_v1().probe("video") == Probe(0, None)
    script.answers = [v2_media()]
    assert make_v2().probe("video") == Probe(0, None)

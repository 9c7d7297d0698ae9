import pytest
import requests

from jwp_pipeline.simulator import Behaviour, Library, Simulator, bulk_library
from jwp_pipeline.simulator.rate_limit import RateLimiter
from jwp_pipeline_tests.simulator.wire import TIMEOUT, v2, v2_ids
from jwp_pipeline_tests.support import channel, video


@pytest.fixture(scope="module")
def sim():
    jan, feb, march = 1_704_110_400, 1_706_745_600, 1_709_294_400  # 2024, first day of each, about noon UTC
    videos = [
        video("Aaaa", title="Quantum field theory", updated=jan, date=jan, tags="physics, open day"),
        video("aBBB", title="Field trip: quantum dots", updated=feb, date=jan + 1, status="processing"),
        video("bccc", title="Cell biology", updated=feb, date=jan + 2, custom={"abc": "123", "d": "9"}),
        video("zDDD", title="Music", updated=march, date=jan + 3, custom={"abc": "9"}, mediatype="audio"),
    ]
    with Simulator(Library(videos, [channel("manu"), channel("dyna", type="dynamic")])) as simulator:
        yield simulator


@pytest.fixture
def bulk():
    with Simulator(bulk_library(25)) as simulator:
        yield simulator


def test_only_the_right_secret_opens_the_right_site(sim):
    url = f"{sim.url}/v2/sites/{sim.api_key}/media/"

    def status(url, authorization):
        return requests.get(url, headers={"Authorization": authorization} if authorization else {}, timeout=TIMEOUT)

    assert status(url, sim.v2_secret).status_code == 200
    for wrong in (None, "", "Bearer ", f"Bearer {sim.api_secret}"):
        answer = status(url, wrong)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "unauthorized")
    other = status(f"{sim.url}/v2/sites/another1/media/", f"Bearer {sim.v2_secret}")
    assert (other.status_code, other.json()["errors"][0]["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("title:quantum", "aBBB Aaaa"),
        ("title:field quantum", "aBBB Aaaa"),
        ('title:"quantum field"', "Aaaa"),
        ("title:+music", "zDDD"),
        ("id:Aaaa", "Aaaa"),
        ("id:aaaa", ""),
        ("id:[a TO b]", "aBBB"),
        ("id:[A TO a]", "Aaaa"),
        ("id:[b TO *]", "zDDD bccc"),
        ("last_modified:[2024-02-01 TO *]", "zDDD bccc aBBB"),
        ("last_modified:[* TO 2024-02-01]", "bccc aBBB Aaaa"),
        ('last_modified:["2024-02-01T00:00:00+00:00" TO "2024-02-01T00:00:00Z"]', "bccc aBBB"),
        ("last_modified:[2024-02-01T00:00:01 TO 2024-03-02]", "zDDD"),
        ("created:2024-01-01", "zDDD bccc aBBB Aaaa"),
        ("tags:physics AND status:ready", "Aaaa"),
        ("tags:physics OR media_type:audio", "zDDD Aaaa"),
        ("(id:Aaaa OR id:bccc) AND title:cell", "bccc"),
        ('custom_params: ( name: "abc" AND value: "123" )', "bccc"),
        ('custom_params: ( name: "abc" AND value: "9" )', "zDDD"),
        ("duration:[8 TO 9]", "zDDD bccc aBBB Aaaa"),
    ],
)
def test_queries_select_resources(sim, query, ids):
    assert v2_ids(sim, q=query) == ids.split()


def test_playlists_are_found_by_type(sim):
    assert v2_ids(sim, "playlists", q="playlist_type:manual") == ["manu"]


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/media/", {"q": "colour:red"}),
        ("/playlists/", {"q": "last_modified:[2024-01-01 TO *]"}),
        ("/media/", {"q": "id:[a b]"}),
        ("/media/", {"q": "(id:a"}),
        ("/media/", {"q": "id:a id:b"}),
        ("/media/", {"q": "last_modified:[soon TO *]"}),
        ("/media/", {"sort": "id:asc"}),
        ("/media/", {"sort": "created:desc"}),
        ("/media/", {"page": 0}),
        ("/media/", {"page_length": "all"}),
    ],
)
def test_unknown_parameters_are_an_invalid_body(sim, path, params):
    answer = v2(sim, path, **params)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "invalid_body")


def test_sort_and_page_length(sim):
    assert v2_ids(sim, sort="last_modified:asc,title:asc") == ["Aaaa", "bccc", "aBBB", "zDDD"]
    assert v2(sim, "/media/").json()["page_length"] == 10
    assert v2(sim, "/media/", page_length=5000).json()["page_length"] == 1000
    page = v2(sim, "/media/", page_length=3, page=2).json()
    assert (page["page"], page["page_length"], page["total"], len(page["media"])) == (2, 3, 4, 1)


def test_a_playlist_has_only_its_own_type_s_form(sim):
    assert v2(sim, "/playlists/manu/manual_playlist/").status_code == 200
    assert v2(sim, "/playlists/dyna/manual_playlist/").status_code == 405
    assert v2(sim, "/playlists/none/manual_playlist/").status_code == 404


def test_a_query_ends_at_its_window(bulk):
    def pages(number):
        return [v2(bulk, "/media/", page_length=8, page=page) for page in range(1, number + 1)]

    bulk.behaviour.window = 20
    answers = [page.json() for page in pages(4)]
    assert [len(page["media"]) for page in answers] == [8, 8, 4, 0]
    assert {page["total"] for page in answers} == {25}
    assert len({media["id"] for page in answers for media in page["media"]}) == 20

    bulk.behaviour.total_is_capped = True
    assert v2(bulk, "/media/").json()["total"] == 20
    bulk.behaviour.past_window = "error"
    assert [page.status_code for page in pages(4)] == [200, 200, 400, 400]


def test_unstable_ties_lose_and_repeat_records_across_pages(bulk):
    for key in bulk.library.keys("video"):
        bulk.library.edit("video", key, updated=1_600_000_000)
    bulk.library.edit("video", bulk.library.keys("video")[7], updated=1_700_000_000)

    def listing():
        pages = (v2_ids(bulk, sort="last_modified:dsc", page_length=5, page=page) for page in range(1, 6))
        return [key for page in pages for key in page]

    assert listing() == listing()
    bulk.behaviour.unstable_ties = True
    first, second = listing(), listing()
    assert first != second
    assert len(set(first)) < 25
    # A resource without a tie stays in its place.
    assert first[0] == second[0] == bulk.library.keys("video")[7]


def test_v2_counts_in_headers_and_answers_429_beyond_the_limit():
    with Simulator(Library(), Behaviour(requests_per_minute=2, rate_window="sliding")) as sim:
        answers = [v2(sim, "/media/") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert [answer.headers["JW-Request-Remaining"] for answer in answers] == ["1", "0", "0"]
        assert answers[2].headers["JW-Request-Limit"] == "2"
        assert answers[2].json()["errors"][0]["code"] == "rate_limit_exceeded"
        assert "Retry-After" not in answers[2].headers


@pytest.mark.parametrize(
    ("sliding", "allowed"),
    [(False, [True, True, False, True, True, False]), (True, [True, True, False, False, True, False])],
)
def test_the_limit_counts_within_the_clock_s_minute_or_the_last_one(sliding, allowed):
    moments = iter([30.0, 50.0, 59.0, 61.0, 91.0, 92.0])
    limiter = RateLimiter(lambda: next(moments))
    assert [limiter.take(2, 60, sliding=sliding).allowed for _ in allowed] == allowed


def test_errors_may_be_a_bare_array(sim):
    sim.behaviour.bare_error_array = True
    try:
        assert v2(sim, "/media/nothere0/").json()[0]["code"] == "not_found"
    finally:
        sim.behaviour.bare_error_array = False

"""Clients see each fault of the simulator as it is described."""

import time

import pytest
import requests

from jwp_pipeline.simulator import Fault, Library, Simulator
from jwp_pipeline_tests.simulator.wire import v1, v1_keys, v2, v2_ids
from jwp_pipeline_tests.support import video

KEYS = list("abcdef")


@pytest.fixture(scope="module")
def server():
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def sim(server):
    server.library.replace_all([video(key, date=1_500_000_000 - place) for place, key in enumerate(KEYS)], [])
    server.faults.clear()
    server.forget_requests()
    return server


def test_a_status_has_the_api_s_own_body_and_is_sent_as_often_as_asked(sim):
    sim.faults.add(Fault.status(503), path="/v1/videos/list", times=2)
    answers = [v1(sim, "/videos/list") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].json()["code"] == "CallUnavailable"
    assert [logged.faults for logged in sim.requests] == [("status 503 (json)",)] * 2 + [()]
    sim.faults.add(Fault.status(500), api="v2", times=None)
    assert {v2(sim, "/media/").json()["errors"][0]["code"] for _ in range(3)} == {"server_error"}


def test_a_status_may_have_another_body(sim):
    sim.faults.add(Fault.status(502, "html"))
    sim.faults.add(Fault.status(504, "empty"), nth=2)
    sim.faults.add(Fault.status(429, retry_after=7), nth=3)
    html, empty, limited = (v2(sim, "/media/") for _ in range(3))
    assert (html.status_code, html.headers["Content-Type"].split(";")[0]) == (502, "text/html")
    assert (empty.status_code, empty.content) == (504, b"")
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "7")


def test_errors_and_html_may_come_with_status_200(sim):
    sim.faults.add(Fault.error_with_200(), api="v1")
    sim.faults.add(Fault.error_with_200(), api="v2")
    sim.faults.add(Fault.html_with_200(), api="v2", nth=2)
    wrong = v1(sim, "/videos/list")
    assert (wrong.status_code, wrong.json()["status"]) == (200, "error")
    wrong = v2(sim, "/media/")
    assert (wrong.status_code, list(wrong.json())) == (200, ["errors"])
    wrong = v2(sim, "/media/")
    assert (wrong.status_code, wrong.text[:6]) == (200, "<html>")


def test_latency_delays_the_answer(sim):
    sim.faults.add(Fault.latency(0.3), resource="video")
    started = time.monotonic()
    assert v2(sim, "/media/").status_code == 200
    assert time.monotonic() - started >= 0.3


def test_a_dropped_connection_gives_no_answer(sim):
    sim.faults.add(Fault.drop())
    with pytest.raises(requests.ConnectionError):
        v2(sim, "/media/")
    assert sim.requests[-1].status is None
    assert v2(sim, "/media/").status_code == 200


def test_a_truncated_body_is_a_client_error(sim):
    sim.faults.add(Fault.truncate(0.5))
    answer = None
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="more expected"):
        answer = v2(sim, "/media/")
    assert answer is None
    assert v2(sim, "/media/").status_code == 200


@pytest.mark.parametrize(
    ("shape", "seen"),
    [
        ("array missing", lambda body: "videos" not in body and body["total"] == 6),
        ("array null", lambda body: body["videos"] is None),
        ("array object", lambda body: body["videos"]["0"]["key"] == "a"),
        ("total missing", lambda body: "total" not in body and len(body["videos"]) == 6),
        ("bare array", lambda body: [each["key"] for each in body] == KEYS),
    ],
)
def test_a_body_may_have_the_wrong_shape(sim, shape, seen):
    sim.faults.add(Fault.wrong_shape(shape))
    assert seen(v1(sim, "/videos/list").json())


def test_empty_short_and_repeated_pages_keep_their_totals(sim):
    sim.faults.add(Fault.empty_page(), page=2)
    sim.faults.add(Fault.short_page(), page=2, nth=2)
    sim.faults.add(Fault.repeated_page(), page=2, nth=3)
    sim.faults.add(Fault.wrong_total(-1), page=3)
    assert v1_keys(sim, result_limit=2) == ["a", "b"]
    pages = [v1(sim, "/videos/list", result_limit=2, result_offset=2).json() for _ in range(4)]
    assert [[each["key"] for each in page["videos"]] for page in pages] == [[], ["c"], ["a", "b"], ["c", "d"]]
    assert {(page["total"], page["offset"]) for page in pages} == {(6, 2)}
    assert v2(sim, "/media/", page_length=2, page=3).json()["total"] == 5


def test_the_library_may_change_between_two_pages(sim):
    def shift(library: Library) -> None:
        library.remove("video", "a")

    sim.faults.add(Fault.edit(shift), api="v2", page=1)
    listed = [v2_ids(sim, page_length=2, page=page) for page in (1, 2, 3)]
    assert listed == [["a", "b"], ["d", "e"], ["f"]]

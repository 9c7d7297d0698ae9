"""A write is sent again only if it has certainly not been carried out; if that is not known, the caller is told."""

import json
import socket
import threading

import pytest

from jwp_pipeline.errors import (
    JWPlatformError,
    RateLimited,
    RequestRefused,
    Unreachable,
    WriteUncertain,
)
from jwp_pipeline.jwplatform.patience import Patience
from jwp_pipeline.jwplatform.writing import VideoEdit
from jwp_pipeline.jwplatform.writing_v2 import WritingV2
from jwp_pipeline.simulator import Behaviour, Fault, Library, Simulator
from jwp_pipeline.simulator.exchange import Answer
from jwp_pipeline_tests.jwplatform.conftest import SECRET, answer, send
from jwp_pipeline_tests.simulator.wire import video
from jwp_pipeline_tests.support import writing_client_of

KEY = "AbCd1234"
EDIT = VideoEdit(title="New")


@pytest.fixture
def sim():
    with Simulator(Library([video(KEY)]), Behaviour()) as running:
        yield running


@pytest.fixture
def client(sim, api):
    client = writing_client_of(sim, api, deadline=30.0)
    yield client
    client.close()


def written(sim):
    return [each for each in sim.requests if each.route in ("update", "create", "reupload")]


def title(sim):
    return sim.library.get("video", KEY)["title"]


MAY_HAVE_ARRIVED = {
    "lost answer": (Fault.lost_answer(), True),
    "half an answer": (Fault.truncate(0.5), True),
    "503 before": (Fault.status(503), False),
    "500 after": (Fault.status(500, carried_out=True), True),
    "502 of a gateway": (Fault.status(502, "html"), False),
    "504 of a gateway, after": (Fault.status(504, "html", carried_out=True), True),
    "408": (Fault.status(408, "html"), False),
    "HTML with 200": (Fault.status(200, "html", carried_out=True), True),
    "error with 200": (Fault.status(200, carried_out=True), True),
    "dropped": (Fault.drop(), False),
}


@pytest.mark.parametrize(("fault", "carried_out"), MAY_HAVE_ARRIVED.values(), ids=MAY_HAVE_ARRIVED.keys())
def test_what_may_have_been_carried_out_is_not_repeated(sim, client, fault, carried_out):
    shown = client.show_video(KEY)
    sim.faults.add(fault, route="update")
    with pytest.raises(WriteUncertain, match=rf"^Updating (video|media) {KEY}: .* must be looked at first"):
        client.update_video(shown, EDIT)
    assert len(written(sim)) == 1
    assert (title(sim) == "New") == carried_out
    # Whoever looks first repeats only what is missing.
    client.update_video(client.show_video(KEY), EDIT)
    assert title(sim) == "New"
    assert len(written(sim)) == 2 - carried_out


def test_a_creation_whose_answer_is_lost_can_be_found(sim, client):
    sim.faults.add(Fault.lost_answer(), route="create")
    with pytest.raises(WriteUncertain):
        client.create_video(VideoEdit(title="New", custom={"site.x.media_id": "media_id:1:"}))
    assert len(written(sim)) == 1
    (found,) = client.find_videos("site.x.media_id", "media_id:1:")
    assert found.get("key", found.get("id")) in sim.library.keys("video")


def test_v1_says_so_if_the_change_was_accepted_but_cannot_be_shown(sim):
    client = writing_client_of(sim, "v1", deadline=2.0)
    shown = client.show_video(KEY)
    sim.faults.add(Fault.status(503), route="show", times=None)
    with pytest.raises(WriteUncertain, match=f"Video {KEY} was updated, but"):
        client.update_video(shown, EDIT)
    sim.faults.clear()
    sim.faults.add(Fault.edit(lambda library: library.remove("video", KEY)), route="update")
    with pytest.raises(JWPlatformError, match="has it no more"):
        client.update_video(shown, VideoEdit(title="Newer"))


def test_an_answer_of_another_shape_is_uncertain(sim, client):
    shown = client.show_video(KEY)
    sim.faults.add(Fault("odd", instead=lambda call: Answer(200, b'{"title": "New"}')), route="update")
    with pytest.raises(WriteUncertain):
        client.update_video(shown, EDIT)


def test_an_uncertain_write_uses_up_patience_as_any_failure_does(script, make_writer, clock):
    def fail_late(handler):
        clock.now += 5
        send(handler, 500)

    script.answers = [fail_late]
    patience = Patience(600)
    with pytest.raises(WriteUncertain):
        make_writer(patience=patience).create_video(EDIT)
    assert patience.left() == 595


@pytest.mark.parametrize("body", ["json", "html"])
def test_a_refusal_for_the_rate_is_waited_out(sim, client, body):
    shown = client.show_video(KEY)
    sim.faults.add(Fault.status(429, body, retry_after=7), route="update", times=2)
    client.update_video(shown, EDIT)
    assert title(sim) == "New"
    assert [each.status for each in written(sim)] == [429, 429, 200]


def test_a_write_is_not_cut_short_by_the_end_of_the_deadline(script, make_writer):
    def answer_late(handler):
        threading.Event().wait(0.3)
        send(handler, 200, json.dumps({"status": "ok", "media": {"key": KEY}, "id": KEY}).encode())

    script.answers = [answer(429, "", Retry_After=7), answer_late]
    assert make_writer(deadline=7).create_video(EDIT).key == KEY


def test_a_write_that_the_rate_never_allowed_is_not_uncertain(sim, client):
    shown = client.show_video(KEY)
    sim.faults.add(Fault.status(429, retry_after=3600), route="update", times=None)
    with pytest.raises(RateLimited):
        client.update_video(shown, EDIT)


def test_a_dry_run_may_be_repeated(sim):
    client = writing_client_of(sim, "v2")
    shown = client.show_video(KEY)
    sim.faults.add(Fault.lost_answer(), route="update")
    assert client.update_video(shown, EDIT, dry_run=True) is None
    assert len(written(sim)) == 2


def shown_as(api):
    return {"key": KEY, "custom": {}} if api == "v1" else {"id": KEY, "metadata": {}}


def test_a_closed_port_is_tried_again_because_nothing_can_have_arrived(script, make_writer, clock):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        script.url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        client = make_writer(deadline=20)
        with pytest.raises(Unreachable, match="Connection refused"):
            client.create_video(EDIT)
    assert client.stats.requests > 3
    assert sum(clock.slept) > 5


def test_a_name_that_cannot_be_found_is_tried_again(script, make_writer):
    script.url = "http://no-such-host.invalid"
    client = make_writer(deadline=5)
    with pytest.raises(Unreachable):
        client.create_video(EDIT)
    assert client.stats.requests > 1


def test_a_time_out_is_uncertain(script, make_writer):
    over = threading.Event()
    script.answers = [lambda handler: over.wait(5)]
    with pytest.raises(WriteUncertain, match="within the time-out"):
        make_writer(read_timeout=0.2).create_video(EDIT)
    over.set()
    assert len(script.requests) == 1


def test_tls_that_fails_before_the_request_is_not_uncertain(script, make_writer):
    script.answers = [answer(200, {})]
    script.url = script.url.replace("http:", "https:")
    with pytest.raises(JWPlatformError) as raised:
        make_writer(deadline=3).create_video(EDIT)
    assert not isinstance(raised.value, WriteUncertain)


def test_an_answer_that_is_too_large_is_uncertain(script, make_writer, monkeypatch):
    monkeypatch.setattr("jwp_pipeline.jwplatform.wire.MOST_BYTES", 1000)
    script.answers = [answer(200, " " * 2000)]
    with pytest.raises(WriteUncertain, match="more than"):
        make_writer().create_video(EDIT)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (302, "", RequestRefused),
        (404, "<html>", RequestRefused),
        (407, "", RequestRefused),
        (413, "<html>", RequestRefused),
    ],
)
def test_what_something_on_the_way_refuses_is_a_refusal(script, make_writer, status, body, error):
    script.answers = [answer(status, body, Location="/elsewhere")]
    with pytest.raises(error):
        make_writer().create_video(EDIT)
    assert len(script.requests) == 1


def test_a_204_is_a_success_of_a_dry_run(script, clock):
    script.answers = [answer(204)]
    client = WritingV2(KEY, SECRET, origin=script.url, clock=clock)
    assert client.update_video(shown_as("v2"), EDIT, dry_run=True) is None
    (sent,) = script.headers
    assert sent["Jw-Dry-Run"] == "true"
    script.answers = [answer(204)]
    with pytest.raises(WriteUncertain):
        client.update_video(shown_as("v2"), EDIT)

"""Which requests are retried, when, and for how long: over real HTTP, with a clock that does not wait."""

import socket
import threading
import time
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest

from jwp_pipeline.errors import (
    CredentialsRefused,
    MalformedAnswer,
    RateLimited,
    RequestRefused,
    Unreachable,
)
from jwp_pipeline.jwplatform.management import ClientOptions
from jwp_pipeline.jwplatform.v1 import ManagementV1
from jwp_pipeline.jwplatform.v2 import ManagementV2
from jwp_pipeline_tests.jwplatform.conftest import KEY, SECRET, answer, send, v1_videos, v2_media
from jwp_pipeline_tests.support import closed_port

V1_BUSY = {"status": "error", "code": "RateLimitExceeded", "title": "", "message": ""}


def drop(handler):
    handler.wfile.flush()


def cut_short(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b'{"status": "ok", "vid')


def cut_chunk(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100\r\n" + b'{"status": "ok"')


def cut_unannounced(handler):
    handler.wfile.write(b'HTTP/1.1 200 OK\r\n\r\n{"status": "ok", "videos": [')


def not_gzip(handler):
    handler.wfile.write(
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"
    )


TRANSIENT = {
    "500": answer(500, {"status": "error", "code": "InternalError", "message": ""}),
    "502 HTML": answer(502, "<html>Bad Gateway</html>"),
    "503 empty": answer(503, ""),
    "429": answer(429, V1_BUSY),
    "408": answer(408, "<html>Request Timeout</html>"),
    "425": answer(425, ""),
    "HTML with 200": answer(200, "<html>Maintenance</html>"),
    "error with 200": answer(200, {"status": "error", "code": "CallUnavailable", "message": ""}),
    "no array": answer(200, {"status": "ok", "total": 1}),
    "array is an object": answer(200, {"status": "ok", "total": 1, "videos": {}}),
    "no total": answer(200, {"status": "ok", "videos": []}),
    "total is a text": answer(200, {"status": "ok", "videos": [], "total": "1"}),
    "dropped": drop,
    "cut short": cut_short,
    "cut in a chunk": cut_chunk,
    "cut, length unannounced": cut_unannounced,
    "not gzip": not_gzip,
}


@pytest.mark.parametrize("trouble", TRANSIENT.values(), ids=TRANSIENT.keys())
def test_transient_errors_are_retried_with_a_fresh_signature(script, make_v1, clock, trouble):
    script.answers = [trouble, trouble, v1_videos("AbCd1234")]
    told = []
    client = make_v1(on_wait=told.append)
    (page,) = client.list_pages("video")
    assert page.items == [{"key": "AbCd1234"}]
    assert (client.stats.requests, client.stats.retries) == (3, 2)
    assert client.stats.seconds_waiting == pytest.approx(sum(clock.slept))
    assert [notice.seconds for notice in told] == clock.slept
    assert 0.25 <= clock.slept[0] <= 0.5 <= clock.slept[1] <= 1
    assert all(notice.reason.startswith("listing videos, page 1: ") for notice in told)
    asked = [parse_qs(urlsplit(path).query) for path in script.requests]
    assert len({query["api_nonce"][0] for query in asked}) == 3
    assert len({query["api_signature"][0] for query in asked}) == 3


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (405, {"status": "error", "code": "NotSupported", "message": ""}, RequestRefused),
        (403, {"status": "error", "code": "PermissionDenied", "message": ""}, CredentialsRefused),
        (404, {"status": "error", "code": "NotFound", "message": ""}, RequestRefused),
        (302, "", RequestRefused),
    ],
)
def test_permanent_errors_are_not_retried(script, make_v1, status, body, error):
    script.answers = [answer(status, body, Location="/elsewhere")]
    client = make_v1()
    with pytest.raises(error, match=r"^Listing videos, page 1: "):
        list(client.list_pages("video"))
    assert len(script.requests) == client.stats.requests == 1


@pytest.mark.parametrize("origin", ["http://127.0.0.1:99999", "http://exa mple", "htp://host", "host", "http://[::1"])
def test_an_invalid_address_is_not_retried(clock, origin):
    client = ManagementV2(KEY, SECRET, origin=origin, clock=clock)
    with pytest.raises(RequestRefused, match=r"^Probing media: .* Check JWPLATFORM_MANAGEMENT_API_URL"):
        client.probe("video")
    assert (client.stats.requests, clock.slept) == (1, [])


def test_refused_tls_is_not_retried(script, clock):
    script.answers = [answer(200, {})]
    client = ManagementV1(KEY, SECRET, origin=script.url.replace("http:", "https:"), clock=clock)
    with pytest.raises(RequestRefused, match=r"TLS.*JWPLATFORM_MANAGEMENT_API_URL.*certificate"):
        client.probe("video")
    assert (client.stats.requests, clock.slept) == (1, [])


def test_missing_certificates_are_reported(clock, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    with pytest.raises(RequestRefused, match="REQUESTS_CA_BUNDLE"):
        ManagementV2(KEY, SECRET, origin="https://127.0.0.1:9", clock=clock).probe("video")


def test_tls_that_is_cut_short_is_retried(clock):
    def hang_up():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.recv(4096)
            connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=hang_up)
        thread.start()
        origin = f"https://127.0.0.1:{listener.getsockname()[1]}"
        client = ManagementV2(KEY, SECRET, origin=origin, options=ClientOptions(deadline=5), clock=clock)
        with pytest.raises(Unreachable, match="Tried"):
            client.probe("video")
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
    assert clock.slept


def test_a_service_that_is_down_is_retried_until_the_deadline(script, make_v1, clock):
    script.answers = [answer(503, "")]
    began = clock.now
    with pytest.raises(MalformedAnswer, match=r"HTTP 503.*Tried \d+ times"):
        list(make_v1(deadline=300).list_pages("video"))
    assert 200 < clock.now - began <= 300


def test_a_body_that_stays_wrong_is_not_retried_until_the_deadline(script, make_v2, clock):
    script.answers = [answer(200, {"media": None, "total": 0})]
    with pytest.raises(MalformedAnswer, match='no list "media"'):
        list(make_v2().list_pages("video"))
    assert sum(clock.slept) < 60


def test_a_closed_port_is_retried_until_the_deadline(make_v1, script, clock):
    with closed_port() as port:
        script.url = f"http://127.0.0.1:{port}"
        with pytest.raises(Unreachable, match="Connection refused"):
            make_v1(deadline=5).probe("video")
    assert 0 < sum(clock.slept) <= 5


def test_time_outs(script):
    """Against the real clock: silence meets the read time-out, a drip of bytes the deadline."""
    over = threading.Event()

    def drip(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not over.wait(0.05):
            handler.wfile.write(b" ")

    script.answers = [lambda handler: over.wait(5), drip]
    client = ManagementV2(KEY, SECRET, origin=script.url, options=ClientOptions(read_timeout=0.2, deadline=1.5))
    began = time.monotonic()
    with pytest.raises(Unreachable, match="deadline"):
        client.probe("video")
    over.set()
    assert len(script.requests) == 2
    assert 1.5 <= time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("headers", "body", "wait"),
    [
        ({"Retry_After": 17}, "", 17),
        ({"JW_Request_Remaining": 0}, {"errors": [{"code": "rate_limit_exceeded", "description": ""}]}, 40),
        ({}, V1_BUSY | {"rate_limit": {"reset": 1_700_000_040, "limit": 60, "remaining": 0}}, 40),
    ],
    ids=["Retry-After", "v2 header", "v1 body"],
)
def test_a_429_is_waited_out_as_it_asks(script, make_v2, clock, headers, body, wait):
    script.answers = [answer(429, body, **headers), v2_media("AbCd1234")]
    assert len(list(make_v2().list_pages("video"))) == 1
    assert clock.slept == [wait]


def test_a_429_beyond_the_deadline_is_not_waited_for(script, make_v2, clock):
    script.answers = [answer(429, "", Retry_After=3600)]
    with pytest.raises(RateLimited, match="asks to wait 3600 s more"):
        make_v2().probe("video")
    assert clock.slept == []


def test_a_used_up_window_is_waited_out_before_it_is_refused(script, make_v1, make_v2, clock):
    script.answers = [
        v1_videos("AbCd1234", total=2, rate_limit={"reset": int(clock.now) + 40, "limit": 60, "remaining": 0}),
        v1_videos("EfGh5678", total=2),
    ]
    assert len(list(make_v1().list_pages("video"))) == 2
    assert clock.slept == [40]
    status, body, _ = v2_media("AbCd1234", total=2, page_length=1)
    script.answers = [(status, body, {"JW-Request-Remaining": 0}), v2_media("EfGh5678", total=2, page_length=1)]
    assert len(list(make_v2().list_pages("video"))) == 2
    assert clock.slept == [40, 60]


def test_never_above_the_own_rate_even_while_retrying(script, make_v1, clock):
    sent = []

    def note(handler):
        sent.append(clock.now)
        send(handler, 503)

    script.answers = [note]
    client = make_v1(requests_per_minute=3, deadline=400)
    with pytest.raises(MalformedAnswer):
        client.probe("video")
    assert len(sent) > 6
    assert all(later - earlier >= 60 for earlier, later in zip(sent, sent[3:], strict=False))
    assert any(later - earlier < 1 for earlier, later in pairwise(sent))


def test_close_ends_a_wait_in_another_thread(script):
    script.answers = [answer(429, "", Retry_After=500)]
    waiting = threading.Event()
    options = ClientOptions(on_wait=lambda notice: waiting.set())
    client = ManagementV2(KEY, SECRET, origin=script.url, options=options)
    raised = []

    def probe():
        try:
            client.probe("video")
        except Unreachable as error:
            raised.append(error)

    thread = threading.Thread(target=probe)
    thread.start()
    assert waiting.wait(5)
    client.close()
    thread.join(5)
    assert "closed" in str(raised[0])

"""A clock that does not wait, and a real HTTP server on loopback that gives scripted answers."""

import json
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from jwp_pipeline.jwplatform.management import ClientOptions
from jwp_pipeline.jwplatform.pacing import Clock
from jwp_pipeline.jwplatform.v1 import ManagementV1
from jwp_pipeline.jwplatform.v2 import ManagementV2

KEY = "AbCd1234"
SECRET = "s3cretOfThisSite0123456789"
RECORDED = Path(__file__).parents[3] / "shared" / "recorded"


class FakeClock(Clock):
    """Time that passes only in sleeps; it starts at second 20 of a minute."""

    def __init__(self):
        super().__init__()
        self.now = 1_700_000_000.0
        self.slept = []

    def monotonic(self):
        return self.now

    def time(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Script:
    """Answers to give, one a request; the last one is given for ever. A callable gets the request handler."""

    answers: list[tuple | Callable] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    headers: list[dict] = field(default_factory=list)
    url: str = ""

    def next(self):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def answer(status, body, **headers):
    """A scripted answer; `body` is text, bytes, or a value to send as JSON."""
    if not isinstance(body, str | bytes):
        body = json.dumps(body)
    return status, body.encode() if isinstance(body, str) else body, headers


def send(handler, status, body=b""):
    """What a callable answers with. It says that the connection closes, lest the client count on it."""
    head = f"HTTP/1.1 {status} Status\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    handler.wfile.write(head.encode() + body)


def v1_videos(*keys, total=None, **more):
    return answer(
        200,
        {"status": "ok", "videos": [{"key": k} for k in keys], "total": len(keys) if total is None else total, **more},
    )


def v2_media(*ids, total=None, **more):
    return answer(
        200, {"page": 1, "media": [{"id": i} for i in ids], "total": len(ids) if total is None else total, **more}
    )


@contextmanager
def serve(script):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self):
            script.requests.append(self.path)
            script.headers.append(dict(self.headers))
            given = script.next()
            if callable(given):
                given(self)
                self.close_connection = True
                return
            status, body, headers = given
            # Without a Date, unless the script gives one: JW Platform's clock is then the client's.
            self.send_response_only(status)
            for name, value in {"Content-Length": len(body), **headers}.items():
                self.send_header(name.replace("_", "-"), str(value))
            self.end_headers()
            self.wfile.write(body)

        # What a proxy is asked for on the way to an https address.
        do_CONNECT = do_GET  # noqa: N815

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    # A client that hangs up is what some tests are about.
    server.handle_error = lambda request, address: None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_port}"
    yield script
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def script():
    with serve(Script()) as script:
        yield script


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def make_v1(script, clock):
    def make(**options):
        return ManagementV1(KEY, SECRET, origin=script.url, options=ClientOptions(**options), clock=clock)

    return make


@pytest.fixture
def make_v2(script, clock):
    def make(**options):
        return ManagementV2(KEY, SECRET, origin=script.url, options=ClientOptions(**options), clock=clock)

    return make


@pytest.fixture
def recorded():
    """Text of a recorded answer, by file name."""
    if not RECORDED.is_dir():
        pytest.skip(f"{RECORDED.name}: the recorded answers of JW Platform are not beside this checkout")
    return lambda name: (RECORDED / name).read_text()

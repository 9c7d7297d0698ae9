"""Provides a small HTTP server on loopback that gives the answers written by a test and records the requests."""

import json
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Script:
    """The answers to give, one for each request; the last one is repeated. A callable gets the request handler."""

    answers: list[tuple | Callable] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    """The path and query of each request."""
    headers: list[dict] = field(default_factory=list)
    posted: list[tuple[str, object]] = field(default_factory=list)
    """The path and the body of each POST, PUT and PATCH: a JSON value, or else text."""
    url: str = ""

    def next(self):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def answer(status, body="", **headers):
    """Make an answer for a script; `body` is text, bytes, or a value to send as JSON."""
    if not isinstance(body, str | bytes):
        body = json.dumps(body)
    return status, body.encode() if isinstance(body, str) else body, headers


def send(handler, status, body=b""):
    """Send a callable's answer. It announces that the connection closes, so that the client does not reuse it."""
    head = f"HTTP/1.1 {status} Status\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    handler.wfile.write(head.encode() + body)


@contextmanager
def serve(script):
    """Serve the script during the block, and yield it with its URL."""

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
            # There is no Date unless the script gives one; without it, the client assumes that JWP's clock is its own.
            self.send_response_only(status)
            for name, value in {"Content-Length": len(body), **headers}.items():
                self.send_header(name.replace("_", "-"), str(value))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            is_json = self.headers.get("Content-Type", "").startswith("application/json")
            script.posted.append((self.path, json.loads(body) if is_json else body.decode()))
            self.do_GET()

        do_PUT = do_PATCH = do_POST  # noqa: N815

        # A client sends CONNECT to a proxy to reach an https address.
        do_CONNECT = do_GET  # noqa: N815

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    # Some tests have a client that hangs up; this is not an error to print.
    server.handle_error = lambda request, address: None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield script
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

"""A small real HTTP server on loopback. It gives the answers that a test has written, and keeps what it was asked."""

import json
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Script:
    """Answers to give, one for each request; the last one is given for ever. A callable gets the request handler."""

    answers: list[tuple | Callable] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    """Path and query of each request."""
    headers: list[dict] = field(default_factory=list)
    posted: list[tuple[str, object]] = field(default_factory=list)
    """Path and JSON body of each POST."""
    url: str = ""

    def next(self):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def answer(status, body="", **headers):
    """A scripted answer; `body` is text, bytes, or a value to send as JSON."""
    if not isinstance(body, str | bytes):
        body = json.dumps(body)
    return status, body.encode() if isinstance(body, str) else body, headers


def send(handler, status, body=b""):
    """What a callable answers with. It says that the connection closes, lest the client count on it."""
    head = f"HTTP/1.1 {status} Status\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    handler.wfile.write(head.encode() + body)


@contextmanager
def serve(script):
    """The script with the URL at which it is served."""

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

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            script.posted.append((self.path, json.loads(body)))
            self.do_GET()

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
    try:
        yield script
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

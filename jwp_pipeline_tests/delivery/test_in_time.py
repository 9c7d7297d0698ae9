"""Whatever JW Platform and the network do, a caller who asks for sources has an answer or an error in time."""

import socket
import time

import pytest

from jwp_pipeline.delivery import get_sources
from jwp_pipeline.errors import DeliveryUnreachable
from jwp_pipeline.settings import load_settings
from jwp_pipeline_tests.support.http import Script, serve

SECONDS = 0.4
KEY = "AbCd1234"
HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 100\r\n\r\n"


def silent(handler):
    time.sleep(3 * SECONDS)


def trickling_headers(handler):
    for octet in HEAD[:20]:
        handler.wfile.write(bytes([octet]))
        time.sleep(SECONDS / 4)


def late_headers_and_no_body(handler):
    time.sleep(0.8 * SECONDS)
    handler.wfile.write(HEAD)
    time.sleep(2 * SECONDS)


def trickling_body(handler):
    handler.wfile.write(HEAD)
    for _ in range(20):
        handler.wfile.write(b" ")
        time.sleep(SECONDS / 4)


def error_of(script):
    settings = load_settings(jwplatform_api_secret="demoSecret", jwplatform_api_base_url=script.url)
    started = time.monotonic()
    with pytest.raises(DeliveryUnreachable, match=KEY) as failure:
        get_sources(KEY, settings=settings, seconds=SECONDS)
    assert time.monotonic() - started < 1.5 * SECONDS
    return str(failure.value)


@pytest.mark.parametrize("behave", [silent, trickling_headers, late_headers_and_no_body, trickling_body])
def test_a_server_that_takes_too_long_is_an_error_in_time(behave):
    with serve(Script([behave])) as script:
        assert f"within {SECONDS} s" in error_of(script)


def test_a_name_server_that_does_not_answer_is_an_error_in_time(monkeypatch):
    resolve = socket.getaddrinfo

    def slow(host, *rest, **named):
        if host == "cdn.example":
            time.sleep(3 * SECONDS)
        return resolve("127.0.0.1", *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    assert f"within {SECONDS} s" in error_of(Script(url="http://cdn.example:9/"))

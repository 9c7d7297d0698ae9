"""Whatever answers when sources are asked for, the token and the secret stay out of logs, errors and tracebacks."""

import json
import logging
import traceback
from urllib.parse import parse_qs, urlsplit

import pytest

from jwp_pipeline.delivery import get_sources
from jwp_pipeline.errors import DeliveryError
from jwp_pipeline.settings import load_settings
from jwp_pipeline_tests.support.http import Script, answer, send, serve

SECRET = "s3cretOfThisSite0123456789"


def token_of(path):
    return parse_qs(urlsplit(path).query)["token"][0]


def repeated_in_an_error(handler):
    send(handler, 403, f"no access to {handler.path} with {token_of(handler.path)}".encode())


def repeated_where_sources_should_be(handler):
    token = token_of(handler.path)
    sources = [token, {token: handler.path}, {"type": "video/mp4", "file": f"https://x/v.mp4?token={token}"}]
    send(handler, 200, json.dumps({"playlist": [{"sources": sources}]}).encode())


def repeated_in_a_redirect(handler):
    handler.wfile.write(f"HTTP/1.1 302 Found\r\nLocation: {handler.path}\r\n\r\n".encode())


def no_headers(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nno header\r\n\r\n")


ANSWERS = {
    "an error that repeats the request": repeated_in_an_error,
    "sources that repeat the request": repeated_where_sources_should_be,
    "a redirect to itself": repeated_in_a_redirect,
    "headers that are none": no_headers,
    "no video": answer(404),
    "no JSON": answer(200, "<html>"),
    "a dropped connection": lambda handler: None,
    "no server": None,
}


@pytest.mark.parametrize("given", ANSWERS.values(), ids=ANSWERS.keys())
def test_no_token_is_shown(caplog, given):
    caplog.set_level(logging.DEBUG)
    shown = []
    with serve(Script([given])) as script:
        url = script.url if given else "http://127.0.0.1:1"
        settings = load_settings(jwplatform_api_secret=SECRET, jwplatform_api_base_url=url)
        try:
            shown.append(repr(get_sources("AbCd1234", settings=settings)))
        except DeliveryError:
            shown.append(traceback.format_exc())
        sent = [token_of(path) for path in script.requests]
    assert len(sent) == (given is not None)
    shown += [f"{record.getMessage()} {record.args}" for record in caplog.records] + [caplog.text]
    assert any(record.name.startswith("urllib3") for record in caplog.records)
    for text in shown:
        assert SECRET not in text
        assert not any(part in text for token in [*sent, "token="] for part in token.split(".")), text

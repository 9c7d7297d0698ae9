"""Every body that JW Platform, or what stands before it, may send becomes the right exception, or none."""

import json

import pytest

from jwp_pipeline.errors import (
    CredentialsRefused,
    MalformedAnswer,
    RateLimited,
    RequestRefused,
    ResourceNotFound,
)
from jwp_pipeline.jwplatform.answers import Credentials, decode, error_of, parse

SECRET = "s3cretOfThisSite"
CREDENTIALS = Credentials("JWPLATFORM_API_KEY and JWPLATFORM_API_SECRET", (SECRET,))
HTML = "<html><head><title>502</title></head><body><h1>Bad Gateway</h1></body></html>"


def v1(code, message=""):
    return json.dumps({"status": "error", "code": code, "title": code, "message": message})


def v2(code, description=""):
    return json.dumps({"errors": [{"code": code, "description": description}]})


def bare(code):
    return json.dumps([{"code": code, "description": ""}])


def error(status, body):
    return error_of(decode(status, {}, body.encode()), CREDENTIALS)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, '{"status": "ok", "videos": []}', None),
        # A v2 resource whose processing failed is no error body.
        (200, '{"id": "AbCd1234", "status": "error", "error_message": "bad codec"}', None),
        (200, v1("NotFound"), ResourceNotFound),
        (200, v1("RateLimitExceeded"), RateLimited),
        (200, v1("PermissionDenied"), CredentialsRefused),
        (200, v1("ParameterInvalid", "result_limit: too big"), RequestRefused),
        (200, v1("DatabaseError"), MalformedAnswer),
        (200, v2("server_error"), MalformedAnswer),
        (200, HTML, MalformedAnswer),
        (200, "", MalformedAnswer),
        (302, "", RequestRefused),
        (400, v1("ApiKeyInvalid"), CredentialsRefused),
        (400, v1("SignatureInvalid"), CredentialsRefused),
        (400, v1("NonceInvalid"), CredentialsRefused),
        (400, v1("ParameterInvalid", "api_key: API key `x` is invalid"), CredentialsRefused),
        (400, v1("ParameterInvalid", "order_by: unknown field"), RequestRefused),
        (400, v2("invalid_body"), RequestRefused),
        (400, HTML, RequestRefused),
        (401, v2("unauthorized"), CredentialsRefused),
        (401, "", CredentialsRefused),
        (403, v1("PermissionDenied"), CredentialsRefused),
        (403, v1("TimestampExpired"), CredentialsRefused),
        (403, bare("unauthorized"), CredentialsRefused),
        (404, v1("NotFound", "Video with key `x` not found."), ResourceNotFound),
        (404, v2("not_found"), ResourceNotFound),
        (404, bare("not_found"), ResourceNotFound),
        # What a deletion may be confirmed by must come from the API, and mean the resource.
        (404, HTML, RequestRefused),
        (404, v1("NotFound", "API method `/videos/shwo` not found"), RequestRefused),
        (405, v2("not_supported"), RequestRefused),
        (409, v1("ItemAlreadyExists"), RequestRefused),
        (429, v1("RateLimitExceeded"), RateLimited),
        (429, v2("rate_limit_exceeded"), RateLimited),
        (429, HTML, RateLimited),
        (500, v1("InternalError"), MalformedAnswer),
        (502, HTML, MalformedAnswer),
        (503, "", MalformedAnswer),
    ],
)
def test_error_table(status, body, expected):
    raised = error(status, body)
    assert (type(raised) if raised else None) is expected
    if expected is CredentialsRefused and "Timestamp" not in body:
        assert "JWPLATFORM_API_KEY and JWPLATFORM_API_SECRET" in str(raised)


def test_an_expired_time_stamp_is_blamed_on_the_clock():
    assert "clock of this machine" in str(error(403, v1("TimestampExpired")))


def test_server_texts_are_cut_and_cleaned():
    signature = "1754500cd751a1711509cbf0ad030879601e74ce"
    text = f"<b>no</b>\n/v1/x?api_key=1&api_signature={signature} {signature} {SECRET} \ud800 " + 10_000 * "long "
    for body in (v1("ParameterInvalid", text), text.replace("\ud800", "")):
        message = str(error(400, body))
        assert len(message) < 400
        assert "no" in message
        assert not any(part in message for part in (SECRET, signature, "api_signature", "\n", "\ud800"))
        message.encode()


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": Infinity}', {"a": float("inf")}),
        (b'{"a": ' + b"9" * 4000 + b"}", {"a": int("9" * 4000)}),
        (b'{"a": ' + b"9" * 5000 + b', "b": 1}', {"a": float("inf"), "b": 1}),
        ('{"é": "\\ud800"}'.encode(), {"é": "\ud800"}),
    ],
)
def test_bodies_that_parse(body, value):
    text, parsed = parse(body)
    assert parsed == value
    assert text == body.decode("utf-8-sig")


@pytest.mark.parametrize(
    "body",
    [b"", b"  ", b"\xff\xfe{}", b'{"a": "caf\xe9"}', b'{"a": 1', b"{'a': 1}", b"[" * 200_000],
    ids=["empty", "blank", "UTF-16", "Latin-1", "cut", "quotes", "nesting"],
)
def test_bodies_that_do_not_parse(body):
    with pytest.raises(MalformedAnswer):
        parse(body)

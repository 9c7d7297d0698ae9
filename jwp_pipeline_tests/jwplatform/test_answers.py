"""Every body that JW Platform, or what stands before it, may send becomes the right exception, or none."""

import json

import pytest

from jwp_pipeline.errors import (
    CredentialsRefused,
    MalformedAnswer,
    MiddlemanAnswered,
    RateLimited,
    RequestRefused,
    ResourceNotFound,
)
from jwp_pipeline.jwplatform.answers import decode, parse
from jwp_pipeline.jwplatform.refusals import Credentials, Way, error_of
from jwp_pipeline.masking import Masker
from jwp_pipeline.proxies import Proxy

SECRET = "s3cretOfThisSite"
CREDENTIALS = Credentials("JWPLATFORM_API_KEY and JWPLATFORM_API_SECRET", Masker([SECRET]))
HTML = "<html><head><title>502</title></head><body><h1>Bad Gateway</h1></body></html>"


def v1(code, message=""):
    return json.dumps({"status": "error", "code": code, "title": code, "message": message})


def v2(code, description=""):
    return json.dumps({"errors": [{"code": code, "description": description}]})


def bare(code):
    return json.dumps([{"code": code, "description": ""}])


def error(status, body, *, proxy=None, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return error_of(decode(status, headers, body.encode()), CREDENTIALS, Way("api.example.com", proxy))


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
        (302, "", MiddlemanAnswered),
        (400, v1("ApiKeyInvalid"), CredentialsRefused),
        (400, v1("SignatureInvalid"), CredentialsRefused),
        (400, v1("NonceInvalid"), CredentialsRefused),
        (400, v1("ParameterInvalid", "api_key: API key `x` is invalid"), CredentialsRefused),
        (400, v1("ParameterInvalid", "order_by: unknown field"), RequestRefused),
        (400, v2("invalid_body"), RequestRefused),
        (400, HTML, MiddlemanAnswered),
        (401, v2("unauthorized"), CredentialsRefused),
        # Only JWP's own words say that it refuses the credentials.
        (401, "", MiddlemanAnswered),
        (403, HTML, MiddlemanAnswered),
        (403, '{"message": "Forbidden"}', MiddlemanAnswered),
        (407, HTML, MiddlemanAnswered),
        (403, v1("PermissionDenied"), CredentialsRefused),
        (403, v1("TimestampExpired"), CredentialsRefused),
        (403, bare("unauthorized"), CredentialsRefused),
        (404, v1("NotFound", "Video with key `x` not found."), ResourceNotFound),
        (404, v2("not_found"), ResourceNotFound),
        (404, bare("not_found"), ResourceNotFound),
        # What a deletion may be confirmed by must come from the API, and mean the resource.
        (404, HTML, MiddlemanAnswered),
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


PROXY = Proxy("http://gateway.example.com:3128", "HTTPS_PROXY")


def test_what_a_middleman_answers_is_described_and_not_blamed_on_the_credentials():
    body = "<html><style>p {color: red}</style><h1>Access denied</h1> Category: streaming</html>"
    told = str(error(403, body, proxy=PROXY, Content_Type="text/html; charset=x", Server="squid/5.7", Via="1.1 gw"))
    for named in ("HTTP 403", "text/html", "squid/5.7", "1.1 gw", '"Access denied Category: streaming"'):
        assert named in told
    assert "proxy http://gateway.example.com:3128 (named by HTTPS_PROXY)" in told
    assert "color" not in told
    # Without a proxy there may still be a gateway, or JW Platform may have a page of its own.
    told = str(error(403, body))
    assert "though no proxy is configured here" in told
    assert "JWPLATFORM_API_KEY and JWPLATFORM_API_SECRET" in told


def test_a_proxy_that_wants_a_login_is_named_with_the_place_where_it_is_set():
    told = str(error(407, HTML, proxy=PROXY))
    assert "proxy http://gateway.example.com:3128 (named by HTTPS_PROXY) asks for a login (HTTP 407)" in told
    assert "user and password to its URL in HTTPS_PROXY" in told


def test_the_message_about_a_redirection_names_only_its_host():
    told = str(error(302, "", Location=f"https://user:pw@login.example.com/{SECRET}?next=1#{SECRET}"))
    assert "leads to https://login.example.com, perhaps a login page" in told
    assert not any(part in told for part in (SECRET, "pw", "next"))


def test_a_page_with_status_200_is_described_too():
    told = str(error(200, HTML, proxy=PROXY, Content_Type="text/html"))
    assert "should be JSON" in told
    assert 'text/html: "502 Bad Gateway"' in told
    assert str(PROXY) in told
    assert str(PROXY) not in str(error(200, '{"videos": [', proxy=PROXY)), "that is JSON cut short"


def test_an_expired_time_stamp_is_blamed_on_the_clock():
    assert "clock of this machine" in str(error(403, v1("TimestampExpired")))


def test_server_texts_are_cut_and_cleaned():
    signature = "1754500cd751a1711509cbf0ad030879601e74ce"
    text = f"<b>no</b>\n/v1/x?api_key=1&api_signature={signature} {signature} {SECRET} \ud800 " + 10_000 * "long "
    for body in (v1("ParameterInvalid", text), text.replace("\ud800", "")):
        message = str(error(400, body))
        assert len(message) < 500
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

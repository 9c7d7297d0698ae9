"""What a signature or a token covers is exactly what a client sends, whatever the key, resource or URL holds."""

import base64
import hashlib
import hmac
import json
import re
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest
import requests
from hypothesis import assume, given
from hypothesis import strategies as st

from jwp_pipeline.delivery import get_sources, pd_api_url, player_embed_url, player_library_url, signed_url
from jwp_pipeline.settings import load_settings
from jwp_pipeline_tests.support.http import Script, answer, serve

SECRET = "demoSecret"
SETTINGS = load_settings(
    jwplatform_api_secret=SECRET,
    jwplatform_api_base_url="https://cdn.example/",
    jwplatform_embed_player_key="Player01",
)

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1) | st.sampled_from(
    ["../x", "a/b", "a?b", "a#b", "%", "%2F", "100%", "a b", "démo", "a\\b", "\n", "[]", "+&="]
)


def sent(url):
    """The address that a client asks for."""
    return requests.Request("GET", url).prepare().url


def parameter(url, name):
    (value,) = parse_qs(urlsplit(url).query)[name]
    return value


def is_signed_as_sent(url):
    path, expiry = urlsplit(sent(url)).path.removeprefix("/"), parameter(url, "exp")
    return parameter(url, "sig") == hashlib.md5(f"{path}:{expiry}:{SECRET}".encode()).hexdigest()


def claims_of(url):
    signed, _, signature = parameter(url, "token").rpartition(".")
    expected = base64.urlsafe_b64encode(hmac.digest(SECRET.encode(), signed.encode(), "sha256")).rstrip(b"=")
    assert signature == expected.decode()
    return json.loads(base64.urlsafe_b64decode(signed.partition(".")[2] + "=="))


@given(texts, texts)
def test_players_and_libraries_are_signed_as_they_are_sent(key, player):
    for url, path in (
        (player_embed_url(key, player, settings=SETTINGS), f"/players/{key}-{player}.js"),
        (player_library_url(player, settings=SETTINGS), f"/libraries/{player}.js"),
    ):
        assert is_signed_as_sent(url)
        assert unquote(urlsplit(sent(url)).path) == path


@given(texts)
def test_any_url_is_signed_as_it_is_sent(path):
    assume(not any(part in (".", "..") for part in re.split(r"[/\\]", unquote(path))))
    # Clients differ in whether they decode `%41`, and write `%2f` in lower case.
    assume(not re.search(r"%[0-9A-Fa-f]{2}", path))
    assert is_signed_as_sent(signed_url(f"https://cdn.example/a/{path}", settings=SETTINGS))


@given(texts)
def test_a_token_names_the_resource_as_it_is_sent(key):
    assume(key not in (".", ".."))
    for resource in (f"/v2/media/{quote(key, safe='')}", "/v2/media/" + key.replace("%", "").replace(".", "")):
        url = pd_api_url(resource, settings=SETTINGS, format="json")
        assert claims_of(url)["resource"] == urlsplit(sent(url)).path
        assert list(parse_qs(urlsplit(url).query)) == ["token", "format"]
        assert urlsplit(url).netloc == "cdn.example"


@pytest.mark.parametrize("resource", ["/v2/media/..", "/v2/./media", "/v2/%2e%2E/media/x", "/.."])
def test_a_resource_that_clients_would_shorten_is_refused(resource):
    with pytest.raises(ValueError, match="another path than the signed one"):
        pd_api_url(resource, settings=SETTINGS)


@pytest.mark.parametrize("key", ["", ".", ".."])
def test_a_key_that_would_lead_to_another_resource_is_not_asked_for(key, caplog):
    caplog.set_level("INFO")
    with serve(Script([answer(200, {"playlist": [{"sources": []}]})])) as script:
        settings = load_settings(jwplatform_api_secret=SECRET, jwplatform_api_base_url=script.url)
        assert get_sources(key, settings=settings) == []
    assert script.requests == []
    assert repr(key) in caplog.text


@pytest.mark.parametrize("key", ["../groups/1", "a?b", "a%2Fb", "a/../b", "démo"])
def test_any_other_key_is_asked_for_as_one_part_of_the_path(key):
    with serve(Script([answer(200, {"playlist": [{"sources": []}]})])) as script:
        settings = load_settings(jwplatform_api_secret=SECRET, jwplatform_api_base_url=script.url)
        get_sources(key, settings=settings)
    (asked,) = script.requests
    assert asked.partition("?")[0] == f"/v2/media/{quote(key, safe='')}"
    assert claims_of(asked)["resource"] == asked.partition("?")[0]


def test_other_parameters_of_a_signed_url_are_not_rewritten():
    url = signed_url("https://x.example/y?flag&a=%7e+b&exp=1&e%78p=2&b=%ff&sig=3", settings=SETTINGS, now=1_600_000_000)
    assert url.startswith("https://x.example/y?flag&a=%7e+b&b=%ff&exp=1600003600&sig=")


def test_a_caller_cannot_replace_the_token_by_mistake():
    with pytest.raises(ValueError, match="computed here"):
        pd_api_url("/v2/media/AbCd1234", settings=SETTINGS, token="x")


@given(st.integers(0, 10**30), st.integers(1, 10**9))
def test_expiries_are_exact_however_large(now, timeout):
    settings = load_settings(
        jwplatform_api_secret=SECRET, jwplatform_embed_player_key="P", jwplatform_signature_timeout=timeout
    )
    for moment in (now, float(now)):
        whole = int(moment)
        assert parameter(signed_url("https://x/y", settings=settings, now=moment), "exp") == str(whole + timeout)
        assert parameter(player_library_url(settings=settings, now=moment), "exp") == str(whole + timeout)
        expiry = claims_of(pd_api_url("/r", settings=settings, now=moment))["exp"]
        assert expiry % 180 == 0
        assert 0 <= expiry - (whole + 3600) < 180

"""Delivery URLs are signed as JW Platform documents it, and as the reference does (semantics §11.1-3)."""

import base64
import hashlib
import hmac
import json
import warnings
from datetime import UTC, datetime
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwp_pipeline.delivery import pd_api_url, player_embed_url, player_library_url, poster_url, signed_url
from jwp_pipeline.errors import SettingsError
from jwp_pipeline.settings import load_settings

SECRET = "demoSecret"
NOW = 1_600_000_000


def settings_with(**changes):
    given_ones = {
        "jwplatform_api_key": "DemoSite",
        "jwplatform_api_secret": SECRET,
        "jwplatform_embed_player_key": "Player01",
    }
    return load_settings(**given_ones | changes)


SETTINGS = settings_with()


def query_of(url):
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query, keep_blank_values=True).items()}


def md5_of(url, secret=SECRET):
    text = f"{urlsplit(url).path.lstrip('/')}:{query_of(url)['exp']}:{secret}"
    return hashlib.md5(text.encode()).hexdigest()


def read_token(token, secret=SECRET):
    """Return header and claims of a JWT, after checking its signature with nothing of ours."""
    header, claims, signature = token.split(".")
    expected = hmac.digest(secret.encode(), f"{header}.{claims}".encode(), "sha256")
    assert base64.urlsafe_b64encode(expected).rstrip(b"=").decode() == signature
    return tuple(json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, claims))


def test_a_signature_is_the_documented_one():
    url = signed_url("https://cdn.jwplayer.com/manifests/AbCd1234.m3u8", settings=SETTINGS, now=NOW)
    assert url == (
        "https://cdn.jwplayer.com/manifests/AbCd1234.m3u8?exp=1600003600&sig=e4cbf1caf0e0b039426d00df4f0872c9"
    )


def test_other_parameters_of_a_signed_url_stay_and_old_signatures_go():
    given_url = "https://x.example/a%20b/c?poster=1&empty=&sig=old&exp=1&poster=2#here"
    url = signed_url(given_url, settings=settings_with(jwplatform_signature_timeout=60), now=NOW)
    pairs = [("poster", "1"), ("empty", ""), ("poster", "2"), ("exp", str(NOW + 60)), ("sig", md5_of(url))]
    assert parse_qsl(urlsplit(url).query, keep_blank_values=True) == pairs
    assert (urlsplit(url).path, urlsplit(url).fragment) == ("/a%20b/c", "here")


@pytest.mark.parametrize("base", ["https://cdn.example", "https://cdn.example/", "https://cdn.example/some/path/"])
def test_players_are_at_the_host_of_the_base_url(base):
    settings = settings_with(jwplatform_api_base_url=base)
    for url, path in (
        (player_embed_url("AbCd1234", "Player01", settings=settings, now=NOW), "/players/AbCd1234-Player01.js"),
        (player_embed_url("AbCd1234", "P", "html", settings=settings, now=NOW), "/players/AbCd1234-P.html"),
        (player_library_url(settings=settings, now=NOW), "/libraries/Player01.js"),
        (player_library_url("Other", settings=settings, now=NOW), "/libraries/Other.js"),
    ):
        assert url.startswith(f"https://cdn.example{path}?")
        assert query_of(url) == {"exp": str(NOW + 3600), "sig": md5_of(url)}
    elsewhere = player_embed_url("k", "p", settings=settings, now=NOW, base="https://content.example/x")
    assert elsewhere.startswith("https://content.example/players/k-p.js?")


def test_expiries_are_rounded_as_in_the_reference():
    assert query_of(signed_url("https://x/y", settings=SETTINGS, now=NOW + 0.9))["exp"] == str(NOW + 3600)
    assert query_of(player_library_url(settings=SETTINGS, now=NOW + 0.1))["exp"] == str(NOW + 3601)
    _, claims = read_token(query_of(pd_api_url("/v2/media/AbCd1234", settings=SETTINGS, now=NOW))["token"])
    assert claims == {"resource": "/v2/media/AbCd1234", "exp": 1_600_003_620}


@given(st.floats(0, 4e9), st.integers(1, 10**6))
def test_links_expire_after_their_time_and_tokens_at_whole_steps(now, timeout):
    settings = settings_with(jwplatform_signature_timeout=timeout)
    assert 0 <= now + timeout - int(query_of(signed_url("https://x/y", settings=settings, now=now))["exp"]) < 1
    expiry = read_token(query_of(pd_api_url("/r", settings=settings, now=now))["token"])[1]["exp"]
    assert expiry % 180 == 0
    assert 0 <= expiry - (now + 3600) < 180


def test_a_token_names_its_resource_and_parameters_follow_it():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        url = pd_api_url("/v2/media/AbCd1234", settings=SETTINGS, now=NOW, format="json", poster_width=640)
    assert url.startswith("https://cdn.jwplayer.com/v2/media/AbCd1234?token=")
    assert list(query_of(url)) == ["token", "format", "poster_width"]
    header, claims = read_token(query_of(url)["token"])
    assert header == {"alg": "HS256", "typ": "JWT"}
    assert claims.keys() == {"resource", "exp"}


@pytest.mark.parametrize("resource", ["v2/media/x", "", "//evil.example/x", "https://evil.example/"])
def test_a_resource_that_is_no_path_is_refused(resource):
    with pytest.raises(ValueError, match="begins with a slash"):
        pd_api_url(resource, settings=SETTINGS)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.text(st.characters(exclude_categories=["Cs"])))
def test_no_key_or_player_can_leave_its_place_in_the_path(key, player):
    url = player_embed_url(key, player, settings=SETTINGS, now=NOW)
    parts = urlsplit(url)
    assert parts.netloc == "cdn.jwplayer.com"
    assert unquote(parts.path) == f"/players/{key}-{player}.js"
    assert parts.path.count("/") == 2
    assert query_of(url)["sig"] == md5_of(url)
    assert urlsplit(poster_url(key, settings=SETTINGS)).path.count("/") == 2


@pytest.mark.parametrize(
    ("base", "place"), [("https://x", "https://x/"), ("https://x/a/", "https://x/a/"), ("https://x/a", "https://x/a/")]
)
def test_posters_are_not_signed_and_come_in_certain_widths(base, place):
    settings = settings_with(jwplatform_api_base_url=base, jwplatform_api_secret=None)
    assert poster_url("AbCd1234", settings=settings) == f"{place}thumbs/AbCd1234-720.jpg"
    assert poster_url("AbCd1234", 1920, settings=settings) == f"{place}thumbs/AbCd1234-1920.jpg"
    with pytest.raises(ValueError, match="320, 480, 640, 720, 1280, 1920"):
        poster_url("AbCd1234", 721, settings=settings)


def test_a_missing_setting_and_an_impossible_argument_are_clear_errors():
    with pytest.raises(SettingsError, match=r"JWPLATFORM_API_SECRET is not set.*v1 API secret"):
        signed_url("https://x/y", settings=settings_with(jwplatform_api_secret=None))
    with pytest.raises(SettingsError, match="JWPLATFORM_EMBED_PLAYER_KEY is not set"):
        player_library_url(settings=settings_with(jwplatform_embed_player_key=None))
    with pytest.raises(ValueError, match="js, html"):
        player_embed_url("k", "p", "xml", settings=SETTINGS)
    with pytest.raises(ValueError, match="no time zone"):
        signed_url("https://x/y", settings=SETTINGS, now=datetime(2026, 1, 1))  # noqa: DTZ001 - on purpose


def test_now_can_be_a_datetime_and_is_the_present_otherwise():
    moment = datetime.fromtimestamp(NOW, UTC)
    assert signed_url("https://x/y", settings=SETTINGS, now=moment) == signed_url(
        "https://x/y", settings=SETTINGS, now=NOW
    )
    remaining = int(query_of(signed_url("https://x/y", settings=SETTINGS))["exp"]) - datetime.now(UTC).timestamp()
    assert 3595 < remaining <= 3600

"""The right client for the settings, or an error that names what is missing."""

import time

import pytest

from jwp_pipeline.errors import RateLimited, SettingsError
from jwp_pipeline.jwplatform.connect import connect, refused_settings
from jwp_pipeline.jwplatform.v1 import ManagementV1
from jwp_pipeline.jwplatform.v2 import ManagementV2
from jwp_pipeline.settings import Settings
from jwp_pipeline_tests.jwplatform.conftest import v2_media
from jwp_pipeline_tests.support import unset_all_settings


def settings(**values):
    return Settings(_env_file=None, **{f"jwplatform_{name}": value for name, value in values.items()})


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch):
    unset_all_settings(monkeypatch)


def test_the_api_in_use_is_chosen():
    assert isinstance(connect(settings(api_key="k", api_secret="s")), ManagementV1)
    assert isinstance(connect(settings(api_key="k", v2_api_secret="s")), ManagementV2)
    both = {"api_key": "k", "api_secret": "s", "v2_api_secret": "t"}
    assert isinstance(connect(settings(**both)), ManagementV2)
    assert isinstance(connect(settings(**both, management_api="v1")), ManagementV1)


@pytest.mark.parametrize(
    ("values", "named", "unnamed"),
    [
        ({}, ["JWPLATFORM_API_KEY", "JWPLATFORM_API_SECRET"], ["V2", "PLAYER"]),
        ({"api_secret": "s"}, ["JWPLATFORM_API_KEY"], ["JWPLATFORM_API_SECRET"]),
        ({"api_key": "k", "management_api": "v2"}, ["JWPLATFORM_V2_API_SECRET"], ["JWPLATFORM_API_SECRET"]),
        ({"api_key": "k", "v2_api_secret": "mine\nalone"}, ["JWPLATFORM_V2_API_SECRET"], ["mine", "alone"]),
        (
            {"api_key": "k", "api_secret": "s", "management_api_url": "https://me:mine@host"},
            ["JWPLATFORM_MANAGEMENT_API_URL"],
            ["mine"],
        ),
    ],
)
def test_missing_or_wrong_settings_are_named(values, named, unnamed):
    with pytest.raises(SettingsError) as raised:
        connect(settings(**values))
    assert all(name in str(raised.value) for name in named)
    assert not any(name in str(raised.value) for name in unnamed)
    assert sorted(refused_settings(settings(**values))) == named


ADDRESS = "JWPLATFORM_MANAGEMENT_API_URL"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host",
        "host",
        "http://",
        "http://127.0.0.1:notaport",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "http://exa mple",
        "http://[::1",
        "http://[12]",
        "https://:hidden@host",
        "https://host?key=hidden",
        "https://host#hidden",
        "https://host/a b",
    ],
)
def test_an_invalid_address_is_refused_at_once(url):
    unusable = settings(api_key="k", api_secret="s", management_api_url=url)
    assert list(refused_settings(unusable)) == [ADDRESS]
    with pytest.raises(SettingsError, match=rf"{ADDRESS} is not of the form https://host") as raised:
        connect(unusable)
    assert "hidden" not in str(raised.value)


@pytest.mark.parametrize("url", ["HTTP://localhost:8080/", "https://proxy_1.example.com/jwp", "http://[::1]:80", None])
def test_a_valid_address_is_accepted(url):
    assert refused_settings(settings(api_key="k", v2_api_secret="s", management_api_url=url)) == {}


@pytest.mark.parametrize("blank", [" ", "\t\n"])
def test_a_blank_credential_is_not_set(blank):
    found = refused_settings(settings(api_key=blank, api_secret=blank))
    assert list(found) == ["JWPLATFORM_API_KEY", "JWPLATFORM_API_SECRET"]
    assert all(problem.startswith("is not set") for problem in found.values())


def test_the_clients_of_one_site_share_its_rate(script):
    script.answers = [v2_media("a")]

    def probe(key="k", limit=2, hurried=True):
        site = settings(api_key=key, v2_api_secret="s", management_api_url=script.url)
        client = connect(site.model_copy(update={"jwp_requests_per_minute": limit}), hurried=hurried)
        client.probe("video")
        client.close()

    probe(hurried=False)
    probe()
    began = time.monotonic()
    with pytest.raises(RateLimited, match=r"Probing media: .*JWP_REQUESTS_PER_MINUTE"):
        probe()
    assert time.monotonic() - began < 1
    assert len(script.requests) == 2
    probe(key="of another site")
    probe(limit=3)

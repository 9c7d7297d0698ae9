"""The right client for the settings, or an error that names what is missing."""

import pytest

from jwp_pipeline.errors import SettingsError
from jwp_pipeline.jwplatform.connect import connect
from jwp_pipeline.jwplatform.v1 import ManagementV1
from jwp_pipeline.jwplatform.v2 import ManagementV2
from jwp_pipeline.settings import Settings


def settings(**values):
    return Settings(_env_file=None, **{f"jwplatform_{name}": value for name, value in values.items()})


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


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
def test_what_is_missing_or_wrong_is_named(values, named, unnamed):
    with pytest.raises(SettingsError) as raised:
        connect(settings(**values))
    assert all(name in str(raised.value) for name in named)
    assert not any(name in str(raised.value) for name in unnamed)

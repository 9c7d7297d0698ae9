"""Every secret is masked, no matter what it is for and how it is encoded."""

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from pydantic import SecretStr

from jwp_pipeline.masking import Masker, masker_of
from jwp_pipeline.settings import REDACTED, Settings

PASSWORD = 'pass/word "of" the<db>+é'
SPELLINGS = [
    str,
    quote,
    quote_plus,
    lambda text: quote(text, safe=""),
    lambda text: quote(text, safe="").replace("%2F", "%2f"),
    html.escape,
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
]


def every_secret():
    """Return a value for each secret setting."""
    values = {name: f"secret-of-{name}" for name, field in Settings.model_fields.items() if "Secret" in str(field)}
    for name in [name for name in values if name.endswith("database_url")]:
        values[name] = f"postgresql://someone:{quote(PASSWORD + name, safe='')}@db.example.com/jwp"
    values["jwp_celery_url"] = f"rediss://someone:{quote(PASSWORD + 'celery', safe='')}@redis.example.com/0"
    values["jwp_alert_webhook_url"] = "https://hooks.example.com/services/T0123456789ABCDEFGH/B01?key=of-the-webhook"
    return values


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_secret_of_the_settings_is_masked_in_every_spelling(spelling):
    values = every_secret()
    assert len(values) >= 6
    settings = Settings(_env_file=None, **values)
    assert {name for name in values if isinstance(getattr(settings, name), SecretStr)} == set(values)
    parts = [PASSWORD + name for name in values if name.endswith("database_url")]
    parts.append(f"{PASSWORD}celery")
    parts += ["T0123456789ABCDEFGH", "of-the-webhook", *values.values()]
    for secret in parts:
        masked = masker_of(settings)(f"before {spelling(secret)} after")
        assert masked.startswith("before ")
        assert masked.endswith(" after")
        assert spelling(secret) not in masked
        assert REDACTED in masked


def test_anything_that_looks_like_a_secret_is_masked():
    login = base64.b64encode(b"someone:something").decode()
    hidden = ["abc.def-1", login, "1754500cd751a1711509cbf0ad030879601e74ce", "hunter22", "pw", "12345678"]
    text = (
        f"Authorization: Bearer {hidden[0]}, Proxy-Authorization: basic {hidden[1]}; {hidden[2]} "
        f"password={hidden[3]}&x https://me:{hidden[4]}@example.com/x api_nonce={hidden[5]}"
    )
    masked = Masker()(text)
    assert not any(secret in masked for secret in hidden)
    assert "example.com/x" in masked


def test_a_secret_that_contains_another_is_masked_completely():
    assert Masker(["secret", "my-secret-token"])("my-secret-token secret") == f"{REDACTED} {REDACTED}"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://someone:the%20password@one:1,two:2/jwp?sslpassword=of-the-key",
        "host=one user=someone password='the password' sslpassword=of-the-key",
    ],
)
def test_passwords_of_a_database_are_masked_in_any_form_of_its_url(url):
    masked = masker_of(Settings(jwp_database_url=url))
    assert masked("the password, of-the-key") == f"{REDACTED}, {REDACTED}"
    assert masked("someone, jwp") == "someone, jwp"


def test_very_short_secrets_are_not_masked():
    assert Masker(["", "a", "the"])("that is the answer") == "that is the answer"


def test_a_secret_that_is_not_utf_8_is_masked():
    """Python reads such a variable of the environment with lone surrogates in it."""
    secret = b"a secret \xff\xe9".decode("utf-8", "surrogateescape")
    assert Masker([secret])(f"it is {secret}.") == f"it is {REDACTED}."

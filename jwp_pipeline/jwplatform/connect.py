"""Choosing the Management API, and making its client from the settings.

Not here: reading settings; anything about requests.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import SecretStr

from jwp_pipeline.errors import SettingsError
from jwp_pipeline.jwplatform import v1, v2
from jwp_pipeline.jwplatform.management import ClientOptions, ManagementClient, WaitObserver
from jwp_pipeline.settings import Settings

# A sensor makes two such requests in a tick. All others, alerts too, wait for it, and it comes again soon.
_HURRIED = {"connect_timeout": 3.0, "read_timeout": 8.0, "deadline": 8.0}


def connect(settings: Settings, on_wait: WaitObserver | None = None, *, hurried: bool = False) -> ManagementClient:
    """A client for the Management API in use; nothing is sent yet. Close it after use.

    A `hurried` one gives up on a request after 8 seconds, retries included: for probing, not for listing.

    Raises SettingsError when a credential that this API needs is missing or cannot be one.
    """
    pace = _HURRIED if hurried else {}
    options = ClientOptions(requests_per_minute=settings.jwp_requests_per_minute, on_wait=on_wait, **pace)
    origin = _origin(settings.jwplatform_management_api_url)
    if settings.management_api == "v2":
        key, secret = _credentials(settings, "JWPLATFORM_V2_API_SECRET", settings.jwplatform_v2_api_secret)
        return v2.ManagementV2(key, secret, origin=origin or v2.ORIGIN, options=options)
    key, secret = _credentials(settings, "JWPLATFORM_API_SECRET", settings.jwplatform_api_secret)
    return v1.ManagementV1(key, secret, origin=origin or v1.ORIGIN, options=options)


def _credentials(settings: Settings, secret_name: str, secret: SecretStr | None) -> tuple[str, str]:
    needed = ("JWPLATFORM_API_KEY", secret_name)
    missing = settings.missing_required()
    if settings.jwplatform_api_key is None or secret is None:
        problems = "; ".join(f"{name} is not set: {missing[name]}" for name in needed if name in missing)
        raise SettingsError(f"JW Platform's Management API cannot be read. {problems}.")
    value = secret.get_secret_value().strip()
    # It travels in a header, where anything else fails later, in an error that would show it.
    if not re.fullmatch(r"[\x21-\x7e]+", value):
        raise SettingsError(
            f"{secret_name} holds blanks or characters that no secret of JW Platform has: copy it again."
        )
    return settings.jwplatform_api_key.strip(), value


def _origin(url: str | None) -> str | None:
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise SettingsError(
            "JWPLATFORM_MANAGEMENT_API_URL is not of the form https://host[:port]: "
            "no user, password or query can be part of it."
        )
    return url

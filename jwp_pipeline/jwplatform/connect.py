"""Chooses the Management API and makes its client from the settings."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TypedDict
from urllib.parse import urlsplit

from jwp_pipeline.errors import SettingsError
from jwp_pipeline.jwplatform import v1, v2
from jwp_pipeline.jwplatform.limiter import Budget, SharedLimiter, shared_limiter
from jwp_pipeline.jwplatform.management import ClientOptions, ManagementClient, WaitObserver
from jwp_pipeline.jwplatform.page_length import shared_page_length
from jwp_pipeline.jwplatform.patience import Patience
from jwp_pipeline.jwplatform.refusals import Credentials
from jwp_pipeline.jwplatform.webhooks import WebhookRegistry
from jwp_pipeline.jwplatform.writing import WritingClient
from jwp_pipeline.jwplatform.writing_v1 import WritingV1
from jwp_pipeline.jwplatform.writing_v2 import WritingV2
from jwp_pipeline.masking import Masker, masker_of
from jwp_pipeline.rate_limit import Lane
from jwp_pipeline.settings import Settings

_ORIGIN = re.compile(r"https?://(\[[0-9a-f.]*:[0-9a-f:.]+\]|[\w.-]+)(:[0-9]+)?(/[^\s?#@]*)?", re.IGNORECASE)

# A sensor makes two such requests in each tick, and all other sensors, including alerts, wait for it meanwhile. It can
# give up early, because its next tick comes soon.
_HURRIED = ClientOptions(connect_timeout=3.0, read_timeout=8.0, deadline=8.0)


def patience_of(settings: Settings) -> Patience:
    """Return the patience of one run, from JWP_DEADLINE_MINUTES. Make it once, and share it among the run's clients."""
    return Patience(settings.jwp_deadline_minutes * 60)


def account_of(settings: Settings) -> str:
    """Return a name for the account whose requests JW Platform counts. It reveals neither key nor address."""
    told = f"{_origin(settings)} {settings.jwplatform_api_key or ''}"
    return hashlib.blake2b(told.encode(), digest_size=16, person=b"jwp requests").hexdigest()


def connect(
    settings: Settings,
    on_wait: WaitObserver | None = None,
    *,
    patience: Patience | None = None,
    budget: Budget | None = None,
    lane: Lane = Lane.LISTINGS,
    hurried: bool = False,
) -> ManagementClient:
    """Make a client for the configured Management API, without sending anything yet. Close the client after use.

    All clients for the same site in this process share the limit JWP_REQUESTS_PER_MINUTE. With a `budget`, they share
    it with all other processes that have one, and `lane` says who goes first. Clients of one run share its `patience`;
    without one, the client makes its own. A `hurried` client gives up on a request after 8 seconds, retries included,
    and waits at most that long for the rate limit: use it to probe, not to list.

    Raises SettingsError if `refused_settings` finds a problem.
    """
    credentials, given = _arguments(settings, on_wait, patience, budget, lane, hurried=hurried)
    if settings.management_api == "v2":
        return v2.ManagementV2(*credentials, **given)
    return v1.ManagementV1(*credentials, **given)


def connect_writing(
    settings: Settings,
    on_wait: WaitObserver | None = None,
    *,
    patience: Patience | None = None,
    budget: Budget | None = None,
    hurried: bool = False,
) -> WritingClient:
    """Make a client that writes through the configured Management API. Close the client after use.

    Everything is as for `connect`, with which it shares the rate limit. Until it is closed, reading clients leave it
    room in that limit, and its requests go before theirs. A `hurried` one is for a person who waits for the answer.
    """
    credentials, given = _arguments(settings, on_wait, patience, budget, Lane.EDITS, hurried=hurried)
    if settings.management_api == "v2":
        return WritingV2(*credentials, **given)
    return WritingV1(*credentials, **given, force_https_upload=settings.jwp_force_https_upload)


class _Arguments(TypedDict):
    """What every client is made with, besides its credentials."""

    origin: str
    options: ClientOptions
    masked: Masker


def _arguments(
    settings: Settings,
    on_wait: WaitObserver | None,
    patience: Patience | None,
    budget: Budget | None,
    lane: Lane,
    *,
    hurried: bool,
) -> tuple[tuple[str, str], _Arguments]:
    """Return the site's key and secret, and the other arguments of a client. Raises SettingsError."""
    _require(settings, "JW Platform's Management API cannot be asked")
    origin = _origin(settings)
    key, (_, secret) = settings.jwplatform_api_key or "", _secret(settings)
    rate = settings.jwp_requests_per_minute
    if hurried:
        pace = _HURRIED
    else:
        patience = patience or patience_of(settings)
        pace = ClientOptions(patience=patience, deadline=patience.limit)
    own = shared_limiter(origin, key, rate)
    options = replace(
        pace,
        requests_per_minute=rate,
        limiter=own if budget is None else SharedLimiter(own, budget),
        lane=lane,
        page_length=shared_page_length(origin, key),
        on_wait=on_wait,
    )
    return (key, secret), {"origin": origin, "options": options, "masked": masker_of(settings)}


def _origin(settings: Settings) -> str:
    """Return the URL before `/v1/` or `/v2/`."""
    standard = v2.ORIGIN if settings.management_api == "v2" else v1.ORIGIN
    return (settings.jwplatform_management_api_url or standard).rstrip("/")


def connect_registry(settings: Settings) -> WebhookRegistry:
    """Make a client for the webhooks of the account, which v2 has even if v1 is read. Nothing is sent yet.

    Raises SettingsError if `refused_settings` finds a problem with v2.
    """
    settings = settings.model_copy(update={"jwplatform_management_api": "v2"})
    _require(settings, "JW Platform's webhooks cannot be managed")
    origin = settings.jwplatform_management_api_url or v2.ORIGIN
    credentials = Credentials("JWPLATFORM_V2_API_SECRET, which must be allowed to write", masker_of(settings))
    return WebhookRegistry(origin, _secret(settings)[1], credentials)


def _require(settings: Settings, otherwise: str) -> None:
    """Raise SettingsError, which begins with the sentence `otherwise`, if `refused_settings` finds a problem."""
    if refused := refused_settings(settings):
        problems = "; ".join(f"{name} {problem}" for name, problem in refused.items())
        raise SettingsError(f"{otherwise}. {problems}.")


def refused_settings(settings: Settings) -> dict[str, str]:
    """Return the settings that prevent a client from being made: their names → what is wrong and what to do."""
    missing = settings.missing_required()
    secret_name, secret = _secret(settings)
    found = {name: f"is not set: {missing[name]}" for name in ("JWPLATFORM_API_KEY", secret_name) if name in missing}
    # The secret is sent in a header. Other characters would fail there, in an error message that shows the secret.
    if secret_name not in found and not re.fullmatch(r"[\x21-\x7e]+", secret):
        found[secret_name] = "holds blanks or characters that no secret of JW Platform has: copy it again"
    url = settings.jwplatform_management_api_url
    if url is not None and not _is_origin(url):
        found["JWPLATFORM_MANAGEMENT_API_URL"] = (
            "is not of the form https://host[:port]: no user, password or query can be part of it"
        )
    return found


def _secret(settings: Settings) -> tuple[str, str]:
    """Return the name and value of the secret for the configured API."""
    if settings.management_api == "v2":
        name, secret = "JWPLATFORM_V2_API_SECRET", settings.jwplatform_v2_api_secret
    else:
        name, secret = "JWPLATFORM_API_SECRET", settings.jwplatform_api_secret
    return name, secret.get_secret_value().strip() if secret else ""


def _is_origin(url: str) -> bool:
    try:
        port = urlsplit(url).port
    except ValueError:
        return False
    return port != 0 and _ORIGIN.fullmatch(url) is not None

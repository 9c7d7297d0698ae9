"""Decides whether a request is an event of JW Platform, and what it says. The functions are pure.

A webhook's requests carry `Authorization: Bearer <token>`. The token is a JSON Web Token (HS256) with the webhook's
secret, and its claims equal the JSON of the body (JWP's "Learn about webhooks"). Put here what an event may look like;
receiver.py speaks HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from jwp_pipeline import json_text
from jwp_pipeline.errors import EventRefused
from jwp_pipeline.jwplatform.management import ResourceType
from jwp_pipeline.jwplatform.shapes import iso_moment

_ALGORITHMS = ["HS256"]
_LONGEST_TOKEN = 8192
# As long as a key of cached_resources may be.
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class Event:
    """One event, as JW Platform sent it. Times are in UTC."""

    event: str
    """What happened, such as `media_updated`."""
    type: ResourceType
    key: str
    """The key of the media; for events of live channels, of that channel."""
    webhook_id: str
    site_id: str
    event_time: datetime

    @property
    def asks_for_a_look(self) -> bool:
        """Whether the cache may hold the resource. It never holds a live channel: our channels are playlists."""
        return self.type == "video"


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that JW Platform really sent, and that nothing is done about."""

    why: str
    """The reason, as part of a sentence."""


def authentic(body: bytes, authorization: str | None, secrets: Sequence[str]) -> dict[str, Any]:
    """Return the claims of the token, which equal the JSON object in the body. Raises EventRefused if they do not.

    The token must be signed by HS256 with one of `secrets`; another algorithm is refused, and so is a header that calls
    an extension critical. Header parameters that we do not know are ignored, as RFC 7515 asks for.
    """
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise EventRefused("the request has no Bearer token")
    if len(token) > _LONGEST_TOKEN:
        raise EventRefused("the token is longer than any event needs")
    claims = next((claims for secret in secrets if (claims := _claims(token, secret)) is not None), None)
    if claims is None:
        raise EventRefused("the token is not signed by HS256 with the secret of a webhook that we know")
    signed, sent = _object(claims), _object(body)
    if signed is None or sent is None or signed != sent:
        raise EventRefused("the body is not what the token was signed for")
    return signed


def read_event(claims: dict[str, Any], *, site_id: str, now: datetime, max_age: timedelta) -> Event | Ignored:
    """Return the event of these claims. Raises EventRefused if its time is further from `now` than `max_age`."""
    if claims.get("site_id") != site_id:
        return Ignored("it is about another site")
    event, key = _name(claims.get("event")), _name(claims.get("media_id"))
    resource_type: ResourceType = "video"
    if key is None:
        resource_type, key = "channel", _name(claims.get("channel_id"))
    if event is None or key is None:
        return Ignored("it names no media, no channel or no event")
    moment = iso_moment(claims.get("event_time"))
    if moment is None or abs(now - moment) > max_age:
        raise EventRefused("its event_time is missing, or too far from the time here (JWP_WEBHOOK_MAX_AGE)")
    return Event(event, resource_type, key, _name(claims.get("webhook_id")) or "", site_id, moment)


def _claims(token: str, secret: str) -> bytes | None:
    """Return the payload of the token if it is signed with this secret, else None."""
    # The store, which every sync uses, needs Event alone, and joserfc takes long to load.
    from joserfc import jws
    from joserfc.errors import JoseError
    from joserfc.jwk import OctKey

    octets = secret.encode()
    registry = jws.JWSRegistry(algorithms=_ALGORITHMS, strict_check_header=False)
    try:
        # Not OctKey.import_key, which warns about secrets shorter than 14 bytes: the length is JW Platform's decision.
        signed = jws.deserialize_compact(token, OctKey(octets, octets), registry=registry)
    except (JoseError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        # The library checks the header before the signature, and some headers that nobody signed make it stumble.
        return None
    # The library takes each parameter that it knows for an extension that we understand; we understand none.
    return None if "crit" in signed.headers() else signed.payload


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        value = json_text.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _name(value: Any) -> str | None:
    """Return a text that can be stored and shown, or None."""
    if isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME and value.isprintable():
        return value
    return None

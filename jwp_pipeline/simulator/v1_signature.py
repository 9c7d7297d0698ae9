"""Checks the key, timestamp, nonce and signature of a v1 request as JW Platform does.

It is written from v1's documentation and shares no code with our client, so that each tests the other.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from urllib.parse import quote

from jwp_pipeline.simulator.exchange import Call, Refused

REMEMBERED_NONCES = 100_000


def signature(params: list[tuple[str, str]], secret: str) -> str:
    """Lower-case hex SHA-1 of the parameters, sorted by name and percent-encoded, followed by the secret.

    Repeated names keep the order in which they were sent.
    """
    pairs = sorted(params, key=lambda pair: pair[0])
    text = "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in pairs)
    return hashlib.sha1((text + secret).encode()).hexdigest()  # noqa: S324 - JWP's choice


class SignatureCheck:
    """Checks requests and remembers their nonces, so that none is accepted twice. For one thread."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._used: dict[tuple[str, str], None] = {}

    def verify(self, call: Call, api_key: str, secret: str, tolerance: float) -> None:
        """Raise Refused unless the request is signed with this key and secret, now, and for the first time."""
        key = _required(call, "api_key", "ApiKey")
        if key != api_key:
            # What a wrong key was really answered with, in place of ApiKeyInvalid.
            raise Refused(400, "ParameterInvalid", f"api_key: API key `{key}` is invalid.")
        timestamp = _required(call, "api_timestamp", "Timestamp")
        if not timestamp.isascii() or not timestamp.isdigit():
            raise Refused(400, "TimestampInvalid", "The timestamp must be in whole seconds since the epoch.")
        nonce = _required(call, "api_nonce", "Nonce")
        if not nonce.isascii() or not nonce.isdigit() or len(nonce) not in {8, 9}:
            raise Refused(400, "NonceInvalid", "The nonce must have 8 or 9 digits.")
        given = _required(call, "api_signature", "Signature")
        signed = [(name, value) for name, value in call.params if name != "api_signature"]
        if not hmac.compare_digest(given.encode(), signature(signed, secret).encode()):
            raise Refused(400, "SignatureInvalid", "The signature does not fit the request.")
        if abs(self._clock() - int(timestamp)) > tolerance:
            raise Refused(403, "TimestampExpired", "The timestamp is too far from the server's time.")
        if (timestamp, nonce) in self._used:
            raise Refused(400, "NonceInvalid", "The nonce was used before.")
        self._used[timestamp, nonce] = None
        if len(self._used) > REMEMBERED_NONCES:
            del self._used[next(iter(self._used))]


def _required(call: Call, name: str, code: str) -> str:
    value = call.param(name)
    if not value:
        raise Refused(400, f"{code}Missing", f"{name} is required.")
    return value

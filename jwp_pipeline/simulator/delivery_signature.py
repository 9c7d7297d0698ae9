"""Signs and checks delivery URLs as JW Platform does: `exp` and `sig`, or for `/v2/` a JSON Web Token.

It is written from JW Platform's documentation and shares no code with our client, so that each tests the other. As
documented, a wrong signature is refused even where none is needed, so that one can be tried before it is.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import math
import time
from typing import Any

from jwp_pipeline.simulator.exchange import Call, Refused

LIFETIME = 3600
ROUNDING = 180
"""Expiry times are multiples of so many seconds, so that URLs can be cached."""
_REQUIRED_CLAIMS = {"resource", "exp"}


def signed(path: str, secret: str) -> str:
    """Return a path (with its leading slash) with `exp` and `sig` that are valid for at least an hour."""
    expires = math.ceil((time.time() + LIFETIME) / ROUNDING) * ROUNDING
    return f"{path}?exp={expires}&sig={_signature(path, str(expires), secret)}"


def verify_signature(call: Call, secret: str, *, needed: bool) -> None:
    """Raise Refused unless `exp` and `sig` fit the path and have not expired, or are absent and not needed."""
    expires, given = call.param("exp"), call.param("sig")
    if expires is None and given is None and not needed:
        return
    if not expires or not given:
        raise _forbidden("The URL is not signed.")
    if not hmac.compare_digest(given.encode(), _signature(call.path, expires, secret).encode()):
        raise _forbidden("The signature does not fit the URL.")
    if not expires.isascii() or not expires.isdigit() or float(expires) < time.time():
        raise _forbidden("The signature has expired.")


def verify_token(call: Call, secret: str, *, needed: bool) -> None:
    """Raise Refused unless `token` is for this resource and has not expired, or is absent and not needed.

    Other claims stand for parameters, and must not contradict those of the query.
    """
    token = call.param("token")
    if token is None and not needed:
        return
    if not token:
        raise _forbidden("The URL has no token.")
    claims = _claims(token, secret)
    if claims.get("resource") != call.path:
        raise _forbidden("The token is for another resource.")
    expires = claims.get("exp")
    # NaN is later than nothing, so it has expired as well.
    if not isinstance(expires, int | float) or not expires >= time.time():
        raise _forbidden("The token has expired.")
    for name in claims.keys() - _REQUIRED_CLAIMS:
        if call.param(name) not in {None, str(claims[name])}:
            raise _forbidden(f"The token is for another value of {name}.")


def _signature(path: str, expires: str, secret: str) -> str:
    text = f"{path.removeprefix('/')}:{expires}:{secret}"
    return hashlib.md5(text.encode()).hexdigest()  # noqa: S324 - JWP's choice


def _claims(token: str, secret: str) -> dict[str, Any]:
    try:
        head, body, signature = token.encode("ascii").split(b".")
        header, claims, given = json.loads(_decoded(head)), json.loads(_decoded(body)), _decoded(signature)
    except (ValueError, binascii.Error, RecursionError):
        raise _forbidden("The token is not a JSON Web Token.") from None
    if not isinstance(header, dict) or not isinstance(claims, dict) or header.get("alg") != "HS256":
        raise _forbidden("The token must be signed by HS256.")
    if not hmac.compare_digest(given, hmac.digest(secret.encode(), head + b"." + body, "sha256")):
        raise _forbidden("The token's signature is wrong.")
    return claims


def _decoded(part: bytes) -> bytes:
    return base64.b64decode(part + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)


def _forbidden(message: str) -> Refused:
    return Refused(403, "Forbidden", message)

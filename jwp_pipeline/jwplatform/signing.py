"""Signs v1 calls: each carries a nonce, a time stamp, and a SHA-1 digest of all its parameters and the secret.

The functions are pure: v1.py makes the nonces and reads the clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from urllib.parse import quote


def signed_query(parameters: Mapping[str, object], *, key: str, secret: str, nonce: str, timestamp: int) -> str:
    """Return the signed query string of one call. It works only once, because v1 refuses a nonce that it has seen.

    `nonce` has 8 digits, and `timestamp` is in seconds since the epoch. A list becomes repeated `name=item` pairs.
    """
    signed = {
        **parameters,
        "api_format": "json",
        "api_key": key,
        "api_nonce": nonce,
        "api_timestamp": timestamp,
    }
    # We send exactly the text that we signed, so that the two cannot differ in their encoding.
    return f"{base_string(signed)}&api_signature={signature(signed, secret)}"


def signature(parameters: Mapping[str, object], secret: str) -> str:
    """Return the lower-case hexadecimal SHA-1 digest of the base string followed by the secret."""
    # v1 requires SHA-1.
    return hashlib.sha1((base_string(parameters) + secret).encode()).hexdigest()  # noqa: S324


def base_string(parameters: Mapping[str, object]) -> str:
    """Return percent-encoded `name=value` pairs, sorted by the unencoded name and joined with `&`.

    All characters except `A-Z a-z 0-9 - . _ ~` are encoded; a space becomes `%20`.
    """
    return "&".join(
        f"{_encoded(name)}={_encoded(item)}" for name in sorted(parameters) for item in _items(parameters[name])
    )


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _encoded(value: object) -> str:
    return quote(str(value).encode(), safe="~")

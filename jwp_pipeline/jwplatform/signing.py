"""v1's signature: every call carries a nonce, a time stamp, and a SHA-1 over all its parameters and the secret.

Pure. Put here what v1's signature is made of; nonces and clocks are v1.py's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from urllib.parse import quote


def signed_query(parameters: Mapping[str, object], *, key: str, secret: str, nonce: str, timestamp: int) -> str:
    """The query string of one call, signed. Good for one request only: v1 refuses a nonce seen before.

    `nonce` is 8 digits, `timestamp` seconds since the epoch. A list value becomes repeated `name=item` pairs.
    """
    signed = {
        **parameters,
        "api_format": "json",
        "api_key": key,
        "api_nonce": nonce,
        "api_timestamp": timestamp,
    }
    # What is sent is the very text that was signed, so the two cannot differ in their encoding.
    return f"{base_string(signed)}&api_signature={signature(signed, secret)}"


def signature(parameters: Mapping[str, object], secret: str) -> str:
    """Lower-case hexadecimal SHA-1 of the base string with the secret put after it."""
    # SHA-1 is what v1 asks for; there is no other choice.
    return hashlib.sha1((base_string(parameters) + secret).encode()).hexdigest()  # noqa: S324


def base_string(parameters: Mapping[str, object]) -> str:
    """`name=value` pairs sorted by the plain name, percent-encoded, joined with `&`.

    Everything but `A-Z a-z 0-9 - . _ ~` is encoded, a space as `%20`.
    """
    return "&".join(
        f"{_encoded(name)}={_encoded(item)}" for name in sorted(parameters) for item in _items(parameters[name])
    )


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _encoded(value: object) -> str:
    return quote(str(value).encode(), safe="~")

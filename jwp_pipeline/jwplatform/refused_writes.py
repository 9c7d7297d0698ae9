"""Tells a secret that may only read from one that is wrong, once JW Platform has refused a write."""

from __future__ import annotations

from collections.abc import Callable

from jwp_pipeline.errors import CredentialsRefused, JWPlatformError, WritingNotAllowed

_REFUSING = (401, 403)


def explained(error: CredentialsRefused, read_something: Callable[[], object]) -> CredentialsRefused:
    """Return WritingNotAllowed if reading works with the secret that was refused for a write, else the error itself.

    JW Platform documents no code for the difference, so this costs one request; `read_something` sends it.
    """
    if error.status not in _REFUSING:
        return error
    try:
        read_something()
    except JWPlatformError:
        return error
    return WritingNotAllowed(
        f"{error} The same secret is accepted for reading, so it seems that it may not write. Use one that may, or set "
        "JWP_SYNC_ITEMS=false to push nothing.",
        error.status,
    )

"""Which values PostgreSQL can hold. It refuses a whole query because of another one, even if it only looks for it.

Put here what is to be known before a value goes into a query.
"""

from __future__ import annotations

import re

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""A character that no text in PostgreSQL can have: NUL, or half of a surrogate pair."""
_BIGINT = 2**63


def can_be_stored(value: str | int) -> bool:
    """Whether a column of texts, or of the type bigint, can hold this value."""
    return -_BIGINT <= value < _BIGINT if isinstance(value, int) else UNSTORABLE.search(value) is None

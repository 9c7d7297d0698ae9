"""JSON from outside, though Python may hold less of it than JSON can say."""

from __future__ import annotations

import json
from typing import Any


def loads(text: str | bytes) -> Any:
    """The value of a JSON text; an integer of more digits than Python reads becomes a float, mostly an infinity.

    One such number must not hide all that stands beside it. Raises ValueError for what is no JSON, RecursionError for
    what is nested too deep.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:
        return json.loads(text, parse_int=_number)


def _number(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:
        return float(digits)

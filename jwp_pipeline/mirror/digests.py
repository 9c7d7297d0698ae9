"""Splits the text of a page into its elements, and computes a digest of each. The functions are pure.

A digest is 128 bits of the bytes that JWP sent. If it is the same as before, the element is what it was, and nobody has
to read it. Put here what can be said about an element without parsing it; mending.py reads the pages that cannot be
split here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import msgspec
import xxhash

from jwp_pipeline.jwplatform.shapes import Origin

# Digests of different origins must never be equal, because v1 and v2 describe a resource differently. If mending.py
# changes what is stored for the same bytes, take new numbers, which were never used before, so that every resource is
# read once more.
_SEEDS: Mapping[Origin, int] = MappingProxyType({"v1": 4, "v2": 5, "local": 6})


def split(body: str, array: str) -> list[bytes] | None:
    """Return each element in the list `array` of the JSON object `body` exactly as it stands there, in UTF-8.

    Returns None if the page is not valid JSON, for example because it holds a NaN, or if it is nested too deeply.
    """
    try:
        page: Any = _decoder(array).decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None
    return [bytes(element) for element in page.elements]


@cache
def _decoder(array: str) -> msgspec.json.Decoder[Any]:
    """Return a decoder that reads nothing but the list `array`, and leaves its elements as they are."""
    page = msgspec.defstruct("Page", [("elements", list[msgspec.Raw])], rename={"elements": array})
    return msgspec.json.Decoder(page)


def digests(elements: Iterable[bytes], origin: Origin) -> list[str]:
    """Return the digest of each element as 32 hexadecimal digits. `origin` is part of it."""
    seed, digest = _SEEDS[origin], xxhash.xxh3_128_hexdigest
    return [digest(element, seed) for element in elements]

"""A second look before a deletion: what a listing misses may have slipped between two of its pages.

Few candidates are asked for one by one; for many it is cheaper, and as telling, to list again.
Not here: how either is asked (jwplatform/), and what is done about the answer (apply.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from jwp_pipeline.errors import MalformedAnswer
from jwp_pipeline.jwplatform.management import ManagementClient, ResourceType

SHOWS_AT_MOST = 20
"""Requests spent on single candidates before listing again is the better use of the rate limit."""


def still_there(
    client: ManagementClient, resource_type: ResourceType, candidates: Sequence[str], *, unreadable: int
) -> list[str]:
    """Candidates that JWP still has, one request each. Raises JWPlatformError when it cannot be asked.

    `unreadable`: elements that the listing holds without a usable key. As many candidates may be shown in a
    shape that cannot be read, and are still there for all that.
    """
    found = []
    for key in candidates:
        try:
            if client.show(resource_type, key) is not None:
                found.append(key)
        except MalformedAnswer:
            if not unreadable:
                raise
            unreadable -= 1
            found.append(key)
    return found


def worth_listing_again(candidates: Sequence[str], page_count: int) -> bool:
    """Whether there are so many candidates that a second listing is cheaper than asking for each."""
    return len(candidates) > max(SHOWS_AT_MOST, page_count)

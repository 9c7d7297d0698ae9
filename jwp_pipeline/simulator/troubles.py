"""The troubles that a demo site can have, for people who want to see what the pipeline makes of them.

Put here what a trouble does to the site; living.py begins and ends them.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

from jwp_pipeline.simulator.exchange import ListingPage
from jwp_pipeline.simulator.faults import Fault, Faults
from jwp_pipeline.simulator.library import Library

TROUBLES = MappingProxyType(
    {
        "half": "half of its videos are gone",
        "empty": "its listing of videos is empty",
        "totals": "the totals of its listing of videos are wrong",
        "down": "its Management API is down",
    }
)
"""Each trouble, and what is then true of the site."""

_TOO_MANY = 25


def taken_by(trouble: str, library: Library) -> Sequence[str]:
    """Return the keys of the videos that a trouble takes away."""
    return sorted(library.keys("video"))[::2] if trouble == "half" else ()


def plan(trouble: str, faults: Faults) -> None:
    """Plan the faults that make up a trouble. They act until they are cleared. Raises KeyError for an unknown name."""
    TROUBLES[trouble]
    if trouble == "empty":
        faults.add(Fault("empty listing", bend=_empty), route="list", resource="video", times=None)
    elif trouble == "totals":
        faults.add(Fault.wrong_total(_TOO_MANY), route="list", resource="video", times=None)
    elif trouble == "down":
        for api in ("v1", "v2"):
            faults.add(Fault.status(503, "html"), path=f"/{api}/*", times=None)


def _empty(page: ListingPage) -> None:
    page.elements.clear()
    page.envelope["total"] = 0

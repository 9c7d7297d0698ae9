"""Is a listing complete? Judged from the ledger of its pages alone. Pure.

JWP pages by offset over a library that moves meanwhile, so that a listing may miss or repeat resources
without any error. Only a listing that proves complete may delete (design, "Verified").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What the ledger keeps of a page; see `jwplatform.management.Page` for the fields."""

    number: int
    stretch: int
    stretch_total: int
    page_length: int
    listing_total: int
    count: int
    """Elements on the page."""
    fingerprint: int | None
    """Hash of its keys in order: two pages with the same one hold the same resources. None without any key."""


def doubts(pages: Sequence[PageFacts], *, repeated_keys: int) -> list[str]:
    """Why the listing cannot be called complete; empty when it can.

    `repeated_keys`: elements whose key was listed before, unless that is known to be the listing's own way
    (JWP lists it twice, again and again).
    """
    found = [
        doubt for _, stretch in groupby(pages, key=lambda page: page.stretch) for doubt in _of_stretch(list(stretch))
    ]
    announced = sum({page.stretch: page.stretch_total for page in pages}.values())
    if announced != pages[-1].listing_total:
        found.append(f"its ranges of id hold {announced} resources, the whole listing {pages[-1].listing_total}")
    seen: dict[int, int] = {}
    for page in pages:
        if page.fingerprint is None:
            continue
        if page.fingerprint in seen:
            found.append(f"page {page.number} repeats page {seen[page.fingerprint]}")
        seen.setdefault(page.fingerprint, page.number)
    if repeated_keys:
        found.append(f"{repeated_keys} resources were listed more than once, so others may have been missed")
    return found


def _of_stretch(pages: list[PageFacts]) -> Iterator[str]:
    first, last = pages[0], pages[-1]
    listed = sum(page.count for page in pages)
    if first.stretch_total != last.stretch_total:
        yield (
            f"the total moved from {first.stretch_total} on page {first.number} "
            f"to {last.stretch_total} on page {last.number}"
        )
    if listed != last.stretch_total:
        yield f"{listed} resources were listed of {last.stretch_total} announced"
    for page in pages[:-1]:
        if page.count < page.page_length:
            yield f"page {page.number} is short ({page.count} of {page.page_length}) and not the last"

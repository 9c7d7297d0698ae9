"""Is a listing complete? Judged from the ledger of its pages alone. Pure.

JWP pages by offset over a library that moves meanwhile, so that a listing may miss or repeat resources
without any error. Only a listing that proves complete may delete (semantics §1.3).
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
        doubt
        for stretch in _stretches(pages)
        for doubt in (*_moved_total(stretch), *_not_all(stretch), *_short_pages(stretch))
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


def doubts_of_changes(pages: Sequence[PageFacts], *, repeated_keys: int) -> list[str]:
    """Why a read of changes may have missed some; empty when it cannot have.

    It may end before the announced total, with a full page: its client saw that the rest is older. More changes
    than on its first page are no doubt, for they come last and were read.
    """
    found: list[str] = []
    for stretch in _stretches(pages):
        first, last = stretch[0], stretch[-1]
        if last.stretch_total < first.stretch_total:
            found += _moved_total(stretch)
        if last.count < last.page_length:
            found += _not_all(stretch)
        found += _short_pages(stretch)
    if repeated_keys:
        # One that was read changed again and went to the end, so that all after it moved up by one.
        found.append(f"{repeated_keys} resources were listed more than once, so others may have been missed")
    return found


def _stretches(pages: Sequence[PageFacts]) -> Iterator[list[PageFacts]]:
    for _, stretch in groupby(pages, key=lambda page: page.stretch):
        yield list(stretch)


def _moved_total(pages: list[PageFacts]) -> Iterator[str]:
    first, last = pages[0], pages[-1]
    if first.stretch_total != last.stretch_total:
        yield (
            f"the total moved from {first.stretch_total} on page {first.number} "
            f"to {last.stretch_total} on page {last.number}"
        )


def _not_all(pages: list[PageFacts]) -> Iterator[str]:
    listed = sum(page.count for page in pages)
    if listed != pages[-1].stretch_total:
        yield f"{listed} resources were listed of {pages[-1].stretch_total} announced"


def _short_pages(pages: list[PageFacts]) -> Iterator[str]:
    for page in pages[:-1]:
        if page.count < page.page_length:
            yield f"page {page.number} is short ({page.count} of {page.page_length}) and not the last"

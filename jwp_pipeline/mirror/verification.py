"""Checks whether a listing is complete, from the numbers and keys of its pages alone. The functions are pure.

JWP pages by offset through a library that may change meanwhile, so a listing can miss or repeat resources without any
error. Only a listing that proves complete may delete (semantics §1.3).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True, slots=True)
class PageFacts:
    """The facts about a page that the checks need; `jwplatform.management.Page` explains the fields."""

    number: int
    stretch: int
    stretch_total: int
    page_length: int
    listing_total: int
    count: int
    """The number of elements on the page."""
    fingerprint: int | None
    """A hash of its keys in order. Pages with equal hashes hold the same resources. None if the page has no keys."""


def doubts(pages: Sequence[PageFacts], *, repeated_keys: int) -> list[str]:
    """Return the reasons why the listing may be incomplete; an empty list means that it is complete.

    `repeated_keys` counts the elements whose key was listed before. It is 0 if JWP is known to list the same keys twice
    every time.
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
    """Return the reasons why a read of changes may have missed some; an empty list means that it has not.

    The read may end before the announced total, with a full page, if the client saw that the rest is older. A total
    that grows during the read is fine, because new changes are added at the end and were read.
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
        # A resource that had been read changed again and moved to the end, so that all resources after it moved up.
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

"""Learns the longest page that a site accepts. No maximum is documented, so shorter pages are tried after a refusal.

This module sends no requests itself: the client passes in a function that requests a first page of a given length.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from jwp_pipeline.errors import AnswerTooLarge, RequestRefused

SHORTER = (500, 250, 100, 50)
"""Lengths to try when a longer page is refused."""

# The HTTP statuses that answer a refused parameter.
_REFUSING = (400, 422)

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class PageLength:
    """The page lengths that one site accepts, by route, because each route may have its own maximum. Thread-safe."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}
        self._lock = threading.Lock()

    def first_page(self, route: str, largest: int, ask: Callable[[int], _T]) -> tuple[_T, int]:
        """Return the first page of a listing and the length that it was requested with, which is at most `largest`.

        `ask` requests a page of a given length. If its answer is 400 or 422, or too large to be read, shorter pages are
        tried. If they are refused as well, the length was not the reason, and the first refusal is raised. A refusal is
        raised at once if the site has accepted a page of this length before.
        """
        with self._lock:
            known = self._taken.get(route)
        length = min(largest, known or largest)
        refusal: RequestRefused | AnswerTooLarge | None = None
        for each in (length, *(shorter for shorter in SHORTER if shorter < length)):
            try:
                page = ask(each)
            except (RequestRefused, AnswerTooLarge) as error:
                refused = isinstance(error, RequestRefused)
                if refused and (error.status not in _REFUSING or known == each):
                    raise
                refusal = refusal or error
                continue
            if refusal is not None:
                _log.warning("%s Pages of %d are accepted and will be requested from now on.", refusal, each)
            with self._lock:
                self._taken[route] = each
            return page, each
        assert refusal is not None  # noqa: S101 - the loop asks at least once
        raise refusal


_shared: dict[tuple[str, str], PageLength] = {}
_sharing = threading.Lock()


def shared_page_length(origin: str, key: str) -> PageLength:
    """Return what all clients in this process have learned about one site. It outlives the clients."""
    with _sharing:
        return _shared.setdefault((origin, key), PageLength())

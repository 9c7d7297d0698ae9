"""The longest page that a site takes: no maximum is documented, so it is learned from what the site refuses.

Knows nothing of requests: whoever lists hands in how to ask for a first page of some length.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from jwp_pipeline.errors import AnswerTooLarge, RequestRefused

SHORTER = (500, 250, 100, 50)
"""Lengths to try when a longer page is refused."""

# What a refused parameter is answered with.
_REFUSING = (400, 422)

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class PageLength:
    """What is known of one site, route by route: each may have a maximum of its own. Thread-safe."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}
        self._lock = threading.Lock()

    def first_page(self, route: str, largest: int, ask: Callable[[int], _T]) -> tuple[_T, int]:
        """The first page of a listing, and the length it was asked for with: at most `largest`. `ask` gets the length.

        Shorter pages are tried when the answer to a longer one says 400 or 422, or is too large to be read. When those
        are refused as well the length was not the reason, and the first refusal is raised. So it is, at once, when a
        page of this length has been taken before.
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
                _log.warning("%s From now on pages of %d are asked for, which are taken.", refusal, each)
            with self._lock:
                self._taken[route] = each
            return page, each
        assert refusal is not None  # noqa: S101 - the loop asks at least once
        raise refusal


_shared: dict[tuple[str, str], PageLength] = {}
_sharing = threading.Lock()


def shared_page_length(origin: str, key: str) -> PageLength:
    """What all clients in this process have learned of one site; it outlives them."""
    with _sharing:
        return _shared.setdefault((origin, key), PageLength())

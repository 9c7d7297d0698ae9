"""Reading ahead: the next page is fetched while the last one is being stored.

Knows nothing of pages or HTTP; any iterator will do.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Generic, TypeVar

LEAVE_AFTER = 2.0
"""Seconds that an abandoned reader waits for its thread. A thread that hangs longer, in a wait or on the network,
ends by itself after that one step; to end it now, close the client it reads from."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Got(Generic[_T]):
    value: _T


@dataclass(frozen=True, slots=True)
class _Ended:
    error: BaseException | None


def prefetched(iterator: Iterator[_T], ahead: int = 1) -> Generator[_T, None, None]:
    """The same elements in the same order, the next `ahead` of them fetched in a thread meanwhile.

    An exception of the iterator comes after the elements before it. The thread is the only one to touch the iterator
    until this generator ends; close it (`contextlib.closing`) when it is not read to its end, and the thread ends
    after the step that it is in.
    """
    results: SimpleQueue[_Got[_T] | _Ended] = SimpleQueue()
    slots = threading.Semaphore(ahead)
    abandoned = threading.Event()

    def fetch() -> None:
        error: BaseException | None = None
        try:
            slots.acquire()
            for value in iterator:
                results.put(_Got(value))
                slots.acquire()
                if abandoned.is_set():
                    break
        except BaseException as raised:
            # Whatever it is, it belongs to the reader.
            error = raised
        finally:
            results.put(_Ended(error))
            # Here, and not when the reader lets go of it: only the thread that runs a generator can end it.
            close = getattr(iterator, "close", None)
            if close is not None:
                close()

    # A daemon, so that a process that is told to end does not wait for a slow answer.
    thread = threading.Thread(target=fetch, name="prefetch", daemon=True)
    thread.start()
    try:
        while isinstance(result := results.get(), _Got):
            slots.release()
            yield result.value
        if result.error is not None:
            raise result.error
    finally:
        abandoned.set()
        slots.release()
        thread.join(LEAVE_AFTER)

"""Reads ahead: it fetches the next page while the last one is being stored.

It works with any iterator and knows nothing about pages or HTTP.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Generic, TypeVar

LEAVE_AFTER = 2.0
"""Seconds that a closed generator waits for its thread. A thread that is busy for longer, waiting or reading from the
network, ends by itself after that step; to end it sooner, close the client that it reads from."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Got(Generic[_T]):
    value: _T


@dataclass(frozen=True, slots=True)
class _Ended:
    error: BaseException | None


def prefetched(iterator: Iterator[_T], ahead: int = 1) -> Generator[_T, None, None]:
    """Yield the elements of `iterator` in order, while a thread fetches up to `ahead` more of them.

    If the iterator raises an exception, it is raised here after the elements that came before it. Only the thread may
    use the iterator until this generator ends. If you do not read the generator to its end, close it
    (`contextlib.closing`); the thread then ends after its current step.
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
            # Any exception is passed on to the reader.
            error = raised
        finally:
            results.put(_Ended(error))
            # The iterator must be closed in this thread, because only the thread that runs a generator can close it.
            close = getattr(iterator, "close", None)
            if close is not None:
                close()

    # A daemon thread, so that a process that has to end does not wait for a slow answer.
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

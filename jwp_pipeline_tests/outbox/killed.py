"""Kills a push at any of its steps: before and after each request to JW Platform, and before each commit."""

from contextlib import contextmanager
from threading import Lock

from sqlalchemy import event


class Killed(BaseException):
    """Raised where a process would have been killed."""


class Countdown:
    """Raises Killed at the step with this number; never if there is none."""

    def __init__(self, steps):
        self._left = steps
        self._lock = Lock()

    def step(self, *_connection):
        if self._left is None:
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                raise Killed


class Doomed:
    """A client whose process may be killed before and after each of its requests."""

    def __init__(self, client, countdown):
        self._client = client
        self._countdown = countdown

    def __getattr__(self, name):
        method = getattr(self._client, name)
        if name == "close":
            return method

        def called(*arguments, **options):
            self._countdown.step()
            answer = method(*arguments, **options)
            self._countdown.step()
            return answer

        return called


@contextmanager
def killed_at(engine, steps):
    """Count the commits of the block, and yield the Countdown for its clients. The block may be killed."""
    countdown = Countdown(steps)
    event.listen(engine, "commit", countdown.step)
    try:
        yield countdown
    except Killed:
        pass
    finally:
        event.remove(engine, "commit", countdown.step)

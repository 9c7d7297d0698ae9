"""Each deletion needs a 404 of its own: asking JW Platform for what a listing misses, one key at a time.

A listing is no proof that something is gone, and neither are two that agree: an index that lags, or a cached page, is
wrong twice in the same way. Put here how answers are gathered and when asking stops; which keys are asked for, and
what becomes of the answers, is decided in apply.py.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from jwp_pipeline.errors import JWPlatformError, MalformedAnswer
from jwp_pipeline.jwplatform.management import ManagementClient, ResourceType
from jwp_pipeline.jwplatform.shapes import is_listed_type

LOOKED_AT_FIRST = 20
"""After so many answers it is decided whether the listing hides resources, and then asking stops."""

# Seconds spent on answers that cannot be read before the rest waits for the next sync.
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Answers:
    """What JW Platform said about the keys that it was asked for."""

    gone: tuple[str, ...] = ()
    """It answered 404, or the key now belongs to something that is not listed (a channel that is no longer manual)."""
    still_there: tuple[str, ...] = ()
    """It still has them, so the listing hides them."""
    unclear: tuple[str, ...] = ()
    """The answer could not be read."""
    stopped: str | None = None
    """Why asking ended early, in a sentence; None when every key was asked for."""

    @property
    def not_gone(self) -> tuple[str, ...]:
        """Keys that were asked for and stay."""
        return self.still_there + self.unclear


NOT_ASKED = Answers()


def ask(
    client: ManagementClient, resource_type: ResourceType, candidates: Sequence[str], listed: Sequence[str]
) -> Answers:
    """Ask for each of `candidates`, in order, with one request each.

    `listed` holds a few keys of the newest listing: one of them must answer 200 by the same route before a 404 counts,
    because an API that has been retired may answer 404 to everything. Without any listed key that test is left out.
    Asking stops when more than half of the first LOOKED_AT_FIRST keys are still there, and when JW Platform cannot be
    asked; what was answered by then counts. Never raises JWPlatformError.
    """
    gone: list[str] = []
    still_there: list[str] = []
    unclear: list[str] = []
    failing = 0.0
    kind = f"{resource_type}s"
    try:
        for number, key in enumerate(candidates, start=1):
            started = time.monotonic()
            try:
                shown = client.show(resource_type, key)
            except MalformedAnswer as error:
                # One that cannot be read must not stop the others; each costs all the client's retries.
                unclear.append(key)
                failing += time.monotonic() - started
                if failing > _PATIENCE:
                    stopped = f"JW Platform's answers about {', '.join(unclear[:3])} cannot be read: {error}"
                    return Answers(tuple(gone), tuple(still_there), tuple(unclear), stopped)
                continue
            if shown is not None and is_listed_type(resource_type, shown):
                still_there.append(key)
            elif gone or not listed or any(client.show(resource_type, known) is not None for known in listed):
                gone.append(key)
            else:
                stopped = (
                    f"JW Platform also answers 404 for {kind} that it has just listed, such as {listed[0]}, so its "
                    "404s prove nothing"
                )
                return Answers((), tuple(still_there), (*unclear, key), stopped)
            if number == LOOKED_AT_FIRST and len(still_there) > LOOKED_AT_FIRST / 2:
                stopped = (
                    f"JW Platform's listing hides {kind}: of {number} that it misses, {len(still_there)} are still "
                    "there when asked for by key"
                )
                return Answers(tuple(gone), tuple(still_there), tuple(unclear), stopped)
    except JWPlatformError as error:
        return Answers(tuple(gone), tuple(still_there), tuple(unclear), f"JW Platform could not be asked: {error}")
    return Answers(tuple(gone), tuple(still_there), tuple(unclear))

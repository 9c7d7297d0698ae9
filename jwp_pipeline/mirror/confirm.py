"""Asks JW Platform for each key that a listing misses, because every deletion needs its own 404.

A listing does not prove that a resource is gone, and neither do two listings that agree: an index that lags behind, or
a cached page, can be wrong twice in the same way. Put here how answers are collected and when asking stops; apply.py
decides which keys to ask for and what to do with the answers.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from jwp_pipeline.errors import JWPlatformError, MalformedAnswer
from jwp_pipeline.jwplatform.management import ManagementClient, ResourceType
from jwp_pipeline.jwplatform.shapes import is_listed_type

LOOKED_AT_FIRST = 20
"""After this many keys, asking stops if the listing turns out to hide resources that still exist."""

# Seconds to spend on answers that cannot be read. After that, the remaining keys wait for the next sync.
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Answers:
    """JW Platform's answers about the keys that it was asked for."""

    gone: tuple[str, ...] = ()
    """Keys answered with 404, or with a resource that is not listed (such as a channel that is no longer manual)."""
    still_there: tuple[str, ...] = ()
    """Keys that JW Platform still has, although the listing does not contain them."""
    unclear: tuple[str, ...] = ()
    """Keys whose answer could not be read."""
    stopped: str | None = None
    """Why asking ended early; None if every key was asked for."""

    @property
    def not_gone(self) -> tuple[str, ...]:
        """The keys that were asked for and are not deleted."""
        return self.still_there + self.unclear


NOT_ASKED = Answers()


def ask(
    client: ManagementClient, resource_type: ResourceType, candidates: Sequence[str], listed: Sequence[str]
) -> Answers:
    """Ask for each of `candidates` in order, with one request each.

    `listed` holds a few keys of the newest listing. One of them must be found on the same route before a 404 counts,
    because a retired API may answer 404 to everything. If `listed` is empty, that check is skipped. Asking stops if
    more than half of the first LOOKED_AT_FIRST keys are still there, or if JW Platform cannot be reached; the answers
    up to then count. Never raises JWPlatformError.
    """
    gone: list[str] = []
    still_there: list[str] = []
    unclear: list[str] = []
    stopped: str | None = None
    failing = 0.0
    kind = f"{resource_type}s"
    try:
        for number, key in enumerate(candidates, start=1):
            started = time.monotonic()
            try:
                shown = client.show(resource_type, key)
            except MalformedAnswer as error:
                # One unreadable answer must not stop the others, but each costs all the client's retries.
                unclear.append(key)
                failing += time.monotonic() - started
                if failing > _PATIENCE:
                    stopped = f"JW Platform's answers about {', '.join(unclear[:3])} cannot be read: {error}"
                    break
            else:
                if shown is not None and is_listed_type(resource_type, shown):
                    still_there.append(key)
                elif gone or not listed or _finds_one(client, resource_type, listed):
                    gone.append(key)
                else:
                    unclear.append(key)
                    stopped = (
                        f"JW Platform also answers 404 for {kind} that it has just listed, such as {listed[0]}, so its "
                        "404s prove nothing"
                    )
                    break
            if number == LOOKED_AT_FIRST and len(still_there) > LOOKED_AT_FIRST / 2:
                stopped = (
                    f"JW Platform's listing hides {kind}: of {number} that it misses, {len(still_there)} are still "
                    "there when asked for by key"
                )
                break
    except JWPlatformError as error:
        stopped = f"JW Platform could not be asked: {error}"
    return Answers(tuple(gone), tuple(still_there), tuple(unclear), stopped)


def _finds_one(client: ManagementClient, resource_type: ResourceType, listed: Sequence[str]) -> bool:
    """Whether JW Platform finds a listed key. Raises MalformedAnswer if it finds none and an answer is unreadable."""
    unreadable: MalformedAnswer | None = None
    for key in listed:
        try:
            if client.show(resource_type, key) is not None:
                return True
        except MalformedAnswer as error:
            unreadable = error
    if unreadable is not None:
        raise unreadable
    return False

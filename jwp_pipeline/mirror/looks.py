"""Reads single keys: JW Platform is asked for each of them, and the answers are landed as one snapshot (scope `keys`).

Such a snapshot is planned, judged and applied as a listing is, with three differences. It says nothing about other
keys. Only the run that read it applies it, because nobody shall act on an old answer about one resource. And a live key
that JW Platform answers 404 for only counts as missing at first: whether it is deleted is decided when the snapshot is
applied, by the guard and by a second 404, as for every missing row.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine

from jwp_pipeline.errors import MalformedAnswer
from jwp_pipeline.jwplatform.management import ManagementClient, Page, ResourceType
from jwp_pipeline.jwplatform.shapes import array_field, is_listed_type
from jwp_pipeline.mirror import snapshots
from jwp_pipeline.mirror.changes import read_changes
from jwp_pipeline.mirror.landing import Listing, Observer, Read, reading

MOST_KEYS = 100
"""How many keys are asked for one by one. Beyond that a read of changes takes fewer requests, and it ends: at 60
requests a minute, a hundred keys take two minutes, and more events may come meanwhile."""

# Seconds to spend on answers that cannot be read. Each takes all the client's retries.
_PATIENCE = 60.0


def read_keys(
    engine: Engine,
    client: ManagementClient,
    resource_type: ResourceType,
    keys: Sequence[str],
    *,
    overlap: timedelta,
    run_id: str | None = None,
    observe: Observer = lambda progress: None,
) -> Listing:
    """Ask for each of these keys, once, and land the answers; or read the changes if that is better.

    It is better if there are more than MOST_KEYS, if nothing was listed and applied before, and with v1, whose `show`
    answers with other fields than its listings, so that the cache would go back and forth. Raises the same errors as
    read_listing.
    """
    with reading(engine, resource_type) as connection:
        with connection.begin():
            listed_before = snapshots.watermark(connection, resource_type) is not None
        if client.api_version == "v2" and len(keys) <= MOST_KEYS and listed_before:
            looks = _Looks(client, resource_type, keys)
            read = Read(connection, client, resource_type, "keys", run_id, 1, observe)
            read.land(looks.pages())
            with connection.begin():
                snapshots.enter_absent(connection, read.snapshot_id, looks.absent)
            return read.judge(doubts=looks.doubts())
    return read_changes(engine, client, resource_type, overlap=overlap, run_id=run_id, observe=observe)


@dataclass(slots=True)
class _Looks:
    """The answers about single keys."""

    client: ManagementClient
    resource_type: ResourceType
    keys: Sequence[str]
    absent: list[str] = field(default_factory=list)
    """Keys answered with 404, or with a resource that no listing would contain."""
    unreadable: list[str] = field(default_factory=list)

    def pages(self) -> Iterator[Page]:
        """Ask for every key, and yield what was found as one page."""
        found: list[dict[str, Any]] = []
        failing = 0.0
        for key in self.keys:
            started = time.monotonic()
            try:
                shown = self.client.show(self.resource_type, key)
            except MalformedAnswer:
                # One unreadable answer must not stop the others. If all are like that, the read fails.
                failing += time.monotonic() - started
                if failing > _PATIENCE:
                    raise
                self.unreadable.append(key)
                continue
            if shown is not None and is_listed_type(self.resource_type, shown):
                found.append(shown)
            else:
                self.absent.append(key)
        # The answers hold one object each; together they have the form of a page of the listing.
        body = json.dumps({array_field(self.client.api_version, self.resource_type): found})
        yield Page(1, body, found, 0, len(found), max(len(found), 1), len(found))

    def doubts(self) -> list[str]:
        """Return why not every key could be looked at."""
        if not self.unreadable:
            return []
        return [f"JW Platform's answers about {', '.join(self.unreadable[:3])} could not be read"]

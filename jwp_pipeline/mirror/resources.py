"""`set_resources`: the cache brought in step with resources from anywhere, in the caller's transaction.

For callers with a listing of their own (an import, a test, another fetcher). They answer for its
completeness: there is neither guard nor confirmation here. Not here: listings of JW Platform (landing.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import islice
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from jwp_pipeline.database.connection import WRITER_LOCK, transaction_lock
from jwp_pipeline.jwplatform.management import ResourceType
from jwp_pipeline.mirror import pages, snapshots
from jwp_pipeline.mirror.apply import execute
from jwp_pipeline.mirror.landing import land_page
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.mirror.plan import Plan, describe, prepare

_PAGE_LENGTH = 1000


def set_resources(
    bind: Session | Connection,
    resources: Iterable[Any],
    resource_type: ResourceType,
    *,
    options: MirrorOptions | None = None,
) -> Plan:
    """Make the live rows of a type exactly `resources` (v1- or v2-shaped objects; the last of a key wins).

    What is missing is soft-deleted, what returns is restored, what is the same is not written; unusable
    elements go to sync_problems. All of it in the transaction of `bind`, which the caller commits; any
    iterable is streamed. Waits while a sync applies. Returns what was done.
    """
    connection = bind.connection() if isinstance(bind, Session) else bind
    options = options or MirrorOptions()
    transaction_lock(connection, WRITER_LOCK)
    snapshot_id = snapshots.open_snapshot(connection, resource_type, "local")
    counts = {"resource_count": 0, "page_count": 0}
    field = pages.array_field("local", resource_type)
    remaining = iter(resources)
    while elements := list(islice(remaining, _PAGE_LENGTH)):
        counts["page_count"] += 1
        counts["resource_count"] += len(elements)
        body = json.dumps({field: elements})
        land_page(connection, snapshot_id, counts["page_count"], body=body, field=field, elements=elements)
    distinct = snapshots.count_keys(connection, snapshot_id)
    snapshots.close_snapshot(
        connection,
        snapshot_id,
        "verified",
        None,
        counts={**counts, "key_count": distinct, "expected_total": counts["resource_count"]},
    )
    snapshot = snapshots.snapshot(connection, snapshot_id)
    assert snapshot is not None  # noqa: S101 - it was entered a moment ago
    prepare(connection, snapshot, options)
    plan = describe(connection, snapshot, spared=0)
    execute(connection, snapshot, plan, options)
    snapshots.prune(connection, resource_type, options.snapshot_retention)
    return plan

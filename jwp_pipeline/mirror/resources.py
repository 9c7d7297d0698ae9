"""The interface for callers who fetch or store resources themselves: `set_resources`, `fetch_videos`, `fetch_channels`.

These callers vouch for the completeness of their listing, so neither the guard nor any confirmation applies. Put here
what an import, a test or another fetcher calls; landing.py reads the pipeline's own listings.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from jwp_pipeline.database.connection import WRITER_LOCK, transaction_lock
from jwp_pipeline.database.revision import require_revision
from jwp_pipeline.errors import UnusableResources
from jwp_pipeline.jwplatform.management import RESOURCE_TYPES, ManagementClient, ResourceType
from jwp_pipeline.jwplatform.shapes import array_field
from jwp_pipeline.mirror import pages, snapshots
from jwp_pipeline.mirror.apply import execute
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.mirror.plan import Plan, delete_all_missing, describe, prepare
from jwp_pipeline.mirror.storing import land_page

_PAGE_LENGTH = 1000


def fetch_videos(client: ManagementClient) -> Iterator[Any]:
    """Yield all videos that JW Platform lists, in its own format, page by page. Raises JWPlatformError.

    Unlike the pipeline's own reads, this does not check that the listing is complete: if the library changes while it
    is read, videos may be missed or repeated.
    """
    return _fetch(client, "video")


def fetch_channels(client: ManagementClient) -> Iterator[Any]:
    """Yield all manual channels (v2: playlists) that JW Platform lists, in the same way as `fetch_videos`."""
    return _fetch(client, "channel")


def _fetch(client: ManagementClient, resource_type: ResourceType) -> Iterator[Any]:
    for page in client.list_pages(resource_type):
        yield from page.items


def set_resources(
    bind: Session | Connection,
    resources: Iterable[Any],
    resource_type: ResourceType,
    *,
    options: MirrorOptions | None = None,
) -> Plan:
    """Make the live rows of a type exactly `resources`: objects of v1 or v2, or pairs `(key, object)`.

    Missing resources are soft-deleted, returning ones are restored, and unchanged ones are not written. If a key occurs
    more than once, its last object wins. The key of a pair takes precedence over a key in its object. Everything
    happens in the transaction of `bind`, which the caller commits, and the iterable is streamed. The function waits
    while a sync is applying, and returns what it did.

    Raises UnusableResources, and changes nothing, if the type is unknown or an element is neither an object nor a pair,
    or has no usable key (a non-empty text of up to 255 characters).
    """
    if resource_type not in RESOURCE_TYPES:
        raise UnusableResources(
            f"There is no resource type {resource_type!r}; it is one of {', '.join(map(repr, RESOURCE_TYPES))}. "
            "Nothing was changed."
        )
    connection = bind.connection() if isinstance(bind, Session) else bind
    options = options or MirrorOptions()
    transaction_lock(connection, WRITER_LOCK)
    require_revision(connection)
    # A savepoint, so that a refusal half-way leaves nothing behind in the caller's transaction.
    with connection.begin_nested():
        snapshot = _land(connection, resources, resource_type)
        prepare(connection, snapshot, options)
        delete_all_missing(connection)
        plan = describe(connection, snapshot)
        execute(connection, snapshot, plan, options)
        snapshots.prune(connection, resource_type, options.snapshot_retention)
    return plan


def _land(connection: Connection, resources: Iterable[Any], resource_type: ResourceType) -> snapshots.Snapshot:
    snapshot_id = snapshots.open_snapshot(connection, resource_type, "local")
    field = array_field("local", resource_type)
    counts = {"resource_count": 0, "page_count": 0}
    remaining = (_keyed(element, position) for position, element in enumerate(resources, start=1))
    while batch := list(islice(remaining, _PAGE_LENGTH)):
        counts["page_count"] += 1
        counts["resource_count"] += len(batch)
        keys, elements = [key for key, _ in batch], [element for _, element in batch]
        land_page(
            connection,
            snapshot_id,
            counts["page_count"],
            body=_json({field: elements}),
            field=field,
            elements=elements,
            keys=keys,
            origin="local",
        )
    counts |= {"key_count": snapshots.count_keys(connection, snapshot_id), "expected_total": counts["resource_count"]}
    snapshots.close_snapshot(connection, snapshot_id, "verified", None, counts=counts)
    snapshot = snapshots.snapshot(connection, snapshot_id)
    assert snapshot is not None  # noqa: S101 - it was entered a moment ago
    return snapshot


def _json(page: dict[str, Any]) -> str:
    try:
        return json.dumps(page)
    except (TypeError, ValueError, RecursionError) as error:
        raise UnusableResources(
            f"The resources hold something that JSON cannot say ({type(error).__name__}: {error}). Nothing was changed."
        ) from None


def _keyed(element: Any, position: int) -> tuple[str, dict[str, Any]]:
    """Return the key and the object of one element. Raises UnusableResources."""
    key: Any
    if isinstance(element, dict):
        key, resource = pages.key_of(element), element
    elif isinstance(element, (tuple, list)) and len(element) == 2 and isinstance(element[1], dict):
        key, resource = pages.usable_key(element[0]), element[1]
    else:
        raise UnusableResources(
            f"Element {position} of the resources is neither an object nor a pair (key, object), but a "
            f"{type(element).__name__}. Nothing was changed."
        )
    if key is None:
        raise UnusableResources(
            f"Element {position} of the resources has no usable key (a non-empty text of up to "
            f"{pages.MAX_KEY_LENGTH} characters). Nothing was changed."
        )
    return key, resource

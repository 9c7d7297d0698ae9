"""Asks JW Platform for the members that v2 playlists themselves list, one request each, and stores each answer at once.

This happens before the media side takes its lock, because it may take hours; storing each answer at once means that an
outage loses none of them. sql/staged/members.sql decides what the members are used for.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from jwp_pipeline.errors import JWPlatformError, ResourceNotFound
from jwp_pipeline.jwplatform.management import ManagementClient
from jwp_pipeline.media.columns import statement
from jwp_pipeline.media.mapping import map_channel
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.media.staging import BATCH
from jwp_pipeline.storable import clean

# Seconds to spend on playlists that fail, each of which may cost all its retries. After that, the remaining playlists
# wait for the next sync.
_PATIENCE = 1200.0
_MAX_SHOWN = 500
_log = logging.getLogger(__name__)


def ask_members(connection: Connection, options: MediaOptions, client: ManagementClient) -> int:
    """Ask for the members of each playlist that changed since they were last read, and return how many were read.

    If a request fails, the known members of that playlist stay and a problem is noted. Raises JWPlatformError if JW
    Platform does not answer at all.
    """
    read, failing = 0, 0.0
    wanted = _playlists_to_ask(connection, options)
    for position, (key, updated_at) in enumerate(wanted, start=1):
        started = time.monotonic()
        try:
            told = client.members(key)
        except ResourceNotFound:
            # The playlist was deleted after it was listed. The next listing will show that.
            continue
        except JWPlatformError as error:
            # If only this playlist fails, that must not stop the others. If all of JW Platform fails, the probe raises.
            client.probe("channel")
            _keep(connection, key, problem=str(error))
            failing += time.monotonic() - started
            if failing > _PATIENCE:
                rest = len(wanted) - position
                _log.warning("Playlists that fail took %.0f s; %s more are asked by the next sync.", failing, rest)
                break
        else:
            members = [clean(member) for member in told]
            refused = sum(member != cleaned for member, cleaned in zip(told, members, strict=True))
            problem = f"{refused} ids hold characters that PostgreSQL refuses; replaced by U+FFFD" if refused else None
            _keep(connection, key, members, updated_at, problem)
            read += 1
    return read


def _playlists_to_ask(connection: Connection, options: MediaOptions) -> Sequence[tuple[str, datetime]]:
    """Return key and cached `updated_at` of the playlists to ask about: those that do not list SMS ids instead."""
    with connection.begin():
        candidates = connection.execute(statement("reads/members_to_ask"), execution_options={"yield_per": BATCH})
        mapped = (
            (map_channel(row.data, key=row.key, create_items=options.create_items), row.updated_at)
            for row in candidates
        )
        return [
            (fields.key, updated_at)
            for fields, updated_at in mapped
            if fields.lists_members is True and fields.media_ids is None
        ]


def _keep(
    connection: Connection,
    key: str,
    members: Sequence[str] | None = None,
    members_at: datetime | None = None,
    problem: str | None = None,
) -> None:
    shown = None if problem is None else clean(problem)[:_MAX_SHOWN]
    with connection.begin():
        connection.execute(
            statement("playlist_members/keep"),
            {"key": key, "member_keys": members, "members_at": members_at, "problem": shown},
        )

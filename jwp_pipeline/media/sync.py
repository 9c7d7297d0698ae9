"""Bring media items, channels and playlists in step with the cache: set-based, in one transaction.

Each asset may be brought in step alone, and then in a transaction of its own; it brings along the link table
that it stands on. Not here: reading and mapping (staging.py), the statements themselves (sql/).
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, text

from jwp_pipeline.database.connection import WRITER_LOCK, advisory_lock, connect
from jwp_pipeline.database.problems import create_found_problems, record_problems
from jwp_pipeline.database.sql import statement
from jwp_pipeline.database.upkeep import is_much, vacuum
from jwp_pipeline.errors import MalformedAnswer, RequestRefused, ResourceNotFound
from jwp_pipeline.jwplatform.management import ManagementClient
from jwp_pipeline.media.mapping import Problem
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.media.report import NONE_BECAME_PUBLIC, BecamePublic, Counts, MediaAsset, MediaReport
from jwp_pipeline.media.staging import PACKAGE, Members, members_to_ask, note, stage_channels, stage_videos

# A second sync waits this long for the first to finish before it gives up, seconds.
_LOCK_PATIENCE = 60.0
_SAMPLE = 20


def sync_media(
    engine: Engine,
    assets: Collection[MediaAsset],
    *,
    options: MediaOptions,
    client: ManagementClient | None,
) -> MediaReport:
    """Bring `assets` in step with the cache, all in one transaction. Twice is a no-op.

    `client` is asked for the members of v2 playlists that changed; without one the known members stay.
    Raises SyncInProgress, TransientError.
    """
    started = time.monotonic()
    with connect(engine) as connection:
        members = _ask_members(connection, options, client) if _needs_channels(assets) else _Asked()
        with advisory_lock(connection, WRITER_LOCK, patience=_LOCK_PATIENCE), connection.begin():
            # Sorting and hashing a large library in memory; it is the server's, and freed at commit.
            connection.execute(text("SET LOCAL work_mem TO '64MB'"))
            steps = _Steps(connection, options, with_channels=_needs_members(assets))
            if {"videos", "media_items"} & set(assets):
                steps.videos()
            if _needs_channels(assets):
                steps.channels(members)
            if _needs_members(assets):
                steps.media_channels()
            if "media_items" in assets:
                steps.media_items()
            if _needs_members(assets):
                steps.members(playlists="playlists" in assets)
            still_open = _open_problems(connection)
    vacuum(engine, steps.written_much)
    return MediaReport(
        counts={asset: counts for asset, counts in steps.counts.items() if asset in assets},
        looked_at=steps.looked_at,
        members_asked=len(members.known),
        became_public=steps.became_public,
        open_problems=still_open,
        seconds=time.monotonic() - started,
    )


def _needs_channels(assets: Collection[MediaAsset]) -> bool:
    return bool({"channels", "media_channels", "playlists"} & set(assets))


def _needs_members(assets: Collection[MediaAsset]) -> bool:
    return bool({"media_channels", "playlists"} & set(assets))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What JW Platform said of playlists' own members, by key."""

    known: dict[str, Members] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    """Why their members cannot be read: those that are known stay."""


def _ask_members(connection: Connection, options: MediaOptions, client: ManagementClient | None) -> _Asked:
    """Asked before the lock is taken and any transaction is open: it is one request each."""
    asked = _Asked()
    if client is None:
        return asked
    with connection.begin():
        wanted = members_to_ask(connection, options)
    for key, updated_at in wanted.items():
        try:
            asked.known[key] = Members(client.members(key), updated_at)
        except (ResourceNotFound, RequestRefused):
            # Gone since it was listed, or not of this kind: the next listing tells.
            continue
        except MalformedAnswer as error:
            # Either this one's fault, which must not stop the others, or a bad hour of JW Platform: then this raises.
            client.show("channel", key)
            asked.unreadable[key] = str(error)
    return asked


@dataclass(slots=True)
class _Steps:
    """The statements in their order, and what they counted."""

    connection: Connection
    options: MediaOptions
    with_channels: bool
    """Whether it is settled in the same transaction which items belong to which channel."""
    counts: dict[MediaAsset, Counts] = field(default_factory=dict)
    looked_at: int = 0
    became_public: BecamePublic = NONE_BECAME_PUBLIC

    @property
    def written_much(self) -> list[str]:
        """Tables of which a large part was written."""
        much = {table for table, counts in self.counts.items() if is_much(counts.written, counts.live)}
        # A new or restored item writes its link and its SMS row, too.
        return [*(much | {"videos", "sms_media_items"} if "media_items" in much else much)]

    def videos(self) -> None:
        """`videos`: which there are. What they remember of their items moves with those."""
        create_found_problems(self.connection)
        self.looked_at = stage_videos(self.connection, self.options)
        created, gone, returned = map(self._run, ("link_new_videos", "unlink_gone_videos", "relink_returned_videos"))
        self.counts["videos"] = Counts(created, 0, returned, gone, live=self._live("videos"))
        self._run("looked_at_videos")
        record_problems(self.connection, "mapping", "video", complete=False)

    def media_items(self) -> None:
        """`media_items` and `sms_media_items`, of the videos that were looked at."""
        self._run("propose_items")
        self.became_public = self._became_public()
        restored = self._number("SELECT count(*) FROM proposed_items WHERE is_restored")
        created, written = map(self._run, ("create_items", "update_items"))
        self._run("remember_videos")
        deleted = self._run("delete_items")
        for step in ("claim_sms_media_items", "drop_sms_media_items", "move_sms_media_items", "create_sms_media_items"):
            self._run(step)
        live = self._live("media_items")
        self.counts["media_items"] = Counts(created, written - restored, restored, deleted, live=live)
        create_found_problems(self.connection)
        self._run("found_sms_media_item_rivals")
        record_problems(self.connection, "ownership", "video", complete=True)

    def channels(self, members: _Asked) -> None:
        """`channels`: which there are, and what each lists."""
        create_found_problems(self.connection)
        stage_channels(self.connection, self.options, members.known)
        note(self.connection, [(key, Problem("members", "", why)) for key, why in members.unreadable.items()])
        returned = self._number(
            "SELECT count(*) FROM channels JOIN mapped_channels USING (key) WHERE channels.deleted_at IS NOT NULL"
        )
        created, gone = map(self._run, ("link_new_channels", "unlink_gone_channels"))
        written = self._run("remember_channels")
        live = self._live("channels")
        self.counts["channels"] = Counts(created, written - returned, returned, gone, live=live)
        record_problems(self.connection, "mapping", "channel", complete=True)

    def media_channels(self) -> None:
        """`media_channels` and `billing_accounts`."""
        restored = self._number(
            "SELECT count(*) FROM media_channels AS channel JOIN channels ON channels.media_channel_id = channel.id"
            " WHERE channel.deleted_at IS NOT NULL AND channels.deleted_at IS NULL"
        )
        self._run("create_billing_accounts")
        created = self._run("create_media_channels")
        self._run("link_media_channels")
        written, deleted = map(self._run, ("update_media_channels", "delete_media_channels"))
        live = self._live("media_channels")
        self.counts["media_channels"] = Counts(created, written - restored, restored, deleted, live=live)

    def members(self, *, playlists: bool) -> None:
        """Which items belong to which channel; `playlists` and `sms_collections`."""
        create_found_problems(self.connection)
        for step in ("list_members", "assign_items", "found_shared_items"):
            self._run(step)
        if playlists:
            self._playlists()
            record_problems(self.connection, "ownership", "channel", complete=True)

    def _playlists(self) -> None:
        self._run("claim_sms_collections")
        self._run("found_sms_collection_rivals")
        self._run("propose_playlists")
        restored = self._number(
            "SELECT count(*) FROM playlists JOIN proposed_playlists USING (media_channel_id)"
            " WHERE deleted_at IS NOT NULL"
        )
        created, written, deleted = map(self._run, ("create_playlists", "update_playlists", "delete_playlists"))
        for step in ("drop_sms_collections", "move_sms_collections", "create_sms_collections", "look_at_channels"):
            self._run(step)
        live = self._live("playlists")
        self.counts["playlists"] = Counts(created, written - restored, restored, deleted, live=live)

    def _run(self, step: str) -> int:
        result = self.connection.execute(
            statement(PACKAGE, step),
            {
                "sync_all": self.options.sync_all,
                "create_all": self.options.create_items == "all",
                "with_channels": self.with_channels,
            },
        )
        return max(0, result.rowcount)

    def _number(self, query: str) -> int:
        return int(self.connection.scalar(text(query)) or 0)

    def _live(self, table: MediaAsset) -> int:
        return self._number(f"SELECT count(*) FROM {table} WHERE deleted_at IS NULL")

    def _became_public(self) -> BecamePublic:
        rows = self.connection.execute(statement(PACKAGE, "items_becoming_public"), {"sync_all": self.options.sync_all})
        found = [(row.item_id, row.title) for row in rows]
        return BecamePublic(len(found), tuple(found[:_SAMPLE]))


def _open_problems(connection: Connection) -> dict[str, int]:
    rows = connection.execute(
        text(
            "SELECT field, count(*) AS still_open FROM sync_problems WHERE resolved_at IS NULL AND stage <> 'cache'"
            " GROUP BY field ORDER BY still_open DESC, field"
        )
    )
    return {row.field: int(row.still_open) for row in rows}

"""Runs the statements that bring the media side in step, in order, and counts what they did.

Everything runs in the caller's transaction. sync.py decides which steps a sync takes; the statements are in sql/, in
folders named after what they write.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, text

from jwp_pipeline.database.problems import create_found_problems, record_problems
from jwp_pipeline.database.sql import statement as shared_statement
from jwp_pipeline.database.upkeep import analyze, is_much, unknown, without_gin_indexes
from jwp_pipeline.media.columns import statement
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.media.report import NONE_BECAME_PUBLIC, BecamePublic, Counts, MediaAsset
from jwp_pipeline.media.staging import choose_videos, narrow_present_permissions, stage_channels, stage_videos

# The columns by which later statements join and filter each table.
_TELLING_COLUMNS = {
    "cached_resources": ("type", "key", "updated_at", "deleted_at"),
    "videos": ("key", "media_item_id", "sms_media_id", "mapped_version", "deleted_at"),
    "media_items": ("id", "type", "media_channel_id", "deleted_at"),
    "sms_media_items": ("id", "media_item_id"),
    "channels": ("key", "media_channel_id", "deleted_at"),
    "media_channels": ("id", "deleted_at"),
    "playlists": ("id", "media_channel_id", "deleted_at"),
}


@dataclass(slots=True)
class Steps:
    """Has one method for each group of tables. Later methods rely on the tables of earlier ones."""

    connection: Connection
    options: MediaOptions
    with_items: bool
    """Whether the same transaction also brings the items of the videos in step."""
    with_channels: bool
    """Whether the same transaction also settles which items belong to which channel."""
    counts: dict[MediaAsset, Counts] = field(default_factory=dict)
    looked_at: int = 0
    became_public: BecamePublic = NONE_BECAME_PUBLIC

    @property
    def written_much(self) -> list[str]:
        """The tables of which a large part was written."""
        much = {table for table, counts in self.counts.items() if is_much(counts.written, counts.live)}
        # A new or restored item also writes its link and its SMS row.
        return [*(much | {"videos", "sms_media_items"} if "media_items" in much else much)]

    def __post_init__(self) -> None:
        for table in unknown(self.connection, _TELLING_COLUMNS):
            analyze(self.connection, table, *_TELLING_COLUMNS[table])

    def videos(self) -> None:
        """Bring the rows of `videos` in step. What they remember about their items is written by `media_items()`."""
        create_found_problems(self.connection)
        choose_videos(self.connection, self.options)
        gone, returned = map(self._run, ("videos/unlink_gone", "videos/relink_reappeared"))
        self.looked_at = stage_videos(self.connection, self.options)
        created = self._link_new_videos()
        self.counts["videos"] = Counts(created, 0, returned, gone, live=self._live("videos"))
        self._run("problems/looked_at_videos")
        record_problems(self.connection, "mapping", "video", complete=False)

    def _link_new_videos(self) -> int:
        """Add a row for each new video, unless `media_items()` will do so. Returns how many were added."""
        asked = self._number("SELECT count(*) FROM item_creations WHERE state <> 'created' AND asked_at IS NOT NULL")
        if self.with_items and not asked:
            return 0
        created = self._write("videos", "link_new")
        if asked:
            self._run("videos/lock_created")
            linked = self.connection.scalars(statement("videos/link_created")).all()
            edits = shared_statement("jwp_pipeline.database", "edits_since_created")
            self.connection.execute(edits, {"item_ids": linked})
        return created

    def media_items(self) -> None:
        """Bring `media_items` and `sms_media_items` in step for the videos that were read."""
        self._run("staged/proposed_items", sync_all=self.options.sync_all)
        pushes_edits = self.options.pushes_edits
        self._run("staged/lock_changing_items", pushes_edits=pushes_edits)
        if pushes_edits:
            self._run("staged/keep_new_edits")
        else:
            narrow_present_permissions(self.connection)
        self.became_public = self._became_public()
        restored = self._number("SELECT count(*) FROM proposed_items WHERE is_restored")
        withdrawn = self._number(
            "SELECT count(*) FROM proposed_items WHERE is_withdrawn AND (is_due AND differs OR is_narrowed)"
        )
        with without_gin_indexes(self.connection, "media_items", rows=self.looked_at):
            created = self._write("media_items", "create", with_channels=self.with_channels)
        written = self._write("media_items", "update") + self._write("media_items", "narrow")
        self._write("videos", "remember", strict_acls=self.options.strict_acls)
        linked = self._write("videos", "link_new_with_items", strict_acls=self.options.strict_acls)
        known = self.counts["videos"]
        self.counts["videos"] = replace(known, created=known.created + linked, live=known.live + linked)
        deleted = self._write("media_items", "delete")
        for step in ("staged/sms_media_claims", "sms_media_items/drop", "sms_media_items/move"):
            self._run(step)
        self._write("sms_media_items", "create")
        live = self._live("media_items")
        # Withdrawn items are updated, too, but they are not live and the counts are about live rows.
        self.counts["media_items"] = Counts(created, written - restored - withdrawn, restored, deleted, live=live)
        create_found_problems(self.connection)
        self._run("problems/sms_media_item_rivals")
        record_problems(self.connection, "ownership", "video", complete=True)
        create_found_problems(self.connection)
        self._run("problems/vanished_acls")
        record_problems(self.connection, "permission", "video", complete=True)

    def channels(self) -> None:
        """Bring `channels` in step: which channels exist, and which items each of them lists."""
        create_found_problems(self.connection)
        stage_channels(self.connection, self.options)
        returned = self._number(
            "SELECT count(*) FROM channels JOIN mapped_channels USING (key) WHERE channels.deleted_at IS NOT NULL"
        )
        created, gone = map(self._run, ("channels/link_new", "channels/unlink_gone"))
        written = self._write("channels", "remember")
        for step in ("playlist_members/forget", "problems/unreadable_members"):
            self._run(step)
        live = self._live("channels")
        self.counts["channels"] = Counts(created, written - returned, returned, gone, live=live)
        record_problems(self.connection, "mapping", "channel", complete=True)

    def media_channels(self) -> None:
        """Bring `media_channels` in step, and make the `billing_accounts` that new ones need."""
        restored = self._number(
            "SELECT count(*) FROM media_channels AS channel JOIN channels ON channels.media_channel_id = channel.id"
            " WHERE channel.deleted_at = channels.media_channel_deleted_at AND channels.deleted_at IS NULL"
        )
        self._run("billing_accounts/create")
        created = self._write("media_channels", "create")
        self._run("channels/link_media_channels")
        written, deleted = map(self._run, ("media_channels/update", "media_channels/delete"))
        live = self._live("media_channels")
        self.counts["media_channels"] = Counts(created, written - restored, restored, deleted, live=live)

    def members(self, *, playlists: bool) -> None:
        """Settle which items belong to which channel. Optionally bring `playlists` and `sms_collections` in step."""
        create_found_problems(self.connection)
        self._run("staged/members")
        analyze(self.connection, "members", "key", "media_item_id")
        for step in ("media_items/assign", "problems/shared_items"):
            self._run(step)
        if playlists:
            self._playlists()
            record_problems(self.connection, "ownership", "channel", complete=True)

    def _playlists(self) -> None:
        self._run("staged/sms_collection_claims")
        self._run("problems/sms_collection_rivals")
        self._run("staged/proposed_playlists", create_all=self.options.create_items == "all")
        restored = self._number(
            "SELECT count(*) FROM playlists JOIN proposed_playlists USING (media_channel_id)"
            " JOIN channels USING (media_channel_id)"
            " WHERE playlists.follows_channel AND playlists.deleted_at = channels.playlist_deleted_at"
        )
        created = self._write("playlists", "create")
        written, deleted = map(self._run, ("playlists/update", "playlists/delete"))
        for step in ("sms_collections/drop", "sms_collections/move", "sms_collections/create", "channels/mark_in_step"):
            self._run(step)
        live = self._live("playlists")
        self.counts["playlists"] = Counts(created, written - restored, restored, deleted, live=live)

    def _write(self, table: str, step: str, **parameters: bool) -> int:
        """Run a step that may write much of a table, and then analyse the table so that later steps get good plans."""
        written = self._run(f"{table}/{step}", **parameters)
        if written and is_much(written, self._number(f"SELECT count(*) FROM {table}")):
            analyze(self.connection, table, *_TELLING_COLUMNS[table])
        return written

    def _run(self, step: str, **parameters: bool) -> int:
        return max(0, self.connection.execute(statement(step), parameters).rowcount)

    def _number(self, query: str) -> int:
        return int(self.connection.scalar(text(query)) or 0)

    def _live(self, table: MediaAsset) -> int:
        return self._number(f"SELECT count(*) FROM {table} WHERE deleted_at IS NULL")

    def _became_public(self) -> BecamePublic:
        rows = self.connection.execute(statement("reads/items_becoming_public")).all()
        return BecamePublic(rows[0].found if rows else 0, tuple((row.item_id, row.title) for row in rows))

"""Makes videos at JW Platform for items that an application created here: exactly one for each, whatever crashes when.

Asking twice would make two videos. So the intent is stored before JW Platform is asked, and as long as it is not known
whether it made the video, it is searched for the mark that each of our videos carries, twice and minutes apart because
its index lags, before it is asked again. Put here the steps from a new item to a video that the record knows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, text

from jwp_pipeline.database.connection import WRITER_LOCK, transaction_lock
from jwp_pipeline.database.leases import Lease
from jwp_pipeline.database.sql import statement
from jwp_pipeline.database.transactions import in_transaction
from jwp_pipeline.database.write_back import mark_as_pipeline
from jwp_pipeline.errors import (
    CredentialsRefused,
    JWPlatformError,
    PermanentError,
    ResourceNotFound,
    WriteUncertain,
    WritingNotAllowed,
)
from jwp_pipeline.jwplatform.shapes import raw_key
from jwp_pipeline.jwplatform.writing import Created, UploadLink, WritingClient
from jwp_pipeline.media.mapping import KEEP, map_video
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.outbox.bodies import SiteMark, video_edit
from jwp_pipeline.outbox.fields import FIELDS, Unsendable, Value, decoded, in_words
from jwp_pipeline.outbox.records import as_json, write
from jwp_pipeline.outbox.report import PushedChange

LINK_SECONDS = 518_400
"""How long we use an upload link: 6 days. JW Platform keeps it for 7."""

_PACKAGE = "jwp_pipeline.outbox"
_INDEX_LAG = 180.0
_TRY_AGAIN = 60.0
_PATIENCE = 5


@dataclass(slots=True)
class CreationReport:
    """What became of the new items."""

    changes: list[PushedChange] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    failure: JWPlatformError | None = None
    """Why it makes no sense to go on."""


def create_due(
    connection: Connection,
    client: WritingClient,
    site: SiteMark,
    options: MediaOptions,
    *,
    dry_run: bool,
    lease: Lease | None,
) -> CreationReport:
    """Take each new item that is due one step further, as far as possible to its video."""
    work = _Creations(connection, client, site, options, lease)
    due = in_transaction(connection, lambda: connection.execute(statement(_PACKAGE, "due_creations")).all())
    for row in due:
        if dry_run:
            title = row.present["title"]
            work.report.changes.append(PushedChange(row.item_id, row.key, "video", "created", in_words("title", title)))
            continue
        try:
            work.advance(row)
        except (CredentialsRefused, WritingNotAllowed) as error:
            work.report.failure = error
            break
        except ResourceNotFound as error:
            # JW Platform may show a new video a moment later.
            work.note(row, "later" if row.tries < _PATIENCE else "refused", str(error))
        except PermanentError as error:
            work.note(row, "refused", str(error))
        except JWPlatformError as error:
            work.note(row, "later", str(error))
    return work.report


@dataclass(slots=True)
class _Creations:
    """The creations of one push."""

    connection: Connection
    client: WritingClient
    site: SiteMark
    options: MediaOptions
    lease: Lease | None
    report: CreationReport = field(default_factory=CreationReport)

    def advance(self, row: Row[Any]) -> None:
        """Take one item as far as possible. Raises JWPlatformError."""
        if row.linked_key is not None:
            # A sync found the video by its mark before we knew its key.
            self._update(row, "state = 'created', key = :key, created_at = clock_timestamp()", key=row.linked_key)
            self._tell(row, row.linked_key)
            return
        if row.key is not None:
            self._link(row, row.key, None)
            return
        if row.asked_at is not None:
            found = self.client.find_videos(self.site.media_id, row.item_id)
            if found:
                self._adopt(row, found)
                return
            if not row.searched_long_ago:
                self._update(
                    row,
                    "searched_at = coalesce(searched_at, clock_timestamp()), problem = :problem,"
                    " next_try_at = clock_timestamp() + make_interval(secs => :seconds)",
                    problem="JW Platform was asked to create the video, and it is not known whether it did. It will be "
                    "searched again before it is asked again.",
                    seconds=_INDEX_LAG,
                )
                self.report.changes.append(PushedChange(row.item_id, None, "video", "later"))
                return
        self._create(row)

    def note(self, row: Row[Any], result: Any, problem: str) -> None:
        """Record that a step has failed."""
        state = "refused" if result == "refused" else "waiting"
        self._update(
            row,
            "state = :state, problem = :problem, tries = tries + 1,"
            " next_try_at = clock_timestamp() + make_interval(secs => :seconds * least(2 ^ least(tries, 6), 60))",
            state=state,
            problem=problem,
            seconds=_TRY_AGAIN,
        )
        self.report.changes.append(PushedChange(row.item_id, row.key, "video", result, problem=problem))

    def _create(self, row: Row[Any]) -> None:
        try:
            values = sendable(row.present)
        except Unsendable as flaw:
            self.note(row, "refused", f"{flaw}. Edit the item, and it is tried again.")
            return
        sent = {name: FIELDS[name].encode(value) for name, value in values.items()}
        self._update(
            row, "asked_at = clock_timestamp(), searched_at = NULL, sent = CAST(:sent AS jsonb)", sent=json.dumps(sent)
        )
        try:
            created = self.client.create_video(
                video_edit(values, row.item_id, self.site), source_url=row.source_url, mime_type=row.mime_type
            )
        except WriteUncertain:
            raise
        except JWPlatformError:
            # It is known that no video was made.
            self._update(row, "asked_at = NULL")
            raise
        self._update(row, "key = :key", key=created.key)
        if created.upload is not None:
            in_transaction(
                self.connection, lambda: store_link(self.connection, row.item_id, created.upload), lease=self.lease
            )
        self._link(row, created.key, created)

    def _adopt(self, row: Row[Any], found: list[dict[str, Any]]) -> None:
        """Take a video that an earlier call made, although its answer was lost."""
        keys = sorted(str(raw_key(video)) for video in found)
        problem = None
        if len(keys) > 1:
            problem = (
                f"JW Platform has {len(keys)} videos for this item: {', '.join(keys)}. The first is used. Delete the "
                "others there."
            )
        self._update(row, "key = :key, problem = :problem", key=keys[0], problem=problem)
        self._link(row, keys[0], None)

    def _link(self, row: Row[Any], key: str, created: Created | None) -> None:
        resource = created.resource if created and created.resource else self.client.show_video(key)
        if resource is None:
            raise ResourceNotFound(
                f"JW Platform created video {key} for item {row.item_id}, and answers 404 for it now. If somebody "
                "deleted it there, delete the item here."
            )
        fields = map_video(
            resource, key=key, default_acl=self.options.default_acl, create_items=self.options.create_items
        )
        updated = 0 if fields.updated is KEEP else fields.updated

        def record() -> None:
            # The cache has one writer, and a listing that shows the video may be applied at this moment.
            transaction_lock(self.connection, WRITER_LOCK)
            mark_as_pipeline(self.connection)
            parameters = {"item_id": row.item_id, "key": key, "updated": updated, "wants_item": fields.wants_item}
            for step in ("cache_created", "link_created"):
                self.connection.execute(statement(_PACKAGE, step), {**parameters, "data": json.dumps(resource)})
            self._keep_later_edits(row.item_id, updated)
            seconds = self.connection.execute(statement(_PACKAGE, "mark_created"), parameters).scalar_one()
            self.report.latencies.append(float(seconds))

        in_transaction(self.connection, record, lease=self.lease)
        self._tell(row, key)

    def _keep_later_edits(self, item_id: str, updated: int) -> None:
        """Record what was edited since the values were sent, and write those back that read back in another form."""
        row = self.connection.execute(
            text(
                "SELECT creation.sent, pushed_fields(item) AS present"
                " FROM item_creations AS creation JOIN media_items AS item ON item.id = creation.media_item_id"
                " WHERE item.id = :item_id FOR NO KEY UPDATE OF item"
            ),
            {"item_id": item_id},
        ).one()
        for name, sent in (row.sent or {}).items():
            value, present = decoded(name, sent), decoded(name, row.present[name])
            if present == value:
                continue
            try:
                is_later = present is None or FIELDS[name].as_sent(present) != value
            except Unsendable:
                is_later = True
            if is_later:
                self.connection.execute(
                    statement(_PACKAGE, "later_edit"),
                    {"item_id": item_id, "field": name, "base": as_json(name, value), "updated": updated},
                )
            else:
                write(self.connection, item_id, name, value)

    def _update(self, row: Row[Any], assignments: str, **values: Any) -> None:
        """Update the creation of an item in a transaction of its own, so that a crash cannot undo it."""
        in_transaction(
            self.connection,
            lambda: self.connection.execute(
                text(f"UPDATE item_creations SET {assignments} WHERE media_item_id = :item_id"),
                {"item_id": row.item_id, **values},
            ),
            lease=self.lease,
        )

    def _tell(self, row: Row[Any], key: str) -> None:
        self.report.changes.append(
            PushedChange(row.item_id, key, "video", "created", in_words("title", row.present["title"]))
        )


def sendable(present: dict[str, Any]) -> dict[str, Value]:
    """Return all values of an item as they will be read back. Raises Unsendable, naming the field."""
    values = {}
    for name, value in present.items():
        try:
            values[name] = FIELDS[name].as_sent(FIELDS[name].decode(value))
        except Unsendable as flaw:
            raise Unsendable(f"No video was created, because of {name}: {flaw}") from None
    return values


def store_link(connection: Connection, item_id: str, link: UploadLink | None) -> None:
    """Store where the file of an item can be uploaded, in place of an earlier link."""
    if link is not None:
        connection.execute(
            statement(_PACKAGE, "store_link"),
            {
                "item_id": item_id,
                "url": link.url,
                "method": link.method,
                "content_type": link.content_type,
                "seconds": LINK_SECONDS,
            },
        )

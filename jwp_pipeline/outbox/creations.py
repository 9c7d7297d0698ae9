"""Makes videos at JW Platform for items that an application created here: exactly one for each, whatever crashes when.

Asking twice would make two videos. So the intent is stored before JW Platform is asked, and as long as it is not known
whether it made the video, it is searched for the mark that each of our videos carries, twice and minutes apart because
its index lags, before it is asked again. Put here the steps from a new item to a video; links.py records the video.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection, Row, text

from jwp_pipeline.database.leases import Lease
from jwp_pipeline.database.sql import statement
from jwp_pipeline.database.transactions import in_transaction
from jwp_pipeline.errors import (
    CredentialsRefused,
    JWPlatformError,
    MiddlemanAnswered,
    RateLimited,
    ResourceNotFound,
    WriteUncertain,
    WritingNotAllowed,
)
from jwp_pipeline.jwplatform.shapes import raw_key
from jwp_pipeline.jwplatform.writing import WritingClient
from jwp_pipeline.outbox.bodies import video_edit
from jwp_pipeline.outbox.exchange import Rules, is_about_one, seconds_to_next_try
from jwp_pipeline.outbox.fields import FIELDS, Unsendable, in_words, sendable
from jwp_pipeline.outbox.links import link, store_link
from jwp_pipeline.outbox.report import PushedChange

_PACKAGE = "jwp_pipeline.outbox"
_INDEX_LAG = 180.0
_TRIES_OF_A_404 = 5
_Failed = Literal["later", "refused"]


@dataclass(slots=True)
class CreationReport:
    """What became of the new items."""

    changes: list[PushedChange] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    failure: JWPlatformError | None = None
    """Why it makes no sense to go on."""
    not_allowed: list[tuple[Row[Any], WritingNotAllowed]] = field(default_factory=list)
    """The items whose videos JW Platform does not let us create. `judge` tells what that means."""


def create_due(
    connection: Connection,
    client: WritingClient,
    rules: Rules,
    *,
    patience: int,
    dry_run: bool,
    lease: Lease | None,
) -> CreationReport:
    """Take each new item that is due one step further, as far as possible to its video.

    Ends after `patience` failures in a row that are no fault of the items. Items whose videos JW Platform does not let
    us create hold up nothing; `judge` decides about them at the end of the push.
    """
    work = _Creations(connection, client, rules, lease)
    due = in_transaction(
        connection, lambda: connection.execute(statement(_PACKAGE, "due_creations"), {"early": dry_run}).all()
    )
    failures = 0
    for row in due:
        if dry_run:
            work.created(row)
            continue
        try:
            work.advance(row)
            failures = 0
        except WritingNotAllowed as error:
            work.report.not_allowed.append((row, error))
            failures += 1
            if failures >= patience:
                break
        except CredentialsRefused as error:
            work.report.failure = error
        except JWPlatformError as error:
            if is_about_one(error):
                failures = 0
                # JW Platform may show a new video a moment later.
                waits = isinstance(error, ResourceNotFound) and row.tries < _TRIES_OF_A_404
                work.note(row, "later" if waits else "refused", str(error))
                continue
            work.note(row, "later", str(error))
            failures += 1
            if failures >= patience or isinstance(error, RateLimited):
                work.report.failure = error
        if work.report.failure is not None:
            break
    return work.report


def judge(
    connection: Connection, made: CreationReport, *, may_write: bool, lease: Lease | None
) -> tuple[list[PushedChange], JWPlatformError | None]:
    """Decide about the new items whose videos JW Platform did not let us create.

    Either nobody may create such a video, or our secret may not write at all, and JW Platform gives the same answer to
    both. If the secret wrote something else in this push (`may_write`), the items are set aside. Otherwise they are
    tried again later. Returns what became of the items, and the error that ends the push, if there is one.
    """
    result: _Failed = "refused" if may_write else "later"
    changes = [_note(connection, row, result, str(error), lease) for row, error in made.not_allowed]
    return changes, made.not_allowed[0][1] if made.not_allowed and not may_write else None


@dataclass(slots=True)
class _Creations:
    """The creations of one push."""

    connection: Connection
    client: WritingClient
    rules: Rules
    lease: Lease | None
    report: CreationReport = field(default_factory=CreationReport)

    def advance(self, row: Row[Any]) -> None:
        """Take one item as far as possible. Raises JWPlatformError."""
        if row.linked_key is not None:
            # A sync found the video by its mark before we knew its key.
            self._in_transaction(
                lambda: self.connection.execute(
                    statement(_PACKAGE, "mark_created"), {"item_id": row.item_id, "key": row.linked_key}
                )
            )
            self.created(row, row.linked_key)
        elif row.key is not None:
            self._link(row, row.key, None)
        elif row.asked_at is None:
            self._create(row)
        elif found := self.client.find_videos(self.rules.site.media_id, row.item_id):
            self._adopt(row, found)
        elif row.searched_long_ago:
            self._create(row)
        else:
            self._search_again(row)

    def note(self, row: Row[Any], result: _Failed, problem: str) -> None:
        """Record that a step has failed."""
        self.report.changes.append(_note(self.connection, row, result, problem, self.lease))

    def created(self, row: Row[Any], key: str | None = None) -> None:
        """Add to the report that the item has its video."""
        self.report.changes.append(_change(row, "created", key))

    def _create(self, row: Row[Any]) -> None:
        try:
            values = sendable(row.present)
        except Unsendable as flaw:
            self.note(row, "refused", f"{flaw}. Edit the item, and it is tried again.")
            return
        sent = {name: FIELDS[name].encode(value) for name, value in values.items()}
        self._update(
            row,
            "asked_at = clock_timestamp(), searched_at = NULL, problem = NULL, sent = CAST(:sent AS jsonb)",
            sent=json.dumps([*_sent_before(row), sent]),
        )
        edit = video_edit(values, row.item_id, self.rules.site)
        try:
            created = self.client.create_video(edit, source_url=row.source_url, mime_type=row.mime_type)
        except (WriteUncertain, MiddlemanAnswered):
            raise
        except JWPlatformError:
            # It is known that this call made no video. An earlier one may have made one.
            self._update(
                row,
                "asked_at = :asked_at, searched_at = :searched_at, sent = CAST(:sent AS jsonb)",
                asked_at=row.asked_at,
                searched_at=row.searched_at,
                sent=json.dumps(_sent_before(row)),
            )
            raise
        self._update(
            row, "key = :key, tries = 0, sent = CAST(:sent AS jsonb)", key=created.key, sent=json.dumps([sent])
        )
        if created.upload is not None:
            upload = created.upload
            self._in_transaction(lambda: store_link(self.connection, row.item_id, upload))
        self._link(row, created.key, created.resource)

    def _search_again(self, row: Row[Any]) -> None:
        problem = (
            "JW Platform was asked to create the video, and it is not known whether it did. It will be searched again "
            "before it is asked again."
        )
        self._update(
            row,
            "searched_at = coalesce(searched_at, clock_timestamp()), problem = :problem,"
            " next_try_at = clock_timestamp() + make_interval(secs => :seconds)",
            problem=problem,
            seconds=_INDEX_LAG,
        )
        self.report.changes.append(_change(row, "later", problem=problem))

    def _adopt(self, row: Row[Any], found: list[dict[str, Any]]) -> None:
        """Take a video that an earlier call made, although its answer was lost."""
        keys = sorted(str(raw_key(video)) for video in found)
        duplicates = (
            f"JW Platform has {len(keys)} videos for this item: {', '.join(keys)}. The first is used. Delete the "
            "others there."
        )
        self._update(
            row, "key = :key, tries = 0, problem = :problem", key=keys[0], problem=duplicates if keys[1:] else None
        )
        self._link(row, keys[0], None)

    def _link(self, row: Row[Any], key: str, resource: dict[str, Any] | None) -> None:
        resource = resource or self.client.show_video(key)
        if resource is None:
            raise ResourceNotFound(
                f"JW Platform created video {key} for item {row.item_id}, and answers 404 for it now. If somebody "
                "deleted it there, delete the item here."
            )
        video = resource
        seconds = self._in_transaction(lambda: link(self.connection, row.item_id, key, video, self.rules.media))
        self.report.latencies.append(seconds)
        self.created(row, key)

    def _update(self, row: Row[Any], assignments: str, **values: Any) -> None:
        _update(self.connection, row, assignments, self.lease, **values)

    def _in_transaction(self, work: Callable[[], Any]) -> Any:
        return in_transaction(self.connection, work, lease=self.lease)


def _note(connection: Connection, row: Row[Any], result: _Failed, problem: str, lease: Lease | None) -> PushedChange:
    """Record that a step of a creation has failed. Returns it for the report."""
    _update(
        connection,
        row,
        "state = :state, problem = :problem, tries = tries + 1,"
        " next_try_at = clock_timestamp() + make_interval(secs => :seconds)",
        lease,
        state="refused" if result == "refused" else "waiting",
        problem=problem,
        seconds=seconds_to_next_try(row.tries),
    )
    return _change(row, result, problem=problem)


def _update(connection: Connection, row: Row[Any], assignments: str, lease: Lease | None, **values: Any) -> None:
    """Update the creation of an item in a transaction of its own, so that a crash cannot undo it."""
    update = text(f"UPDATE item_creations SET {assignments} WHERE media_item_id = :item_id")
    in_transaction(connection, lambda: connection.execute(update, {"item_id": row.item_id, **values}), lease=lease)


def _change(
    row: Row[Any], result: Literal["later", "refused", "created"], key: str | None = None, problem: str | None = None
) -> PushedChange:
    title = in_words("title", row.present["title"])
    return PushedChange(row.item_id, key or row.key, "video", result, title, problem=problem)


def _sent_before(row: Row[Any]) -> list[dict[str, Any]]:
    """Return the values of each earlier call that may have made a video."""
    if row.asked_at is None or row.sent is None:
        return []
    # Earlier versions stored the values of one call, and not a list of them.
    return row.sent if isinstance(row.sent, list) else [row.sent]

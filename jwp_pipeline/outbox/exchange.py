"""Asks JW Platform about one item: what its video is now, what that makes of the item's edits, and to take the rest.

Runs in threads and uses no database. Put here what is asked for one item; merge.py decides about each edit, and
outcomes.py records what came of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jwp_pipeline.errors import (
    CredentialsRefused,
    JWPlatformError,
    MalformedAnswer,
    MiddlemanAnswered,
    PermanentError,
    RequestRefused,
)
from jwp_pipeline.jwplatform.pacing import backoff
from jwp_pipeline.jwplatform.writing import VideoEdit, WritingClient
from jwp_pipeline.media.mapping import KEEP, VideoFields, map_video
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.media.permissions import decide as decide_permission
from jwp_pipeline.outbox.bodies import SiteMark, video_edit
from jwp_pipeline.outbox.fields import listed_value, says_nothing
from jwp_pipeline.outbox.merge import Decision, Edit, Policy, decide
from jwp_pipeline.outbox.records import VIEW, DueItem, WaitingEdit


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides about edits, besides the two sides."""

    site: SiteMark
    media: MediaOptions
    """How a video is read, to compare it with the item."""
    policy: Policy


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking JW Platform about one item."""

    item: DueItem
    decisions: Sequence[Decision] = ()
    shown: int = 0
    """JWP's stamp of the video as it was found."""
    updated: int = 0
    """Its stamp after the change, if one was sent."""
    error: JWPlatformError | None = None


def ask(client: WritingClient, item: DueItem, rules: Rules, *, dry_run: bool = False) -> Answer:
    """Ask JW Platform for the item's video, merge, and send what remains. Never raises a JWPlatformError."""
    decisions: list[Decision] = []
    try:
        shown = client.show_video(item.key)
        if shown is None:
            return Answer(item, _refused(item, _gone(item)))
        decisions, found = merged(item, shown, rules)
        updated = found
        sent = {decision.edit.field: decision.sent for decision in decisions if decision.verdict == "push"}
        if sent:
            answer = _update(client, shown, video_edit(sent, item.item_id, rules.site), dry_run=dry_run)
            updated = found if answer is None else _stamp(_read(answer, item.key, rules))
        return Answer(item, decisions, found, updated)
    except JWPlatformError as error:
        if not decisions and is_about_one(error):
            # Not even the video is shown.
            return Answer(item, _refused(item, str(error)))
        return Answer(item, decisions, error=error)


def is_about_one(error: JWPlatformError) -> bool:
    """Whether JW Platform refuses just this item. A secret that may not write, or a proxy, is no fault of any item."""
    return isinstance(error, PermanentError) and not isinstance(error, CredentialsRefused | MiddlemanAnswered)


def seconds_to_next_try(tries: int) -> float:
    """Return how long to wait after a failure that may pass, if there were `tries` such failures in a row before it."""
    return backoff(tries + 1, first=60.0, most=3600.0, least_share=0.75)


def merged(item: DueItem, shown: Mapping[str, Any], rules: Rules) -> tuple[list[Decision], int]:
    """Decide about the item's edits, given its video as JW Platform shows it. Returns its stamp as well."""
    fields = _read(shown, item.key, rules)
    updated = _stamp(fields)
    return [_decision(edit, item, fields, rules, moved=updated != edit.base_updated) for edit in item.edits], updated


def _decision(edit: WaitingEdit, item: DueItem, fields: VideoFields, rules: Rules, *, moved: bool) -> Decision:
    says_something = not says_nothing(edit.field, fields)
    if edit.field == VIEW:
        # After an ACL has vanished, the permission stays as it was (semantics §4), and so nobody has changed it there.
        state = decide_permission(fields, item.known, strict=rules.media.strict_acls).acl_state
        says_something = state != "vanished"
    theirs = listed_value(edit.field, fields) if says_something else None
    return decide(
        Edit(edit.field, edit.number, edit.base, edit.ours, theirs, edit.attempted, edit.was_stuck),
        policy=rules.policy,
        moved=moved and says_something,
    )


def _update(
    client: WritingClient, shown: Mapping[str, Any], edit: VideoEdit, *, dry_run: bool
) -> dict[str, Any] | None:
    try:
        return client.update_video(shown, edit, dry_run=dry_run)
    except MalformedAnswer as error:
        # Nothing was sent, because the video cannot be changed without loss. That is so until somebody mends it there.
        raise RequestRefused(f"The video was not changed: {error}") from None


def _read(video: Mapping[str, Any], key: str, rules: Rules) -> VideoFields:
    return map_video(video, key=key, default_acl=rules.media.default_acl, create_items=rules.media.create_items)


def _stamp(fields: VideoFields) -> int:
    return 0 if fields.updated is KEEP else fields.updated


def _gone(item: DueItem) -> str:
    return f"JW Platform has no video {item.key}. If it was deleted there, the next full listing deletes the item here."


def _refused(item: DueItem, problem: str) -> list[Decision]:
    return [
        Decision(Edit(edit.field, edit.number, edit.base, edit.ours, None), "unsendable", problem=problem)
        for edit in item.edits
    ]

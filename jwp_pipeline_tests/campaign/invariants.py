"""What must hold after every run, whatever happened to it, and what must hold once all is settled.

Each function takes a `Scene` and yields what breaks its sentence. `ALWAYS` and `SETTLED` say when each is asked.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jwp_pipeline.access.acl import NOBODY
from jwp_pipeline.media.mapping import map_video
from jwp_pipeline.outbox.fields import FIELDS, listed_value
from jwp_pipeline.simulator.properties import flat_properties
from jwp_pipeline_tests.campaign.child import CRASHED

WRITTEN = (
    *("cached_resources", "resource_changes", "mirrored_site", "videos", "channels", "media_items"),
    *("media_channels", "playlists", "playlist_members", "sms_media_items", "sms_collections", "billing_accounts"),
    *("item_updates", "item_creations"),
)
"""The tables that a sync that finds nothing new does not touch."""
MARK = "site.media_example_org.media_id"
_MEMORY = 96 * 1024
# Dagster's own storage uses psycopg2, and we psycopg. What a fault does to Dagster's storage is an error of Dagster.
_FAULT_OF_STORAGE = re.compile(r"\bpsycopg2\.(errors\.)?[A-Z]")


@dataclass
class Scene:
    """What the functions look at."""

    world: Any
    connection: Any
    """A connection of the campaign's own that sees our schema."""
    secrets: list[str]
    known: dict[str, str] = field(default_factory=dict)
    """Key → id of the media item or channel, ever since the life began."""
    live_before: dict[tuple[str, str], bool] = field(default_factory=dict)
    """(type, key) of what was live before the run."""
    run: Any = None
    """The run that has just ended: life.Ran."""
    usual_peak: int = 0
    """Kilobytes that a run without faults takes."""

    def rows(self, query, **parameters):
        return self.connection.execute(query, parameters).fetchall()


def p1_nothing_that_jwp_has_is_deleted(scene):
    """Only what JW Platform really did not have is deleted, and never more than the guard allows."""
    live = {
        (row.type, row.key) for row in scene.rows("SELECT type, key FROM cached_resources WHERE deleted_at IS NULL")
    }
    gone = set(scene.live_before) - live
    if wrong := gone - scene.world.removed:
        yield f"deleted although JW Platform has always had it: {sorted(wrong)}"
    for kind in ("video", "channel"):
        before = sum(each == kind for each, _ in scene.live_before)
        deleted = sum(each == kind for each, _ in gone)
        if before >= 10 and deleted > 0.3 * before:
            yield f"{deleted} of {before} {kind}s were deleted at once"


def p2_the_change_log_replays_to_the_present(scene):
    """Cache, change log and bookkeeping move together: the log tells how every row came to be as it is."""
    wrong = scene.rows("""
        SELECT cached.type, cached.key, cached.deleted_at, last.change, last.changed_at
        FROM cached_resources AS cached LEFT JOIN LATERAL (
            SELECT change, changed_at FROM resource_changes AS log
            WHERE log.type = cached.type AND log.key = cached.key ORDER BY id DESC LIMIT 1
        ) AS last ON true
        WHERE last.change IS NULL OR (last.change = 'deleted') <> (cached.deleted_at IS NOT NULL)
            OR (last.change = 'deleted' AND last.changed_at <> cached.deleted_at)
            OR (last.change <> 'deleted' AND last.changed_at > cached.updated_at)
    """)
    yield from (f"the log ends otherwise than the row: {row}" for row in wrong)
    wrong = scene.rows("""
        SELECT type, key, change, before FROM (
            SELECT type, key, change, lag(change) OVER (PARTITION BY type, key ORDER BY id) AS before
            FROM resource_changes
        ) AS log
        WHERE (before IS NULL) <> (change = 'added') OR (change = 'restored') <> (before IS NOT DISTINCT FROM 'deleted')
    """)
    yield from (f"the log has a change that cannot follow the one before: {row}" for row in wrong)
    wrong = scene.rows("""
        SELECT log.type, log.key, field.name, field.pair -> 1 AS logged, CAST(cached.data AS jsonb) -> field.name AS now
        FROM resource_changes AS log
        CROSS JOIN LATERAL jsonb_each(CAST(log.changed_fields AS jsonb)) AS field (name, pair)
        JOIN cached_resources AS cached USING (type, key)
        WHERE NOT EXISTS (
            SELECT FROM resource_changes AS later
            WHERE later.type = log.type AND later.key = log.key AND later.id > log.id
                AND CAST(later.changed_fields AS jsonb) ? field.name
        ) AND nullif(field.pair -> 1, 'null') IS DISTINCT FROM nullif(CAST(cached.data AS jsonb) -> field.name, 'null')
    """)
    yield from (f"the log does not end with the present value: {row}" for row in wrong)
    wrong = scene.rows("""
        SELECT log.snapshot_id FROM resource_changes AS log
        JOIN raw_snapshots AS snapshot ON snapshot.id = log.snapshot_id WHERE snapshot.applied_at IS NULL
    """)
    yield from (f"changes of a snapshot that was never applied: {row}" for row in wrong)


def p4_one_bad_resource_stops_no_other(scene):
    """Once all is settled, every resource of JW Platform is live here, and what is bad about one is a problem."""
    for kind in ("video", "channel"):
        live = {
            row.key
            for row in scene.rows(
                "SELECT key FROM cached_resources WHERE type = %(kind)s AND deleted_at IS NULL", kind=kind
            )
        }
        there = set(scene.world.library.keys(kind))
        if live != there:
            yield f"{kind}s here {sorted(live - there)}, at JW Platform {sorted(there - live)}"
    open_problems = {
        (row.key, row.field) for row in scene.rows("SELECT key, field FROM sync_problems WHERE resolved_at IS NULL")
    }
    for key in scene.world.library.keys("video"):
        custom = scene.world.library.get("video", key).get("custom") or {}
        if custom.get("sms_acl") == "acl:WORLD" and (key, "sms_acl") not in open_problems:
            yield f"the ACL of {key} cannot be read, and no problem says so"


def p5_nothing_private_is_public(scene):
    """Nobody but those whom JW Platform or an edit has admitted may view an item."""
    query = """
        SELECT videos.key FROM media_items AS item JOIN videos ON videos.media_item_id = item.id
        WHERE item.view_is_public AND item.deleted_at IS NULL
    """
    if wrong := {row.key for row in scene.rows(query)} - scene.world.public:
        yield f"public, and nobody has made it so: {sorted(wrong)}"


def p6_memory_does_not_grow(scene):
    """A run under faults takes no more memory than one without."""
    if scene.run and scene.run.peak and scene.usual_peak and scene.run.peak > scene.usual_peak + _MEMORY:
        yield f"{scene.run.peak // 1024} MB instead of {scene.usual_peak // 1024} MB"


def p7_no_secret_is_told(scene):
    """No secret is in what the run printed, in its error or in a table of ours."""
    told = scene.run.log if scene.run else ""
    stored = scene.rows("""
        SELECT coalesce(string_agg(snapshot.problem, ' '), '')
            || coalesce((SELECT string_agg(problem, ' ') FROM item_updates), '')
            || coalesce((SELECT string_agg(problem || coalesce(value, ''), ' ') FROM sync_problems), '') AS text
        FROM raw_snapshots AS snapshot
    """)[0].text
    for place, text in (("the output", told), ("a table", stored)):
        yield from (f"{place} holds a secret" for secret in scene.secrets if secret in text)
        if "api_signature=" in text:
            yield f"{place} holds a signature"


def p8_what_a_run_did_can_be_read(scene):
    """Every read of a listing says how it ended; a run that failed says why, and what to do."""
    wrong = scene.rows("""
        SELECT id, status, page_count, problem,
            (
                SELECT count(*) FROM raw_pages AS page
                WHERE page.snapshot_id = snapshot.id AND page.slot IN (0, snapshot.slot)
            ) AS pages
        FROM raw_snapshots AS snapshot
    """)
    # Pages in a slot that was given back count as dropped; `nothing_is_left` says that the next sync empties it.
    for row in wrong:
        if row.status == "failed" and (row.pages or not row.problem):
            yield f"a failed read kept its pages, or does not say why: {row}"
        if row.status in ("verified", "incomplete") and row.pages not in (0, row.page_count):
            yield f"a read that ended does not have its pages: {row}"
        if row.status == "incomplete" and not row.problem:
            yield f"an incomplete read does not say why: {row}"
    run = scene.run
    if (
        run
        and not run.limited
        and run.code == 1
        and "docs/runbook/" not in run.log
        and "Interrupted" not in run.log
        and not run.checks_failed
        and not _FAULT_OF_STORAGE.search(run.log)
    ):
        yield f"a run failed without saying what to do: {run.log[-500:]}"


def every_failure_is_one_of_ours(scene):
    """A run ends well, with an error of our tree, or because of a signal; never with a traceback."""
    run = scene.run
    if run is None:
        return
    if run.hung:
        yield "the run did not end"
    # A process without memory or descriptors may end in any way; what it leaves behind must be right all the same.
    if run.code == CRASHED and not run.limited:
        yield f"a traceback: {run.log[-3000:]}"
    if "Traceback (most recent call last)" in run.log and not run.limited and run.code != CRASHED:
        yield f"a traceback in the output: {run.log[-3000:]}"


def ids_are_stable(scene):
    """The item of a video, and the channel of a playlist, keeps its id for ever."""
    for table, column in (("videos", "media_item_id"), ("channels", "media_channel_id")):
        for row in scene.rows(f"SELECT key, {column} AS id FROM {table} WHERE {column} IS NOT NULL"):
            if scene.known.setdefault(row.key, row.id) != row.id:
                yield f"{row.key} has another id"


def no_edit_is_lost(scene):
    """What somebody wrote here is on its way, or JW Platform has it; and nothing has overwritten it."""
    edits = {
        (row.key, row.field): row.state
        for row in scene.rows("SELECT videos.key, field, state FROM item_updates JOIN videos USING (media_item_id)")
    }
    items = {
        row.key: row
        for row in scene.rows(
            "SELECT videos.key, item.*, pushed_fields(item) AS fields"
            " FROM media_items AS item JOIN videos ON videos.media_item_id = item.id"
        )
    }
    for (key, name), columns in scene.world.edits.items():
        item, state = items[key], edits.get((key, name))
        for column, value in columns.items():
            if name != "view_permission" and getattr(item, column) != value:
                yield f"{column} of {key} was edited to {value!r} and is {getattr(item, column)!r} ({state})"
        if state in (None, "pushed") and key in scene.world.library.keys("video"):
            there = _there(scene.world.library.get("video", key), key, name)
            if there is not None and there != _plain(item.fields[name]):
                yield f"{name} of {key} never arrived: {there!r} instead of {item.fields[name]!r} ({state})"


def no_video_is_made_twice(scene):
    """An item that was made here has one video at JW Platform at the most."""
    marked = [
        flat_properties(record.source.get("custom") or {}).get(MARK)
        for record in scene.world.library.records("video")
        if isinstance(record.source.get("custom"), dict)
    ]
    yield from (f"item {item} has {marked.count(item)} videos" for item in scene.world.made if marked.count(item) > 1)


def no_event_is_lost(scene):
    """An event is handled only by a read that was applied."""
    wrong = scene.rows("""
        SELECT event.id FROM jwp_events AS event LEFT JOIN raw_snapshots AS snapshot ON snapshot.id = event.snapshot_id
        WHERE event.handled_at IS NOT NULL AND snapshot.applied_at IS NULL
    """)
    yield from (f"event {row.id} is handled, and nothing was applied" for row in wrong)


def edits_have_arrived(scene):
    """Once all is settled, nothing waits, and each item is as it was edited."""
    # If the video of an item has been deleted at JW Platform, its edits can never be pushed.
    waiting = scene.rows("""
        SELECT edit.media_item_id, field, state, problem FROM item_updates AS edit JOIN videos USING (media_item_id)
        WHERE state <> 'pushed' AND videos.deleted_at IS NULL
    """)
    waiting += scene.rows("SELECT media_item_id, state, problem FROM item_creations WHERE state <> 'created'")
    yield from (f"still on its way: {row}" for row in waiting)
    waiting = scene.rows("SELECT id, key FROM jwp_events WHERE handled_at IS NULL")
    yield from (f"event not handled: {row}" for row in waiting)


def nothing_is_left(scene):
    """Once all is settled, no read is open, no lease goes on, and no page or problem of a push is left."""
    given_back = """
        SELECT DISTINCT slot FROM raw_pages AS page
        WHERE slot <> 0 AND NOT EXISTS (SELECT FROM raw_snapshots WHERE raw_snapshots.slot = page.slot)
    """
    yield from (f"pages in a slot that was given back: {row}" for row in scene.rows(given_back))
    yield from (f"an open read: {row}" for row in scene.rows("SELECT id FROM raw_snapshots WHERE status = 'running'"))
    yield from (f"a lease: {row}" for row in scene.rows("SELECT run_id FROM run_leases WHERE ended_at IS NULL"))
    locks = scene.rows("SELECT pid, granted FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()")
    yield from (f"a lock: {row}" for row in locks)
    yield from (f"a prepared transaction: {row}" for row in scene.rows("SELECT gid FROM pg_prepared_xacts"))


ALWAYS = (
    p1_nothing_that_jwp_has_is_deleted,
    p2_the_change_log_replays_to_the_present,
    p5_nothing_private_is_public,
    p6_memory_does_not_grow,
    p7_no_secret_is_told,
    p8_what_a_run_did_can_be_read,
    every_failure_is_one_of_ours,
    ids_are_stable,
    no_edit_is_lost,
    no_video_is_made_twice,
    no_event_is_lost,
)
SETTLED = (
    p2_the_change_log_replays_to_the_present,
    p4_one_bad_resource_stops_no_other,
    p5_nothing_private_is_public,
    ids_are_stable,
    no_edit_is_lost,
    no_video_is_made_twice,
    no_event_is_lost,
    edits_have_arrived,
    nothing_is_left,
)


def _there(source, key, name):
    """Return the JSON of what a video says of a field, as PostgreSQL writes it; None if it cannot be read."""
    fields = map_video(source, key=key, default_acl=NOBODY, create_items="all")
    value = listed_value(name, fields)
    return None if value is None else _plain(json.loads(json.dumps(FIELDS[name].encode(value))))


def _plain(value):
    return re.sub(r"(\.\d*?)0+\+00:00$", r"\1+00:00", value) if isinstance(value, str) else value


def read_log(path):
    return Path(path).read_text(errors="replace") if Path(path).exists() else ""

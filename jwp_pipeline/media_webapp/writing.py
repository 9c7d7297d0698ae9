"""Writes the copied rows into our tables, in the caller's transaction, and completes what the sync must remember.

A link also holds what the sync read from its video. The media side itself fills that in: it maps the cached videos of
the new links with the present settings, as a sync would, but writes no item. Put here the order of the statements.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, text

from jwp_pipeline.database.problems import create_found_problems, record_problems
from jwp_pipeline.database.sql import statement
from jwp_pipeline.database.upkeep import analyze, without_gin_indexes
from jwp_pipeline.database.write_back import mark_as_pipeline
from jwp_pipeline.media.columns import statement as media_statement
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.media.staging import choose_videos, stage_channels, stage_videos
from jwp_pipeline.media_webapp.findings import PACKAGE
from jwp_pipeline.media_webapp.layout import OURS, TABLES

# In an order in which every row finds those that it refers to.
_ORDER = (
    "billing_accounts",
    "media_channels",
    "media_items",
    "playlists",
    "cached_resources",
    "videos",
    "channels",
    "sms_media_items",
    "sms_collections",
    "upload_endpoints",
)
_WITH_GIN = ("media_items", "cached_resources")


def prepare(connection: Connection) -> None:
    """Settle the permissions, and collect what has no place, in temporary tables that end with the transaction."""
    # Let the server sort and hash a large library in memory. The setting ends with the transaction.
    connection.execute(text("SET LOCAL work_mem TO '64MB'"))
    for name in ("grants", "left_out"):
        connection.execute(statement(PACKAGE, name))
    analyze(connection, "webapp_grants", "kind", "subject")


def write(connection: Connection, options: MediaOptions) -> Mapping[str, int]:
    """Write everything that is not there yet, after `prepare()`. Returns table → how many rows were added.

    Nothing of it counts as an edit, so nothing is pushed to JW Platform.
    """
    mark_as_pipeline(connection)
    connection.execute(statement(PACKAGE, "resource_changes"))
    copies = {OURS[table.name]: table.copy for table in TABLES if table.name in OURS}
    added = {}
    for table in _ORDER:
        if table in _WITH_GIN:
            rows = int(connection.scalar(text(f"SELECT count(*) FROM {copies[table]}")) or 0)
            with without_gin_indexes(connection, table, rows=rows):
                added[table] = _run(connection, table)
        else:
            added[table] = _run(connection, table)
        if added[table]:
            analyze(connection, table)
    added["media_webapp_rows"] = _run(connection, "keep_left_out")
    if added["videos"]:
        _remember_videos(connection, options)
    if added["channels"]:
        _remember_channels(connection, options)
    return added


def _remember_videos(connection: Connection, options: MediaOptions) -> None:
    create_found_problems(connection)
    choose_videos(connection, options)
    stage_videos(connection, options)
    connection.execute(media_statement("staged/proposed_items"), {"sync_all": False})
    connection.execute(statement(PACKAGE, "only_new_videos"))
    connection.execute(media_statement("videos/remember"), {"strict_acls": options.strict_acls})
    connection.execute(media_statement("problems/looked_at_videos"))
    record_problems(connection, "mapping", "video", complete=False)
    for table in ("mapped_videos", "narrowed_permissions", "videos_to_read", "known_edits", "proposed_items"):
        connection.execute(text(f"DROP TABLE pg_temp.{table}"))


def _remember_channels(connection: Connection, options: MediaOptions) -> None:
    create_found_problems(connection)
    stage_channels(connection, options)
    for step in (statement(PACKAGE, "only_new_channels"), media_statement("channels/remember")):
        connection.execute(step)
    connection.execute(media_statement("channels/mark_in_step"))
    connection.execute(text("DROP TABLE pg_temp.mapped_channels"))


def _run(connection: Connection, name: str) -> int:
    return max(0, connection.execute(statement(PACKAGE, name)).rowcount)

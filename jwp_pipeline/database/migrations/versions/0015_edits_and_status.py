"""Mend how edits are recorded and how withheld deletions are shown.

Tags keep the letter v on PostgreSQL 15, an edit in the statement that withdraws its item is recorded, and `sync_status`
shows deletions that are withheld although a look at single keys has a greater id.

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

# As before, but the vertical tab is written by its number: PostgreSQL 15 takes \v for the letter v.
NORMALISE = """
CREATE OR REPLACE FUNCTION normalise_edit () RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = "{schema}", pg_temp
AS $$
BEGIN
    IF (SELECT records_edits FROM write_back) THEN
        IF NEW.tags IS DISTINCT FROM OLD.tags THEN
            NEW.tags := ARRAY (
                SELECT btrim(left(lower(btrim(tag, E' \\t\\n\\r\\f\\x0B')), 256), E' \\t\\n\\r\\f\\x0B')
                FROM unnest(NEW.tags) WITH ORDINALITY AS listed (tag, position)
                WHERE btrim(tag, E' \\t\\n\\r\\f\\x0B') <> ''
                ORDER BY position
            );
        END IF;
        IF NEW.language IS DISTINCT FROM OLD.language THEN
            NEW.language := left(NEW.language, 3);
        END IF;
        IF NEW.published_at IS DISTINCT FROM OLD.published_at THEN
            NEW.published_at := date_trunc('second', NEW.published_at);
        END IF;
        IF NEW.description IS DISTINCT FROM OLD.description AND btrim(NEW.description) = '' THEN
            NEW.description := '';
        END IF;
    END IF;
    RETURN NEW;
END
$$
"""

# The pipeline's own writes carry a mark. The mark alone exempts nobody: whoever carries it must also be allowed to
# write the links to JW Platform, which applications are not.
BY_SOMEBODY_ELSE = (
    "(current_setting('jwp_pipeline.writer', true) IS DISTINCT FROM 'pipeline'"
    " OR NOT has_table_privilege('videos'::regclass, 'UPDATE'))"
)
COLUMNS = (
    "title, description, downloadable, language, copyright, tags, published_at, view_is_public, view_is_signed_in,"
    " view_crsids, view_lookup_groups, view_lookup_insts"
)


def _of(row: str) -> str:
    return ", ".join(f"{row}.{column.strip()}" for column in COLUMNS.split(","))


# As before, but an edit counts if the item is live before it or after it, and not only after it.
RECORD_EDIT = f"""
CREATE OR REPLACE TRIGGER record_edit AFTER UPDATE ON media_items
FOR EACH ROW WHEN (
    {BY_SOMEBODY_ELSE}
    AND (OLD.deleted_at IS NULL OR NEW.deleted_at IS NULL)
    AND ({_of("OLD")}) IS DISTINCT FROM ({_of("NEW")})
) EXECUTE FUNCTION record_edit()
"""

# As before, but the snapshot that was applied last is found by its time. A look at single keys withholds nothing, and
# may have been applied before a listing that was read earlier.
SYNC_STATUS = """
CREATE OR REPLACE VIEW sync_status AS
WITH link AS NOT MATERIALIZED (
    SELECT 'video' AS type, key, mapped_version, deleted_at FROM videos
    UNION ALL
    SELECT 'channel' AS type, key, mapped_version, deleted_at FROM channels
)
SELECT
    kind.resource_type,
    verified.started_at AS in_step_as_of,
    listed.started_at AS changes_seen_until,
    now() - verified.started_at AS lag,
    verified.key_count AS listed,
    (
        SELECT count(*) FROM cached_resources AS cached
        WHERE cached.type = kind.resource_type AND cached.deleted_at IS NULL
    ) AS live,
    CASE WHEN applied.withheld > 0 THEN 0 ELSE marked.resources END AS unconfirmed,
    CASE WHEN applied.withheld > 0 THEN marked.resources ELSE 0 END AS withheld,
    CASE WHEN applied.withheld > 0 THEN withheld_set.id END AS withheld_snapshot,
    CASE kind.resource_type
        WHEN 'video' THEN (
            SELECT count(*) FROM media_items JOIN videos ON videos.media_item_id = media_items.id
            WHERE media_items.deleted_at IS NULL
        )
        ELSE (
            SELECT count(*) FROM media_channels JOIN channels ON channels.media_channel_id = media_channels.id
            WHERE media_channels.deleted_at IS NULL
        )
    END AS live_in_platform,
    unfollowed.resources AS behind,
    CASE WHEN newest.status = 'quarantined' THEN newest.id END AS quarantined_snapshot,
    CASE WHEN newest.status IN ('quarantined', 'failed', 'incomplete') THEN newest.status END AS newest_read,
    CASE WHEN newest.status IN ('quarantined', 'failed', 'incomplete') THEN newest.problem END AS problem,
    (
        SELECT count(*) FROM sync_problems
        WHERE sync_problems.type = kind.resource_type AND sync_problems.resolved_at IS NULL
    ) AS open_problems,
    unfollowed.newest AS behind_newest,
    applied.applied_at AS last_applied_at
FROM (VALUES ('video'), ('channel')) AS kind (resource_type)
LEFT JOIN LATERAL (
    SELECT started_at, key_count FROM raw_snapshots
    WHERE resource_type = kind.resource_type AND applied_at IS NOT NULL AND complete ORDER BY id DESC LIMIT 1
) AS verified ON true
LEFT JOIN LATERAL (
    SELECT started_at FROM raw_snapshots
    WHERE resource_type = kind.resource_type AND applied_at IS NOT NULL AND scope <> 'keys' ORDER BY id DESC LIMIT 1
) AS listed ON true
LEFT JOIN LATERAL (
    SELECT applied_at, withheld FROM raw_snapshots
    WHERE resource_type = kind.resource_type AND applied_at IS NOT NULL ORDER BY applied_at DESC, id DESC LIMIT 1
) AS applied ON true
LEFT JOIN LATERAL (
    SELECT id FROM raw_snapshots
    WHERE resource_type = kind.resource_type AND applied_at IS NOT NULL
        AND withheld_keys IS NOT NULL AND released_at IS NULL
    ORDER BY id DESC LIMIT 1
) AS withheld_set ON true
LEFT JOIN LATERAL (
    SELECT id, status, problem FROM raw_snapshots
    WHERE resource_type = kind.resource_type AND status <> 'running' AND (scope <> 'keys' OR status = 'quarantined')
    ORDER BY id DESC LIMIT 1
) AS newest ON true
CROSS JOIN LATERAL (
    SELECT count(*) AS resources FROM cached_resources AS cached
    WHERE cached.type = kind.resource_type AND cached.missing_since IS NOT NULL
) AS marked
CROSS JOIN LATERAL (
    SELECT count(*) AS resources, max(moment) AS newest
    FROM (
        SELECT cached.updated_at AS moment
        FROM cached_resources AS cached
        LEFT JOIN link USING (type, key)
        WHERE cached.type = kind.resource_type AND cached.deleted_at IS NULL
            AND link.mapped_version IS DISTINCT FROM cached.updated_at
        UNION ALL
        SELECT gone.deleted_at
        FROM link
        LEFT JOIN cached_resources AS gone USING (type, key)
        WHERE link.type = kind.resource_type AND link.deleted_at IS NULL
            AND NOT EXISTS (
                SELECT FROM cached_resources AS cached
                WHERE cached.type = link.type AND cached.key = link.key AND cached.deleted_at IS NULL
            )
    ) AS unfollowed_resources
) AS unfollowed
"""


def upgrade() -> None:
    schema = op.get_bind().scalar(sa.text("SELECT replace(current_schema(), '\"', '\"\"')"))
    op.execute(NORMALISE.format(schema=schema))
    op.execute(RECORD_EDIT)
    op.execute(SYNC_STATUS)

"""The outbox: edits and new items on their way to JW Platform, recorded by triggers of media_items."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"

NOW = sa.text("clock_timestamp()")

# What the outbox pushes of an item, by field. One property of JW Platform holds the whole view permission, so it is one
# field. Times are in UTC whatever the session of the application says.
PUSHED_FIELDS = """
CREATE FUNCTION pushed_fields (item media_items) RETURNS jsonb LANGUAGE sql STABLE
SET search_path = "{schema}", pg_temp
SET TimeZone = 'UTC'
SET DateStyle = 'ISO, MDY'
AS $$
    SELECT jsonb_build_object(
        'title', item.title,
        'description', item.description,
        'downloadable', item.downloadable,
        'language', item.language,
        'copyright', item.copyright,
        'tags', item.tags,
        'published_at', item.published_at,
        'view_permission', jsonb_build_object(
            'is_public', item.view_is_public,
            'is_signed_in', item.view_is_signed_in,
            'crsids', item.view_crsids,
            'lookup_groups', item.view_lookup_groups,
            'lookup_insts', item.view_lookup_insts
        )
    )
$$
"""

# A value that JW Platform would give back in another form is brought into that form at once, where that does no harm.
# Columns that are not written stay as they are, because to change them would be an edit that nobody made.
NORMALISE = """
CREATE FUNCTION normalise_edit () RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = "{schema}", pg_temp
AS $$
BEGIN
    IF (SELECT records_edits FROM write_back) THEN
        IF NEW.tags IS DISTINCT FROM OLD.tags THEN
            NEW.tags := ARRAY (
                SELECT btrim(left(lower(btrim(tag, E' \\t\\n\\r\\f\\v')), 256), E' \\t\\n\\r\\f\\v')
                FROM unnest(NEW.tags) WITH ORDINALITY AS listed (tag, position)
                WHERE btrim(tag, E' \\t\\n\\r\\f\\v') <> ''
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

# Several edits before a push are one: the first one's base stays, until what it led to has been pushed.
RECORD_EDIT = """
CREATE FUNCTION record_edit () RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = "{schema}", pg_temp
AS $$
BEGIN
    IF (SELECT records_edits FROM write_back) IS NOT TRUE THEN
        RETURN NULL;
    END IF;
    INSERT INTO item_updates AS known (media_item_id, field, base, base_updated)
    SELECT NEW.id, replaced.key, replaced.value, videos.updated
    FROM jsonb_each(pushed_fields(OLD)) AS replaced
    JOIN jsonb_each(pushed_fields(NEW)) AS written ON written.key = replaced.key AND written.value <> replaced.value
    JOIN videos ON videos.media_item_id = NEW.id
    ON CONFLICT (media_item_id, field) DO UPDATE
    SET base = CASE WHEN known.state = 'pushed' THEN excluded.base ELSE known.base END,
        base_updated = CASE WHEN known.state = 'pushed' THEN excluded.base_updated ELSE known.base_updated END,
        requested_at = CASE WHEN known.state = 'pushed' THEN excluded.requested_at ELSE known.requested_at END,
        edit_number = excluded.edit_number,
        state = 'waiting',
        tries = 0,
        next_try_at = NULL,
        problem = NULL,
        ours = NULL,
        theirs = NULL;
    -- JW Platform refused the item's edits as a whole; the new one may be what it needs.
    UPDATE item_updates
    SET state = 'waiting', tries = 0, next_try_at = NULL, problem = NULL
    WHERE media_item_id = NEW.id AND state = 'refused';
    UPDATE item_creations
    SET state = 'waiting', tries = 0, next_try_at = NULL, problem = NULL
    WHERE media_item_id = NEW.id AND state = 'refused';
    RETURN NULL;
END
$$
"""

RECORD_CREATION = """
CREATE FUNCTION record_creation () RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = "{schema}", pg_temp
AS $$
BEGIN
    INSERT INTO item_creations (media_item_id)
    SELECT item.id
    FROM media_items AS item
    WHERE item.id = NEW.id
        AND item.deleted_at IS NULL
        AND (SELECT records_edits FROM write_back)
        AND NOT EXISTS (SELECT FROM videos WHERE videos.media_item_id = item.id)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
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


TRIGGERS = (
    f"""
    CREATE TRIGGER normalise_new BEFORE INSERT ON media_items
    FOR EACH ROW WHEN ({BY_SOMEBODY_ELSE}) EXECUTE FUNCTION normalise_edit()
    """,
    f"""
    CREATE TRIGGER normalise_edit BEFORE UPDATE ON media_items
    FOR EACH ROW WHEN (
        {BY_SOMEBODY_ELSE}
        AND (OLD.tags, OLD.language, OLD.published_at, OLD.description)
            IS DISTINCT FROM (NEW.tags, NEW.language, NEW.published_at, NEW.description)
    ) EXECUTE FUNCTION normalise_edit()
    """,
    f"""
    CREATE TRIGGER record_edit AFTER UPDATE ON media_items
    FOR EACH ROW WHEN (
        {BY_SOMEBODY_ELSE}
        AND NEW.deleted_at IS NULL
        AND ({_of("OLD")}) IS DISTINCT FROM ({_of("NEW")})
    ) EXECUTE FUNCTION record_edit()
    """,
    # Deferred, because an application may insert the item first and then the link to a video that exists.
    f"""
    CREATE CONSTRAINT TRIGGER record_creation AFTER INSERT ON media_items DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN ({BY_SOMEBODY_ELSE}) EXECUTE FUNCTION record_creation()
    """,
)


def upgrade() -> None:
    schema = op.get_bind().scalar(sa.text("SELECT replace(current_schema(), '\"', '\"\"')"))
    op.execute("CREATE SEQUENCE edit_numbers")
    op.create_table(
        "item_updates",
        sa.Column("media_item_id", sa.Text(), sa.ForeignKey("media_items.id"), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("base", JSONB(), nullable=True),
        sa.Column("base_updated", sa.BigInteger(), nullable=False),
        sa.Column("edit_number", sa.BigInteger(), server_default=sa.text("nextval('edit_numbers')"), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("ours", JSONB(), nullable=True),
        sa.Column("theirs", JSONB(), nullable=True),
        sa.Column("attempted", JSONB(), nullable=True),
        sa.Column("pushed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("media_item_id", "field"),
    )
    op.create_index(
        "item_updates_open", "item_updates", ["media_item_id"], postgresql_where=sa.text("state <> 'pushed'")
    )
    op.create_table(
        "item_creations",
        sa.Column("media_item_id", sa.Text(), sa.ForeignKey("media_items.id"), primary_key=True),
        sa.Column("source_url", sa.Text(), nullable=True),
        sa.Column("mime_type", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("sent", JSONB(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("searched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index(
        "item_creations_open", "item_creations", ["media_item_id"], postgresql_where=sa.text("state <> 'created'")
    )
    op.create_table(
        "upload_endpoints",
        sa.Column("media_item_id", sa.Text(), sa.ForeignKey("media_items.id"), primary_key=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "write_back",
        sa.Column("singleton", sa.Boolean(), server_default=sa.text("true"), primary_key=True),
        sa.Column("records_edits", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("reviewed_database", sa.Text(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("singleton", name="write_back_singleton"),
    )
    op.execute("INSERT INTO write_back DEFAULT VALUES")
    op.add_column("videos", sa.Column("pushed_updated", sa.BigInteger(), nullable=True))
    op.add_column("videos", sa.Column("pushed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("videos", sa.Column("awaits_listing", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("cached_resources", sa.Column("pushed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "cached_resources_pushed",
        "cached_resources",
        ["type", "key"],
        postgresql_where=sa.text("pushed_at IS NOT NULL"),
    )
    # A video that a push created was found by no snapshot.
    op.alter_column("resource_changes", "snapshot_id", nullable=True)
    for function in (PUSHED_FIELDS, NORMALISE, RECORD_EDIT, RECORD_CREATION):
        op.execute(function.format(schema=schema))
    # They run as their owner, so nobody else may attach them to a table of his own.
    op.execute("REVOKE EXECUTE ON FUNCTION normalise_edit(), record_edit(), record_creation() FROM PUBLIC")
    for trigger in TRIGGERS:
        op.execute(trigger)

"""Which writes the media side has not followed yet, so that a sync after which nothing was written need not look."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"

# One row for each transaction that writes, however many rows it writes. A sync that follows everything sets the same
# mark before its own writes.
NOTE_WRITE = """
CREATE FUNCTION note_write () RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = "{schema}", pg_temp
AS $$
BEGIN
    IF current_setting('jwp_pipeline.noted', true) IS DISTINCT FROM 'yes' THEN
        INSERT INTO unfollowed_writes DEFAULT VALUES;
        PERFORM set_config('jwp_pipeline.noted', 'yes', true);
    END IF;
    RETURN NEW;
END
$$
"""

NOT_NOTED = "current_setting('jwp_pipeline.noted', true) IS DISTINCT FROM 'yes'"
FOLLOWED = (
    "cached_resources", "videos", "media_items", "sms_media_items", "channels", "media_channels", "playlists",
    "sms_collections", "playlist_members",
)  # fmt: skip
# Of a cached resource, the media side follows only these two columns.
MOVED = " AND (OLD.updated_at, OLD.deleted_at) IS DISTINCT FROM (NEW.updated_at, NEW.deleted_at)"


def upgrade() -> None:
    schema = op.get_bind().scalar(sa.text("SELECT replace(current_schema(), '\"', '\"\"')"))
    op.create_table(
        "unfollowed_writes",
        # Not a number, because a restore of the data writes these rows and fires the triggers that add others.
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "media_side",
        sa.Column("singleton", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("followed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("live", JSONB(), nullable=False),
        sa.Column("open_problems", sa.BigInteger(), nullable=False),
        sa.Column("violations", JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("singleton"),
        sa.CheckConstraint("singleton", name="media_side_singleton"),
    )
    op.execute(NOTE_WRITE.format(schema=schema))
    # It runs as its owner, so nobody else may attach it to a table of his own.
    op.execute("REVOKE EXECUTE ON FUNCTION note_write() FROM PUBLIC")
    for table in FOLLOWED:
        # Before a row is inserted, because the mark then spares the trigger for the rest of the statement. An update
        # would lock each row for such a trigger.
        op.execute(
            f"CREATE TRIGGER note_insert BEFORE INSERT ON {table} FOR EACH ROW WHEN ({NOT_NOTED})"
            " EXECUTE FUNCTION note_write()"
        )
        moved = MOVED if table == "cached_resources" else ""
        op.execute(
            f"CREATE TRIGGER note_update AFTER UPDATE ON {table} FOR EACH ROW WHEN ({NOT_NOTED}{moved})"
            " EXECUTE FUNCTION note_write()"
        )
        op.execute(
            f"CREATE TRIGGER note_delete AFTER DELETE ON {table} FOR EACH ROW WHEN ({NOT_NOTED})"
            " EXECUTE FUNCTION note_write()"
        )
        op.execute(
            f"CREATE TRIGGER note_truncate AFTER TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION note_write()"
        )

"""The ledger: pages as text to the letter, digests of their elements, and partitions that TRUNCATE empties.

No row of cached_resources is rewritten. While the new index of that table is built, nobody else can use the table; that
takes about ten seconds for a million rows. The pages that are kept are copied, which takes about as long as one sync. A
digest is a `uuid`, which is as quick to compare as a `bytea` of 16 bytes and takes a fifth less space.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

# Partition 0 is shared by small snapshots; each of the others holds the pages of one full listing.
SLOTS = 16

# The names of constraints follow the name of the table, and only one table can have them.
MAKE_WAY = """
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT conname FROM pg_constraint WHERE conrelid = 'raw_pages'::regclass LOOP
        EXECUTE format('ALTER TABLE raw_pages RENAME CONSTRAINT %I TO %I', name, name || '_before');
    END LOOP;
    ALTER TABLE raw_pages RENAME TO raw_pages_before;
END $$
"""

RAW_PAGES = """
CREATE TABLE raw_pages (
    snapshot_id bigint NOT NULL REFERENCES raw_snapshots ON DELETE CASCADE,
    page_number integer NOT NULL,
    slot smallint NOT NULL,
    body text NOT NULL,
    mended text,
    resource_count integer NOT NULL,
    keys text[] NOT NULL,
    digests uuid[],
    problems jsonb NOT NULL DEFAULT '[]',
    PRIMARY KEY (snapshot_id, page_number, slot)
) PARTITION BY LIST (slot)
"""

# Each partition takes the compression of its columns from the table. A server may be built without lz4.
COMPRESSION = """
DO $$ BEGIN
    ALTER TABLE raw_pages ALTER COLUMN body SET COMPRESSION lz4, ALTER COLUMN mended SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL;
END $$
"""

# The listings that have pages, the newest first, get a slot each as far as there are enough.
TAKE_SLOTS = f"""
UPDATE raw_snapshots AS snapshot
SET slot = numbered.slot
FROM (
    SELECT id, row_number() OVER (ORDER BY id DESC) AS slot
    FROM raw_snapshots
    WHERE scope = 'full' AND api_version <> 'local'
        AND EXISTS (SELECT FROM raw_pages_before AS page WHERE page.snapshot_id = raw_snapshots.id)
) AS numbered
WHERE numbered.id = snapshot.id AND numbered.slot <= {SLOTS}
"""

# The text is that of jsonb and not to the letter, so there are no digests.
MOVE_PAGES = """
INSERT INTO raw_pages (snapshot_id, page_number, slot, body, resource_count, keys, problems)
SELECT snapshot_id, page_number, coalesce(slot, 0), body::text, page.resource_count, keys, problems
FROM raw_pages_before AS page
JOIN raw_snapshots ON raw_snapshots.id = page.snapshot_id
"""

# Roles that had rights on the table keep them. Who may delete all pages may also empty the partitions.
KEEP_RIGHTS = f"""
DO $$
DECLARE
    right_ record;
    grantee text;
BEGIN
    FOR right_ IN
        SELECT acl.* FROM pg_class, aclexplode(relacl) AS acl
        WHERE oid = 'raw_pages_before'::regclass AND acl.grantee <> relowner
    LOOP
        grantee := CASE WHEN right_.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(right_.grantee)) END;
        EXECUTE format('GRANT %s ON raw_pages TO %s', right_.privilege_type, grantee);
        IF right_.privilege_type = 'DELETE' THEN
            FOR slot IN 1..{SLOTS} LOOP
                EXECUTE format('GRANT TRUNCATE ON raw_pages_%s TO %s', slot, grantee);
            END LOOP;
        END IF;
    END LOOP;
END $$
"""

# Whoever else writes the data does not know the digest; the next sync then compares the data with what JWP sends.
FORGET_DIGEST = """
CREATE FUNCTION forget_digest() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.digest := NULL;
    RETURN NEW;
END $$
"""
FORGET_DIGEST_OF_EDITED = """
CREATE TRIGGER forget_digest BEFORE UPDATE OF data ON cached_resources
FOR EACH ROW WHEN (NEW.digest = OLD.digest AND NEW.data IS DISTINCT FROM OLD.data)
EXECUTE FUNCTION forget_digest()
"""


def upgrade() -> None:
    for view in ("raw_videos", "raw_channels"):
        op.execute(f"DROP VIEW {view}")
    op.add_column("raw_snapshots", sa.Column("slot", sa.SmallInteger(), nullable=True))
    op.execute(MAKE_WAY)
    op.execute(RAW_PAGES)
    op.execute(COMPRESSION)
    op.execute("CREATE TABLE raw_pages_shared PARTITION OF raw_pages FOR VALUES IN (0)")
    for slot in range(1, SLOTS + 1):
        op.execute(f"CREATE TABLE raw_pages_{slot} PARTITION OF raw_pages FOR VALUES IN ({slot})")
    op.execute(TAKE_SLOTS)
    op.create_index(
        "raw_snapshots_slot", "raw_snapshots", ["slot"], unique=True, postgresql_where=sa.text("slot IS NOT NULL")
    )
    op.execute(MOVE_PAGES)
    op.execute(KEEP_RIGHTS)
    op.execute("DROP TABLE raw_pages_before")
    for view, fields in (("raw_videos", ("videos", "media")), ("raw_channels", ("channels", "playlists"))):
        op.execute(
            f"CREATE VIEW {view} AS"
            " SELECT page.snapshot_id, page.page_number, element.position, element.key, element.data"
            " FROM raw_pages AS page"
            " CROSS JOIN LATERAL (SELECT coalesce(page.mended, page.body)::jsonb AS body) AS parsed"
            " CROSS JOIN LATERAL ROWS FROM (jsonb_array_elements("
            f"coalesce(parsed.body -> '{fields[0]}', parsed.body -> '{fields[1]}', parsed.body -> 'resources')),"
            " unnest(page.keys)) WITH ORDINALITY AS element (data, key, position) WHERE page.snapshot_id = ("
            "SELECT max(id) FROM raw_snapshots"
            f" WHERE resource_type = '{view[4:-1]}' AND scope = 'full' AND status NOT IN ('running', 'failed'))"
        )
    op.add_column("cached_resources", sa.Column("digest", sa.Uuid(), nullable=True))
    op.create_index(
        "cached_resources_live_ledger",
        "cached_resources",
        ["type", "key", "updated_at", "digest"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.drop_index("cached_resources_live", "cached_resources")
    op.execute("ALTER INDEX cached_resources_live_ledger RENAME TO cached_resources_live")
    op.execute(FORGET_DIGEST)
    op.execute(FORGET_DIGEST_OF_EDITED)

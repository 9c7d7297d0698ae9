"""Errors that the server raises in the middle of a statement: at the n-th write of a table, with any SQLSTATE.

To the client they are what a full disk, a deadlock or a cancelled statement are: the same protocol message, after which
the transaction can only be rolled back. Each happens a given number of times, counted by a sequence, because what a
transaction counts in a table is undone with it.
"""

STATES = {
    "disk full": "53100",
    "out of memory": "53200",
    "deadlock": "40P01",
    "serialization": "40001",
    "cancelled": "57014",
    "read-only": "25006",
    "i/o error": "58030",
    "shutdown": "57P01",
    "refused": "P0001",
}

WRITTEN = (
    *("raw_snapshots", "raw_pages", "cached_resources", "resource_changes", "sync_problems", "run_leases"),
    *("videos", "channels", "media_items", "media_channels", "playlists", "sms_media_items", "sms_collections"),
    *("item_updates", "item_creations", "jwp_events", "playlist_members"),
)

_FUNCTION = """
CREATE OR REPLACE FUNCTION {schema}.campaign_fails() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- An application that edits must not be hit, only the pipeline.
    IF current_setting('application_name') LIKE 'jwp_pipeline%' THEN
        IF nextval('{schema}.campaign_writes') BETWEEN {first} AND {last} THEN
            {what};
        END IF;
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END $$
"""


def fail_at(connection, schema, table, state, *, nth, times=1):
    """Let the n-th write of a row of `table` by the pipeline fail with this SQLSTATE, and those after it, `times`."""
    _at(connection, schema, table, f"RAISE EXCEPTION 'the campaign says so' USING ERRCODE = '{state}'", nth, times)


def hang_at(connection, schema, table, seconds, *, nth):
    """Let that write take so many seconds, so that a process can be killed in the middle of it."""
    _at(connection, schema, table, f"PERFORM pg_sleep({seconds})", nth, 1)


def _at(connection, schema, table, what, nth, times):
    made = _FUNCTION.format(schema=schema, first=nth, last=nth + times - 1, what=what)
    connection.execute(f"CREATE SEQUENCE {schema}.campaign_writes")
    connection.execute(made)
    connection.execute(
        f"CREATE TRIGGER campaign_fails BEFORE INSERT OR UPDATE OR DELETE ON {schema}.{table}"
        f" FOR EACH ROW EXECUTE FUNCTION {schema}.campaign_fails()"
    )


def mend(connection, schema):
    """Take the trigger away."""
    connection.execute(f"DROP FUNCTION IF EXISTS {schema}.campaign_fails CASCADE")
    connection.execute(f"DROP SEQUENCE IF EXISTS {schema}.campaign_writes")

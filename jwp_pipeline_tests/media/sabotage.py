"""Triggers that disturb a sync in the middle of its transaction, as a fault of the server would."""

from contextlib import contextmanager

from sqlalchemy import text

RAISES = "RAISE EXCEPTION 'sabotaged'"
LOSES_THE_CONNECTION = "PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5)"


def takes(seconds):
    return f"PERFORM pg_sleep({seconds})"


@contextmanager
def sabotaged(engine, table, what, *, at_commit=False):
    """Make any write to `table` run `what`, a PL/pgSQL statement, at once or when the transaction commits."""
    timing = (
        ("CONSTRAINT TRIGGER", "AFTER", "DEFERRABLE INITIALLY DEFERRED") if at_commit else ("TRIGGER", "BEFORE", "")
    )
    function = "CREATE FUNCTION sabotage() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {}; RETURN NEW; END $$"
    with engine.begin() as connection:
        connection.execute(text(function.format(what)))
        connection.execute(
            text(
                f"CREATE {timing[0]} sabotage {timing[1]} INSERT OR UPDATE ON {table} {timing[2]}"
                " FOR EACH ROW EXECUTE FUNCTION sabotage()"
            )
        )
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.execute(text("DROP FUNCTION sabotage CASCADE"))

"""Database errors say what happened, where, and what to do, and contain no statement, value or password."""

import re
import traceback
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError

from jwp_pipeline import errors, runbook
from jwp_pipeline.database import translation
from jwp_pipeline.database.connection import WRITER_LOCK, advisory_lock, connect, open_engine
from jwp_pipeline.database.migrate import migrate
from jwp_pipeline.database.translation import clear_error
from jwp_pipeline_tests.support import SCHEMA, rows

# The error class for each SQLSTATE, and a piece of its advice.
MEANT = {
    "08006": (errors.DatabaseError, "See whether the server is up"),
    "0A000": (errors.UnsuitableDatabase, "must name a PostgreSQL server"),
    "25006": (errors.DatabaseRefusal, "read-only"),
    "25P03": (errors.DatabaseError, "time-out"),
    "28P01": (errors.DatabaseError, "the password"),
    "3D000": (errors.DatabaseError, "the database in JWP_DATABASE_URL"),
    "3F000": (errors.MigrationError, "Restore it"),
    "40001": (errors.DatabaseBlocked, "again and again"),
    "40P01": (errors.DatabaseBlocked, "again and again"),
    "42501": (errors.DatabaseRefusal, "own the schema"),
    "42P01": (errors.MigrationError, "Restore it"),
    "53000": (errors.DatabaseFull, "no room left"),
    "53100": (errors.DatabaseFull, "Make room on the server's disk"),
    "53200": (errors.DatabaseFull, "memory"),
    "53300": (errors.DatabaseFull, "max_connections"),
    "55P03": (errors.DatabaseBlocked, "Have the other transaction end"),
    "57014": (errors.DatabaseError, "time-out"),
    "57P01": (errors.DatabaseError, "stopped or restarted"),
    "57P03": (errors.DatabaseError, "stopped or restarted"),
    "57P05": (errors.DatabaseError, "time-out"),
    "58030": (errors.DatabaseDamaged, "disks"),
    "XX001": (errors.DatabaseDamaged, "restore a backup"),
    "XX002": (errors.DatabaseDamaged, "restore a backup"),
    "P0001": (errors.DatabaseRefusal, "by a trigger"),
    "23505": (errors.DatabaseError, "not foreseen"),
    "XX000": (errors.DatabaseError, "not foreseen"),
}


@pytest.fixture
def another(tables_url):
    """A second engine for the same tables, as of somebody else."""
    engine = open_engine(f"{tables_url}?application_name=somebody%20else", SCHEMA)
    yield engine
    engine.dispose()


@contextmanager
def impatient(tables_url, **options):
    """Make an engine with these options in its URL, for short waits."""
    wanted = "".join(f"-c%20{name}%3D{value}%20" for name, value in options.items())
    engine = open_engine(f"{tables_url}?options={wanted}", SCHEMA)
    yield engine
    engine.dispose()


def end_session(connection, another):
    process = connection.scalar(text("SELECT pg_backend_pid()"))
    connection.rollback()
    rows(another, "SELECT pg_terminate_backend(:process, 5000)", process=process)


@pytest.mark.parametrize("state", MEANT)
@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_every_kind_of_error_has_its_class_and_advice(state, driver):
    meant, advice = MEANT[state]
    refused = Exception("what the server says\nDETAIL: and more")
    setattr(refused, {"psycopg": "sqlstate", "psycopg2": "pgcode"}[driver], state)
    wrapped = OperationalError("SELECT secret", {"value": "hidden"}, refused)
    told = clear_error(wrapped, "The database")
    assert type(told) is meant
    assert advice in str(told)
    assert "what the server says" in str(told)
    assert not re.search("secret|hidden|DETAIL|{", str(told))
    assert runbook.path(told.runbook) in runbook.error_text(told)


def test_no_value_is_in_a_message_of_ours(engine):
    with pytest.raises(errors.DatabaseError, match="22P02") as refused, connect(engine) as connection:
        connection.execute(text("SELECT CAST(:value AS integer)"), {"value": "hidden"})
    assert "hidden" not in "".join(traceback.format_exception(refused.value))


def test_no_value_is_in_an_error_of_sqlalchemy(engine):
    with connect(engine) as connection, pytest.raises(DBAPIError) as refused:
        connection.execute(text("SELECT CAST(:value AS text), 1 / 0"), {"value": "s3cret"})
    assert "s3cret" not in str(refused.value)


def test_the_error_for_a_read_only_database_says_so(database_url):
    engine = open_engine(database_url, SCHEMA)
    migrate(engine, SCHEMA)
    engine.dispose()
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute(f"ALTER DATABASE {server.info.dbname} SET default_transaction_read_only TO on")
    with pytest.raises(errors.DatabaseRefusal, match="is read-only"), connect(engine) as connection:
        connection.execute(text("DELETE FROM cached_resources"))
    with pytest.raises(errors.DatabaseRefusal, match="is read-only"):
        migrate(open_engine(database_url, "another"), "another")
    engine.dispose()


def test_the_error_for_an_ended_session_says_so(engine, another):
    def work_in_an_ended_session():
        with connect(engine) as connection:
            end_session(connection, another)
            connection.execute(text("SELECT 1"))

    with pytest.raises(errors.DatabaseError, match="ended our session"):
        work_in_an_ended_session()


def test_a_lost_lock_is_a_clear_error(engine, another):
    """Even if no statement failed: SQLAlchemy reconnects silently, and nobody would notice that the lock is gone."""

    def lose_the_lock():
        with connect(engine) as connection, advisory_lock(connection, WRITER_LOCK, patience=1):
            end_session(connection, another)

    with pytest.raises(errors.DatabaseError, match=r"held the lock on .* was lost"):
        lose_the_lock()


def test_waiting_for_a_table_lock_ends_with_an_error_that_names_its_holder(tables_url, engine, another):
    with another.begin() as blocker, impatient(tables_url, lock_timeout="200ms") as waiting:
        process = blocker.scalar(text("SELECT pg_backend_pid()"))
        blocker.execute(text("LOCK media_items"))
        with pytest.raises(errors.DatabaseBlocked) as blocked, connect(waiting) as connection:
            connection.execute(text("SELECT count(*) FROM media_items"))
    assert re.search(
        rf"process {process} \(role \w+, application 'somebody else', in a transaction since .* UTC, media_items\)",
        str(blocked.value),
    )


def test_waiting_for_a_row_lock_ends_with_an_error_that_names_its_holder(tables_url, engine, another):
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO billing_accounts (id, lookup_instid, description) VALUES ('a', 'a', '')"))
    with another.begin() as blocker, impatient(tables_url, lock_timeout="200ms") as waiting:
        blocker.execute(text("UPDATE billing_accounts SET description = 'theirs'"))
        with (
            pytest.raises(errors.DatabaseBlocked, match=r"'somebody else'.*billing_accounts"),
            connect(waiting) as ours,
        ):
            ours.execute(text("UPDATE billing_accounts SET description = 'ours'"))


def test_missing_permissions_and_wrong_passwords_are_clear_errors(tables_url, engine):
    place = make_url(tables_url)
    with engine.begin() as connection:
        connection.execute(text("DROP ROLE IF EXISTS reader"))
        connection.execute(text("CREATE ROLE reader LOGIN PASSWORD 'hidden'"))
        connection.execute(text(f"GRANT USAGE ON SCHEMA {SCHEMA} TO reader"))
    try:
        url = place.set(username="reader", password="hidden").render_as_string(hide_password=False)
        reader = open_engine(url, SCHEMA)
        with (
            pytest.raises(errors.DatabaseRefusal, match=r"reader@.*cached_resources") as refused,
            connect(reader) as it,
        ):
            it.execute(text("DELETE FROM cached_resources"))
        assert "hidden" not in str(refused.value)
        reader.dispose()
        wrong = open_engine(place.set(password="hidden").render_as_string(hide_password=False), SCHEMA)
        with pytest.raises(errors.DatabaseError, match=r"does not let us in: .*password"), connect(wrong):
            pass
    finally:
        with engine.begin() as connection:
            connection.execute(text("DROP OWNED BY reader"))
            connection.execute(text("DROP ROLE reader"))


def test_every_sqlstate_in_our_table_exists_in_postgresql():
    for state in translation._MEANINGS:
        known = [each for each in psycopg.errors._sqlcodes if each.startswith(state)]
        assert known, state

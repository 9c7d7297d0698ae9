"""A lease shows whether a run is alive, and a run that was declared dead writes nothing more."""

import threading
from contextlib import contextmanager, suppress

import pytest
from sqlalchemy import text

from jwp_pipeline.database.connection import WRITER_LOCK, advisory_lock, connect, open_engine
from jwp_pipeline.database.leases import Lease, Tolerance, standings
from jwp_pipeline.errors import DatabaseError, LeaseLost
from jwp_pipeline_tests.support import SCHEMA, rows, wait_until

NEVER = 3600.0
AT_ONCE = Tolerance(silent=-1.0, second_look=0.0, sessions=0.5)
"""With this tolerance a run counts as silent as soon as it has begun."""


@pytest.fixture
def run(tables_url, engine):
    """A function that begins a run and returns its own engine and lease. By default there are no heartbeats."""
    opened = []

    def run(run_id="a run", *, every=NEVER):
        of_run = open_engine(tables_url, SCHEMA)
        lease = Lease.begin(of_run, run_id, every=every)
        opened.append((of_run, lease))
        return of_run, lease

    yield run
    for of_run, lease in opened:
        lease.end()
        of_run.dispose()


def take_over(engine, run_id="a run", tolerance=AT_ONCE):
    """Take over the lease of a run if it is silent. Returns who took it over, or None."""
    return standings(engine, [run_id], tolerance)[run_id].taken_over_by


@contextmanager
def writing(of_run, lease):
    """Yield a connection in a transaction that holds the lease and has written something."""
    with connect(of_run) as connection, connection.begin():
        lease.require(connection)
        connection.execute(text("INSERT INTO raw_snapshots (resource_type, api_version) VALUES ('video', 'v1')"))
        yield connection


def forget_sessions(engine):
    """Remove the sessions from the leases, as if the process that takes over may not end them."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE run_leases SET backend_pids = '{}', backend_starts = '{}'"))


def written(engine):
    return len(rows(engine, "SELECT FROM raw_snapshots"))


def uptime(engine):
    """Return the seconds since the start of the server."""
    query = "SELECT CAST(extract(epoch FROM clock_timestamp() - pg_postmaster_start_time()) AS float8) AS seconds"
    return rows(engine, query)[0].seconds


def heartbeat(engine):
    return rows(engine, "SELECT heartbeat_at FROM run_leases")[0].heartbeat_at


def test_a_run_with_a_heartbeat_is_not_taken_over_and_ends_its_lease_itself(engine, run):
    of_run, lease = run(every=0.02)
    began = heartbeat(engine)
    with writing(of_run, lease):
        # The transaction that holds the lease does not block the heartbeat.
        wait_until(lambda: heartbeat(engine) > began)
        assert take_over(engine, tolerance=Tolerance(silent=10.0, second_look=0.0)) is None
    assert written(engine) == 1
    lease.end()
    standing = standings(engine, ["a run"], AT_ONCE)["a run"]
    assert (standing.ended, standing.taken_over_by) == (True, None)


def test_a_lease_whose_heartbeat_cannot_start_ends_at_once_and_the_run_can_try_again(tables_url, engine, monkeypatch):
    start = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", _no_more_threads)
    of_run = open_engine(tables_url, SCHEMA)
    with pytest.raises(RuntimeError, match="new thread"):
        Lease.begin(of_run, "a run")
    assert not rows(engine, "SELECT FROM run_leases WHERE ended_at IS NULL")

    monkeypatch.setattr(threading.Thread, "start", start)
    lease = Lease.begin(of_run, "a run")
    of_run.dispose()
    lease.check()
    lease.end()
    of_run.dispose()


def _no_more_threads(thread):
    raise RuntimeError("can't start new thread")


def test_after_run_and_server_slept_together_the_run_has_time_to_send_a_heartbeat(engine, run):
    run(every=0.1)
    with engine.begin() as connection:
        connection.execute(text("UPDATE run_leases SET heartbeat_at = heartbeat_at - interval '8 hours'"))
    assert take_over(engine, tolerance=Tolerance(silent=uptime(engine) - 0.001, second_look=1.0)) is None


def test_after_a_start_of_the_server_every_run_has_time_to_send_a_heartbeat(engine, run):
    run()
    with engine.begin() as connection:
        connection.execute(text("UPDATE run_leases SET heartbeat_at = 'epoch'"))
    assert take_over(engine, tolerance=Tolerance(silent=uptime(engine) + 60, second_look=0.0)) is None
    assert take_over(engine, tolerance=Tolerance(silent=uptime(engine) - 0.001, second_look=0.0)) is not None


def test_the_heartbeat_continues_after_all_connections_were_lost(engine, run):
    run(every=0.02)
    began = heartbeat(engine)
    wait_until(lambda: heartbeat(engine) > began)
    rows(
        engine,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
    )
    lost = heartbeat(engine)
    wait_until(lambda: heartbeat(engine) > lost)


def test_a_takeover_ends_the_sessions_of_the_run_and_frees_their_locks(engine, run):
    of_run, lease = run()
    with suppress(DatabaseError), connect(of_run) as writer, advisory_lock(writer, WRITER_LOCK, patience=0):
        with suppress(DatabaseError), writing(of_run, lease):
            assert take_over(engine).startswith("process ")
        with connect(engine) as next_writer, advisory_lock(next_writer, WRITER_LOCK, patience=0):
            assert written(engine) == 0
    # The run cannot open another session, either.
    with pytest.raises(LeaseLost, match="declared dead by process"), connect(of_run):
        pass


def test_a_dead_run_whose_sessions_could_not_be_ended_cannot_write(engine, run):
    of_run, lease = run()
    with connect(of_run) as connection, advisory_lock(connection, WRITER_LOCK, patience=0):
        forget_sessions(engine)
        assert take_over(engine) is not None
        with pytest.raises(LeaseLost):
            lease.require(connection)


def test_a_run_that_is_writing_and_whose_sessions_cannot_be_ended_is_not_declared_dead(engine, run, caplog):
    of_run, lease = run()
    with writing(of_run, lease):
        forget_sessions(engine)
        assert take_over(engine) is None
        assert f"Lease {lease.number}" in caplog.text
        assert "was not taken over" in caplog.text
    assert written(engine) == 1
    assert take_over(engine) is not None


def test_a_run_that_was_taken_over_stops_at_its_next_use_of_the_database(engine, run):
    of_run, _ = run(every=0.02)
    assert take_over(engine) is not None

    def is_refused():
        try:
            with connect(of_run):
                return False
        except LeaseLost:
            return True

    wait_until(is_refused)


def test_a_session_that_a_pooler_gave_to_a_later_run_is_not_ended(engine, run):
    """In session mode, a pooler gives the server's session to another client when the first one has gone."""
    run("dead")
    later, lease = run("later")
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE run_leases AS dead SET backend_pids = later.backend_pids, backend_starts = later.backend_starts"
                " FROM run_leases AS later WHERE dead.run_id = 'dead' AND later.run_id = 'later'"
            )
        )
    with writing(later, lease):
        assert take_over(engine, "dead") is not None
    assert written(engine) == 1


def test_old_leases_are_deleted_and_live_ones_are_not(engine, run):
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO run_leases"
                " (run_id, host, process_id, backend_pids, backend_starts, ended_at, heartbeat_at)"
                " SELECT number, 'host', 1, '{}', '{}', CASE WHEN number % 2 = 0 THEN now() END,"
                " CASE WHEN number > 10 THEN now() ELSE now() - interval '2 days' END"
                " FROM generate_series(1, 130) AS number"
            )
        )
    run("newest")
    left = {row.run_id for row in rows(engine, "SELECT run_id FROM run_leases")}
    assert left == {"newest", *map(str, range(32, 131)), *map(str, range(11, 32, 2))}

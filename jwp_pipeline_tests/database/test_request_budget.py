"""All processes of a site keep to one rate limit, in the order of the lanes, whatever happens to one of them."""

import json
import logging
from contextlib import ExitStack, closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text

from jwp_pipeline.database.connection import open_engine
from jwp_pipeline.database.request_budget import SEEN_AFTER, RequestBudget
from jwp_pipeline.errors import DatabaseError
from jwp_pipeline.jwplatform.limiter import RateLimiter, SharedLimiter
from jwp_pipeline.rate_limit import WINDOW, Lane
from jwp_pipeline.simulator import Behaviour, Simulator, bulk_library
from jwp_pipeline_tests.support import SCHEMA, fewer_if_quick, python, rows
from jwp_pipeline_tests.support.lanes import REQUESTS, observe

LIMIT = 10
TABLES = "request_accounts, request_permits, request_lines"


class ServerTime:
    """The server's clock, as our statements see it while we set it."""

    def __init__(self, url):
        self.engine = open_engine(url, SCHEMA)
        # Our function hides PostgreSQL's own, because its schema comes first.
        event.listen(self.engine, "connect", self._hide)
        with self.engine.begin() as connection:
            connection.execute(text("CREATE TABLE server_time (seconds float8)"))
            connection.execute(text("INSERT INTO server_time VALUES (0)"))
            connection.execute(
                text(
                    "CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE"
                    " AS 'SELECT to_timestamp(1700000000 + seconds) FROM server_time'"
                )
            )
        self._session = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def _hide(self, connection, _record):
        connection.execute(f"SET search_path TO {SCHEMA}, pg_catalog")
        connection.commit()

    def set(self, seconds):
        self._session.execute(text("UPDATE server_time SET seconds = :seconds"), {"seconds": seconds})

    def start_again(self):
        self.set(0)
        self._session.execute(text(f"TRUNCATE {TABLES}"))

    def close(self):
        self._session.execute(text("DROP FUNCTION clock_timestamp()"))
        self._session.execute(text("DROP TABLE server_time"))
        self._session.close()
        self.engine.dispose()


@pytest.fixture
def server_time(tables_url, engine):
    with ExitStack() as stack:
        clock = ServerTime(tables_url)
        stack.callback(clock.close)
        yield clock


@pytest.fixture
def process(server_time):
    """A function that makes the budget of one more process."""
    with ExitStack() as stack:

        def make(**more):
            budget = RequestBudget(**{"engine": lambda: server_time.engine, "account": "an account"} | more)
            stack.callback(budget.close)
            return budget

        yield make


def begun(budget, lane=Lane.LISTINGS, limit=LIMIT):
    """Make requests until one has to wait. Returns how many, and the seconds to wait."""
    number = 0
    while (wait := budget.ask(limit, lane, begin=True)) == 0:
        budget.end()
        number += 1
    return number, wait


def test_the_lanes_go_in_order_and_the_limit_holds_over_all_processes(server_time, process, caplog):
    """By the clock of the server, and from the beginning of a request until a window after its answer."""

    @settings(max_examples=fewer_if_quick())
    @given(limit=st.integers(1, 12), requests=REQUESTS)
    def holds(limit, requests):
        server_time.start_again()
        with ExitStack() as stack:
            budgets = [stack.enter_context(closing(process())) for _ in range(3)]

            def begin(number, now, lane):
                server_time.set(now)
                return budgets[number].ask(limit, lane, begin=True)

            def end(number, now):
                server_time.set(now)
                budgets[number].end()

            observe(limit, requests, lambda number, lane: budgets[number].in_line(lane), begin, end)

    holds()
    # The database has decided, and not each process by itself.
    assert caplog.records == []


def test_edits_go_before_looks_and_looks_before_listings(server_time, process):
    """Also if each is in a process of its own."""
    editor, looker, lister = process(), process(), process()
    assert begun(lister) == (LIMIT, WINDOW)
    with editor.in_line(Lane.EDITS), looker.in_line(Lane.LOOKS):
        assert editor.ask(LIMIT, Lane.EDITS, begin=True) > 0
        assert looker.ask(LIMIT, Lane.LOOKS, begin=True) > 0
        server_time.set(WINDOW + 1)
        assert begun(lister) == (LIMIT - 2, WINDOW)
        assert begun(looker, Lane.LOOKS) == (1, WINDOW)
        assert begun(editor, Lane.EDITS) == (1, WINDOW)


def test_listings_leave_a_tenth_while_another_process_may_write(process):
    editor, lister = process(), process()
    editor.reserve()
    assert editor.ask(LIMIT, Lane.EDITS, begin=True) == 0
    assert begun(lister)[0] == LIMIT - 2
    editor.unreserve()
    assert begun(lister)[0] == 1


def test_whoever_gives_up_is_not_waited_for(process):
    editor, lister = process(), process()
    begun(editor, Lane.EDITS)
    with editor.in_line(Lane.EDITS):
        editor.ask(LIMIT, Lane.EDITS, begin=True)
    assert lister.ask(LIMIT + 1, Lane.LISTINGS, begin=True) == 0


def test_a_process_that_died_while_it_waited_delays_others_for_little_more_than_a_window(server_time, process):
    editor, lister = process(), process()
    assert begun(lister) == (LIMIT, WINDOW)
    with editor.in_line(Lane.EDITS):
        editor.ask(LIMIT, Lane.EDITS, begin=True)
        server_time.set(WINDOW + 1)
        assert begun(lister)[0] == LIMIT - 1
        server_time.set(2 * WINDOW + 10)
        assert begun(lister)[0] == LIMIT


def test_requests_of_a_process_that_died_are_forgotten_in_the_end(server_time, process):
    dead, lister = process(), process()
    for _ in range(LIMIT):
        assert dead.ask(LIMIT, Lane.LISTINGS, begin=True) == 0
    server_time.set(SEEN_AFTER.total_seconds())
    assert begun(lister) == (0, WINDOW)
    server_time.set(SEEN_AFTER.total_seconds() + WINDOW)
    assert begun(lister)[0] == LIMIT


def test_all_processes_wait_when_one_is_told_to(process):
    one, other = process(), process()
    assert one.ask(LIMIT, Lane.LISTINGS, begin=True) == 0
    one.hold(25.0)
    one.hold(7.0)
    assert other.ask(LIMIT, Lane.EDITS, begin=True) == 25.0
    assert process(account="another").ask(LIMIT, Lane.EDITS, begin=True) == 0


def test_old_requests_are_deleted(server_time, process, engine):
    budget = process()
    for minute in range(6):
        server_time.set(minute * WINDOW)
        begun(budget)
    assert rows(engine, "SELECT count(*) <= 3 * :limit FROM request_permits", limit=LIMIT) == [(True,)]


def end_sessions(engine):
    rows(
        engine,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
    )


def test_without_the_database_requests_go_on_and_that_is_said_once(tables_url, engine, caplog, monkeypatch):
    """Each process then has its own limit, and the common one is used again when the database is back."""
    monkeypatch.setattr("jwp_pipeline.database.request_budget.TRY_AGAIN_SECONDS", 0.0)
    caplog.set_level(logging.WARNING)
    down = False

    def own_engine():
        if down:
            raise DatabaseError("The database is down.")
        return of_budget

    of_budget = open_engine(tables_url, SCHEMA)
    limiter = SharedLimiter(RateLimiter(LIMIT), RequestBudget(own_engine, "an account"))
    assert limiter.begin(0.0) == 0
    end_sessions(engine)
    down = True
    limiter.end(1.0)
    for _ in range(LIMIT - 1):
        assert limiter.begin(2.0) == 0
        limiter.end(2.0)
    assert limiter.begin(3.0) == 1.0 + WINDOW - 3.0
    limiter.hold(3.0, 5.0)
    assert [record.message.split(",")[0] for record in caplog.records] == [
        "The requests of this process to JW Platform are counted separately for now"
    ]
    down = False
    assert limiter.begin(1.0 + WINDOW) == 0
    limiter.end(1.0 + WINDOW)
    assert "counted together again" in caplog.records[-1].message
    limiter.begin(2 * WINDOW + 10)
    assert rows(engine, "SELECT count(answered_at), count(*) FROM request_permits") == [(1, 3)]
    of_budget.dispose()


@pytest.mark.slow
def test_a_process_that_was_stopped_while_it_decided_stops_nobody(tables_url, engine, process):
    """The server ends its session after a moment, and the others have not waited longer than that."""
    budget = process(engine=lambda: engine)
    assert budget.ask(LIMIT, Lane.LISTINGS, begin=True) == 0
    stopped = open_engine(tables_url, SCHEMA)
    code = """
import sys, time
from sqlalchemy import text
from jwp_pipeline.database.connection import open_engine
from jwp_pipeline.database.request_budget import RequestBudget
from jwp_pipeline.rate_limit import Lane
budget = RequestBudget(lambda: open_engine(sys.argv[1], sys.argv[2]), "an account")
def stop(session):
    session.execute(text("SELECT FROM request_accounts FOR UPDATE"))
    print("locked", flush=True)
    time.sleep(60)
budget._try(stop)
"""
    with python(code, tables_url, SCHEMA) as holder:
        assert holder.stdout.readline() == "locked\n"
        assert budget.ask(LIMIT, Lane.LISTINGS, begin=True) == 0
        budget.end()
    stopped.dispose()
    assert rows(engine, "SELECT count(*) FROM request_permits") == [(2,)]


ASK_OFTEN = """
import json, sys
from contextlib import closing
from jwp_pipeline import rate_limit
rate_limit.WINDOW = float(sys.argv[2])
from jwp_pipeline.database.locate import open_database
from jwp_pipeline.database.request_budget import RequestBudget
from jwp_pipeline.jwplatform.connect import account_of, connect
from jwp_pipeline.settings import load_settings
settings = load_settings(**json.loads(sys.argv[1]))
budget = RequestBudget(lambda: open_database(settings), account_of(settings))
with closing(budget), closing(connect(settings, budget=budget)) as client:
    sys.stdin.readline()
    for _ in range(int(sys.argv[3])):
        client.probe("video")
    print(client.stats.retries)
"""


@pytest.mark.parametrize(("api", "window"), [("v1", "sliding"), ("v2", "minute")])
def test_three_processes_together_never_exceed_the_limit_of_the_site(api, window, tables_url, engine):
    """None of their requests is refused, in whatever way JW Platform counts them."""
    limit, seconds, each = 20, 1.0, 16
    behaviour = Behaviour(requests_per_minute=limit, minute_seconds=seconds, rate_window=window)
    with ExitStack() as stack:
        simulator = stack.enter_context(Simulator(bulk_library(3, bytes_per_video=10), behaviour))
        environment = {name.lower(): value for name, value in simulator.environment(api).items()}
        given_settings = json.dumps(environment | {"jwp_database_url": tables_url, "jwp_requests_per_minute": limit})
        processes = [stack.enter_context(python(ASK_OFTEN, given_settings, str(seconds), str(each))) for _ in range(3)]
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        said = [process.communicate(timeout=60) for process in processes]
        statuses = [request.status for request in simulator.requests]
        at = sorted(request.at for request in simulator.requests)
    assert [out for out, _ in said] == ["0\n"] * 3, said
    assert statuses == [200] * 3 * each
    assert all(later - earlier > seconds - 0.05 for earlier, later in zip(at, at[limit:], strict=False))

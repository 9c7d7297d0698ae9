"""Fixtures for all tests: databases on the embedded PostgreSQL or on JWP_TEST_DATABASE_URL, and a simulated site."""

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings

from jwp_pipeline.database.connection import open_engine
from jwp_pipeline.database.embedded import ensure_running, release
from jwp_pipeline.database.migrate import migrate
from jwp_pipeline.proxies import keep_loopback_off_proxies
from jwp_pipeline.settings import Settings
from jwp_pipeline.simulator import Simulator
from jwp_pipeline_tests.support import SCHEMA, empty, fresh_database

# The tests, and the processes that they start, connect only to servers on this machine.
keep_loopback_off_proxies()
# The settings of whoever runs the tests do not matter to them.
for name in Settings.model_fields:
    os.environ.pop(name.upper(), None)


def _keep_coverage_from_failing_tests():
    """Let slipcover try again later where it fails to make code that was seen fast again.

    It looks through the names of modules that other threads may be importing, and raises RuntimeError ("dictionary
    changed size during iteration") in the middle of whatever runs at that moment.
    """
    try:
        from slipcover.slipcover import Slipcover
    except ImportError:
        return
    make_fast = Slipcover.deinstrument_seen

    def make_fast_if_possible(self):
        with suppress(RuntimeError):
            make_fast(self)

    Slipcover.deinstrument_seen = make_fast_if_possible


_keep_coverage_from_failing_tests()

# The profiles set how many examples a property test tries. A deadline would make tests fail on a busy machine.
settings.register_profile("quick", max_examples=20, deadline=None)
settings.register_profile("thorough", max_examples=100, deadline=None, print_blob=True)
settings.load_profile("quick")


# These files take longest. They begin first, lest one worker is still busy with them when the other has nothing to do.
LONGEST = (
    "test_code_servers.py",
    "test_workers.py",
    "test_lying_listings.py",
    "test_jwpfetch.py",
    "test_golden.py",
    "test_schedules.py",
    "test_status.py",
)

# These try many variations of what other tests hold as well, or start many processes. Together they take more than half
# of the time of all tests. `make test` leaves them out, as it does the tests that are marked as slow themselves.
VARIATIONS = frozenset(
    {
        "commands/test_start_up.py",
        "database/test_embedded_life.py",
        "database/test_embedded_start.py",
        "database/test_request_budget.py",
        "end_to_end/test_backup.py",
        "end_to_end/test_database.py",
        "end_to_end/test_lost_runs.py",
        "end_to_end/test_output.py",
        "end_to_end/test_pushes.py",
        "history/test_daily.py",
        "history/test_in_dagster.py",
        "media/test_acls.py",
        "media/test_due.py",
        "media/test_extremes.py",
        "media/test_malformed.py",
        "media/test_members.py",
        "media_webapp/test_strange_data.py",
        "media/test_withdrawn.py",
        "mirror/test_crash.py",
        "orchestration/test_alerts.py",
        "orchestration/test_definitions.py",
        "orchestration/test_events.py",
        "orchestration/test_items_play.py",
        "orchestration/test_pushes.py",
        "orchestration/test_schedules.py",
        "orchestration/test_sensors.py",
        "orchestration/test_status.py",
        "outbox/test_concurrency.py",
        "outbox/test_creations.py",
        "outbox/test_resolve.py",
        "portal/test_editing.py",
        "test_request_bounds.py",
    }
)
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.relative_to(_HERE).as_posix() in VARIATIONS:
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory):
    """The URL of a server on which the tests may create databases."""
    if url := os.environ.get("JWP_TEST_DATABASE_URL"):
        yield url
        return
    home = tmp_path_factory.mktemp("postgres")
    yield ensure_running(home, durable=False)
    release(home)


@pytest.fixture
def database_url(postgres_url):
    """The URL of a new, empty database, which is dropped after the test."""
    with fresh_database(postgres_url) as url:
        yield url


@pytest.fixture(scope="session")
def tables_url(postgres_url):
    """The URL of a database with our tables, shared by all tests that empty them first."""
    with fresh_database(postgres_url) as url:
        engine = open_engine(url, SCHEMA)
        migrate(engine, SCHEMA)
        engine.dispose()
        yield url


@pytest.fixture
def engine(tables_url):
    """An engine for our tables, which are empty."""
    engine = open_engine(tables_url, SCHEMA)
    empty(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def simulator():
    """A simulated site without any videos."""
    with Simulator() as running:
        yield running


@pytest.fixture(params=["v1", "v2"])
def api(request):
    """Each Management API in turn."""
    return request.param

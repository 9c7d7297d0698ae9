"""The Dagster UI as a person uses it: a real browser on the stack that `make up` starts.

One stack serves all tests but the one of a missing setting; each test brings about what it needs.
"""

import secrets
import time
from urllib.parse import urlsplit

import psycopg
import pytest

from jwp_pipeline.simulator import Simulator, demo_library
from jwp_pipeline_tests.end_to_end.ui import (
    PAGE_SECONDS,
    Ui,
    browser,
    eventually,
    shown,
    stack,
    without_chromium,
)

pytestmark = without_chromium

VIDEOS, CHANNELS = 120, 6
GROUPS = ("settings", "mirror", "media")
EVERY_GROUP_OPEN = "/asset-groups?expanded=" + ",".join(f"global@global:{group}" for group in GROUPS)


@pytest.fixture(scope="module")
def simulator():
    with Simulator(demo_library(videos=VIDEOS, channels=CHANNELS)) as running:
        yield running


@pytest.fixture(scope="module")
def running(postgres_url, simulator, tmp_path_factory):
    """The stack, on a database of its own, its schedules and sensors off: nobody but the tests starts a run."""
    name = f"ui_{secrets.token_hex(6)}"
    url = urlsplit(postgres_url)._replace(path=f"/{name}").geturl()
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        with stack(tmp_path_factory.mktemp("stack"), JWP_DATABASE_URL=url, **simulator.environment()) as running:
            yield running
            assert running.stop() == 0
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def chromium():
    with browser() as started:
        yield started


@pytest.fixture
def ui(chromium, running):
    """A window on the stack, in which nothing went wrong."""
    with chromium.new_page(viewport={"width": 1400, "height": 1000}) as page:
        ui = Ui(page, running.url)
        yield ui
        assert ui.complaints == []


def test_schedules_and_sensors_are_switched_in_the_automation_page(ui, running):
    names = running.switches()
    assert all(names.values()), "all are on from the start"
    ui.open("/automation")
    for name in names:
        ui.switch(name)
        eventually(lambda: not running.switches()[name], PAGE_SECONDS)
    assert not any(running.switches().values())
    ui.switch("frequent_sync")
    ui.switch("stale_cache")
    eventually(
        lambda: {on for on, is_on in running.switches().items() if is_on} == {"frequent_sync", "stale_cache"}, 30
    )

"""The Dagster UI as a person uses it: a real browser works with the stack that `make up` starts.

All tests but the first share one stack, and each prepares what it needs. The second test switches the schedules and
sensors off, so that afterwards only tests start runs.
"""

import re
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from playwright.sync_api import expect

from jwp_pipeline.simulator import Simulator, demo_library
from jwp_pipeline_tests.end_to_end.ui import IN_A_BROWSER, RUN_SECONDS, Ui, eventually, stack
from jwp_pipeline_tests.support import fresh_database

pytestmark = IN_A_BROWSER

VIDEOS, CHANNELS = 120, 6
GROUPS = ("status", "settings", "mirror", "media", "outbox", "history")
LINEAGE = "/asset-groups?expanded=" + ",".join(f"global@global:{group}" for group in GROUPS)
SYNC = "/locations/jwp_pipeline/jobs/sync"


@pytest.fixture(scope="module")
def simulator():
    with Simulator(demo_library(videos=VIDEOS, channels=CHANNELS)) as running:
        yield running


@pytest.fixture(scope="module")
def running(postgres_url, simulator, tmp_path_factory):
    """The stack with its own database."""
    folder = tmp_path_factory.mktemp("stack")
    with (
        fresh_database(postgres_url) as url,
        stack(folder, JWP_DATABASE_URL=url, **simulator.environment()) as running,
    ):
        yield running


@pytest.fixture
def ui(chromium, running):
    with untroubled(chromium, running) as ui:
        yield ui


@contextmanager
def untroubled(chromium, running):
    """Yield a page that must not write errors to its console, nor send requests to another host than the stack's."""
    with chromium.new_page(viewport={"width": 1400, "height": 1000}) as page:
        ui = Ui(page, running.url)
        yield ui
        assert ui.complaints == []


@pytest.fixture
def synced(running):
    """Wait for the first sync, which a sensor requests by itself."""
    eventually(lambda: running.runs(statuses=["SUCCESS"]), RUN_SECONDS)


def test_a_missing_setting_is_shown_with_its_hint_and_nothing_is_fetched(chromium, database_url, tmp_path):
    with Simulator(demo_library(videos=20, channels=2)) as simulator:
        environment = simulator.environment() | {"JWP_DATABASE_URL": database_url}
        del environment["JWPLATFORM_EMBED_PLAYER_KEY"]
        with stack(tmp_path, **environment) as running, untroubled(chromium, running) as ui:
            ui.open(SYNC)
            run_id = running.run_started_by(lambda: ui.press("Materialize all"))
            assert running.ended(run_id) == "FAILURE"
            assert running.materialized_by(run_id) == {"settings"}
            ui.open("/assets/settings?view=checks&checkDetail=required_settings")
            ui.sees("Failed", exact=True)
            ui.sees("JWPLATFORM_EMBED_PLAYER_KEY is not set: set it to the 8-character key of the player")
            assert running.processes()
            assert running.stop() == 0
            assert running.processes() == []
        assert simulator.requests == []
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM jwp.raw_snapshots").fetchone() == (0,)


def test_schedules_and_sensors_are_switched_in_the_automation_page(ui, running):
    before = running.switches()
    assert all(before.values()), before
    all_off = dict.fromkeys(before, False)
    ui.switch_all_off(running)
    assert running.switches() == all_off
    ui.switch("frequent_sync", running)
    assert running.switches() == all_off | {"frequent_sync": True}
    ui.switch("frequent_sync", running)
    assert running.switches() == all_off


def materialize_all(ui, running):
    """Press *Materialize all* in the lineage, wait for the run, and return its id."""
    ui.open(LINEAGE)

    def press():
        ui.press("Materialize all")
        # library_history has a partition for each day, so the UI asks for which ones.
        ui.press("Latest")
        ui.press("Launch 1 run")

    run_id = running.run_started_by(press)
    assert running.ended(run_id) == "SUCCESS"
    return run_id


def test_lineage_shows_all_assets_and_materialize_all_succeeds(ui, running):
    ui.open(LINEAGE)
    for name in running.assets():
        ui.sees(name, exact=True)
    run_id = materialize_all(ui, running)
    ui.open(f"/runs/{run_id}")
    ui.sees("Success")
    assert running.materialized_by(run_id) == running.assets()


@pytest.mark.usefixtures("synced")
def test_an_asset_shows_its_numbers_plan_columns_checks_and_freshness(ui):
    ui.open("/assets/cached_resources")
    for label in ("Row count", "videos_seen", "videos_unchanged", "channels_seen"):
        ui.sees(label, exact=True)
    for number in (VIDEOS + CHANNELS, VIDEOS, CHANNELS):
        ui.sees(str(number), exact=True)
    ui.sees(re.compile(rf"snapshot \d+: {VIDEOS} seen"))
    # The columns are behind a button below the numbers.
    expect(ui.page.get_by_text("deleted_at", exact=True)).to_have_count(0)
    ui.page.get_by_text("[Show Table Schema]").click()
    for column in ("data", "created_at", "deleted_at", "JSONB"):
        ui.sees(column, exact=True)
    ui.page.keyboard.press("Escape")
    ui.sees("Fails if more than 26 hours since last materialization")
    ui.sees("Warns if more than 2 hours since last materialization")
    ui.sees("Passing", exact=True)
    ui.press("Plots")
    expect(ui.page.locator("canvas").first).to_be_visible()
    ui.open("/assets/media_items?view=checks&checkDetail=in_step")
    ui.sees(re.compile(r"In step as of \d{4}-\d\d-\d\d"))


@pytest.mark.usefixtures("synced")
def test_days_begin_with_the_library_and_a_range_of_them_is_backfilled(ui, running):
    today = datetime.now(UTC).date()
    # There was no library when the code was loaded.
    assert running.first_day() in (today.isoformat(), (today - timedelta(days=1)).isoformat())
    days = [(today - timedelta(days=number)).isoformat() for number in range(5, 1, -1)]
    with psycopg.connect(running.environment["JWP_DATABASE_URL"]) as connection:
        for table, column in (("resource_changes", "changed_at"), ("raw_snapshots", "applied_at")):
            connection.execute(f"UPDATE jwp.{table} SET {column} = {column} - interval '5 days'")
    running.query('mutation { reloadRepositoryLocation(repositoryLocationName: "jwp_pipeline") { __typename } }')
    eventually(lambda: running.first_day() == days[0], RUN_SECONDS)
    ui.open("/assets/library_history")
    ui.press("Materialize")
    ui.choose_days(f"[{days[0]}...{days[-1]}]")
    ui.press("Launch backfill")
    eventually(lambda: (days[0], days[-1]) in running.computed_days(), RUN_SECONDS)
    ui.open(f"/assets/library_history?view=partitions&partition={days[0]}")
    ui.sees(f"First mirror: {VIDEOS}")


@pytest.mark.usefixtures("synced")
def test_the_first_page_and_the_report_show_their_pictures_at_once(ui, running):
    ui.open("/assets/status")
    for text in ("what_to_do_next", "Nothing has to be done.", re.compile("In step with JW Platform as of")):
        ui.sees(text)
    assert ui.pictures() == 2
    assert f"{running.url}/assets/status" in (running.folder / "log").read_text()
    materialize_all(ui, running)
    ui.open("/assets/library_report")
    ui.sees("hours of video")
    assert ui.pictures() >= 2
    # Later syncs must not make it look out of date.
    assert running.jwpfetch("--skip-fetch").returncode == 0
    ui.page.reload()
    ui.sees("hours of video")
    expect(ui.page.get_by_text("Unsynced")).to_have_count(0)


@pytest.mark.usefixtures("synced")
def test_a_run_of_jwpfetch_is_among_the_runs_of_its_job(ui, running):
    before = set(running.runs(pipelineName="sync"))
    assert running.jwpfetch("--skip-fetch").returncode == 0
    (run_id,) = set(running.runs(pipelineName="sync")) - before
    # The timeline has only runs with an origin.
    assert running.origin_of(run_id) == "jwp_pipeline"
    ui.open(f"{SYNC}/runs")
    ui.sees(run_id[:8])
    expect(ui.page.get_by_text("jwp_pipeline_site")).to_have_count(0)


@pytest.mark.usefixtures("synced")
def test_a_refusal_of_the_guard_is_shown_and_a_release_clears_it(ui, running, simulator):
    simulator.library.remove("video", *simulator.library.keys("video"))
    ui.open(SYNC)
    run_id = running.run_started_by(lambda: ui.press("Materialize all"))
    assert running.ended(run_id) == "FAILURE"
    ui.open(f"/runs/{run_id}")
    ui.sees("Failure")
    ui.sees("The guard refused snapshot")
    ui.open("/assets/cached_resources?view=checks&checkDetail=nothing_quarantined")
    ui.sees(f"it is empty, while {VIDEOS} videos are live")
    passed, description = running.check("cached_resources", "nothing_quarantined")
    assert not passed
    released = running.jwpfetch("--release", *re.findall(r"--release (\d+)", description))
    assert released.returncode == 0, released.stderr
    assert running.check("cached_resources", "nothing_quarantined") == (True, "No snapshot waits to be released.")
    ui.sees("No snapshot waits to be released.")

"""`make screenshots`: takes the README's pictures of the Dagster UI anew, with a real browser on a running stack.

The demo library lives through two weeks of made-up days, each mirrored once, as far as clocks can tell. Needs
Chromium; takes a minute or two; touches nothing but the pictures beside it.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from unittest import mock

import dagster as dg
from PIL import Image
from sqlalchemy import text

from jwp_pipeline import cli
from jwp_pipeline.database.locate import open_database
from jwp_pipeline.definitions import build_definitions
from jwp_pipeline.orchestration.automation import IN_PROGRESS
from jwp_pipeline.orchestration.launch import dagster_home
from jwp_pipeline.settings import Settings, load_settings
from jwp_pipeline.simulator import Demo, Simulator
from jwp_pipeline_tests.end_to_end.ui import CHROMIUM, PAGE_SECONDS, RUN_SECONDS, Stack, Ui, browser, eventually, stack

FOLDER = Path(__file__).parent
DAYS = 14
GROUPS = ("settings", "mirror", "media", "history")
Box = tuple[int, int, int, int]
"""Left, top, width, height of what is shown of a page; pixels."""


def main() -> None:
    """Bring about what there is to see, and photograph it."""
    if CHROMIUM is None:
        sys.exit("No Chromium is on PATH; install it (Debian: apt-get install chromium) and try again.")
    demo = Demo()
    with tempfile.TemporaryDirectory() as name, chdir(name), Simulator(demo.library) as simulator:
        configure(simulator)
        with stack(Path(name), **simulator.environment()) as running, browser() as chromium:
            with chromium.new_page() as page:
                ui = Ui(page, running.url)
                switch_all_off(ui, running)
                live_through_days(demo)
                photograph_lineage(ui)
                photograph_plots(ui)
                photograph_report(ui)
                simulator.library.remove("video", *simulator.library.keys("video"))
                photograph_guard(ui, running)


def configure(simulator: Simulator) -> None:
    """Let this process and what it starts work on the demo library, whatever is set outside."""
    for setting in Settings.model_fields:
        os.environ.pop(setting.upper(), None)
    os.environ.update(simulator.environment())


def switch_all_off(ui: Ui, running: Stack) -> None:
    """Leave no schedule or sensor on that would add runs of its own to the pictures."""
    ui.open("/automation")
    for name in running.switches():
        ui.switch(name)
    eventually(lambda: not any(running.switches().values()), PAGE_SECONDS)
    going_on = [status.value for status in IN_PROGRESS]
    eventually(lambda: not running.runs(statuses=going_on), RUN_SECONDS)


def live_through_days(demo: Demo) -> None:
    """Mirror the library once a day up to today, then compute its history and draw its report."""
    if cli.jwpfetch([]) != cli.SUCCEEDED:
        sys.exit("The demo library could not be mirrored; see above.")
    engine = open_database(load_settings())
    with dg.DagsterInstance.from_config(str(dagster_home(load_settings()))) as instance:
        # The first sync adds thousands. Beside them the plots of all that follows would look flat.
        instance.wipe_assets(instance.all_asset_keys())
        for days_ago in reversed(range(DAYS)):
            with engine.begin() as connection:
                for column in ("resource_changes.changed_at", "raw_snapshots.applied_at"):
                    table, name = column.split(".")
                    connection.execute(text(f"UPDATE {table} SET {name} = {name} - interval '1 day'"))
            demo.evolve()
            with clock_put_back(timedelta(days=days_ago)):
                cli.jwpfetch([])
        today = datetime.now(UTC).date()
        days = {"start": today - timedelta(days=DAYS), "end": today}
        tags = {f"dagster/asset_partition_range_{which}": day.isoformat() for which, day in days.items()}
        for job in ("history", "report"):
            tags = tags if job == "history" else {}
            build_definitions().resolve_job_def(job).execute_in_process(instance=instance, tags=tags)
    engine.dispose()


@contextmanager
def clock_put_back(by: timedelta) -> Iterator[None]:
    """Let this process's wall clock, by which Dagster dates its events, be slow."""
    right: Callable[[], float] = time.time
    with mock.patch("time.time", lambda: right() - by.total_seconds()):
        yield


def photograph_lineage(ui: Ui) -> None:
    """The graph of all assets, without the lists at its left."""
    ui.page.set_viewport_size({"width": 1822, "height": 700})
    ui.open("/asset-groups?expanded=" + ",".join(f"global@global:{group}" for group in GROUPS))
    ui.sees("playlists", exact=True)
    photograph(ui, "lineage", (541, 52, 1280, 648))


def photograph_plots(ui: Ui) -> None:
    """An asset's page: its state, its freshness, its numbers over time."""
    ui.page.set_viewport_size({"width": 1400, "height": 1200})
    ui.open("/assets/media_items")
    ui.sees("Passing", exact=True)
    ui.press("table_columns Columns")
    ui.press("Plots")
    photograph(ui, "asset", (0, 0, 1400, 1200))


def photograph_report(ui: Ui) -> None:
    """The pictures of library_report."""
    ui.page.set_viewport_size({"width": 1400, "height": 1010})
    ui.open("/assets/library_report")
    ui.page.get_by_text("[Show Markdown]").click()
    photograph(ui, "report", (260, 40, 882, 930))


def photograph_guard(ui: Ui, running: Stack) -> None:
    """What a sync shows after the library was emptied at JW Platform."""
    ui.open("/locations/jwp_pipeline/jobs/sync")
    running.ended(running.run_started_by(lambda: ui.press("Materialize all")))
    ui.page.set_viewport_size({"width": 1400, "height": 640})
    ui.open("/assets/cached_resources?view=checks&checkDetail=nothing_quarantined")
    ui.sees("The guard refused snapshot")
    photograph(ui, "guard", (0, 0, 1400, 640))


def photograph(ui: Ui, name: str, box: Box) -> None:
    """Write a part of the page to a PNG of few colours, which a UI's picture needs no more of."""
    ui.page.mouse.move(0, 0)
    # Transitions, charts and late answers: there is no event that says that a page has come to rest.
    ui.page.wait_for_timeout(3000)
    shot = ui.page.screenshot(clip=dict(zip(("x", "y", "width", "height"), box, strict=True)))
    picture = Image.open(BytesIO(shot)).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    picture.save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()

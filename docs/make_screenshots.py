"""`make screenshots`: takes the README's pictures of the Dagster UI anew, with a real browser on a running stack.

They show the demo of an empty JWP_HOME, with its two weeks of history. Needs Chromium; takes a minute or two; touches
nothing but the pictures beside it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from contextlib import chdir
from io import BytesIO
from pathlib import Path

import requests
from PIL import Image
from sqlalchemy.orm import Session

from jwp_pipeline.commands import cli
from jwp_pipeline.commands.demo import Demo, demo_if_unconfigured
from jwp_pipeline.commands.demo_history import DAYS, beginning, make_history
from jwp_pipeline.commands.frame import SUCCEEDED
from jwp_pipeline.commands.terminal import terminal
from jwp_pipeline.orchestration.runs import IN_PROGRESS
from jwp_pipeline.record import MediaItem, open_engine
from jwp_pipeline.settings import Settings, load_settings
from jwp_pipeline_tests.end_to_end.ui import CHROMIUM, PAGE_SECONDS, RUN_SECONDS, Stack, Ui, browser, eventually, stack

FOLDER = Path(__file__).parent
GROUPS = ("status", "settings", "mirror", "media", "outbox", "history")


def main() -> None:
    """Bring about what there is to see, and photograph it."""
    if CHROMIUM is None:
        sys.exit("No Chromium is on PATH; install it (Debian: apt-get install chromium) and try again.")
    with tempfile.TemporaryDirectory() as name, chdir(name):
        for setting in Settings.model_fields:
            os.environ.pop(setting.upper(), None)
        with demo_if_unconfigured(load_settings(), start=beginning()) as demo:
            assert demo is not None  # noqa: S101 - there are no credentials
            # Dagster gets every day but the first: beside its thousands of additions, all that follows would look flat.
            make_history(demo, terminal(), recorded=DAYS - 1)
            demo.act("evolve")
            if cli.jwpfetch([]) != SUCCEEDED:
                sys.exit("The demo library could not be mirrored; see above.")
            with stack(Path(name)) as running, browser() as chromium:
                ui = Ui(chromium.new_page(), running.url)
                switch_all_off(ui, running)
                photograph_status(ui)
                photograph_lineage(ui)
                photograph_plots(ui)
                photograph_report(ui)
                photograph_guard(ui, running, demo)
                photograph_portal(Ui(chromium.new_page(), running.url))


def switch_all_off(ui: Ui, running: Stack) -> None:
    """Leave no schedule or sensor on that would add runs of its own to the pictures."""
    ui.switch_all_off(running)
    if any(running.switches().values()):
        sys.exit("Not every schedule and sensor could be switched off; try again.")
    going_on = [status.value for status in IN_PROGRESS]
    eventually(lambda: not running.runs(statuses=going_on), RUN_SECONDS)


def photograph_status(ui: Ui) -> None:
    """The first page: in step since when, what to do next, 30 days, the last runs."""
    ui.page.set_viewport_size({"width": 1400, "height": 1620})
    ui.open("/assets/status")
    ui.sees("what_to_do_next")
    ui.pictures()
    photograph(ui, "status", left=0, top=0, width=1400, height=1560)


def photograph_lineage(ui: Ui) -> None:
    """The graph of all assets, without the lists at its left."""
    ui.page.set_viewport_size({"width": 1942, "height": 870})
    ui.open("/asset-groups?expanded=" + ",".join(f"global@global:{group}" for group in GROUPS))
    ui.sees("playlists", exact=True)
    photograph(ui, "lineage", left=541, top=52, width=1400, height=818)


def photograph_plots(ui: Ui) -> None:
    """An asset's page: its state, its freshness, its numbers over time."""
    ui.page.set_viewport_size({"width": 1400, "height": 1105})
    ui.open("/assets/media_items")
    ui.sees("Passing", exact=True)
    ui.press("Plots")
    photograph(ui, "asset", left=0, top=0, width=1400, height=1105)


def photograph_report(ui: Ui) -> None:
    """The pictures of library_report."""
    ui.page.set_viewport_size({"width": 1400, "height": 1010})
    ui.open("/assets/library_report")
    ui.pictures()
    photograph(ui, "report", left=0, top=0, width=1400, height=1010)


def photograph_guard(ui: Ui, running: Stack, demo: Demo) -> None:
    """What a sync shows if JW Platform's listing is empty."""
    demo.act("break", how="empty")
    ui.open("/locations/jwp_pipeline/jobs/sync")
    running.ended(running.run_started_by(lambda: ui.press("Materialize all")))
    ui.page.set_viewport_size({"width": 1400, "height": 600})
    ui.open("/assets/cached_resources?view=checks&checkDetail=nothing_quarantined")
    ui.sees("The guard refused snapshot")
    photograph(ui, "guard", left=0, top=0, width=1400, height=600)


def photograph_portal(ui: Ui) -> None:
    """An item of the example portal, as a visitor sees it whom its ACL names."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with_site = [os.fspath(Path(sys.executable).with_name("jwp-pipeline")), "with-site", "--"]
    command = [*with_site, sys.executable, "-m", "examples.portal", "--port", str(port)]
    environment = os.environ | {"PYTHONPATH": str(FOLDER.parent)}
    with subprocess.Popen(command, env=environment) as portal:
        try:
            url, visitor = f"http://127.0.0.1:{port}", "jt700"
            eventually(lambda: answers(url), PAGE_SECONDS)
            ui.page.set_viewport_size({"width": 1200, "height": 1010})
            ui.page.goto(url)
            ui.page.get_by_label("Who you are").select_option(visitor)
            ui.page.get_by_role("button", name="Change user").click()
            with Session(open_engine()) as session:
                named = MediaItem.live.where(MediaItem.view_crsids.contains([visitor]))
                item = session.scalars(named.order_by(MediaItem.published_at.desc())).first()
            ui.page.goto(f"{url}/items/{item.id}" if item else url)
            photograph(ui, "portal", left=0, top=0, width=1200, height=1010)
        finally:
            portal.terminate()


def answers(url: str) -> bool:
    """Whether a page is served there."""
    try:
        return requests.get(url, timeout=PAGE_SECONDS).ok
    except requests.RequestException:
        return False


def photograph(ui: Ui, name: str, *, left: int, top: int, width: int, height: int) -> None:
    """Write a part of the page (pixels) to a PNG."""
    ui.page.mouse.move(0, 0)
    # Transitions, charts and late answers: no event says that a page has come to rest.
    ui.page.wait_for_timeout(3000)
    shot = ui.page.screenshot(clip={"x": left, "y": top, "width": width, "height": height})
    picture = Image.open(BytesIO(shot)).convert("RGB")
    # A palette is a third of the size; by coverage, so that it has the few red and green pixels' colours, too.
    palette = picture.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    palette.save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()

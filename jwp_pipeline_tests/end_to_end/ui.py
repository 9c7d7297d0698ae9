"""Runs the stack of `make up` for tests of the UI, with its GraphQL and with a browser.

GraphQL gives run ids and states; the browser shows what a person sees. The UI as shipped has no test ids, and its class
names are hashes, so tests rely on its addresses, visible texts and roles.
"""

import json
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

from jwp_pipeline_tests.support import bare_environment, free_port, wait_until

CHROMIUM = shutil.which("chromium")
IN_A_BROWSER = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None, reason="no Chromium on PATH: `apt-get install chromium` brings it (.ci/run does)"
    ),
]
"""The marks of a module whose tests use the fixture `chromium`."""

HOST = "127.0.0.1"
# These limits are generous, because on a busy machine everything takes several times as long.
READY_SECONDS, RUN_SECONDS, STOP_SECONDS, PAGE_SECONDS = 120, 90, 60, 30
# Each look costs the server work.
eventually = partial(wait_until, pause=0.3)
_ENDED = ("SUCCESS", "FAILURE", "CANCELED")

_RUNS = """query ($filter: RunsFilter) {
  runsOrError(filter: $filter, limit: 50) { ... on Runs { results { runId status } } }
}"""
_ASSETS = "{ assetNodes { assetKey { path } } }"
_SWITCHES = """{ repositoriesOrError { ... on RepositoryConnection { nodes {
  schedules { name scheduleState { status } } sensors { name sensorState { status } }
} } } }"""
_MATERIALIZED = "{ assetNodes { assetKey { path } assetMaterializations(limit: 1) { runId } } }"
_CHECK = """query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
  assetChecksOrError { ... on AssetChecks { checks { name executionForLatestMaterialization {
    evaluation { success description }
} } } } } } }"""
_DAYS = """{ assetNodeOrError(assetKey: { path: ["library_history"] }) { ... on AssetNode {
  assetPartitionStatuses { ... on TimePartitionStatuses { ranges { startKey endKey status } } }
} } }"""

_FIRST_DAY = """{ assetNodeOrError(assetKey: { path: ["library_history"] }) { ... on AssetNode {
  partitionKeyConnection(limit: 1, ascending: true) { results }
} } }"""
_ORIGIN = """query ($run: ID!) { runOrError(runId: $run) { ... on Run {
  repositoryOrigin { repositoryLocationName }
} } }"""


class Stack:
    """A running `make up`."""

    def __init__(self, process, folder, port, environment):
        self.process = process
        self.folder = folder
        self.url = f"http://{HOST}:{port}"
        self.environment = environment

    def query(self, text, **variables):
        """Return the data of a GraphQL query."""
        body = json.dumps({"query": text, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PAGE_SECONDS) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def is_ready(self):
        """Whether the UI would show the assets."""
        assert self.process.poll() is None, (self.folder / "log").read_text()
        try:
            return bool(self.assets())
        except OSError:
            return False

    def assets(self):
        """Return the names of all assets."""
        return {_name(node) for node in self.query(_ASSETS)["assetNodes"]}

    def materialized_by(self, run_id):
        """Return the names of the assets that this run was the last to materialize."""
        nodes = self.query(_MATERIALIZED)["assetNodes"]
        return {_name(node) for node in nodes if {"runId": run_id} in node["assetMaterializations"]}

    def runs(self, **criteria):
        """Return the id of each run → its status. `criteria` are those of GraphQL's RunsFilter."""
        return {run["runId"]: run["status"] for run in self.query(_RUNS, filter=criteria)["runsOrError"]["results"]}

    def run_started_by(self, act):
        """Return the id of the run that `act` starts in the UI, ignoring the runs of schedules and sensors."""

        def started():
            return set(self.runs(tags=[{"key": "dagster/from_ui", "value": "true"}]))

        before = started()
        act()
        (run_id,) = eventually(lambda: started() - before, PAGE_SECONDS)
        return run_id

    def ended(self, run_id):
        """Wait for a run to end, and return its status: SUCCESS, FAILURE or CANCELED."""
        eventually(lambda: self.runs(runIds=[run_id])[run_id] in _ENDED, RUN_SECONDS)
        return self.runs(runIds=[run_id])[run_id]

    def switches(self):
        """Return the name of each schedule and sensor → whether it is on."""
        (repository,) = self.query(_SWITCHES)["repositoriesOrError"]["nodes"]
        states = {each["name"]: each["scheduleState"] for each in repository["schedules"]}
        states |= {each["name"]: each["sensorState"] for each in repository["sensors"]}
        return {name: state["status"] == "RUNNING" for name, state in states.items()}

    def check(self, asset, name):
        """Return the latest evaluation of a check, as (passed, description)."""
        node = self.query(_CHECK, key={"path": [asset]})["assetNodeOrError"]
        (check,) = (each for each in node["assetChecksOrError"]["checks"] if each["name"] == name)
        evaluation = check["executionForLatestMaterialization"]["evaluation"]
        return evaluation["success"], evaluation["description"]

    def computed_days(self):
        """Return the ranges of library_history that have been computed, as (first day, last day)."""
        ranges = self.query(_DAYS)["assetNodeOrError"]["assetPartitionStatuses"]["ranges"]
        return [(each["startKey"], each["endKey"]) for each in ranges if each["status"] == "MATERIALIZED"]

    def first_day(self):
        """Return the first day that library_history has a partition for."""
        (day,) = self.query(_FIRST_DAY)["assetNodeOrError"]["partitionKeyConnection"]["results"]
        return day

    def origin_of(self, run_id):
        """Return the name of the code location to which the UI counts a run."""
        return self.query(_ORIGIN, run=run_id)["runOrError"]["repositoryOrigin"]["repositoryLocationName"]

    def jwpfetch(self, *arguments):
        """Run `jwpfetch` to its end, in the same folder with the same settings."""
        command = [Path(sys.executable).with_name("jwpfetch"), *arguments]
        where = {"cwd": self.folder, "env": self.environment}
        return subprocess.run(command, **where, capture_output=True, text=True, timeout=RUN_SECONDS)

    def stop(self):
        """Interrupt the stack as Ctrl-C does, and return its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_SECONDS)

    def processes(self):
        """Return the ids of the processes of this stack, which are those with this Dagster home."""
        home = f"DAGSTER_HOME={self.folder}/".encode()
        return [process.name for process in Path("/proc").glob("[0-9]*") if home in _environment_of(process)]


@contextmanager
def stack(folder, **settings):
    """Yield a `jwp-pipeline up` in `folder` with only these settings once it is ready, and interrupt it at the end."""
    port = free_port()
    # By default, the daemon looks at freshness every half a minute, which is long for a test.
    environment = bare_environment(**settings, FRESHNESS_DAEMON_INTERVAL_SECONDS="2")
    folder = folder.resolve()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("jwp-pipeline"), "up", "--port", str(port)],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # A background job of a shell ignores SIGINT, and its children would ignore it, too.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
    running = Stack(process, folder, port, environment)
    try:
        eventually(running.is_ready, READY_SECONDS)
        yield running
    finally:
        try:
            if process.poll() is None:
                running.stop()
        finally:
            process.kill()


@contextmanager
def browser():
    """Yield a Chromium without a window."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield started
        finally:
            started.close()


class Ui:
    """A browser page on a stack. It collects complaints: errors, and requests to other hosts."""

    def __init__(self, page, url):
        self.page = page
        self.url = url
        self.complaints = []
        expect.set_options(timeout=PAGE_SECONDS * 1000)
        page.set_default_timeout(PAGE_SECONDS * 1000)
        page.on("console", self._note_console)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", self._note_request)

    def open(self, path):
        """Go to a page of the UI."""
        self.page.goto(f"{self.url}{path}")

    def sees(self, text, *, exact=False):
        """Wait until this text, or one that matches it, is visible."""
        expect(self.page.get_by_text(text, exact=exact).filter(visible=True).first).to_be_visible()

    def pictures(self):
        """Wait until the pictures of the asset's metadata are drawn, and return how many there are."""
        pictures = self.page.locator("img[src^='data:image/svg+xml']")
        expect(pictures.first).to_be_visible()
        assert all(pictures.evaluate_all("all => all.map(each => each.complete && each.naturalWidth > 0)"))
        return pictures.count()

    def press(self, name):
        """Press a button as soon as it is enabled. `name` may come after the name of an icon in its accessible name."""
        button = self.page.get_by_role("button", name=re.compile(rf"\b{name}")).first
        expect(button).to_be_enabled()
        button.click()

    def choose_days(self, text):
        """Enter the partitions in the dialogue of a materialization: `2026-11-23` or `[2026-11-20...2026-11-23]`."""
        days = self.page.get_by_role("dialog").get_by_role("textbox").first
        days.fill(text)
        days.press("Enter")

    def switch(self, name, running):
        """Turn a schedule or sensor of the stack `running` on or off in the Automation page, where this page is."""
        wanted = not running.switches()[name]
        row = self.page.locator("[data-index]").filter(has=self.page.get_by_role("link", name=name))
        # The row's first box selects the row, the second is the switch. The boxes are hidden, so click their labels.
        switch = row.get_by_role("checkbox").nth(1)

        def is_switched():
            return running.switches()[name] == wanted

        for patience in (PAGE_SECONDS / 3, PAGE_SECONDS / 3, PAGE_SECONDS):
            expect(switch).to_be_enabled()
            if switch.is_checked() != wanted:
                row.locator("label").nth(1).click()
            with suppress(AssertionError):
                eventually(is_switched, patience)
                return
            # The page redraws its rows as ticks come in, and a click on a row that is being replaced is lost.
            self.page.reload()
        assert is_switched(), f"{name} is not switched"

    def switch_all_off(self, running):
        """Turn every schedule and sensor of the stack off in the Automation page."""
        self.open("/automation")
        # Rows move while the page redraws them, so that now and then a click turns on what was off already.
        for _ in range(3):
            for name in [name for name, is_on in running.switches().items() if is_on]:
                self.switch(name, running)

    def _note_console(self, message):
        if message.type == "error":
            self.complaints.append(f"console: {message.text}")

    def _note_request(self, request):
        where = urlsplit(request.url)
        if where.scheme in ("http", "https", "ws", "wss") and where.hostname != HOST:
            self.complaints.append(f"asked another host: {where.hostname}")


def _name(node):
    return node["assetKey"]["path"][-1]


def _environment_of(process):
    try:
        return (process / "environ").read_bytes()
    except OSError:
        return b""

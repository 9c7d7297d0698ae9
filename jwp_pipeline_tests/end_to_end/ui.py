"""What end-to-end tests of the UI stand on: the stack that `make up` starts, its GraphQL, and a browser before it.

Run ids and states are asked of GraphQL; the browser is for what a person sees. The shipped UI has no test ids and
hashed classes: what holds are its addresses, its visible texts and its roles.
"""

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

from jwp_pipeline_tests.support import bare_environment

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
without_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on PATH: `apt-get install chromium` brings it (.ci/run does)"
)

HOST = "127.0.0.1"
# Generous: on a busy machine everything takes several times as long as it should.
READY_SECONDS, RUN_SECONDS, STOP_SECONDS, PAGE_SECONDS = 120, 90, 40, 30

_RUNS = """query ($filter: RunsFilter) {
  runsOrError(filter: $filter, limit: 20) { ... on Runs { results { runId status jobName } } }
}"""
_SWITCHES = """{ repositoriesOrError { ... on RepositoryConnection { nodes {
  schedules { name scheduleState { status } } sensors { name sensorState { status } }
} } } }"""
_CHECKS = """query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
  assetChecksOrError { ... on AssetChecks { checks { name executionForLatestMaterialization {
    status evaluation { success description }
} } } } } } }"""
_ENDED = ("SUCCESS", "FAILURE", "CANCELED")


class Stack:
    """A running `make up`."""

    def __init__(self, process, folder, port, environment):
        self.process = process
        self.folder = folder
        self.url = f"http://{HOST}:{port}"
        self.environment = environment

    def query(self, text, **variables):
        """Data of a GraphQL query."""
        body = json.dumps({"query": text, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PAGE_SECONDS) as answer:
            answer = json.load(answer)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def answers(self):
        """Whether the first page would come, with the assets on it."""
        assert self.process.poll() is None, self.log()
        try:
            return bool(self.query("{ assetNodes { id } }")["assetNodes"])
        except OSError:
            return False

    def asset_names(self):
        """Last part of every asset's key."""
        return {
            node["assetKey"]["path"][-1] for node in self.query("{ assetNodes { assetKey { path } } }")["assetNodes"]
        }

    def runs(self, **criteria):
        """Runs, the newest first; criteria as in GraphQL's RunsFilter."""
        return self.query(_RUNS, filter=criteria)["runsOrError"]["results"]

    def runs_of_a_person(self):
        """Those started with a click."""
        return self.runs(tags=[{"key": "dagster/from_ui", "value": "true"}])

    def ended(self, run_id):
        """How a run ended, once it has: SUCCESS, FAILURE or CANCELED."""

        def status():
            return next(run["status"] for run in self.runs(runIds=[run_id]))

        eventually(lambda: status() in _ENDED, RUN_SECONDS)
        return status()

    def switches(self):
        """Name of each schedule and sensor → whether it is on."""
        (repository,) = self.query(_SWITCHES)["repositoriesOrError"]["nodes"]
        states = {each["name"]: each["scheduleState"] for each in repository["schedules"]}
        states |= {each["name"]: each["sensorState"] for each in repository["sensors"]}
        return {name: state["status"] == "RUNNING" for name, state in states.items()}

    def check(self, asset, name):
        """The latest evaluation of a check: (passed, description)."""
        node = self.query(_CHECKS, key={"path": [asset]})["assetNodeOrError"]
        (check,) = (each for each in node["assetChecksOrError"]["checks"] if each["name"] == name)
        evaluation = check["executionForLatestMaterialization"]["evaluation"]
        return evaluation["success"], evaluation["description"]

    def jwpfetch(self, *arguments):
        """`jwpfetch` in the same folder with the same settings, finished."""
        command = [sys.executable, "-c", "import sys; from jwp_pipeline.cli import jwpfetch; sys.exit(jwpfetch())"]
        return subprocess.run(
            [*command, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
        )

    def log(self):
        """What it has written so far."""
        return (self.folder / "log").read_text()

    def stop(self):
        """As Ctrl-C does; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_SECONDS)

    def processes(self):
        """Processes that work for this stack, by what Dagster's home is for them."""
        home = f"DAGSTER_HOME={self.folder}/".encode()
        return [pid for pid in Path("/proc").glob("[0-9]*") if home in _environment_of(pid)]


@contextmanager
def stack(folder, **settings):
    """`jwp-pipeline up` in `folder` with these settings and no others, ready; interrupted at the end."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", "from jwp_pipeline.cli import main; raise SystemExit(main())"]
    # The daemon's usual half minute between two looks at freshness is long for a test.
    environment = bare_environment(**settings, FRESHNESS_DAEMON_INTERVAL_SECONDS="2")
    folder = folder.resolve()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "up", "--port", str(port)],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # What a shell's background job ignores, its children would ignore too.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
    running = Stack(process, folder, port, environment)
    try:
        eventually(running.answers, READY_SECONDS)
        yield running
    finally:
        if process.poll() is None:
            try:
                running.stop()
            finally:
                process.kill()


@contextmanager
def browser():
    """A Chromium without a window."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield started
        finally:
            started.close()


class Ui:
    """One browser window on a stack; notes what a good UI does not do."""

    def __init__(self, page, url):
        self.page = page
        self.url = url
        self.complaints = []
        page.set_default_timeout(PAGE_SECONDS * 1000)
        page.on("console", self._note_console)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", self._note_request)

    def open(self, path):
        """Go to a page of the UI."""
        self.page.goto(f"{self.url}{path}")

    def sees(self, text, *, exact=False):
        """Wait until this text can be seen."""
        shown(self.page.get_by_text(text, exact=exact).filter(visible=True).first)

    def press(self, name):
        """Press a button as soon as it can be; its accessible name may begin with its icon's."""
        button = self.page.get_by_role("button", name=re.compile(name)).first
        expect(button).to_be_enabled(timeout=PAGE_SECONDS * 1000)
        button.click()

    def switch(self, name):
        """Turn the switch of a schedule or sensor in the Automation page."""
        row = self.page.locator("[data-index]").filter(has=self.page.get_by_role("link", name=name))
        # The row's first box selects it, its second is the switch. A box is hidden; its label is what one clicks.
        expect(row.get_by_role("checkbox").nth(1)).to_be_enabled(timeout=PAGE_SECONDS * 1000)
        row.locator("label").nth(1).click()

    def _note_console(self, message):
        if message.type == "error":
            self.complaints.append(f"console: {message.text}")

    def _note_request(self, request):
        where = urlsplit(request.url)
        if where.scheme in ("http", "https", "ws", "wss") and where.hostname != HOST:
            self.complaints.append(f"asked another host: {where.hostname}")


def shown(locator):
    """Wait until a part of a page can be seen."""
    expect(locator).to_be_visible(timeout=PAGE_SECONDS * 1000)


def eventually(condition, seconds):
    """What the condition gives once it gives something; asked with pauses, for each answer costs the server work."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(0.3)
    return result


def _environment_of(pid):
    try:
        return (pid / "environ").read_bytes()
    except OSError:
        return b""

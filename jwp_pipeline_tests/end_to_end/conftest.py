"""A site in a folder of its own, where jwpfetch runs in this process or as users run it, and a browser."""

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from jwp_pipeline.commands import cli
from jwp_pipeline.database.connection import open_engine
from jwp_pipeline.simulator import Simulator, demo_library
from jwp_pipeline_tests.end_to_end.ui import browser
from jwp_pipeline_tests.support import SCHEMA, Site, bare_environment, rows, set_only


@dataclass
class Ran:
    """How a command ended."""

    code: int
    out: str
    error: str


class SiteInFolder(Site):
    """A site with a folder in which commands run. They find its settings in their environment."""

    def __init__(self, engine, simulator, folder, capsys, **options):
        super().__init__(engine, simulator, home=os.fspath(folder / "home"), **options)
        self.folder = folder
        self._capsys = capsys

    @property
    def database_url(self):
        return self.settings["jwp_database_url"]

    def jwpfetch(self, *arguments, **changed):
        """Run jwpfetch in this process, which saves two seconds of imports. The value None unsets a setting."""
        environment = self.environment | changed
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            set_only(patch, {name: value for name, value in environment.items() if value is not None})
            self._capsys.readouterr()
            try:
                code = cli.jwpfetch(list(arguments))
            except SystemExit as ended:
                code = ended.code
        return Ran(code, *self._capsys.readouterr())

    @contextmanager
    def started(self, *command, **environment):
        """Start a console script in the folder, as from a shell, and kill it at the end if it still runs."""
        program = Path(sys.executable).with_name(command[0])
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        environment = bare_environment(**environment)
        with subprocess.Popen([program, *command[1:]], cwd=self.folder, env=environment, **pipes) as process:
            try:
                yield process
            finally:
                process.kill()

    def run(self, *command, **environment):
        """Run a console script in the folder until it ends."""
        with self.started(*command, **environment) as process:
            out, error = process.communicate(timeout=120)
        return Ran(process.returncode, out, error)

    def in_dagster(self, query):
        """Return all rows of a query on Dagster's own tables."""
        engine = open_engine(self.database_url, "dagster")
        try:
            return rows(engine, query)
        finally:
            engine.dispose()

    def statuses(self):
        """Return the status of each run that Dagster has recorded, the oldest first."""
        return [row.status for row in self.in_dagster("SELECT status FROM runs ORDER BY id")]


@pytest.fixture
def engine(database_url):
    """An engine for the tables of the site. There are none before the first run."""
    engine = open_engine(database_url, SCHEMA)
    yield engine
    engine.dispose()


@pytest.fixture
def site(engine, database_url, tmp_path, capsys):
    """A site of 40 videos and 3 channels; nothing has been fetched from it."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    with Simulator(demo_library(videos=40, channels=3)) as simulator:
        yield SiteInFolder(engine, simulator, folder, capsys, database_url=database_url)


@pytest.fixture(scope="module")
def chromium():
    with browser() as started:
        yield started

"""A fixture with a configured site in its own folder, where jwpfetch runs in this process or as users run it."""

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from jwp_pipeline.commands import cli
from jwp_pipeline.database.connection import open_engine
from jwp_pipeline.simulator import Simulator, demo_library
from jwp_pipeline_tests.support import bare_environment, unset_all_settings


@dataclass
class Ran:
    """How a command ended."""

    code: int
    out: str
    error: str


@dataclass
class Site:
    """A simulated site, a fresh database, a folder to run in, and the settings for them."""

    simulator: Simulator
    database_url: str
    folder: Path
    capsys: pytest.CaptureFixture
    settings: dict[str, str] = field(default_factory=dict)

    def jwpfetch(self, *arguments, **changed):
        """Run jwpfetch in this process, which saves two seconds of imports. The value None unsets a setting."""
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            unset_all_settings(patch)
            for name, value in (self.settings | changed).items():
                if value is not None:
                    patch.setenv(name, value)
            self.capsys.readouterr()
            try:
                code = cli.jwpfetch(list(arguments))
            except SystemExit as ended:
                code = ended.code
        return Ran(code, *self.capsys.readouterr())

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

    def engine(self, schema="jwp"):
        return open_engine(self.database_url, schema)


@pytest.fixture
def site(database_url, tmp_path, capsys):
    """A site of 40 videos and 3 channels; nothing has been fetched from it."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    with Simulator(demo_library(videos=40, channels=3)) as simulator:
        settings = simulator.environment("v1") | {
            "JWP_DATABASE_URL": database_url,
            "JWP_REQUESTS_PER_MINUTE": "6000",
            "JWP_HOME": os.fspath(folder / "home"),
        }
        yield Site(simulator, database_url, folder, capsys, settings)


@pytest.fixture
def engine(site):
    """An engine for the tables of the site."""
    engine = site.engine()
    yield engine
    engine.dispose()

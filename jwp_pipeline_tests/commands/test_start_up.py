"""Commands that launch no run start without Dagster, whose import takes longer than all else that they do."""

import pytest

from jwp_pipeline import __version__
from jwp_pipeline_tests.support import python

RUN = """
import sys
from jwp_pipeline.commands import cli
command, *arguments = sys.argv[1:]
try:
    code = {"jwpfetch": cli.jwpfetch, "jwp-pipeline": cli.main}[command](arguments)
except SystemExit as ended:
    code = ended.code
print(code, sorted({name.partition(".")[0] for name in sys.modules} & {"dagster", "dagster_postgres"}))
"""
DONE, FAILED = 0, 1


def run(tables_url, simulator, *command):
    """Run a command in a process of its own. Returns its output, whose last line has the exit code and the imports."""
    settings = {**simulator.environment("v1"), "JWP_DATABASE_URL": tables_url}
    with python(RUN, *command, **settings) as process:
        out, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    return out.splitlines()


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("jwpfetch --help", DONE),
        ("jwpfetch --version", DONE),
        ("jwpfetch --status", FAILED),
        ("jwp-pipeline --help", DONE),
        ("jwp-pipeline --version", DONE),
        ("jwp-pipeline adopt-site --help", DONE),
        ("jwp-pipeline adopt-site", DONE),
        ("jwp-pipeline migrate", DONE),
    ],
)
def test_a_command_that_launches_no_run_does_not_import_dagster(engine, tables_url, simulator, command, code):
    """Nothing has been synced, so that `--status` fails after it has read the status."""
    *_, last = run(tables_url, simulator, *command.split())
    assert last == f"{code} []"


@pytest.mark.parametrize("command", ["jwpfetch", "jwp-pipeline"])
def test_a_command_tells_its_version(engine, tables_url, simulator, command):
    assert run(tables_url, simulator, command, "--version")[0] == f"{command} {__version__}"

"""Commands that launch no run start without Dagster, whose import takes longer than all else that they do."""

import pytest

from jwp_pipeline import __version__
from jwp_pipeline.commands import cli
from jwp_pipeline_tests.support import PROJECT, python

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
DONE, FAILED, USAGE = 0, 1, 2


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
        ("jwp-pipeline edits", DONE),
        ("jwp-pipeline runbook", DONE),
        ("jwp-pipeline runbook no-such-page", USAGE),
        ("jwp-pipeline completion bash", DONE),
    ],
)
def test_a_command_that_launches_no_run_does_not_import_dagster(engine, tables_url, simulator, command, code):
    """Nothing has been synced, so that `--status` fails after it has read the status."""
    *_, last = run(tables_url, simulator, *command.split())
    assert last == f"{code} []"


@pytest.mark.parametrize("command", ["jwpfetch", "jwp-pipeline"])
def test_a_command_tells_its_version(engine, tables_url, simulator, command):
    assert run(tables_url, simulator, command, "--version")[0] == f"{command} {__version__}"


def test_every_page_of_the_runbook_can_be_printed(capsys):
    for page in (PROJECT / "docs" / "runbook").glob("*.md"):
        assert cli.main(["runbook", page.stem]) == DONE
        assert capsys.readouterr().out == page.read_text() + "\n"


def test_a_shell_can_complete_both_commands(capsys):
    assert cli.main(["completion", "bash"]) == DONE
    printed = capsys.readouterr().out
    assert "--skip-video-fetch" in printed
    assert "adopt-site" in printed

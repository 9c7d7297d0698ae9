"""A command imports only what it needs; Dagster alone takes longer to load than all else that most of them do."""

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
print(code, sorted({name.partition(".")[0] for name in sys.modules} & set(HEAVY.split())))
"""
DAGSTER = "dagster dagster_postgres dagster_graphql"
# Libraries that some command needs, and that take a noticeable time to load.
ALL_HEAVY = (
    f"{DAGSTER} alembic authlib joserfc matplotlib pandas PIL psycopg pydantic requests rich sqlalchemy starlette"
)
# What a sync does not need: pictures, signing and webhooks, and a Lookup with a token server.
NOT_FOR_A_SYNC = "authlib joserfc matplotlib pandas PIL starlette dagster_graphql"
DONE, FAILED, USAGE = 0, 1, 2


def run(tables_url, simulator, *command, heavy=DAGSTER):
    """Run a command in a process of its own. Returns its output.

    The last line has the exit code, and those of the `heavy` libraries that were imported.
    """
    settings = {**simulator.environment("v1"), "JWP_DATABASE_URL": tables_url}
    with python(RUN.replace("HEAVY", repr(heavy)), *command, **settings) as process:
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


@pytest.mark.parametrize(
    "command",
    [
        "jwpfetch --help",
        "jwpfetch --version",
        "jwp-pipeline --help",
        "jwp-pipeline --version",
        *(
            f"jwp-pipeline {verb} --help"
            for verb in (
                "run",
                "up",
                "migrate",
                "adopt-site",
                "with-site",
                "edits",
                "resolve",
                "webhooks",
                "worker",
                "psql",
                "demo",
                "runbook",
            )
        ),
        "jwp-pipeline webhooks register --help",
        "jwp-pipeline demo break --help",
    ],
)
def test_help_and_version_import_nothing_that_takes_time(tables_url, simulator, command):
    *_, last = run(tables_url, simulator, *command.split(), heavy=ALL_HEAVY)
    assert last == f"{DONE} []"


IMPORT = """
import sys
import MODULE
print(sorted({name.partition(".")[0] for name in sys.modules} & set(HEAVY.split())))
"""


@pytest.mark.parametrize(
    "module", ["jwp_pipeline.definitions", "jwp_pipeline.commands.launch", "jwp_pipeline.orchestration.storage"]
)
def test_what_runs_a_sync_imports_nothing_that_only_other_commands_need(module):
    """Dagster's own processes import the definitions again and again, too."""
    code = IMPORT.replace("MODULE", module).replace("HEAVY", repr(NOT_FOR_A_SYNC))
    with python(code) as process:
        out, error = process.communicate(timeout=60)
    assert (out.strip(), error) == ("[]", "")


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

"""The runbook and the README are true: pages, checks, settings, flags, tables and SQL that they name exist and work."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from jwp_pipeline import errors, runbook
from jwp_pipeline.cli import jwpfetch
from jwp_pipeline.database.connection import open_engine
from jwp_pipeline.database.migrate import migrate
from jwp_pipeline.definitions import build_definitions
from jwp_pipeline.settings import Settings

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / runbook.FOLDER).glob("*.md"))
DOCUMENTS = [ROOT / "README.md", *PAGES]


def exceptions():
    found, open_ones = [], [errors.PipelineError]
    while open_ones:
        found.append(error := open_ones.pop())
        open_ones += error.__subclasses__()
    return found


def checks():
    definitions = build_definitions()
    return {key.name for key in definitions.resolve_asset_graph().asset_check_keys}


def test_every_page_that_is_named_exists_and_every_page_is_named():
    named = {error.runbook for error in exceptions()} | set(runbook.PAGE_OF_CHECK.values())
    assert {page.stem for page in PAGES} == named
    index = (ROOT / runbook.FOLDER / "README.md").read_text()
    assert set(re.findall(r"\(([\w-]+)\.md\)", index)) == named - {"README"}
    assert "docs/runbook" in (ROOT / "README.md").read_text()


def test_every_check_has_a_page_and_says_so():
    assert set(runbook.PAGE_OF_CHECK) == checks()
    for error in exceptions():
        assert runbook.path(error.runbook) in runbook.told(
            error("What happened", *([1] * (error is errors.SnapshotQuarantined)))
        )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_settings_and_flags_that_are_named_exist(document, capsys):
    words = document.read_text()
    settings = {name.upper() for name in Settings.model_fields}
    named = set(re.findall(r"\b(?:JWP|JWPLATFORM|LOOKUP|OAUTH2)_[A-Z0-9_]+[A-Z0-9]\b", words))
    assert named <= settings
    with pytest.raises(SystemExit):
        jwpfetch(["--help"])
    helped = capsys.readouterr().out
    for call in re.findall(r"jwpfetch((?: \[?--?[\w-]+[^`\n]*)+)", words):
        for flag in re.findall(r"--[\w-]+", call):
            assert flag in helped, flag


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_every_statement_runs(document, database_url):
    statements = re.findall(r"```sql\n(.*?)```", document.read_text(), flags=re.DOTALL)
    if not statements:
        return
    engine = open_engine(database_url, "jwp")
    migrate(engine, "jwp")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement.strip().rstrip(";")))
    engine.dispose()


def test_tables_and_checks_named_in_backticks_exist(database_url):
    engine = open_engine(database_url, "jwp")
    migrate(engine, "jwp")
    with engine.connect() as connection:
        inspector = inspect(connection)
        relations = {*inspector.get_table_names(), *inspector.get_view_names()}
        columns = {column["name"] for relation in relations for column in inspector.get_columns(relation)}
    engine.dispose()
    definitions = build_definitions()
    assets = {key.path[-1] for key in definitions.resolve_asset_graph().get_all_asset_keys()}
    jobs = {job.name for job in definitions.resolve_all_job_defs()}
    automation = {each.name for each in [*definitions.schedules, *definitions.sensors]}
    known = relations | columns | assets | jobs | automation | checks() | {"sms_acl", "jwp_pipeline"}
    for document in DOCUMENTS:
        for word in re.findall(r"`([a-z]+(?:_[a-z]+)+)`", document.read_text()):
            assert word in known, f"{document.name} names `{word}`"


def test_the_readme_s_snippet_runs(database_url, tmp_path):
    snippet = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL).group(1)
    environment = {"JWP_DATABASE_URL": database_url, "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", snippet], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    words = (ROOT / "README.md").read_text()
    assert "make run" in words
    assert "make test" in words

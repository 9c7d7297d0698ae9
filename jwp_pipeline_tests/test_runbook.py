"""The documents are true: pages, checks, settings, flags, tables, messages and SQL in them exist and work."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import dagster as dg
import psycopg
import pytest
import yaml
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin
from dagster._core.workspace.load import location_origins_from_config
from sqlalchemy import inspect

from jwp_pipeline import errors, runbook
from jwp_pipeline.commands.cli import jwpfetch
from jwp_pipeline.database.embedded import ensure_running, release
from jwp_pipeline.database.embedded.binaries import find_binaries
from jwp_pipeline.definitions import build_definitions
from jwp_pipeline.environment import NOT_SETTINGS
from jwp_pipeline.settings import Settings

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / runbook.FOLDER).glob("*.md"))
INDEX = ROOT / runbook.FOLDER / "README.md"
SITES = ROOT / "docs" / "several-sites.md"
DOCUMENTS = [ROOT / "README.md", SITES, *PAGES]
NAMING_SETTINGS = [*DOCUMENTS, ROOT / "docs" / "semantics.md", ROOT / "CHANGELOG.md"]


def blocks(document, language):
    """Return the code blocks of a document in one language."""
    return re.findall(rf"```{language}\n(.*?)```", document.read_text(), flags=re.DOTALL)


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
    assert set(re.findall(r"\(([\w-]+)\.md\)", INDEX.read_text())) == named - {"README"}
    assert "docs/runbook" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize(
    "document", [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")], ids=lambda path: str(path.relative_to(ROOT))
)
def test_every_link_leads_somewhere(document):
    for target, anchor in re.findall(r"\]\(([\w/.-]*)(?:#([\w-]+))?\)", document.read_text()):
        linked = document.parent / target if target else document
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(), flags=re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_every_check_and_error_names_its_page():
    assert set(runbook.PAGE_OF_CHECK) == checks()
    for error in exceptions():
        assert runbook.path(error.runbook) in runbook.error_text(
            error("What happened", *([1] * issubclass(error, errors.GuardTripped)))
        )


@pytest.mark.parametrize("document", NAMING_SETTINGS, ids=lambda path: path.stem)
def test_settings_and_flags_that_are_named_exist(document, capsys):
    words = document.read_text()
    settings = {name.upper() for name in Settings.model_fields}
    named = set(re.findall(r"\b(?:JWP|JWPLATFORM|LOOKUP|OAUTH2)_[A-Z0-9_]+[A-Z0-9]\b", words))
    assert named <= settings | set(NOT_SETTINGS)
    with pytest.raises(SystemExit):
        jwpfetch(["--help"])
    helped = capsys.readouterr().out
    for call in re.findall(r"jwpfetch((?: \[?--?[\w-]+[^`\n]*)+)", words):
        for flag in re.findall(r"--[\w-]+", call):
            assert flag in helped, flag


def test_every_sql_statement_runs_as_a_user_types_it(tables_url):
    """The session is like that of psql, so the search path has to be set first, as the index says."""
    (search_path,) = blocks(INDEX, "sql")
    for document in DOCUMENTS:
        for statement in blocks(document, "sql"):
            with psycopg.connect(tables_url) as session:
                session.execute(search_path)
                session.execute(statement)
            assert document == INDEX or "README.md#asking-the-database" in document.read_text(), document.name


def test_the_embedded_database_is_reached_as_the_index_says(tmp_path):
    (command,) = blocks(INDEX, "sh")
    ensure_running(tmp_path / ".jwp", durable=False)
    try:
        asked = subprocess.run(
            ["sh", "-c", f"{command.strip()} -XAtc 'SELECT current_database()'"],
            cwd=tmp_path,
            env={"PATH": f"{find_binaries().folder}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        release(tmp_path / ".jwp")
    assert asked.stdout == "jwp\n", asked.stderr


def strings(source):
    """Yield every string in a module, with an ellipsis in place of each value in an f-string."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.fixture(scope="module")
def said():
    """Every string of the package, without backticks."""
    paths = (ROOT / "jwp_pipeline").rglob("*.py")
    return [text.replace("`", "") for path in paths for text in strings(path.read_text())]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_every_message_that_is_quoted_is_one_of_ours(page, said):
    words = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL).replace("`", "")
    for quoted in re.findall(r'"(.*?)"', " ".join(words.split())):
        message = ".*".join(re.escape(piece) for piece in quoted.split("…"))
        assert any(re.search(message, text, flags=re.DOTALL) for text in said), quoted


def test_dagster_can_load_the_workspace_of_several_sites():
    (workspace,) = blocks(SITES, "yaml")[:1]
    origins = location_origins_from_config(yaml.safe_load(workspace), str(ROOT))
    assert len(origins) == 2
    assert all(isinstance(origin, GrpcServerCodeLocationOrigin) for origin in origins.values())
    words = SITES.read_text()
    assert all(f"-p {origin.port}" in words for origin in origins.values())


def test_tables_and_checks_named_in_backticks_exist(engine):
    with engine.connect() as connection:
        inspector = inspect(connection)
        relations = {*inspector.get_table_names(), *inspector.get_view_names()}
        columns = {column["name"] for relation in relations for column in inspector.get_columns(relation)}
    definitions = build_definitions()
    assets = {key.path[-1] for key in definitions.resolve_asset_graph().get_all_asset_keys()}
    jobs = {job.name for job in definitions.resolve_all_job_defs()}
    automation = {each.name for each in [*definitions.schedules, *definitions.sensors]}
    known = relations | columns | assets | jobs | automation | checks() | {"sms_acl", "jwp_pipeline"}
    for document in DOCUMENTS:
        for word in re.findall(r"`([a-z]+(?:_[a-z]+)+)`", document.read_text()):
            assert word in known, f"{document.name} names `{word}`"


def test_sites_run_side_by_side_with_the_limits_that_the_page_names(tmp_path):
    limits = yaml.safe_load(blocks(SITES, "yaml")[1])
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=limits) as instance:
        understood = instance.get_concurrency_config()
    (of_site,) = understood.run_queue_config.tag_concurrency_limits
    assert (of_site["key"], of_site["limit"]) == ("dagster/code_location", 1)
    assert understood.pool_config.default_pool_limit > 1


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

"""squawk reads the SQL of every migration, and docs/upgrade.md says of each finding how long it takes."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import event

from jwp_pipeline.database.connection import open_engine
from jwp_pipeline_tests.database.old_versions import REVISIONS, migrate_to
from jwp_pipeline_tests.support import PROJECT, SCHEMA

# These rules are about taste, or about old programs that go on during a rolling upgrade. Ours stop, as docs/upgrade.md
# says. What is left is about locks.
NOT_ABOUT_LOCKS = (
    "prefer-text-field", "prefer-bigint-over-int", "prefer-bigint-over-smallint", "prefer-identity",
    "prefer-robust-stmts", "prefer-timestamptz", "ban-drop-column", "ban-drop-table", "ban-drop-not-null",
    "renaming-column", "renaming-table", "require-timeout-settings", "require-table-schema", "ban-char-field",
    "ban-drop-view", "ban-drop-constraint", "renaming-object",
)  # fmt: skip


@pytest.fixture(scope="module")
def findings(postgres_url, tmp_path_factory):
    """The rules that squawk finds broken, by revision, in the statements that the migrations really send."""
    from jwp_pipeline_tests.support import fresh_database

    folder = tmp_path_factory.mktemp("migrations")
    with fresh_database(postgres_url) as url:
        engine = open_engine(url, SCHEMA)
        sent = []
        event.listen(engine, "before_cursor_execute", lambda _1, _2, statement, *_rest: sent.append(statement))
        for revision in REVISIONS:
            sent.clear()
            migrate_to(engine, revision)
            changing = [each.strip() for each in sent if not re.match(r"\s*(SELECT|SHOW|WITH|COMMENT)\b", each)]
            (folder / f"{revision}.sql").write_text(";\n".join(changing).replace("%%", "%") + ";\n")
        engine.dispose()
    command = [
        Path(sys.executable).with_name("squawk"), "--reporter", "json", "--assume-in-transaction", "--pg-version", "15",
        *(f"--exclude={rule}" for rule in NOT_ABOUT_LOCKS), *sorted(folder.glob("*.sql")),
    ]  # fmt: skip
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ran.stdout.strip(), ran.stderr
    found = {}
    for each in json.loads(ran.stdout):
        found.setdefault(Path(each["file"]).stem, set()).add(each["rule_name"])
    return found


def explained():
    """The rules that the table of the document names, by revision."""
    table = re.findall(r"^\| `?(\d{4})`? \|.*\| (.*) \|$", (PROJECT / "docs" / "upgrade.md").read_text(), re.MULTILINE)
    return {revision: set(re.findall(r"`([\w-]+)`", rules)) for revision, rules in table}


def test_every_statement_that_locks_a_table_for_long_is_explained(findings):
    assert findings == explained()

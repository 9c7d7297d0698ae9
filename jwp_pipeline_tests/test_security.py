"""What docs/security.md promises, as far as no other test holds it: TLS, loopback, and what the code never does."""

import ast
import re
import subprocess
import sys

from jwp_pipeline_tests.support import PROJECT

DOCUMENT = PROJECT / "docs" / "security.md"
PACKAGE = PROJECT / "jwp_pipeline"
# Unpickling, evaluating, shells, unverified TLS, all interfaces, XML and archives from outside.
NEVER = (
    "S102", "S104", "S202", "S301", "S302", "S306", "S307", "S312", "S313", "S314", "S317", "S318", "S319", "S323",
    "S501", "S502", "S503", "S504", "S506", "S602", "S604", "S605", "S609", "S610", "S611", "S612", "S701", "TID251",
)  # fmt: skip


def test_every_test_that_the_threat_model_names_exists():
    """A row without a test is a hope, and not a defence."""
    rows = re.findall(r"^\| (?!-|threat)(.*) \|$", DOCUMENT.read_text(), flags=re.MULTILINE)
    assert len(rows) > 20
    for row in rows:
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", row)
        assert named, row
        for file, test in named:
            tree = ast.parse((PROJECT / "jwp_pipeline_tests" / file).read_text())
            assert test in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, (
                f"{file}::{test}"
            )


def test_nothing_is_unpickled_evaluated_sent_unverified_or_served_to_everybody():
    """Not even where a comment silences ruff."""
    options = ["--ignore-noqa", "--no-cache", f"--select={','.join(NEVER)}"]
    command = [sys.executable, "-m", "ruff", "check", *options, "jwp_pipeline", "examples"]
    ran = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


# What stands in our SQL besides constants: a name of ours, or a number. Values from outside are parameters.
COMPOSED = {
    ("database/leases.py", "locking"): "a clause, from this module",
    ("database/leases.py", "milliseconds"): "a number",
    ("database/migrate.py", "schema"): "JWP_DATABASE_SCHEMA, which is lower-case letters, digits and _",
    ("database/roles.py", "statements.replace('%', '%%')"): "names of roles, which are checked and quoted",
    ("database/session.py", "set_all"): "places of parameters",
    ("database/upkeep.py", "table"): "the name of a table, from our modules",
    ("database/upkeep.py", "names"): "the same",
    ("database/upkeep.py", "only"): "the names of columns, from our modules",
    ("history/beginning.py", "_FIRST_DAY.format(snapshots)"): "JWP_DATABASE_SCHEMA, as a quoted identifier",
    ("media/copying.py", "table"): "the name of a table, from our modules",
    ("media/copying.py", "', '.join(columns)"): "the names of columns, from our modules",
    ("media/staging.py", "table"): "the name of a table, from our modules",
    ("media_webapp/findings.py", "table.copy"): "the name of a temporary table, from our modules",
    ("media_webapp/findings.py", "table.key"): "the name of its key, from our modules",
    ("media_webapp/importing.py", "copy"): "the name of a temporary table, from our modules",
    ("media_webapp/source.py", "columns"): "names and types of its columns, from our modules",
    ("media_webapp/source.py", "names"): "names of its columns, from our modules",
    ("media_webapp/source.py", "table.name"): "the name of a table of media-webapp, from our modules",
    ("media_webapp/source.py", "table.copy"): "the name of a temporary table, from our modules",
    ("media_webapp/writing.py", "copies[table]"): "the same",
    ("media_webapp/writing.py", "table"): "the name of a table, from our modules",
    ("mirror/reading.py", "setting"): "a setting of the server, from this module",
    ("mirror/reading.py", "value"): "its value, from this module",
    ("outbox/creations.py", "assignments"): "assignments of parameters, from this module",
    ("outbox/records.py", "', '.join((f'{column} = :{column}' for column in columns))"): "assignments of parameters",
    ("outbox/records.py", "column"): "the name of a column, from our modules",
    ("status/metrics.py", "limit"): "the name of a setting of the server, from this module",
    ("webhooks/receiver.py", "limit"): "a number of ours",
}
RUNS_SQL = {"text", "execute", "exec_driver_sql", "scalar", "scalars", "executemany", "copy"}


def composed(path):
    """Yield what is put into the text of a statement in a module, as source code."""
    tree = ast.parse(path.read_text())
    for call in ast.walk(tree):
        name = getattr(getattr(call, "func", None), "attr", getattr(getattr(call, "func", None), "id", None))
        if not isinstance(call, ast.Call) or name not in RUNS_SQL or not call.args:
            continue
        yield from filter(is_composed, ast.walk(call.args[0]))


def is_composed(node):
    """Whether a part of an expression puts something into a text, in any of Python's ways."""
    return (
        isinstance(node, ast.FormattedValue)
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod | ast.Add))
        or (isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("format", "replace", "join"))
    )


def is_constant(node):
    value = getattr(node, "value", node)
    is_number = isinstance(node, ast.FormattedValue) and node.format_spec and ast.unparse(node.format_spec) == "f'd'"
    return bool(is_number) or (isinstance(value, ast.Name) and value.id.isupper())


def test_values_from_outside_reach_sql_as_parameters_only():
    """Whoever composes a statement of something else has to say here what it is."""
    found = {
        (path.relative_to(PACKAGE).as_posix(), ast.unparse(getattr(node, "value", node)))
        for path in PACKAGE.rglob("*.py")
        if "versions" not in path.parts and "simulator" not in path.parts
        for node in composed(path)
        if not is_constant(node)
    }
    assert found == set(COMPOSED)


def test_a_secret_in_a_file_is_found(tmp_path):
    """`make check` runs the same command with all files of the repository."""
    secret = "ghp_" + "0Aa1Bb2Cc3Dd4Ee5Ff6Gg7Hh8Ii9Jj0Kk1Ll"
    (tmp_path / "settings.py").write_text(f'TOKEN = "{secret}"\n')
    command = [sys.executable, "-m", "detect_secrets.pre_commit_hook", "--no-verify", "settings.py"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert "settings.py:1" in found.stdout
    assert secret not in found.stdout

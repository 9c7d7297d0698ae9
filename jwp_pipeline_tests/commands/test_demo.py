"""The demo's JW Platform: one site for all commands of a home, which remembers everything, and no other is touched."""

import json
import os
import signal

import pytest
import requests

from jwp_pipeline.commands import cli, demo
from jwp_pipeline.commands.demo_files import DemoFiles
from jwp_pipeline.database.embedded.layout import is_free, open_lock
from jwp_pipeline.errors import SettingsError
from jwp_pipeline.settings import Settings, load_settings
from jwp_pipeline_tests.support import python, wait_until

DONE, FAILED, USAGE = 0, 1, 2


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty JWP_HOME, with nothing configured."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JWP_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def is_served(home):
    lock = open_lock(DemoFiles.of(home).server_lock)
    try:
        return not is_free(lock)
    finally:
        os.close(lock)


def ended(home):
    wait_until(lambda: not is_served(home))


def patch(site, key, **metadata):
    secret = site.settings.jwplatform_v2_api_secret.get_secret_value()
    url = f"{site.url}/v2/sites/{site.settings.jwplatform_api_key}/media/{key}/"
    headers = {"Authorization": f"Bearer {secret}"}
    return requests.patch(url, json={"metadata": metadata}, headers=headers, timeout=10)


def test_all_commands_of_a_home_speak_with_one_site_which_remembers_everything(home):
    settings = load_settings()
    with demo.demo_if_unconfigured(settings) as first:
        assert first.is_new
        with demo.demo_if_unconfigured(settings) as second:
            assert (second.url, second.is_new) == (first.url, False)
            key = second.act("evolve")["videos_added"][0]
        # The first goes on when the second has ended.
        assert patch(first, key, title="Edited").status_code == 200
        assert first.state()["generation"] == 1
    ended(home)
    with demo.demo_if_unconfigured(settings) as later:
        assert later.video(key)["metadata"]["title"] == "Edited"
        assert later.state()["generation"] == 1
        secret = "jwplatform_v2_api_secret"
        assert getattr(later.settings, secret) == getattr(first.settings, secret)
        # Links that were given out lead to the same port.
        assert later.url == first.url
    ended(home)
    assert DemoFiles.of(home).log.read_text() == ""
    for path in (DemoFiles.of(home).site, DemoFiles.of(home).served):
        assert path.stat().st_mode & 0o077 == 0


USER = """
import sys
from jwp_pipeline.commands.demo import demo_if_unconfigured
from jwp_pipeline.settings import load_settings
with demo_if_unconfigured(load_settings()) as demo:
    print(demo.url, flush=True)
    sys.stdin.read()
"""


def test_the_site_ends_with_the_last_command_even_if_that_is_killed(home):
    with python(USER, JWP_HOME=str(home)) as one, python(USER, JWP_HOME=str(home)) as other:
        url = one.stdout.readline().strip()
        assert other.stdout.readline().strip() == url
        one.send_signal(signal.SIGKILL)
        one.wait()
        assert requests.get(f"{url}/simulator/state", timeout=10).ok
        other.send_signal(signal.SIGKILL)
        other.wait()
        ended(home)


@pytest.mark.parametrize("spoilt", [b"", b"[]", b"\xff", b"[" * 100_000, b'{"format": 1, "seed": 1}'])
def test_a_damaged_site_begins_anew(home, spoilt):
    files = DemoFiles.of(home)
    files.folder.mkdir(parents=True)
    files.site.write_bytes(spoilt)
    with demo.demo_if_unconfigured(load_settings()) as begun:
        assert begun.state()["generation"] == 0
    ended(home)
    assert json.loads(files.site.read_text())["generation"] == 0


@pytest.mark.parametrize("place", ["file", "file/home"])
def test_an_impossible_home_is_named(tmp_path, home, place):
    (tmp_path / "file").touch()
    settings = load_settings(jwp_home=tmp_path / place)
    with pytest.raises(SettingsError, match=f"JWP_HOME.*{tmp_path}/file"), demo.demo_if_unconfigured(settings):
        pass


@pytest.mark.parametrize("name", ["JWPLATFORM_API_KEY", "JWPLATFORM_API_SECRET", "JWPLATFORM_V2_API_SECRET"])
@pytest.mark.parametrize("action", ["show", "break", "empty", "mend", "evolve"])
def test_with_a_credential_the_demo_does_nothing_and_says_why(home, monkeypatch, capsys, name, action):
    monkeypatch.setenv(name, "of-a-real-site")
    assert cli.main(["demo", action]) == USAGE
    assert "A real JW Platform is configured" in capsys.readouterr().err
    assert not home.exists()


def test_a_demo_that_has_not_begun_is_left_to_make_run(home, capsys):
    assert cli.main(["demo", "evolve"]) == FAILED
    assert "`make run`" in capsys.readouterr().err
    assert not home.exists()


def test_the_demo_is_broken_shown_and_mended(home, capsys):
    with demo.demo_if_unconfigured(load_settings()) as site:
        assert cli.main(["demo", "break"]) == DONE
        assert site.state()["trouble"] == "half"
        assert cli.main(["demo"]) == DONE
        out = capsys.readouterr().out
        assert "half of its videos are gone. The guard will withhold" in out
        assert "1,000 videos" in out
        for action in (["empty"], ["break", "totals"], ["break", "down"]):
            assert cli.main(["demo", *action]) == DONE
            assert site.state()["trouble"] == action[-1]
        assert cli.main(["demo", "mend"]) == DONE
        assert cli.main(["demo", "evolve"]) == DONE
        out = capsys.readouterr().out
        assert "well again, with 2,000 videos" in out
        assert "Day 1 of the library has come. Videos: " in out
        assert cli.main(["demo", "show", "no-such"]) == FAILED
    ended(home)

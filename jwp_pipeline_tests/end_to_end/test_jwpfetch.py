"""jwpfetch and `jwp-pipeline run` as users run them: what they do and print, their exit codes, and what they leave."""

import json
import re
import signal
import sys
from collections import Counter

import pytest
from dotenv import dotenv_values

from jwp_pipeline import env_file
from jwp_pipeline.database.embedded import release
from jwp_pipeline.jwplatform import patience
from jwp_pipeline.simulator import Fault, Simulator, demo_library
from jwp_pipeline_tests.database.embedded_processes import server_processes
from jwp_pipeline_tests.support import DEAD_PROXY, cache, live, rows, video, wait_until

DONE, FAILED, USAGE, REFUSED = 0, 1, 2, 3


def asked(simulator):
    """Return the paths that JW Platform was asked for since the last call, except those that try whether items play."""
    paths = [request.path for request in simulator.requests if request.api != "delivery"]
    simulator.forget_requests()
    return paths


def manual_channels(library):
    return {record.key for record in library.records("channel") if record.source["type"] == "manual"}


def test_all_options_from_the_first_sync_to_a_release(site, engine):
    library = site.simulator.library
    # Run it as a user does, with everything in .env and nothing in the shell's environment.
    write_env_file(site, site.folder / ".env")
    ran = site.run("jwpfetch")
    assert (ran.code, ran.error) == (DONE, "")
    assert re.search(r"videos +40 +40 +0", ran.out), ran.out
    assert "Sync done" in ran.out
    assert live(engine) == set(library.keys("video"))
    assert live(engine, "channel") == manual_channels(library)
    assert site.statuses() == ["SUCCESS"]
    assert (site.folder / "home" / "dagster_home" / "dagster.yaml").exists()
    (site.folder / ".env").unlink()

    # A type that is skipped stays as it is. Titles are printed as they are.
    first, second, *rest = library.keys("video")
    [channel, *_] = manual_channels(library)
    library.edit("video", first, title="[/b] :smile: [red]edited")
    library.edit("channel", channel, title="Edited channel")
    asked(site.simulator)
    ran = site.jwpfetch("--skip-video-fetch")
    assert ran.code == DONE
    assert asked(site.simulator) == ["/v1/channels/list"]
    assert ran.out.endswith("The channels are in step with JW Platform, which was not asked for its videos.\n")
    assert cache(engine, "channel")[channel].data["title"] == "Edited channel"
    assert cache(engine)[first].data["title"] != "[/b] :smile: [red]edited"

    # A dry run reads the listings and prints the plan, and changes nothing.
    library.remove("video", second)
    before = cache(engine), rows(engine, "SELECT count(*) FROM resource_changes")
    ran = site.jwpfetch("--dry-run")
    assert ran.code == DONE
    assert ran.out.endswith(
        "Nothing was changed. Without --dry-run, the plan is carried out, and the record follows.\n"
    )
    assert re.search(rf"^  - deleted +{second}", ran.out, flags=re.MULTILINE)
    assert re.search(r'^      title: ".*" → "\[/b\] :smile: \[red\]edited"$', ran.out, flags=re.MULTILINE)
    assert "Plan: 1 changed, 1 deleted; 38 unchanged." in ran.out
    assert (cache(engine), rows(engine, "SELECT count(*) FROM resource_changes")) == before

    # The dry run's listing is not applied either to a type that is skipped.
    asked(site.simulator)
    for both in ("--skip-channel-fetch", "--skip-fetch"):
        assert site.jwpfetch("--skip-video-fetch", both).code == DONE
        assert cache(engine) == before[0]
    assert asked(site.simulator) == []
    assert site.jwpfetch("--skip-video-fetch").code == DONE
    assert cache(engine) == before[0]
    asked(site.simulator)
    ran = site.jwpfetch("--skip-channel-fetch")
    assert ran.code == DONE
    assert live(engine) == {first, *rest}
    assert not any("channel" in path for path in asked(site.simulator))

    # The guard withholds deletions, lets the rest pass and says how to go on. A release then deletes the rows.
    library.remove("video", *rest[:20])
    library.edit("video", first, title="Edited again", updated=2_000_000_000)
    ran = site.jwpfetch()
    assert ran.code == REFUSED
    assert re.search(r"videos +19 +0 +1 +0 +0 +20 +18", ran.out), ran.out
    assert re.search(rf"missing +{min(rest[:20])}", ran.out)
    [snapshot] = set(re.findall(r"jwpfetch --release (\d+)", ran.error))
    assert "misses 20 of 39 live videos" in ran.error
    assert len(live(engine)) == 39
    assert rows(engine, "SELECT FROM media_items WHERE title = 'Edited again'")
    assert site.jwpfetch("--skip-fetch").code == REFUSED
    asked(site.simulator)
    ran = site.jwpfetch("--release", snapshot, "--dry-run")
    assert (ran.code, asked(site.simulator), len(live(engine))) == (DONE, [], 39)
    assert re.search(rf"deleted +{min(rest[:20])}", ran.out)
    assert "are missing from JW Platform's listing" not in ran.out
    ran = site.jwpfetch("--dry-run")
    assert "Without --dry-run, the guard withholds the deletions of videos until you decide; everything" in ran.out
    asked(site.simulator)
    ran = site.jwpfetch("--release", snapshot)
    assert ran.code == DONE
    assert asked(site.simulator) == []
    assert live(engine) == set(library.keys("video"))
    ran = site.jwpfetch("--release", snapshot)
    assert ran.code == USAGE
    assert "has been released already" in ran.error
    site.simulator.forget_requests()
    ran = site.jwpfetch("--skip-fetch")
    assert (ran.code, site.simulator.requests) == (DONE, [])
    assert site.statuses().count("FAILURE") == 2


def test_a_release_applies_to_one_type_and_the_other_still_waits(site, engine):
    library = site.simulator.library
    assert site.jwpfetch().code == DONE
    library.remove("video", *library.keys("video")[:20])
    library.remove("channel", *manual_channels(library))
    ran = site.jwpfetch(JWP_GUARD_MIN_ROWS="1")
    assert ran.code == REFUSED
    stopped = "SELECT id FROM raw_snapshots WHERE withheld_keys IS NOT NULL ORDER BY resource_type DESC"
    videos, channels = [row.id for row in rows(engine, stopped)]
    # The videos are released, and the channels are still refused.
    assert site.jwpfetch("--release", str(videos)).code == DONE
    assert live(engine) == set(library.keys("video"))
    assert live(engine, "channel") != set()
    ran = site.jwpfetch("--status")
    assert f"jwpfetch --release {channels}" in ran.error
    assert site.jwpfetch("--release", str(channels)).code == DONE
    assert live(engine, "channel") == set()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--release", "1", "--skip-fetch"], "leave out --skip-fetch"),
        (["--release", "one"], "not the id of a snapshot"),
        (["--release", "0"], "not the id of a snapshot"),
        (["--release", str(2**63)], "not the id of a snapshot"),
        (["--release", "9" * 5000], "not the id of a snapshot"),
        (["--skip-videos"], "unrecognized arguments"),
        (["--status", "--dry-run"], "leave out --dry-run"),
        (["--push", "--all"], "leave out --all"),
        (["--dry-run", "--sync-all"], "leave out one"),
        (["--quiet", "--json"], "not allowed with argument"),
    ],
)
def test_wrong_usage_is_reported_and_does_nothing(site, arguments, message):
    ran = site.jwpfetch(*arguments)
    assert ran.code == USAGE
    assert message in ran.error
    assert not (site.folder / "home").exists()
    assert asked(site.simulator) == []


def test_a_missing_setting_is_named_before_anything_is_fetched(site):
    ran = site.jwpfetch(JWPLATFORM_EMBED_PLAYER_KEY=None, JWPLATFORM_API_SECRET="")
    assert ran.code == USAGE
    assert "JWPLATFORM_EMBED_PLAYER_KEY is not set" in ran.error
    assert "JWPLATFORM_API_SECRET is not set" in ran.error
    assert "JWP dashboard" in ran.error
    assert asked(site.simulator) == []
    assert site.statuses() == ["FAILURE"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"JWPLATFORM_API_SECRET": "s3cret with blanks"},
        {"JWPLATFORM_API_KEY": "  "},
        {"JWPLATFORM_MANAGEMENT_API_URL": "http://127.0.0.1:notaport"},
    ],
)
def test_a_setting_that_jwp_cannot_be_asked_with_is_named_before_anything_is_fetched(site, engine, wrong):
    ran = site.jwpfetch(**wrong)
    assert ran.code == USAGE
    [name] = wrong
    assert re.search(rf"{name} (holds blanks|is not set|is not of the form)", ran.error), ran.error
    assert asked(site.simulator) == []
    assert site.statuses() == ["FAILURE"]
    assert rows(engine, "SELECT to_regclass('raw_snapshots') AS made")[0].made is None


def test_an_env_file_that_cannot_be_read_is_named(site):
    (site.folder / ".env").write_bytes(b"JWPLATFORM_API_SECRET=caf\xe9\n")
    ran = site.jwpfetch()
    assert ran.code == USAGE
    assert str(site.folder / ".env") in ran.error
    assert "Traceback" not in ran.error


def write_env_file(site, path, **more):
    values = {**site.environment, **more}
    path.write_text("".join(f"{name}={value!r}\n" for name, value in values.items() if value is not None))


def test_a_missing_setting_is_reported_with_the_file_that_was_looked_for(site):
    ran = site.jwpfetch(JWPLATFORM_API_KEY=None)
    assert ran.code == USAGE
    assert f"There is no file {site.folder / '.env'}" in ran.error
    write_env_file(site, site.folder / "settings", JWPLATFORM_API_KEY=None)
    ran = site.jwpfetch("--env-file", "settings", **dict.fromkeys(site.environment))
    assert ran.code == USAGE
    assert f"Settings are read from {site.folder / 'settings'}" in ran.error
    ran = site.jwpfetch("--env-file", "no-such-file")
    assert ran.code == USAGE
    assert f"{site.folder / 'no-such-file'} does not exist" in ran.error


@pytest.mark.skipif(sys.platform != "linux", reason="looks for what is left over in /proc")
def test_a_cron_job_in_another_folder_uses_the_same_embedded_database(site, tmp_path):
    home, cron = site.folder / "data", tmp_path / "cron"
    cron.mkdir()
    write_env_file(site, site.folder / ".env", JWP_DATABASE_URL=None, JWP_HOME="data")
    unset = dict.fromkeys(site.environment)
    ran = site.jwpfetch(**unset)
    assert ran.code == DONE, ran
    assert f"the embedded PostgreSQL in {home / 'postgres'} is new and empty" in ran.out
    site.folder = cron
    ran = site.jwpfetch("--env-file", str(home.parent / ".env"), "--status", **unset)
    assert (ran.code, ran.error) == (DONE, "")
    assert f"the embedded PostgreSQL in {home / 'postgres'} is used" in ran.out
    assert list(cron.iterdir()) == []
    release(home)
    wait_until(lambda: not processes_that_name(home))


def test_a_misspelt_setting_is_reported_on_the_terminal_and_in_dagster(site):
    ran = site.jwpfetch("--skip-channel-fetch", JWP_DEFAULT_ALC="CAM")
    assert ran.code == DONE
    assert ran.error.count("JWP_DEFAULT_ALC in the environment is ignored") == 1
    assert "did you mean JWP_DEFAULT_ACL?" in ran.error
    found = site.in_dagster("SELECT event FROM event_logs WHERE event LIKE '%no_setting_is_ignored%'")
    assert any("did you mean JWP_DEFAULT_ACL?" in row.event for row in found)


def test_one_run_reads_the_env_file_once(site, monkeypatch):
    reads = []

    def counted(path, **how):
        reads.append(path)
        return dotenv_values(path, **how)

    monkeypatch.setattr(env_file, "dotenv_values", counted)
    write_env_file(site, site.folder / ".env")
    assert site.jwpfetch(**dict.fromkeys(site.environment)).code == DONE
    assert reads == [site.folder / ".env"]


def test_an_unreadable_setting_is_named(site):
    ran = site.jwpfetch(JWP_MAX_DELETE_RATIO="a third", JWP_REQUESTS_PER_MINUTE="0")
    assert ran.code == USAGE
    assert "JWP_MAX_DELETE_RATIO" in ran.error
    assert "JWP_REQUESTS_PER_MINUTE" in ran.error
    assert "a third" not in ran.error
    assert "Traceback" not in ran.error


@pytest.mark.parametrize(("api", "setting"), [("v1", "JWPLATFORM_API_SECRET"), ("v2", "JWPLATFORM_V2_API_SECRET")])
def test_a_wrong_secret_is_named_at_once(site, api, setting):
    ran = site.jwpfetch(**site.simulator.environment(api) | {setting: "wrong"})
    assert ran.code == FAILED
    assert setting in ran.error
    # There is one request for each type, because asking again would not help.
    assert len(asked(site.simulator)) <= 2


def test_a_database_that_is_down_is_reported(site):
    ran = site.jwpfetch(JWP_DATABASE_URL="postgresql://somebody:hidden@127.0.0.1:9/nothing")
    assert ran.code == FAILED
    assert "JWP_DATABASE_URL" in ran.error
    assert "hidden" not in ran.error + ran.out
    assert "Traceback" not in ran.error


def test_it_waits_while_jwp_is_down_and_can_be_interrupted(site, engine):
    site.simulator.faults.add(Fault.status(503, "html"))
    hanging = site.simulator.faults.add(Fault.latency(60), nth=2)
    with site.started("jwpfetch", **site.environment) as process:
        told = process.stdout.readline()
        whom = re.escape(site.simulator.url.removeprefix("http://"))
        assert re.match(rf"waiting \d+ s before asking {whom} \(giving up in 10 min\): listing \w+.*HTTP 503", told)
        wait_until(lambda: hanging.hits)
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=120)
    assert process.returncode == FAILED
    assert error == "Interrupted; the next run goes on from what is stored.\n"
    assert "Traceback" not in out + error
    assert site.statuses() == ["FAILURE"]
    assert [row.status for row in rows(engine, "SELECT status FROM raw_snapshots")] == ["failed"]


def test_a_run_without_any_usable_answer_ends_at_its_deadline(site, monkeypatch):
    monkeypatch.setattr(patience, "LAST_CHANCE", 0.1)
    site.simulator.faults.add(Fault.status(503, "html"), times=None)
    ran = site.jwpfetch(JWP_DEADLINE_MINUTES="0.05")
    assert ran.code == FAILED
    whom = site.simulator.url.removeprefix("http://")
    assert re.search(
        rf"before asking {whom} \(giving up in [0-3] s\): listing \w+, page 1: HTTP 503 was answered", ran.out
    )
    assert f"{whom} has sent nothing usable for as long as JWP_DEADLINE_MINUTES allows, which is 0.05" in ran.error
    # When the second type is requested, by another client, the time is used up, so it is tried only once.
    first, second = sorted(Counter(asked(site.simulator)).values())
    assert (first, second > 2) == (1, True)


def processes_that_name(text):
    found = server_processes(text)
    return {pid: command for pid, command in found.items() if command}


@pytest.mark.skipif(sys.platform != "linux", reason="looks for what is left over in /proc")
def test_with_nothing_configured_it_uses_the_simulator_and_the_embedded_database(site):
    home = site.folder / ".jwp"
    for turn in range(2):
        ran = site.run("jwp-pipeline", "run", "--no-history", HOME=str(site.folder), **DEAD_PROXY)
        assert (ran.code, ran.error) == (DONE, "")
        assert f"day {turn} of its library" in ran.out
        assert "Sync done" in ran.out
        wait_until(lambda: not processes_that_name(site.folder))
    table = ran.out[ran.out.index("cached_resources") :]
    [counts] = [line.split()[1:] for line in table.splitlines() if line.startswith("videos ")][:1]
    added, changed, deleted = (int(counts[place]) for place in (1, 2, 4))
    assert min(added, changed, deleted) > 0
    assert json.loads((home / "demo" / "site.json").read_text())["generation"] == 1
    assert sorted(path.name for path in site.folder.iterdir()) == [".jwp"]


def test_a_schema_mirrors_one_site_until_it_adopts_another(site, engine):
    assert site.jwpfetch().code == DONE
    before = cache(engine)
    with Simulator(demo_library(videos=40, channels=3), api_key="anotherS") as other:
        elsewhere = other.environment("v1")
        ran = site.jwpfetch(**elsewhere)
        assert ran.code == USAGE
        assert f"mirrors the site {site.simulator.api_key}" in ran.error
        assert "jwp-pipeline adopt-site" in ran.error
        assert (other.requests, cache(engine)) == ([], before)
        assert site.jwpfetch(JWP_DATABASE_SCHEMA="second", **elsewhere).code == DONE
        assert site.run("jwp-pipeline", "adopt-site", **(site.environment | elsewhere)).code == DONE
        other.library.replace_all([video(f"zzzz{n:04}") for n in range(40)], [])
        ran = site.jwpfetch(**elsewhere)
        assert ran.code == REFUSED
        assert "looks like another library" in ran.error
    assert site.jwpfetch().code == USAGE

"""Definitions load with any settings; assets work alone and twice; and runs report what they did or why they failed."""

import subprocess
import sys

import dagster as dg
import pytest

from jwp_pipeline.database.connection import open_engine
from jwp_pipeline.definitions import build_definitions, defs
from jwp_pipeline.errors import SettingsError
from jwp_pipeline.orchestration.failures import SNAPSHOT_TO_RELEASE
from jwp_pipeline.orchestration.jobs import EVERYTHING, SITE_TAG
from jwp_pipeline.orchestration.runtime import Runtime
from jwp_pipeline.settings import REDACTED
from jwp_pipeline.simulator import Simulator, demo_library
from jwp_pipeline_tests.support import PROJECT, SCHEMA, bare_environment, live, python, rows

MIRROR = ["settings", "raw_videos", "raw_channels", "cached_resources", "resource_changes"]
MIRROR_CHECKS = {
    ("settings", "required_settings"),
    ("raw_videos", "verified"),
    ("raw_channels", "verified"),
    ("cached_resources", "live_rows_equal_listing"),
    ("cached_resources", "nothing_quarantined"),
    ("cached_resources", "no_open_problems"),
}


@pytest.fixture
def simulator():
    with Simulator(demo_library(videos=30, channels=3)) as running:
        yield running


@pytest.fixture
def site(make_site):
    """A site that is read by v1."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield make_site("v1", instance=instance)


def metadata(result, asset):
    [materialization] = [
        event.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(asset)
    ]
    return {name: entry.value for name, entry in materialization.metadata.items()}


def checks(result):
    return {
        (check.asset_key.to_user_string(), check.check_name): check for check in result.get_asset_check_evaluations()
    }


def materialized(result):
    return {event.asset_key.to_user_string() for event in result.get_asset_materialization_events()}


# --- Loading ----------------------------------------------------------------------------------------------


def keys(definitions):
    return {key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys()}


def test_definitions_load_with_any_settings(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    unconfigured = defs()
    dg.Definitions.validate_loadable(unconfigured)
    assert keys(unconfigured) >= set(MIRROR)
    monkeypatch.setenv("JWP_ASSET_PREFIX", "site/one")
    prefixed = defs()
    dg.Definitions.validate_loadable(prefixed)
    assert keys(prefixed) == {f"site/one/{key}" for key in keys(unconfigured)}
    # If settings cannot be read, the assets keep their prefix, so that people find the check that reports it.
    monkeypatch.setenv("JWP_MAX_DELETE_RATIO", "a third")
    unreadable = defs()
    dg.Definitions.validate_loadable(unreadable)
    assert keys(unreadable) == keys(prefixed)
    assert {job.tags[SITE_TAG] for job in unreadable.jobs} == {"site/one"}
    (tmp_path / ".env").write_text("JWP_ASSET_PREFIX=site/two")
    assert keys(defs()) == {f"site/two/{key}" for key in keys(unconfigured)}
    for prefix in (b"JWP_ASSET_PREFIX=caf\xe9", b"JWP_ASSET_PREFIX=a b"):
        (tmp_path / ".env").write_bytes(prefix)
        assert keys(defs()) == keys(unconfigured)


IMPORT = """
import os, sys
import dagster
class Watched(dict):
    def __getitem__(self, name): seen.add(name); return super().__getitem__(name)
    def get(self, name, default=None): seen.add(name); return super().get(name, default)
    def __iter__(self): seen.add("everything"); return super().__iter__()
    def items(self): seen.add("everything"); return super().items()
seen, connected, opened = set(), [], []
def audit(event, arguments):
    if event.startswith("socket.connect"): connected.append(arguments)
    if event == "open" and str(arguments[0]).endswith(".env"): opened.append(arguments)
sys.addaudithook(audit)
os.environ = Watched(os.environ)
import jwp_pipeline.definitions, jwp_pipeline.commands.cli
asked = {name for name in seen if name.startswith(("JWP", "LOOKUP", "OAUTH2"))} | seen & {"everything"}
assert (asked, connected, opened) == (set(), [], []), (asked, connected, opened)
jwp_pipeline.definitions.defs()
assert not connected, connected
print("quiet")
"""


def test_importing_connects_to_nothing_and_reads_no_environment():
    with python(IMPORT) as process:
        out, error = process.communicate(timeout=60)
    assert out == "quiet\n", error


def test_dagsters_own_commands_find_the_code_location():
    command = [sys.executable, "-m", "dagster", "definitions", "validate", "-w", PROJECT / "workspace.yaml"]
    environment = bare_environment(PYTHONPATH=str(PROJECT), PYTHONWARNINGS="ignore")
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "jwp_pipeline" in ended.stderr + ended.stdout


# --- Runs -------------------------------------------------------------------------------------------------


def test_a_sync_reports_everything_that_it_did(site, engine):
    first = site.run("sync")
    assert first.success
    found = checks(first)
    assert found.keys() >= MIRROR_CHECKS
    assert all(found[name].passed for name in MIRROR_CHECKS)
    raw = metadata(first, "raw_videos")
    expected = {"dagster/row_count": 30, "distinct_keys": 30, "expected_total": 30, "pages": 1, "requests": 1}
    assert {name: raw[name] for name in expected} == expected
    assert raw["status"] == "verified"
    cached = metadata(first, "cached_resources")
    assert (cached["seen"], cached["added"], cached["deleted"], cached["dagster/row_count"]) == (33, 33, 0, 33)
    assert (cached["videos_added"], cached["channels_added"]) == (30, 3)
    assert "| added |" in cached["plan"]
    assert metadata(first, "resource_changes")["changes_logged"] == 33
    shown = metadata(first, "settings")["configuration"]
    assert f"| `JWPLATFORM_API_SECRET` | `{REDACTED}` |" in shown
    assert site.simulator.api_secret not in shown

    site.library.remove("video", site.library.keys("video")[0])
    second = site.run("sync")
    cached = metadata(second, "cached_resources")
    assert (cached["added"], cached["deleted"], cached["unchanged"]) == (0, 1, 32)
    recorded = [row.dagster_run_id for row in rows(engine, "SELECT dagster_run_id FROM raw_snapshots ORDER BY id")]
    assert recorded == [first.run_id] * 2 + [second.run_id] * 2


def test_every_asset_can_be_materialised_alone_and_twice(site, database_url):
    """The first of them finds a database without our tables."""
    site.settings["jwp_database_url"] = database_url
    graph = build_definitions().resolve_asset_graph()
    # An asset and its change log belong together: selecting one of them in the UI selects both.
    alone = {
        frozenset(
            key.to_user_string()
            for key in dg.AssetSelection.assets(key).required_multi_asset_neighbors().resolve(graph)
        )
        for key in EVERYTHING.resolve(graph)
    }
    assert frozenset().union(*alone) >= set(MIRROR)
    for when in ("before anything was fetched", "after a sync"):
        for assets in sorted(alone, key=sorted):
            for turn in (1, 2):
                result = site.run("sync", *assets)
                assert result.success, (when, assets, turn)
                assert materialized(result) == assets
        assert site.run("sync").success
    engine = open_engine(database_url, SCHEMA)
    assert len(live(engine)) == 30
    engine.dispose()


@pytest.mark.parametrize("unset", ["jwplatform_embed_player_key", "jwplatform_api_secret"])
def test_a_missing_setting_stops_the_run_before_anything_is_fetched(site, unset):
    site.settings[unset] = None
    result = site.run("sync")
    check = checks(result)["settings", "required_settings"]
    assert (result.success, check.passed, check.blocking) == (False, False, True)
    assert f"{unset.upper()} is not set" in check.description
    assert "JWP dashboard" in check.description
    assert metadata(result, "settings")["missing"] == 1
    assert materialized(result) == {"settings"}
    assert site.simulator.requests == []


@pytest.mark.parametrize(
    ("name", "value"), [("jwplatform_api_secret", "a b"), ("jwplatform_management_api_url", "http://host:port")]
)
def test_a_setting_that_jwp_cannot_be_asked_with_stops_the_run_too(site, name, value):
    site.settings[name] = value
    result = site.run("sync")
    check = checks(result)["settings", "required_settings"]
    assert (result.success, check.passed) == (False, False)
    assert name.upper() in check.description
    assert value not in check.description
    assert materialized(result) == {"settings"}
    assert site.simulator.requests == []


def test_unreadable_settings_stop_the_run_too(site):
    def unreadable():
        raise SettingsError("Some settings cannot be read: JWP_MAX_DELETE_RATIO: Input should be a valid number.")

    result = site.run("sync", definitions=build_definitions(Runtime(settings=unreadable)))
    check = checks(result)["settings", "required_settings"]
    assert (result.success, check.passed) == (False, False)
    assert "JWP_MAX_DELETE_RATIO" in check.description
    assert site.simulator.requests == []


def test_a_snapshot_that_the_guard_refuses_fails_the_run_and_a_check(site, engine):
    site.run("sync")
    library = site.library
    gone = library.keys("video")
    library.remove("video", *gone)
    library.remove("channel", next(key for key in library.keys("channel") if key in live(engine, "channel")))
    refused = site.run("sync")
    assert not refused.success
    check = checks(refused)["cached_resources", "nothing_quarantined"]
    assert not check.passed
    assert "it is empty, while 30 videos are live" in check.description
    [failure] = [event for event in refused.all_events if event.is_step_failure]
    told = failure.step_failure_data.user_failure_data
    assert "jwpfetch --release" in told.description
    assert told.metadata[SNAPSHOT_TO_RELEASE].value == check.metadata["snapshots"].value[0]
    # The videos were refused and the channels were not, and no later asset used the refused ones.
    assert (len(live(engine)), len(live(engine, "channel"))) == (30, 2)
    assert not materialized(refused) - set(MIRROR)

    library.restore("video", *gone)
    good = site.run("sync")
    assert good.success
    assert checks(good)["cached_resources", "nothing_quarantined"].passed


def test_withheld_deletions_fail_the_run_after_everything_else_has_followed(site, engine):
    site.run("sync")
    library = site.library
    gone, changed = library.keys("video")[:15], library.keys("video")[-1]
    library.remove("video", *gone)
    library.edit("video", changed, title="Changed", updated=2_000_000_000)
    withheld = site.run("sync")
    assert not withheld.success
    assert {"cached_resources", "media_items", "playlists"} <= materialized(withheld)
    assert rows(engine, "SELECT FROM media_items WHERE title = 'Changed'")
    check = checks(withheld)["cached_resources", "nothing_withheld"]
    assert not check.passed
    assert "misses 15 of 30 live videos" in check.description
    [failure] = [event for event in withheld.all_events if event.is_step_failure]
    assert failure.step_key == "nothing_withheld"
    told = failure.step_failure_data.user_failure_data
    assert told.metadata[SNAPSHOT_TO_RELEASE].value == check.metadata["snapshots"].value[0]
    assert not [event for event in withheld.all_events if event.is_step_up_for_retry]
    library.restore("video", *gone)
    good = site.run("sync")
    assert good.success
    assert checks(good)["cached_resources", "nothing_withheld"].passed


def test_a_release_in_the_launchpad_applies_that_snapshot_and_no_other_type(site, engine):
    site.run("sync")
    site.library.remove("video", *site.library.keys("video")[:15])
    [failure] = [event for event in site.run("sync").all_events if event.is_step_failure]
    refused = failure.step_failure_data.user_failure_data.metadata[SNAPSHOT_TO_RELEASE].value
    site.library.remove("channel", *live(engine, "channel"))
    site.run("sync", "raw_channels")

    released = site.run(
        "sync", "cached_resources", "resource_changes", cached_resources={"config": {"release": refused}}
    )

    assert released.success
    assert (len(live(engine)), len(live(engine, "channel"))) == (15, 3)
    [row] = rows(engine, "SELECT released_by, applied_at FROM raw_snapshots WHERE released_at IS NOT NULL")
    assert None not in row


def test_a_dry_run_observes_and_changes_nothing(site, engine):
    site.run("sync")
    site.library.remove("video", site.library.keys("video")[0])
    dry = site.run("sync", *MIRROR, cached_resources={"config": {"dry_run": True}})
    assert dry.success
    assert not materialized(dry) & {"cached_resources", "resource_changes"}
    [observed] = dry.asset_observations_for_node("cached_resources")
    assert observed.metadata["deleted"].value == 1
    assert "| deleted |" in observed.metadata["plan"].value
    assert len(live(engine)) == 30

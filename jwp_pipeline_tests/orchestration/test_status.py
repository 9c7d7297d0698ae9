"""`jwpfetch --status`, its exit code and check `in_step` agree on whether all is in step, and why not."""

import re
from datetime import timedelta

import dagster as dg
import pytest

from jwp_pipeline.commands import cli
from jwp_pipeline.database.connection import open_engine
from jwp_pipeline.database.status import read_status
from jwp_pipeline.environment import environment_of
from jwp_pipeline.simulator import Fault
from jwp_pipeline_tests.orchestration.conftest import FETCH
from jwp_pipeline_tests.support import channel, rows, video

IN_STEP, NOT_IN_STEP, UNUSABLE = 0, 1, 2


@pytest.fixture
def small(site):
    """A site with twelve videos and one playlist, from which nothing has been read."""
    for number in range(12):
        site.library.put("video", video(f"aaaa{number:04}"))
    site.library.put("channel", channel("cccc0001"), modified=1_000_000_000)
    return site


@pytest.fixture
def status(small, capsys):
    """A function that runs `jwpfetch --status` and returns (exit code, everything that it printed)."""

    def run(**changed):
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment_of(small.effective()).items():
                patch.setenv(name, value)
            for name, value in changed.items():
                patch.setenv(name, value)
            capsys.readouterr()
            code = cli.jwpfetch(["--status"])
        return code, "".join(capsys.readouterr())

    return run


def in_step_check(site):
    """Run job `media_sync`, which lists nothing, and return the evaluation of check `in_step`."""
    result = site.run("media_sync")
    assert result.success, "a warning stops nothing"
    (found,) = [check for check in result.get_asset_check_evaluations() if check.check_name == "in_step"]
    assert found.severity == dg.AssetCheckSeverity.WARN
    return found


def assert_not_in_step(site, status, *words):
    code, printed = status()
    assert code == NOT_IN_STEP
    check = in_step_check(site)
    assert not check.passed
    for word in words:
        assert word in printed
        assert word in check.description


def assert_in_step(site, status):
    code, printed = status()
    assert (code, "Not in step" in printed) == (IN_STEP, False)
    check = in_step_check(site)
    assert check.passed
    assert check.description.startswith("In step as of 20")
    return printed


def test_a_site_is_never_listed_then_in_step_then_stale(small, status):
    assert_not_in_step(
        small, status, "videos have never been listed", "channels have never been listed", "run jwpfetch"
    )
    assert small.run("sync").success
    printed = assert_in_step(small, status)
    (videos,) = [line for line in printed.splitlines() if line.startswith("videos")]
    assert videos.split()[-6:] == ["12", "12", "12", "0", "0", "0"], (
        "listed, live, followed, unconfirmed, behind, problems"
    )
    small.execute("UPDATE raw_snapshots SET started_at = now() - interval '30 hours' WHERE resource_type = 'channel'")
    assert_not_in_step(small, status, "listing of channels is 30 hours old: run jwpfetch")
    assert "listing of videos" not in status()[1]
    small.settings["jwp_max_listing_age_hours"] = 31
    assert_in_step(small, status)


def test_reading_changes_does_not_make_the_last_listing_newer(small, status):
    assert small.run("sync").success
    small.execute("UPDATE raw_snapshots SET started_at = now() - interval '25 hours'")
    small.library.edit("video", "aaaa0001", title="New", updated=1_100_000_000)
    assert small.run("frequent_sync").success
    assert_in_step(small, status)
    with small.engine.connect() as connection:
        videos, _ = read_status(connection)
    assert videos.changes_seen_until - videos.in_step_as_of > timedelta(hours=24)


def test_a_failed_read_is_reported_with_what_to_do(small, status):
    assert small.run("sync").success
    secret = small.settings["jwplatform_v2_api_secret"]
    for job in ("sync", "frequent_sync"):
        small.settings["jwplatform_v2_api_secret"] = "not-the-secret"
        assert not small.run(job).success
        small.settings["jwplatform_v2_api_secret"] = secret
        assert_not_in_step(small, status, "the newest read of videos failed", "Check JWPLATFORM_V2_API_SECRET")
        assert "not-the-secret" not in status()[1]
        assert small.run("frequent_sync").success
        assert_in_step(small, status)


def test_a_refused_snapshot_is_reported_with_how_to_release_it(small, status):
    assert small.run("sync").success
    small.library.remove("video", *small.library.keys("video"))
    assert not small.run("sync").success
    (snapshot,) = refused(small)
    words = (f"snapshot {snapshot} of videos is quarantined", f"jwpfetch --release {snapshot}", "12 videos are live")
    assert_not_in_step(small, status, *words)
    # Reading changes does not get around the guard: the totals differ, so it reads everything.
    assert not small.run("frequent_sync").success
    (again,) = refused(small)
    assert again > snapshot
    assert_not_in_step(small, status, f"jwpfetch --release {again}")
    small.library.restore("video", *small.library.removed_keys("video"))
    assert small.run("frequent_sync").success
    assert_in_step(small, status)


def test_withheld_deletions_are_reported_with_how_to_release_them(small, status):
    assert small.run("sync").success
    small.library.remove("video", *small.library.keys("video")[:8])
    small.library.edit("video", small.library.keys("video")[-1], title="New", updated=1_100_000_000)
    assert not small.run("sync").success
    with small.engine.connect() as connection:
        (snapshot,) = filter(None, (row.withheld_snapshot for row in read_status(connection)))
    words = ("misses 8 of 12 live videos", f"jwpfetch --release {snapshot} --dry-run", "everything else was applied")
    assert_not_in_step(small, status, *words)
    # A frequent sync applies changes, deletes nothing, and reports the withheld deletions again.
    assert not small.run("frequent_sync").success
    assert_not_in_step(small, status, *words)
    assert rows(small.engine, "SELECT FROM media_items WHERE title = 'New' AND deleted_at IS NULL")
    small.library.restore("video", *small.library.removed_keys("video"))
    assert small.run("frequent_sync").success
    assert_in_step(small, status)


def test_unconfirmed_deletions_are_counted_and_the_site_stays_in_step(small, status):
    assert small.run("sync").success
    small.library.hide("video", "aaaa0001")
    result = small.run("sync")
    assert result.success
    (check,) = [e for e in result.get_asset_check_evaluations() if e.check_name == "deletions_confirmed"]
    assert (check.passed, check.metadata["videos_unconfirmed"].value) == (False, 1)
    assert_in_step(small, status)
    assert re.search(r"videos .* 12 +12 +1 +0", status()[1]), status()[1]


def refused(site):
    with site.engine.connect() as connection:
        return [row.quarantined_snapshot for row in read_status(connection) if row.quarantined_snapshot]


def test_a_media_side_that_lags_is_reported(small, status):
    assert small.run("sync").success
    small.library.edit("video", "aaaa0001", title="New", updated=1_100_000_000)
    small.library.remove("video", "aaaa0002")
    small.library.put("channel", channel("cccc0001", title="New"), modified=1_100_000_000)
    small.library.put("channel", channel("cccc0002"), modified=1_100_000_000)
    assert small.run("sync", *FETCH).success
    code, printed = status()
    assert code == NOT_IN_STEP
    assert "2 videos wait for the media side: run jwpfetch --skip-fetch, or job `media_sync`" in printed
    assert "2 channels wait for the media side" in printed
    assert in_step_check(small).passed, "its run is the one that was asked for"
    assert_in_step(small, status)


def evaluations(tick):
    return [event for event in tick.asset_events if isinstance(event, dg.AssetCheckEvaluation)]


def test_the_sensor_evaluates_the_check_if_no_run_has_done_so(small):
    """If a run fails before the media side, Dagster only knows that the check was planned."""
    assert small.run("sync").success
    tick = small.sensor("in_step_or_not")
    assert [event.passed for event in evaluations(tick)] == [True]
    again = small.sensor("in_step_or_not", cursor=tick.cursor)
    assert not again.asset_events
    assert again.skip_message.startswith("Nothing new: In step as of 20")

    small.library.remove("video", *small.library.keys("video")[:8])
    for _ in range(2):
        assert not small.run("sync").success
        tick = small.sensor("in_step_or_not", cursor=tick.cursor)
        (event,) = evaluations(tick)
        assert (event.asset_key, event.check_name, event.passed) == (dg.AssetKey("media_items"), "in_step", False)
        assert "jwpfetch --release" in event.description
        assert not small.sensor("in_step_or_not", cursor=tick.cursor).asset_events

    small.library.restore("video", *small.library.removed_keys("video"))
    assert small.run("sync").success
    small.execute("UPDATE raw_snapshots SET started_at = now() - interval '30 hours'")
    (event,) = evaluations(small.sensor("in_step_or_not", cursor=tick.cursor))
    assert "30 hours old" in event.description


def test_an_incomplete_listing_is_reported(small, status):
    assert small.run("sync").success
    small.simulator.faults.add(Fault.short_page(), resource="video", route="list", times=None)
    assert small.run("sync").success
    assert_not_in_step(small, status, "the newest listing of videos is incomplete", "11 resources were listed of 12")
    small.simulator.faults.clear()
    assert small.run("sync").success
    assert_in_step(small, status)


def test_a_status_that_cannot_be_read_is_a_failure(small, status):
    assert status(JWP_DATABASE_URL="postgresql://nobody:s3cret@127.0.0.1:9/none")[0] == NOT_IN_STEP
    code, printed = status(JWP_MAX_DELETE_RATIO="a third")
    assert (code, "JWP_MAX_DELETE_RATIO" in printed) == (UNUSABLE, True)


def test_each_schema_has_its_own_status(small, status):
    """Two sites share a database. Asking for the status of the second one creates its schema."""
    assert small.run("sync").success
    assert status(JWP_DATABASE_SCHEMA="second")[0] == NOT_IN_STEP
    engine = open_engine(small.settings["jwp_database_url"], "second")
    with engine.begin() as connection:
        assert [row.live for row in read_status(connection)] == [0, 0]
        connection.exec_driver_sql("DROP SCHEMA second CASCADE")
    engine.dispose()
    assert status()[0] == IN_STEP

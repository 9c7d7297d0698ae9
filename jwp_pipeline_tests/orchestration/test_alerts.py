"""Alerts reach the webhook once and say what went wrong, and nothing ever shows the webhook's address."""

import logging
from contextlib import contextmanager

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, EngineEventData
from dagster._core.test_utils import create_run_for_test
from dagster_shared.error import SerializableErrorInfo

from jwp_pipeline.orchestration.automation import alerts
from jwp_pipeline.orchestration.jobs import COMMAND_TAG, SITE_TAG
from jwp_pipeline_tests.support import channel, video
from jwp_pipeline_tests.support.http import Script, answer, serve

SECRET_PATH = "/services/T000/B000/s3cretOfTheHook"


@contextmanager
def webhook(status=200):
    """Yield the URL of a webhook on loopback, and a list of what was posted to it."""
    with serve(Script([answer(status)])) as script:
        yield script.url + SECRET_PATH, script.posted


class Watch:
    """Evaluates a sensor again and again with the cursor that it left, as the daemon does."""

    def __init__(self, site, name):
        self.site = site
        self.name = name
        self.cursor = None

    def tick(self):
        tick = self.site.sensor(self.name, cursor=self.cursor)
        # Dagster keeps the last cursor when a tick leaves none.
        self.cursor = tick.cursor or self.cursor
        # If a run failure sensor raises an error, Dagster puts it here.
        assert not [reaction.error for reaction in tick.dagster_run_reactions if reaction.error]
        return tick


@pytest.fixture
def failed_runs(site):
    """The sensor for failed runs after its first tick. It ignores runs that failed before that."""
    watch = Watch(site, "alert_on_failed_run")
    watch.tick()
    return watch


def fail(site):
    """Run a sync that fails because JW Platform refuses its secret, and return the result."""
    site.settings["jwplatform_v2_api_secret"] = "not-the-secret"
    result = site.run("sync")
    assert not result.success
    return result


def test_there_is_one_alert_for_a_failed_run_with_its_reason(site, failed_runs):
    with webhook() as (url, posted):
        site.settings["jwp_alert_webhook_url"] = url
        assert site.run("media_sync").success
        result = fail(site)
        for _ in range(3):
            failed_runs.tick()
    ((path, body),) = posted
    assert path == SECRET_PATH
    assert body["run_id"] == result.run_id
    assert body["text"].startswith(f"Run {result.run_id[:8]} of sync failed: ")
    assert "Check JWPLATFORM_V2_API_SECRET" in body["text"]
    assert "not-the-secret" not in body["text"]


def test_there_is_one_alert_for_an_outage_and_another_every_six_hours(site, failed_runs, monkeypatch):
    secret = site.settings["jwplatform_v2_api_secret"]

    def fails(job="frequent_sync", **settings):
        site.settings |= settings
        assert not site.run(job).success
        failed_runs.tick()
        return len(posted)

    with webhook() as (url, posted):
        site.settings["jwp_alert_webhook_url"] = url
        assert fails(jwplatform_v2_api_secret="not-the-secret") == 1
        assert fails() == 1
        assert fails("full_resync") == 1
        # A different reason causes an alert, and so does the first one when it returns.
        assert fails(jwplatform_embed_player_key=None) == 2
        assert fails(jwplatform_embed_player_key="x") == 3
        monkeypatch.setattr(alerts, "_REMINDED_EVERY", 1e-3)
        assert fails() == 4
        monkeypatch.undo()
        # After a successful run, the same reason causes an alert again.
        site.settings["jwplatform_v2_api_secret"] = secret
        assert site.run("frequent_sync").success
        assert fails(jwplatform_v2_api_secret="not-the-secret") == 5


def test_the_alert_for_a_missing_setting_names_it(site, failed_runs):
    """Only a check has failed then, and Dagster's own message does not name it."""
    with webhook() as (url, posted):
        site.settings |= {"jwp_alert_webhook_url": url, "jwplatform_embed_player_key": None}
        assert not site.run("sync").success
        failed_runs.tick()
    ((_, body),) = posted
    assert "JWPLATFORM_EMBED_PLAYER_KEY is not set" in body["text"]


def engine_event(error):
    """What Dagster's daemon writes when it cannot reach the process that serves the code."""
    return EngineEventData.engine_error(SerializableErrorInfo(error, stack=[], cls_name="DagsterUserCodeUnreachable"))


def test_the_alert_for_a_run_that_could_not_be_started_has_dagsters_reason_and_a_page(site, failed_runs):
    run = create_run_for_test(site.instance, job_name="sync", tags={SITE_TAG: "only"})
    secret = site.settings["jwplatform_v2_api_secret"]
    with webhook() as (url, posted):
        site.settings["jwp_alert_webhook_url"] = url
        told = engine_event(f"Could not reach user code server. UNAVAILABLE {secret}")
        site.instance.report_engine_event("Run dequeue failed to reach the user code server", run, told)
        site.instance.report_run_failed(run)
        failed_runs.tick()
    ((_, body),) = posted
    assert "could not start this run" in body["text"]
    assert "Could not reach user code server. UNAVAILABLE" in body["text"]
    assert secret not in body["text"]
    assert "(docs/runbook/run-broken-off.md)" in body["text"]


def test_the_alert_for_a_run_that_was_ended_from_outside_says_so(site, failed_runs):
    run = create_run_for_test(site.instance, job_name="sync", tags={SITE_TAG: "only"})
    with webhook() as (url, posted):
        site.settings["jwp_alert_webhook_url"] = url
        site.instance.report_dagster_event(DagsterEvent("PIPELINE_START", "sync"), run.run_id)
        site.instance.report_run_failed(run, "Exceeded maximum runtime of 21600 seconds.")
        failed_runs.tick()
    ((_, body),) = posted
    assert "ended this run before its work was done: Exceeded maximum runtime of 21600 seconds." in body["text"]


def test_a_run_of_a_command_causes_no_alert(site, failed_runs):
    """The command itself has told whoever typed it, although its run belongs to the code location."""
    with webhook() as (url, posted):
        site.settings["jwp_alert_webhook_url"] = url
        run = create_run_for_test(site.instance, job_name="sync", tags={SITE_TAG: "only", COMMAND_TAG: "process 1"})
        site.instance.report_run_failed(run)
        failed_runs.tick()
    assert posted == []


def refuse(site, kind, number, *, left=0):
    """Run a sync that the guard fails, because of twelve new resources only `left` remain."""
    make = {"video": video, "channel": channel}[kind]
    keys = [f"{kind[0]}{number}aa{index:04}" for index in range(12)]
    for key in keys:
        site.library.put(kind, make(key))
    assert site.run("sync").success
    site.library.remove(kind, *site.library.keys(kind)[left:])
    assert not site.run("sync").success


def test_there_is_one_alert_for_a_refusal_even_if_every_listing_is_refused_again(site, failed_runs, monkeypatch):
    watch = Watch(site, "alert_on_guard")
    with webhook() as (url, posted):
        site.settings["jwp_alert_webhook_url"] = url
        refuse(site, "video", 0)
        for _ in range(2):
            watch.tick()
            failed_runs.tick()
            assert not site.run("frequent_sync").success
        assert len(posted) == 1
        # While the next listing is being read it is not refused yet, but that does not end the refusal.
        site.execute("UPDATE raw_snapshots SET status = 'verified' WHERE status = 'quarantined'")
        watch.tick()
        assert not site.run("frequent_sync").success
        watch.tick()
        assert len(posted) == 1
        site.library.restore("video", *site.library.removed_keys("video"))
        assert site.run("frequent_sync").success
        watch.tick()
        refuse(site, "video", 1)
        watch.tick()
        assert len(posted) == 2
        monkeypatch.setattr(alerts, "_GUARD_TOLD_EVERY", 0.0)
        watch.tick()
    assert len(posted) == 3


def test_there_is_one_alert_for_each_set_of_withheld_deletions(site, failed_runs, monkeypatch):
    watch = Watch(site, "alert_on_guard")
    with webhook() as (url, posted):
        site.settings["jwp_alert_webhook_url"] = url
        refuse(site, "video", 0, left=4)
        for _ in range(2):
            watch.tick()
            failed_runs.tick()
            assert not site.run("sync").success
            assert not site.run("frequent_sync").success
        ((_, body),) = posted
        assert "misses 8 of 12 live videos" in body["text"]
        assert f"jwpfetch --release {body['snapshot_id']}" in body["text"]
        # If another video is gone, too, it is another set.
        site.library.remove("video", site.library.keys("video")[0])
        assert not site.run("sync").success
        watch.tick()
        assert len(posted) == 2
        monkeypatch.setattr(alerts, "_GUARD_TOLD_EVERY", 0.0)
        watch.tick()
        assert len(posted) == 3
        site.library.restore("video", *site.library.removed_keys("video"))
        assert site.run("sync").success
        watch.tick()
    assert len(posted) == 3


def test_a_refusal_of_one_type_does_not_hide_one_of_the_other(site):
    watch = Watch(site, "alert_on_guard")
    with webhook() as (url, posted):
        site.settings["jwp_alert_webhook_url"] = url
        refuse(site, "channel", 0)
        watch.tick()
        first = posted[0][1]
        assert f"jwpfetch --release {first['snapshot_id']}" in first["text"]
        assert "it is empty, while 12 channels are live" in first["text"]
        assert "has not stopped anything since" in watch.tick().skip_message
        # This snapshot is older than that of the channels, for which there was an alert already.
        site.execute(
            "INSERT INTO raw_snapshots (id, resource_type, api_version, status, problem) OVERRIDING SYSTEM VALUE"
            " VALUES (:id, 'video', 'v2', 'quarantined', 'too many')",
            id=int(first["snapshot_id"]) - 1_000_000,
        )
        site.execute("DELETE FROM raw_snapshots WHERE resource_type = 'video' AND status <> 'quarantined'")
        for _ in range(3):
            watch.tick()
    assert [body["text"].partition(": ")[0].split()[-1] for _, body in posted] == ["channels", "videos"]


def test_without_a_webhook_the_alert_is_in_the_log(site, failed_runs, caplog):
    fail(site)
    failed_runs.tick()
    (record,) = [record for record in caplog.records if record.name == "jwp_pipeline.alerts"]
    assert record.levelno == logging.ERROR
    assert "Check JWPLATFORM_V2_API_SECRET" in record.getMessage()


@pytest.mark.parametrize("trouble", ["down", "refuses", "is no URL", "settings"])
def test_a_webhook_that_fails_breaks_nothing_and_its_url_stays_secret(site, failed_runs, caplog, capfd, trouble):
    """The URL stays secret even at level DEBUG, at which urllib3 logs the path of each request."""
    caplog.set_level(logging.DEBUG)
    with webhook(status=500) as (url, posted):
        pass
    fail(site)
    with webhook(status=500) as (working, posted):
        site.settings["jwp_alert_webhook_url"] = {"down": url, "refuses": working}.get(trouble, f"htp:/{SECRET_PATH}")
        with pytest.MonkeyPatch.context() as patch:
            if trouble == "settings":
                patch.setenv("JWP_MAX_DELETE_RATIO", "a third")
            for _ in range(2):
                failed_runs.tick()
    assert len(posted) == (trouble == "refuses")
    (record,) = [record for record in caplog.records if record.name == "jwp_pipeline.alerts"]
    assert "Check JWPLATFORM_V2_API_SECRET" in record.getMessage()
    assert "s3cretOfTheHook" not in caplog.text + "".join(capfd.readouterr())


def test_without_a_database_the_quarantine_sensor_skips(site):
    site.settings["jwp_database_url"] = "postgresql://nobody@127.0.0.1:9/none"
    assert "127.0.0.1:9" in Watch(site, "alert_on_guard").tick().skip_message


def test_both_sensors_are_switched_on_by_default(site):
    sensors = {sensor.name: sensor for sensor in site.definitions.sensors}
    for name in ("alert_on_failed_run", "alert_on_guard"):
        assert sensors[name].default_status == dg.DefaultSensorStatus.RUNNING

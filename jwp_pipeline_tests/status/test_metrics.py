"""Metrics tell Prometheus what the status tells people, in its format, and name nothing secret."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from jwp_pipeline.database.connection import open_engine
from jwp_pipeline.errors import DatabaseError
from jwp_pipeline.status.metrics import registry
from jwp_pipeline.status.page import RunLine
from jwp_pipeline_tests.support import PROJECT, Site, channel, closed_port, sync, video

DASHBOARD = PROJECT / "deploy" / "grafana" / "jwp-pipeline.json"
BEGAN = datetime(2026, 1, 2, tzinfo=UTC)
RUNS = [
    RunLine("sync", "STARTED", BEGAN + timedelta(hours=2), None),
    RunLine("sync", "FAILURE", BEGAN + timedelta(hours=1), 2.5),
    RunLine("sync", "SUCCESS", BEGAN, 3.5),
    RunLine("push", "SUCCESS", BEGAN, 1.5),
]


@pytest.fixture
def site(engine, simulator):
    with Site(engine, simulator) as site:
        site.library.put("video", video("a", 1))
        site.library.put("video", video("b", 2, custom={"sms_downloadable": "nonsense"}))
        site.library.put("channel", channel("c", 1, media_ids=[1]))
        yield site


def text_of(site, engine=None, last_runs=lambda: RUNS):
    return generate_latest(registry(lambda: engine or site.engine, site.effective(), last_runs)).decode()


def read(text):
    """Return (name, labels) → value."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_they_tell_what_the_status_tells(site):
    before = read(text_of(site))
    assert before["jwp_pipeline_up",] == 1
    assert before["jwp_pipeline_in_step",] == 0
    # What is not known yet is left out, and not told as 0.
    assert ("jwp_pipeline_in_step_as_of_timestamp_seconds",) not in before
    assert ("jwp_pipeline_full_listing_lag_seconds", "video") not in before
    site.sync()
    after = read(text_of(site))
    assert after["jwp_pipeline_in_step",] == 1
    assert abs(after["jwp_pipeline_in_step_as_of_timestamp_seconds",] - datetime.now(UTC).timestamp()) < 60
    assert 0 <= after["jwp_pipeline_full_listing_lag_seconds", "channel"] < 60
    for kind, live in (("video", 2), ("channel", 1)):
        assert after["jwp_pipeline_live_resources", kind] == after["jwp_pipeline_listed_resources", kind] == live
    rows = {table: after["jwp_pipeline_record_rows", table] for table in ("media_items", "media_channels", "playlists")}
    assert rows == {"media_items": 2, "media_channels": 1, "playlists": 1}
    assert after["jwp_pipeline_open_problems", "mapping", "video"] == 1
    # A dashboard shows "no data" for a series that is only there while something is wrong.
    assert after["jwp_pipeline_open_problems", "cache", "channel"] == 0
    assert after["jwp_pipeline_last_run_success", "sync"] == 0
    assert after["jwp_pipeline_last_run_duration_seconds", "sync"] == 2.5
    assert after["jwp_pipeline_last_run_success", "push"] == 1
    assert after["jwp_pipeline_last_run_timestamp_seconds", "push"] == BEGAN.timestamp()


def test_they_count_what_waits_and_what_the_guard_holds(site):
    for number in range(12):
        site.library.put("video", video(f"v{number}"))
    site.sync()
    site.settings["jwp_sync_items"] = True
    site.follow()
    site.execute("UPDATE media_items SET title = 'Edited' WHERE title = 'Video a'")
    site.library.remove("video", *(f"v{number}" for number in range(12)))
    sync(site.engine, site.client)
    now = read(text_of(site))
    assert now["jwp_pipeline_edits_waiting",] == 1
    assert now["jwp_pipeline_oldest_edit_seconds",] > 0
    assert now["jwp_pipeline_withheld_resources", "video"] == 12
    assert now["jwp_pipeline_in_step",] == 0


def test_names_and_types_follow_the_conventions_of_prometheus(site):
    site.sync()
    text = text_of(site)
    families = list(text_string_to_metric_families(text))
    assert len(families) > 20
    for family in families:
        assert family.documentation.endswith((".", ").")), family.name
        assert family.type == ("counter" if family.name == "jwp_pipeline_requests" else "gauge")
        assert f"# HELP {family.name}" in text
        assert f"# TYPE {family.name}" in text
        for sample in family.samples:
            assert re.fullmatch("jwp_pipeline_[a-z_]+", sample.name)
            # Prometheus gives these two to everything that it scrapes.
            assert not {"job", "instance"} & set(sample.labels)
    assert "\njwp_pipeline_requests_total " in text


def test_without_the_database_only_that_is_told(site, caplog):
    with closed_port() as port:
        text = text_of(site, open_engine(f"postgresql://me:wormwood@127.0.0.1:{port}/x", "jwp"))
    assert read(text) == {("jwp_pipeline_up",): 0}
    assert "wormwood" not in text + caplog.text


def test_without_dagster_s_storage_everything_else_is_told(site):
    def fails():
        raise DatabaseError("Dagster's storage is down.")

    told = read(text_of(site, last_runs=fails))
    assert told["jwp_pipeline_up",] == 1
    assert not [key for key in told if "last_run" in key[0]]


def test_nothing_secret_and_no_title_is_told(site):
    site.sync()
    text = text_of(site)
    secrets = [value for name, value in site.settings.items() if "secret" in name and value]
    assert secrets
    assert not [secret for secret in [*secrets, site.settings["jwplatform_api_key"], "Video a"] if secret in text]


def test_every_query_of_the_dashboard_names_metrics_that_exist(site):
    site.sync()
    known = {sample for sample, *_ in read(text_of(site))}
    dashboard = json.loads(DASHBOARD.read_text())
    shown = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    variables = [found["query"] for found in dashboard["templating"]["list"]]
    named = {name for query in [*shown, *variables] for name in re.findall("jwp_pipeline_[a-z_]+", query)}
    assert named <= known
    # Nothing that is measured is hidden either, except what the dashboard shows in another form.
    forms = {"full_listing_timestamp_seconds", "listed_resources", "followed_resources", "last_run_timestamp_seconds"}
    assert known - named == {f"jwp_pipeline_{name}" for name in (*forms, "events_waiting")}

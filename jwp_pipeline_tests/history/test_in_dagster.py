"""Dagster computes library_history for a day or for a range of days in one run, and draws library_report."""

import base64
import io
import re
from datetime import UTC, date, datetime, time, timedelta

import dagster as dg
import pytest
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG
from PIL import Image
from sqlalchemy import text

from jwp_pipeline.commands.launch import dagster_home
from jwp_pipeline.definitions import build_definitions
from jwp_pipeline.history.small_pictures import MOST_CHARACTERS
from jwp_pipeline.orchestration.assets.history import DAYS
from jwp_pipeline.settings import load_settings
from jwp_pipeline.simulator import Simulator, demo_library
from jwp_pipeline_tests.history.conftest import kept, mirror
from jwp_pipeline_tests.support import set_only, video, videos

HISTORY, REPORT = dg.AssetKey("library_history"), dg.AssetKey("library_report")
FIRST = date(2026, 2, 26)
DAY = timedelta(days=1)


@pytest.fixture
def run(engine, tables_url, tmp_path, monkeypatch):
    """Runs one of our jobs, or single assets, on the database of `engine`, and records the run as other runs are."""
    monkeypatch.chdir(tmp_path)
    set_only(monkeypatch, {"JWP_DATABASE_URL": tables_url})
    with dg.DagsterInstance.from_config(str(dagster_home(load_settings()))) as instance:
        instance.optimize_for_webserver(statement_timeout=60_000, pool_recycle=3600, max_overflow=5)

        def run(name=None, **asked):
            definitions = build_definitions()
            job = definitions.resolve_job_def(name) if name else definitions.resolve_implicit_global_asset_job_def()
            result = job.execute_in_process(instance=instance, **asked)
            assert result.success
            return result

        run.instance = instance
        yield run


def test_a_day_and_a_range_of_days_are_computed(engine, run):
    mirror(engine, [video("a", duration="5400.00")], at=datetime.combine(FIRST, time(8), UTC))
    later = [video("a", duration="3600.00"), *videos(1, duration=None)]
    mirror(engine, later, at=datetime.combine(FIRST + 4 * DAY, time(8), UTC))

    run("history", partition_key=str(FIRST))
    assert {day for day, _ in kept(engine)} == {FIRST}
    alone = kept(engine)
    result = run(
        "history",
        tags={ASSET_PARTITION_RANGE_START_TAG: str(FIRST - DAY), ASSET_PARTITION_RANGE_END_TAG: str(FIRST + 4 * DAY)},
    )

    days = [FIRST + number * DAY for number in range(-1, 5)]
    assert {place: row for place, row in kept(engine).items() if place[0] == FIRST} == alone
    assert run.instance.get_materialized_partitions(HISTORY) == {str(day) for day in days}
    shown = {event.partition: event.materialization.metadata for event in result.get_asset_materialization_events()}
    assert [shown[str(day)]["rows_written"].value for day in days] == [2, 0, 2, 2, 2, 2]
    assert [shown[str(day)]["videos_live"].value for day in days[1:]] == [1, 1, 1, 1, 2]
    assert [shown[str(day)]["hours"].value for day in days[1:]] == [1.5, 1.5, 1.5, 1.5, 1.0]
    assert "The change log begins on 2026-02-26." in shown[str(days[0])]["note"].value
    assert "videos_live" not in shown[str(days[0])]
    assert all(check.passed for check in result.get_asset_check_evaluations())


def test_today_is_a_partition():
    assert DAYS.get_partition_keys(current_time=datetime(2026, 11, 5, 0, 1, tzinfo=UTC))[-1] == "2026-11-05"


def test_the_report_of_a_library(engine, run, tables_url, monkeypatch, tmp_path):
    with Simulator(demo_library(videos=150, channels=6)) as simulator:
        set_only(monkeypatch, simulator.environment("v1") | {"JWP_DATABASE_URL": tables_url})
        run("sync")
        yesterday(engine)
        key = simulator.library.keys("video")[0]
        simulator.library.edit("video", key, updated=int(datetime.now(UTC).timestamp()) - 90)
        simulator.library.remove("video", *simulator.library.keys("video")[1:4])
        run("sync")
    unread = report_of(run)
    run("history", partition_key=(datetime.now(UTC).date() - DAY).isoformat())
    metadata = report_of(run)

    pictures = [Image.open(io.BytesIO(png)) for png in pngs(metadata)]
    assert len(pictures) == metadata["pictures"].value == 8
    for picture, png in zip(pictures, pngs(metadata), strict=True):
        picture.verify()
        assert (picture.format, picture.width) == ("PNG", 840)
        assert len(png) < 60_000
    files = sorted((tmp_path / ".jwp" / "reports" / datetime.now(UTC).date().isoformat()).iterdir())
    assert sorted(file.read_bytes() for file in files) == sorted(pngs(metadata))
    assert metadata["folder"].value == str(files[0].parent)
    assert (unread["days_to_compute"].value, metadata["days_to_compute"].value) == (1, 0)
    assert "the first two pictures lack: 1." in unread["report"].value
    assert metadata["report"].value.startswith("![")
    assert pngs(unread)[:2] != pngs(metadata)[:2]
    assert pngs(unread)[2:] == pngs(metadata)[2:]
    assert metadata["media_items"].value == 147
    shown = {name: entry.value for name, entry in metadata.items() if isinstance(entry, dg.MarkdownMetadataValue)}
    assert all(len(text) <= MOST_CHARACTERS for name, text in shown.items() if name != "report")
    # The deletions are of today, and the history ends yesterday.
    assert shown["additions_and_deletions"] == "Nothing yet: since the first mirror nothing came or went."
    assert "150 → 150 videos" in shown["growth"]
    assert 90 <= metadata["median_seconds_to_reflect"].value < 200


def test_the_report_of_an_empty_library(run):
    metadata = report_of(run)
    assert len(pngs(metadata)) == 8
    assert metadata["media_items"].value == metadata["days"].value == metadata["days_to_compute"].value == 0


def yesterday(engine):
    """Move the dates of everything mirrored so far back by a day."""
    with engine.begin() as connection:
        for table, column in (("resource_changes", "changed_at"), ("raw_snapshots", "applied_at")):
            connection.execute(text(f"UPDATE {table} SET {column} = {column} - interval '1 day'"))


def report_of(run):
    """Return the metadata of a new library_report."""
    (event,) = run(asset_selection=[REPORT]).asset_materializations_for_node("library_report")
    return event.metadata


def pngs(metadata):
    return [
        base64.b64decode(found) for found in re.findall(r"data:image/png;base64,([^)]+)\)", metadata["report"].value)
    ]

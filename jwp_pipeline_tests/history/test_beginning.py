"""The partitions of library_history begin on the first day of the change log, and loading waits for no database."""

import time
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from jwp_pipeline.definitions import defs
from jwp_pipeline.history.beginning import first_day_of_log
from jwp_pipeline.settings import load_settings
from jwp_pipeline_tests.history.conftest import mirror
from jwp_pipeline_tests.support import free_port, set_only, video

FIRST = date(2026, 9, 3)


@pytest.fixture
def configured(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def configure(url):
        set_only(monkeypatch, {"JWP_DATABASE_URL": url})
        return load_settings()

    return configure


def first_partition():
    return defs().resolve_asset_graph().get(dg.AssetKey("library_history")).partitions_def.get_first_partition_key()


def test_days_begin_when_the_library_was_first_mirrored(engine, configured, tables_url):
    configured(tables_url)
    today = datetime.now(UTC).date()
    assert first_partition() in (today.isoformat(), (today - timedelta(days=1)).isoformat())
    mirror(engine, [video("a")], at=datetime(2026, 9, 3, 23, 59, tzinfo=UTC))
    assert first_partition() == FIRST.isoformat()


def test_a_database_without_our_tables_counts_as_empty(configured, database_url):
    assert first_day_of_log(configured(database_url)) == datetime.now(UTC).date()


def test_definitions_load_while_the_database_is_down(configured):
    began = time.monotonic()
    assert first_day_of_log(configured(f"postgresql://nobody@127.0.0.1:{free_port()}/nothing")) is None
    assert first_partition() == "2026-01-01"
    assert time.monotonic() - began < 10


def test_no_embedded_server_is_started_for_it(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    set_only(monkeypatch, {})
    assert first_day_of_log(load_settings()) is None
    assert list(tmp_path.iterdir()) == []

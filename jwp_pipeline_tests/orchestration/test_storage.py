"""Dagster's own tables are created by one process, however many are started together on an empty database."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import text

from jwp_pipeline.database.connection import open_engine, transaction_lock
from jwp_pipeline.database.locate import DAGSTER_SCHEMA
from jwp_pipeline.orchestration.storage import ConfiguredPostgresStorage
from jwp_pipeline_tests.support import rows, set_only, wait_until, waits_for_lock


def test_processes_of_a_deployment_that_start_together_take_turns_to_create_the_tables(database_url, monkeypatch):
    """dagster-postgres alone lets all but one of them fail now and then."""
    set_only(monkeypatch, {"JWP_DATABASE_URL": database_url})
    engine = open_engine(database_url, DAGSTER_SCHEMA)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {DAGSTER_SCHEMA}"))
    tables = f"SELECT FROM pg_tables WHERE schemaname = '{DAGSTER_SCHEMA}'"
    with ThreadPoolExecutor() as pool:
        with engine.begin() as first:
            transaction_lock(first, "Dagster's tables")
            second = pool.submit(ConfiguredPostgresStorage.from_config_value, None, {})
            wait_until(lambda: waits_for_lock(engine))
            assert not rows(engine, tables)
        second.result(60)
    assert rows(engine, tables)
    engine.dispose()

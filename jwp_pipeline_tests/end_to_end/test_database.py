"""jwpfetch works with databases as people have them: with their own settings, busy, read-only, or behind a pooler."""

import shutil
from pathlib import Path

import dagster_postgres
import psycopg
import pytest
from sqlalchemy import text

from jwp_pipeline.simulator import Fault
from jwp_pipeline_tests.database.pooler import needs_pgbouncer, pooler
from jwp_pipeline_tests.support import fresh_database, live, python, rows, set_for_the_database

DONE, FAILED = 0, 1
ITEMS = "SELECT title FROM media_items WHERE deleted_at IS NULL"


@needs_pgbouncer
def test_it_works_through_a_pooler_in_session_mode(site, engine):
    with pooler(site.database_url, "session", server_reset_query="DISCARD ALL") as url:
        for _ in range(2):
            ran = site.jwpfetch(JWP_DATABASE_URL=url)
            assert (ran.code, ran.error) == (DONE, "")
    assert live(engine) == set(site.simulator.library.keys("video"))


@needs_pgbouncer
@pytest.mark.parametrize("mode", ["transaction", "statement"])
@pytest.mark.parametrize("setting", ["JWP_DATABASE_URL", "JWP_DAGSTER_DATABASE_URL"])
def test_a_pooler_in_another_mode_is_refused_in_one_line(site, mode, setting):
    with pooler(site.database_url, mode) as url:
        ran = site.jwpfetch(**{setting: url})
    assert ran.code == FAILED
    assert "pooler in session mode. (docs/runbook/connection-pooler.md)" in ran.error
    assert setting in ran.error
    assert ran.error.count("\n") == 1


def test_settings_of_the_environment_and_the_server_do_not_matter(site, engine, monkeypatch):
    """The environment has another encoding, and the server ends quiet sessions while JW Platform is slow."""
    monkeypatch.setenv("PGCLIENTENCODING", "SQL_ASCII")
    set_for_the_database(site.database_url, idle_session_timeout="150ms", idle_in_transaction_session_timeout="150ms")
    key, *_ = site.simulator.library.keys("video")
    site.simulator.library.edit("video", key, title="Καλημέρα 😀")
    site.simulator.faults.add(Fault.latency(0.4))
    ran = site.jwpfetch()
    assert (ran.code, ran.error) == (DONE, "")
    titles = [row.title for row in rows(engine, ITEMS)]
    assert len(titles) == 40
    assert "Καλημέρα 😀" in titles


def test_a_blocked_or_read_only_database_is_reported_without_a_traceback(site, engine):
    """First somebody has locked a table, then the database is read-only."""
    assert site.jwpfetch().code == DONE
    url = f"{site.database_url}?options=-clock_timeout%3D200ms"
    with psycopg.connect(site.database_url, application_name="a report") as somebody:
        process = somebody.info.backend_pid
        somebody.execute("LOCK jwp.media_items")
        ran = site.jwpfetch("--skip-fetch", "--sync-all", JWP_DATABASE_URL=url)
    assert ran.code == FAILED
    told = " ".join(ran.error.split())
    assert f"process {process} (role postgres, application 'a report', in a transaction since" in told
    assert "docs/runbook/database-blocked.md" in told
    assert "Traceback" not in ran.out + ran.error
    assert site.jwpfetch("--skip-fetch", JWP_DATABASE_URL=url).code == DONE

    set_for_the_database(site.database_url, default_transaction_read_only="on")
    ran = site.jwpfetch()
    assert ran.code == FAILED
    assert "is read-only" in ran.error
    assert "docs/runbook/database-refuses.md" in ran.error
    assert ran.error.count("\n") == 1


def test_a_database_with_another_encoding_is_refused_in_one_line(site, postgres_url):
    with fresh_database(postgres_url, "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'") as url:
        ran = site.jwpfetch(JWP_DATABASE_URL=url)
    assert ran.code == FAILED
    assert "LATIN1" in ran.error
    assert "docs/runbook/unsuitable-database.md" in ran.error
    assert ran.error.count("\n") == 1


def test_paths_may_contain_a_percent_sign(site, engine, tmp_path):
    folder = tmp_path / "100% jwp"
    # A symbolic link is not enough, because Dagster looks for its files in the real folder.
    package = Path(dagster_postgres.__file__).parent
    shutil.copytree(package, folder / "packages" / package.name)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "import dagster_postgres; assert '100% jwp' in dagster_postgres.__file__;"
        "from jwp_pipeline.commands.cli import jwpfetch; sys.exit(jwpfetch([]))"
    )
    settings = site.environment | {"JWP_HOME": str(folder / "home")}
    with python(code, str(folder / "packages"), **settings) as process:
        out, error = process.communicate(timeout=120)
    assert (process.returncode, error) == (DONE, ""), out
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM media_items")) == 40

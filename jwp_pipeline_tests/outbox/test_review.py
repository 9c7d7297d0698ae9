"""Nothing is pushed from a database before somebody has seen, or expects, what waits there (clarification 13)."""

import secrets
import subprocess
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
import pytest

from jwp_pipeline.database.connection import open_engine
from jwp_pipeline.database.embedded.binaries import find_binaries
from jwp_pipeline.errors import EmbeddedPostgresError, NotReviewed, SettingsError, WritingNotAllowed
from jwp_pipeline_tests.outbox.site import EditedSite
from jwp_pipeline_tests.support import SCHEMA, contents, rows, video

KEYS = [f"video{number:03}" for number in range(12)]


@pytest.fixture
def jwp(engine, simulator):
    with EditedSite(engine, simulator, "v2", create_items="all") as jwp:
        jwp.library.replace_all([video(key) for key in KEYS], [])
        jwp.sync()
        yield jwp


def unasked(jwp):
    """Make JWP_SYNC_ITEMS true by default only."""
    jwp.settings.pop("jwp_sync_items", None)


def test_the_first_push_waits_until_somebody_has_seen_the_edits(jwp):
    unasked(jwp)
    jwp.edit(KEYS[0], title="New")
    for _ in range(2):
        with pytest.raises(NotReviewed, match="--push --dry-run"):
            jwp.push()
    before = contents(jwp.engine, "item_updates", "media_items", "videos")
    report = jwp.push(dry_run=True)
    assert [(change.result, change.ours) for change in report.changes] == [("pushed", "New")]
    assert jwp.at_jwp(KEYS[0])["title"] == f"Video {KEYS[0]}"
    assert contents(jwp.engine, "item_updates", "media_items", "videos") == before
    assert jwp.push().count("pushed") == 1


def test_an_explicit_setting_is_enough_for_the_first_push(jwp):
    jwp.edit(KEYS[0], title="New")
    assert jwp.push().count("pushed") == 1
    unasked(jwp)
    jwp.edit(KEYS[0], title="Newer")
    assert jwp.push().count("pushed") == 1


def test_a_dry_run_that_did_not_show_everything_is_no_review(jwp):
    unasked(jwp)
    jwp.edit(KEYS[0], title="New")
    jwp.simulator.behaviour.read_only = True
    with pytest.raises(WritingNotAllowed):
        jwp.push(dry_run=True)
    jwp.simulator.behaviour.read_only = False
    with pytest.raises(NotReviewed):
        jwp.push()


def test_a_dry_run_shows_what_waits_for_another_try_as_well(jwp):
    jwp.edit(KEYS[0], title="New")
    jwp.execute("UPDATE item_updates SET next_try_at = now() + interval '1 hour'")
    assert jwp.push().changes == ()
    assert jwp.push(dry_run=True).count("pushed") == 1


def test_edits_of_a_restored_database_are_shown_before_they_are_pushed(jwp, tables_url):
    """Edits that the backup holds were pushed long ago, and JW Platform may have newer values."""
    jwp.edit(KEYS[0], title="Pushed since")
    jwp.edit(KEYS[1], title="Pushed since, and changed there")
    jwp.edit(KEYS[2], title="Never pushed")
    jwp.execute("INSERT INTO write_back (records_edits) VALUES (true) ON CONFLICT DO NOTHING")
    jwp.push(dry_run=True)
    with restored(tables_url) as engine:
        jwp.execute(
            "DELETE FROM item_updates USING videos"
            " WHERE videos.media_item_id = item_updates.media_item_id AND key = 'video002'"
        )
        jwp.push()
        jwp.library.edit("video", KEYS[1], title="There", updated=2_000_000_000)
        copy = jwp.elsewhere(engine)
        with pytest.raises(NotReviewed, match="restored"):
            copy.push()
        shown = copy.push(dry_run=True)
        results = {change.key: change.result for change in shown.changes}
        assert results == {KEYS[0]: "unchanged", KEYS[1]: "conflict", KEYS[2]: "pushed"}
        copy.push()
        assert [jwp.at_jwp(key)["title"] for key in KEYS[:3]] == ["Pushed since", "There", "Never pushed"]
        assert set(copy.edits().values()) == {"pushed", "conflict"}


@contextmanager
def restored(tables_url):
    """Yield an engine for a copy of the database, made with pg_dump and pg_restore."""
    try:
        folder = find_binaries().folder
    except EmbeddedPostgresError:
        pytest.skip("no pg_dump")
    name = f"restored_{secrets.token_hex(4)}"
    copy = urlsplit(tables_url)._replace(path=f"/{name}").geturl()
    with psycopg.connect(tables_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            dump = subprocess.run([folder / "pg_dump", "-Fc", "-d", tables_url], capture_output=True, check=True)
            subprocess.run([folder / "pg_restore", "-d", copy], input=dump.stdout, check=True)
            engine = open_engine(copy, SCHEMA)
            yield engine
            engine.dispose()
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_secret_that_may_not_write_is_one_problem_and_the_edits_wait(jwp):
    for key in KEYS:
        jwp.edit(key, title=f"New {key}")
    jwp.simulator.behaviour.read_only = True
    for _ in range(2):
        with pytest.raises(WritingNotAllowed):
            jwp.push()
    found = rows(jwp.engine, "SELECT DISTINCT state, problem, next_try_at FROM item_updates")
    assert found == [("waiting", None, None)]
    assert rows(jwp.engine, "SELECT * FROM sync_problems WHERE stage = 'push'") == []
    jwp.simulator.behaviour.read_only = False
    assert jwp.push().count("pushed") == len(KEYS)


def test_edits_wait_for_a_site_to_have_a_name(jwp):
    jwp.edit(KEYS[0], title="New")
    with pytest.raises(SettingsError, match="JWP_SITE_DOMAIN"):
        jwp.push(jwp_site_domain=None)
    assert jwp.edits() == {"title": "waiting"}

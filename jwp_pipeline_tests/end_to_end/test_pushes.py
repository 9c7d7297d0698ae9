"""Edits on the command line: the first push, a conflict and its decision, as users type them."""

import pytest
from sqlalchemy import text

from jwp_pipeline.commands import cli
from jwp_pipeline_tests.support import rows

DONE, FAILED, USAGE = 0, 1, 2
SITE = {"jwp_site_domain": "media.example.org", "jwp_site_name": "Example Media"}


@pytest.fixture
def edited(site, engine):
    """A site whose first item has a new title. Its id begins with a dash, as one of 64 ids does."""
    site.settings |= SITE
    # The first push waits for a review only if nobody has set this.
    site.settings.pop("jwp_sync_items", None)
    assert site.jwpfetch().code == DONE
    key = site.simulator.library.keys("video")[0]
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE videos DROP CONSTRAINT videos_media_item_id_fkey"))
        old = connection.scalar(text("SELECT media_item_id FROM videos WHERE key = :key"), {"key": key})
        for table, column in (("media_items", "id"), ("videos", "media_item_id"), ("sms_media_items", "media_item_id")):
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
            connection.execute(text(f"UPDATE {table} SET {column} = '-dashed_id1' WHERE {column} = :old"), {"old": old})
            connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER ALL"))
        connection.execute(text("UPDATE media_items SET title = 'Ours', language = 'deu' WHERE id = '-dashed_id1'"))
    return key


def jwp_pipeline(site, *arguments):
    """Run `jwp-pipeline` as a user does."""
    return site.run("jwp-pipeline", *arguments, **site.environment)


def test_a_first_push_is_shown_and_a_conflict_is_decided(site, engine, edited):
    library = site.simulator.library
    ran = site.jwpfetch("--push")
    assert ran.code == FAILED
    assert "has not written to JW Platform from this schema before" in ran.out + ran.error
    assert "docs/runbook/first-push.md" in ran.out + ran.error
    ran = site.jwpfetch("--push", "--dry-run")
    assert ran.code == DONE
    assert "Dry run: nothing was pushed." in ran.out
    assert "Ours" in ran.out
    assert library.get("video", edited)["title"] != "Ours"
    library.edit("video", edited, title="Theirs", updated=library.get("video", edited)["updated"] + 10)
    ran = site.jwpfetch("--push")
    assert ran.code == DONE
    assert "0 items wait, 1 fields are in conflict, 0 are refused." in ran.out
    assert library.get("video", edited)["custom"]["sms_language"] == "language:deu:"
    assert "Edits: 0 items wait, 1 fields are in conflict, 0 are refused." in site.jwpfetch("--status").out
    ran = jwp_pipeline(site, "edits")
    assert ran.code == FAILED
    assert "Theirs" in ran.out
    assert jwp_pipeline(site, "resolve", "-dashed_id1", "language", "ours").code == USAGE
    assert jwp_pipeline(site, "resolve", "-dashed_id1", "title", "ours").code == DONE
    assert site.jwpfetch("--push").code == DONE
    assert library.get("video", edited)["title"] == "Ours"
    assert jwp_pipeline(site, "edits").code == DONE
    assert site.jwpfetch("--sync-all").code == DONE
    assert rows(engine, "SELECT title FROM media_items WHERE id = '-dashed_id1'") == [("Ours",)]


@pytest.mark.parametrize("other", ["--sync-all", "--skip-fetch", "--status"])
def test_a_push_does_nothing_else(other, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.jwpfetch(["--push", other])
    assert ended.value.code == USAGE
    assert "--push" in capsys.readouterr().err

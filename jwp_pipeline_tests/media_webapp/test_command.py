"""`jwp-pipeline import-media-webapp` shows what it would do, asks, and never does anything else."""

import json
import os

import pytest

from jwp_pipeline.commands import cli
from jwp_pipeline_tests.support import rows, set_only


@pytest.fixture
def command(record, tables_url, tmp_path, monkeypatch, capsys):
    """A function that runs the command on the record. Returns (exit code, standard output, standard error)."""
    record.settings |= {"jwp_database_url": tables_url, "jwp_home": os.fspath(tmp_path)}

    def run(*arguments, **environment):
        set_only(monkeypatch, record.environment | environment)
        capsys.readouterr()
        code = cli.main(["import-media-webapp", *arguments])
        return code, *capsys.readouterr()

    return run


def imported(engine):
    return len(rows(engine, "SELECT FROM media_items"))


def test_a_dry_run_shows_the_plan_and_imports_nothing(command, webapp, engine):
    webapp.execute("DELETE FROM mediaplatform_permission WHERE allows_view_item_id IS NOT NULL")
    code, out, error = command("--from", webapp.url, "--dry-run")
    assert (code, error, imported(engine)) == (0, "", 0)
    assert "items have no row of permissions" in out
    assert "JWP_SITE_DOMAIN=media.example.org" in out
    assert "The next sync writes nothing to these tables" in out
    *_, plan, end = out.strip().splitlines()
    assert plan.startswith("Plan: ")
    assert plan.endswith(" left out; 3 kept as JSON.")
    assert end == "Dry run: nothing was imported."
    assert "That is for v1." not in out
    _, out, _ = command("--from", webapp.url, "--dry-run", JWPLATFORM_MANAGEMENT_API="v2")
    assert "That is for v1. With v2, which is in use here" in out


def test_yes_imports_and_a_second_time_finds_nothing(command, webapp, engine):
    code, out, _ = command("--from", webapp.url, "--yes", "--json")
    document = json.loads(out)
    assert (code, document["kind"], document["imported"], document["next_sync"]) == (0, "import", True, {})
    items = next(table for table in document["tables"] if table["table"] == "media_items")
    assert items["added"] == items["found"] == imported(engine) > 0
    code, out, _ = command("--from", webapp.url, "--yes")
    assert code == 0
    assert "Nothing is left to import: the record has every row." in out
    leases = rows(engine, "SELECT run_id, ended_at IS NOT NULL AS ended FROM run_leases")
    assert [lease.ended for lease in leases] == [True, True]


def test_without_a_terminal_it_imports_only_if_told_to(command, webapp, engine):
    code, _, error = command("--from", webapp.url)
    assert (code, imported(engine)) == (2, 0)
    assert "--yes" in error


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1), ("", 1)])
def test_on_a_terminal_it_asks(answer, code, command, webapp, engine, monkeypatch):
    monkeypatch.setattr("jwp_pipeline.commands.import_webapp._can_ask", lambda screen: True)
    monkeypatch.setattr("builtins.input", lambda *prompt: answer)
    assert command("--from", webapp.url)[0] == code
    assert (imported(engine) > 0) is (code == 0)


def test_by_default_the_plan_tells_what_the_setting_for_items_leads_to(command, webapp, record):
    record.settings["jwp_create_items"] = "all"
    webapp.execute("UPDATE mediaplatform_jwp_video SET item_id = NULL")
    _, out, _ = command("--from", webapp.url, "--dry-run")
    assert "Even if JW Platform has not changed, the next sync writes rows:" in out
    assert "Set it to `sms` for media-webapp's own rule" in out


def test_the_schema_of_media_webapp_itself_is_left_alone(command, webapp):
    tables = webapp.rows("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1")
    code, _, error = command("--from", webapp.url, "--yes", JWP_DATABASE_URL=webapp.url, JWP_DATABASE_SCHEMA="public")
    assert (code, "name the same database" in error) == (1, True)
    assert webapp.rows("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1") == tables


def test_a_record_beside_media_webapp_in_its_database_can_be_filled(command, webapp):
    code, _, error = command("--from", webapp.url, "--yes", JWP_DATABASE_URL=webapp.url, JWP_DATABASE_SCHEMA="jwp")
    assert (code, error) == (0, "")
    there, here = (
        webapp.rows(f"SELECT count(*) FROM {table}") for table in ("mediaplatform_mediaitem", "jwp.media_items")
    )
    assert there == here


def test_neither_passwords_nor_upload_links_are_shown(command, webapp):
    webapp.execute(
        "INSERT INTO mediaplatform_uploadendpoint"
        " SELECT 'e', id, 'https://upload.example/?token=wormwood', now() FROM mediaplatform_mediaitem LIMIT 1"
    )
    shown = [*command("--from", webapp.url, "--yes")[1:]]
    for url in ("postgresql://me:wormwood@127.0.0.1:1/x", "postgresql://me:worm@wood@127.0.0.1/x", "wormwood"):
        code, *texts = command("--from", url, "--yes")
        assert code == 1
        shown += texts
    shown += command("--from", webapp.url.replace("@", "x@"), "--yes")[1:]
    assert not [
        text for text in shown if "wormwood" in text or "wood" in text or webapp.url.split(":")[2].split("@")[0] in text
    ]

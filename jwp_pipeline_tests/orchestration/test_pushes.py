"""Edits reach JW Platform through Dagster: the sensor asks for a push, and checks say what is stuck."""

import dagster as dg
import pytest

from jwp_pipeline_tests.support import rows, video

KEY = "aB3dE5gH"


@pytest.fixture
def edited(site):
    """A site whose only item has been edited."""
    site.settings |= {"jwp_site_domain": "media.example.org", "jwp_site_name": "Example Media", "jwp_sync_items": True}
    site.library.replace_all([video(KEY, updated=1_700_000_000)], [])
    assert site.run("sync").success
    edit(site)
    return site


def edit(site, title="Ours"):
    site.execute("UPDATE media_items SET title = :title", title=title)


def checks(result):
    return {check.check_name: check for check in result.get_asset_check_evaluations()}


def test_the_sensor_asks_for_a_push_of_what_is_due(edited):
    tick = edited.sensor("edits_waiting")
    assert edited.obey(tick, "edits_waiting", "push") == 1
    assert edited.library.get("video", KEY)["title"] == "Ours"
    assert "No edit is due" in edited.sensor("edits_waiting").skip_message


def test_a_push_says_what_it_did(edited):
    result = edited.run("push")
    metadata = {
        key: value.value for key, value in result.asset_materializations_for_node("jwp_updates")[0].metadata.items()
    }
    assert (metadata["pushed"], metadata["waiting"], metadata["conflicts"]) == (1, 0, 0)
    assert metadata["longest_seconds_to_jwp"] < 60
    assert (
        f"| pushed | `{rows(edited.engine, 'SELECT id FROM media_items')[0].id}` | `{KEY}` | title | Ours |"
        in metadata["changes"]
    )
    assert all(check.passed for check in checks(result).values())


def test_every_sync_evaluates_the_checks_of_edits(edited):
    edited.library.edit("video", KEY, title="Theirs", updated=1_700_000_100)
    edited.run("push")
    found = checks(edited.run("frequent_sync"))
    assert found["edits_arrive"].passed
    conflicts = found["no_conflicts"]
    assert not conflicts.passed
    assert "docs/runbook/conflict.md" in conflicts.description
    assert "| title | Ours | Theirs |" in conflicts.metadata["fields"].value


def test_an_edit_that_waits_too_long_is_reported_with_its_reason(edited):
    del edited.settings["jwp_site_name"]
    edited.execute("UPDATE item_updates SET requested_at = now() - interval '1 hour'")
    assert "JWP_SITE_NAME is not set" in edited.sensor("edits_waiting").skip_message
    found = checks(edited.run("frequent_sync"))["edits_arrive"]
    assert not found.passed
    assert "JWP_SITE_NAME is not set" in found.description
    assert not edited.run("push").success


def test_nothing_is_pushed_to_another_site(edited):
    edited.execute("UPDATE mirrored_site SET site_id = 'another1'")
    assert not edited.run("push").success
    assert edited.library.get("video", KEY)["title"] == f"Video {KEY}"


def test_a_dry_run_pushes_nothing(edited):
    assert edited.run("push", jwp_updates={"config": {"dry_run": True}}).success
    assert edited.library.get("video", KEY)["title"] == f"Video {KEY}"
    assert edited.instance.get_latest_materialization_event(dg.AssetKey("jwp_updates")) is None

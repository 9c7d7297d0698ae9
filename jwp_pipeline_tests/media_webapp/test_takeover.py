"""After an import, the record is media-webapp's, row for row, and a sync writes only what JW Platform has changed."""

import pytest

from jwp_pipeline_tests import golden
from jwp_pipeline_tests.media.state import written_by
from jwp_pipeline_tests.media_webapp.conftest import STEPS, follow_steps, import_into, opened_webapp
from jwp_pipeline_tests.support import rows

# Each pair of queries gives the same rows, from media-webapp's tables and from ours.
SAME = {
    "items": (
        "SELECT i.id, title, description, duration, type, published_at, downloadable, language, copyright,"
        " tags::text[], channel_id, created_at, updated_at, deleted_at, is_public, is_signed_in, crsids,"
        " lookup_groups, lookup_insts"
        " FROM mediaplatform_mediaitem AS i JOIN mediaplatform_permission AS p ON p.allows_view_item_id = i.id",
        "SELECT id, title, description, duration, type, published_at, downloadable, language, copyright, tags,"
        " media_channel_id, created_at, updated_at, deleted_at, view_is_public, view_is_signed_in, view_crsids,"
        " view_lookup_groups, view_lookup_insts FROM media_items",
    ),
    "channels": (
        "SELECT c.id, title, description, billing_account_id, created_at, updated_at, deleted_at, is_public,"
        " is_signed_in, crsids, lookup_groups, lookup_insts"
        " FROM mediaplatform_channel AS c JOIN mediaplatform_permission AS p ON p.allows_edit_channel_id = c.id",
        "SELECT id, title, description, billing_account_id, created_at, updated_at, deleted_at, edit_is_public,"
        " edit_is_signed_in, edit_crsids, edit_lookup_groups, edit_lookup_insts FROM media_channels",
    ),
    "playlists": (
        "SELECT id, channel_id, title, description, media_items::text[], created_at, updated_at, deleted_at"
        " FROM mediaplatform_playlist",
        "SELECT id, media_channel_id, title, description, media_item_ids, created_at, updated_at, deleted_at"
        " FROM playlists",
    ),
    "accounts": (
        "SELECT id, description, lookup_instid, created_at FROM mediaplatform_billingaccount",
        "SELECT id, description, lookup_instid, created_at FROM billing_accounts",
    ),
    "resources": (
        "SELECT type, key, data, created_at, updated_at, deleted_at FROM mediaplatform_jwp_cachedresource",
        "SELECT type, key, data, created_at, updated_at, deleted_at FROM cached_resources",
    ),
    "links of videos": (
        "SELECT key, updated, item_id FROM mediaplatform_jwp_video",
        "SELECT key, updated, media_item_id FROM videos",
    ),
    "links of channels": (
        "SELECT key, updated, channel_id FROM mediaplatform_jwp_channel",
        "SELECT key, updated, media_channel_id FROM channels",
    ),
    "SMS items": (
        "SELECT id, item_id, last_updated_at FROM legacysms_mediaitem WHERE item_id IS NOT NULL",
        "SELECT id, media_item_id, last_updated_at FROM sms_media_items",
    ),
    "SMS collections": (
        "SELECT id, channel_id, playlist_id, last_updated_at FROM legacysms_collection WHERE channel_id IS NOT NULL",
        "SELECT id, media_channel_id, playlist_id, last_updated_at FROM sms_collections",
    ),
}


def assert_same(webapp, engine):
    for what, (theirs, ours) in SAME.items():
        as_text = "SELECT CAST(found AS text) AS line FROM ({}) AS found ORDER BY 1"
        there, here = webapp.rows(as_text.format(theirs)), rows(engine, as_text.format(ours))
        assert here == there, what


def test_the_record_is_the_same_and_the_next_sync_writes_nothing(webapp, record, engine):
    take_over(webapp, record, engine)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", golden.SCENARIOS)
def test_it_is_so_after_each_scenario_of_the_reference(scenario, database_url, simulator, record, engine):
    follow_steps(database_url, simulator, golden.steps(scenario))
    with opened_webapp(database_url) as webapp:
        take_over(webapp, record, engine)


def take_over(webapp, record, engine):
    plan = import_into(record, webapp)
    assert_same(webapp, engine)
    assert plan.added > 30
    assert plan.next_sync == {}
    # One ACL of the scenarios names somebody by an empty text.
    assert {finding.kind for finding in plan.oddities} <= {"empty name"}
    written = written_by(engine)
    report = record.sync()
    assert written_by(engine) == written
    assert not any(counts.written for counts in report.counts.values())
    assert_same(webapp, engine)
    for table in ("resource_changes", "item_updates", "item_creations"):
        assert rows(engine, f"SELECT FROM {table}") == []


def test_the_next_sync_follows_what_jw_platform_changed_meanwhile(webapp, record, engine):
    """The item keeps its id, and nothing else is written."""
    import_into(record, webapp)
    video = next(v for v in STEPS[-1][0]["videos"] if "sms_media_id" in v["custom"])
    before = {row.id: row for row in rows(engine, "SELECT * FROM media_items")}
    record.library.put("video", {**video, "title": "Changed", "updated": video["updated"] + 100})
    record.sync()
    after = {row.id: row for row in rows(engine, "SELECT * FROM media_items")}
    assert after.keys() == before.keys()
    changed = [row for row in after.values() if row != before[row.id]]
    assert [row.title for row in changed] == ["Changed"]


def test_a_second_import_finds_nothing_to_do_even_after_a_sync(webapp, record, engine):
    import_into(record, webapp)
    record.sync()
    before = rows(engine, "SELECT xmin::text, id FROM media_items ORDER BY id")
    assert import_into(record, webapp).is_empty
    assert rows(engine, "SELECT xmin::text, id FROM media_items ORDER BY id") == before


def test_a_plan_changes_nothing(webapp, record, engine):
    assert import_into(record, webapp, dry_run=True).added > 0
    for table in ("media_items", "cached_resources", "media_webapp_rows", "sync_problems", "run_leases"):
        assert rows(engine, f"SELECT FROM {table}") == []


def test_edits_after_an_import_wait_for_a_push(webapp, record, engine):
    """The import is no edit, and what people edit afterwards is one."""
    record.settings["jwp_sync_items"] = True
    record.follow()
    # As an edit, this item would be changed (its tag is not lower case) and created at JW Platform (it has no video).
    lonely = "(SELECT max(item_id) FROM mediaplatform_jwp_video)"
    webapp.execute(f"UPDATE mediaplatform_mediaitem SET tags = ARRAY['UPPER'] WHERE id = {lonely}")
    webapp.execute(f"DELETE FROM mediaplatform_jwp_video WHERE item_id = {lonely}")
    import_into(record, webapp)
    assert len(rows(engine, "SELECT FROM media_items WHERE tags = ARRAY['UPPER']")) == 1
    for table in ("item_updates", "item_creations"):
        assert rows(engine, f"SELECT FROM {table}") == []
    record.execute("UPDATE media_items SET title = 'Edited' WHERE id = (SELECT max(media_item_id) FROM videos)")
    assert [row.field for row in rows(engine, "SELECT field FROM item_updates")] == ["title"]


def test_an_edit_that_media_webapp_pushed_is_not_undone_by_what_it_had_cached_before(webapp, record, engine):
    """The stamp there is the one of the push, and the cached video is older, so `--sync-all` leaves the edit alone."""
    webapp.execute(
        "UPDATE mediaplatform_mediaitem SET title = 'Pushed', updated_at = now() WHERE id ="
        " (SELECT item_id FROM mediaplatform_jwp_video WHERE item_id IS NOT NULL ORDER BY key LIMIT 1)"
    )
    webapp.execute(
        "UPDATE mediaplatform_jwp_video SET updated = updated + 1000 WHERE key ="
        " (SELECT key FROM mediaplatform_jwp_video WHERE item_id IS NOT NULL ORDER BY key LIMIT 1)"
    )
    import_into(record, webapp)
    record.follow(sync_all=True)
    assert len(rows(engine, "SELECT FROM media_items WHERE title = 'Pushed'")) == 1

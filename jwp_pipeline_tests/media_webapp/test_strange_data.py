"""Unusual data lose nothing and open nothing to anybody; what cannot be right is refused before anything is written."""

import pytest
from sqlalchemy import text

from jwp_pipeline.errors import CannotImport, DatabaseError
from jwp_pipeline.media_webapp.source import open_source
from jwp_pipeline_tests.media.state import MEDIA_TABLES, open_problems, written_by
from jwp_pipeline_tests.media_webapp.conftest import import_into
from jwp_pipeline_tests.support import contents, rows

TABLES = (*MEDIA_TABLES, "cached_resources", "upload_endpoints", "media_webapp_rows")
# Data that people or accidents make, each with the finding that tells of it.
UNUSUAL = {
    "item without permission": "DELETE FROM mediaplatform_permission WHERE allows_view_item_id = {item}",
    "channel without permission": "DELETE FROM mediaplatform_permission WHERE allows_edit_channel_id = {channel}",
    "empty name": "UPDATE mediaplatform_permission SET crsids = ARRAY['', 'a'] WHERE allows_view_item_id = {item}",
    "live item without video": "DELETE FROM mediaplatform_jwp_video WHERE item_id = {item}",
    "live item of a video that is gone": "UPDATE mediaplatform_jwp_cachedresource SET deleted_at = now()"
    " WHERE key = (SELECT key FROM mediaplatform_jwp_video WHERE item_id = {item})",
    "withdrawn item": "UPDATE mediaplatform_mediaitem SET deleted_at = now() WHERE id = {item}",
    "withdrawn channel": "UPDATE mediaplatform_channel SET deleted_at = now() WHERE id = {channel}",
    "video that no listing has shown": "UPDATE mediaplatform_jwp_cachedresource SET type = ''"
    " WHERE key = (SELECT key FROM mediaplatform_jwp_video WHERE item_id = {item})",
    "resource that no sync has followed": "INSERT INTO mediaplatform_jwp_cachedresource"
    " VALUES ('newcomer', 'video', '{{\"key\": \"newcomer\"}}', now(), now(), NULL)",
    "playlist that is not public": "UPDATE mediaplatform_permission SET is_public = false, crsids = '{{x}}'"
    " WHERE allows_view_playlist_id = {playlist}",
    "playlist with missing items": "UPDATE mediaplatform_playlist SET media_items = '{{nobody}}' WHERE id = {playlist}",
    "channel with several playlists": "INSERT INTO mediaplatform_playlist"
    " SELECT 'second', channel_id, 'Mine', '', media_items, '', now(), now() FROM mediaplatform_playlist"
    " WHERE id = {playlist}",
    "institution with several accounts": "INSERT INTO mediaplatform_billingaccount"
    " SELECT 'second', 'Other', lookup_instid, now(), now() FROM mediaplatform_billingaccount LIMIT 1",
}
_IDS = {
    "item": "(SELECT item_id FROM legacysms_mediaitem WHERE item_id IS NOT NULL ORDER BY id LIMIT 1)",
    "channel": "(SELECT channel_id FROM legacysms_collection ORDER BY id LIMIT 1)",
    "playlist": "(SELECT playlist_id FROM legacysms_collection ORDER BY id LIMIT 1)",
}
WITHOUT_CONSTRAINTS = """
ALTER TABLE mediaplatform_permission DROP CONSTRAINT mediaplatform_permission_allows_view_item_id_key;
INSERT INTO mediaplatform_permission
SELECT 'again', allows_view_item_id, NULL, NULL, NULL, '{}', '{}', '{}', NOT is_public, false
FROM mediaplatform_permission WHERE allows_view_item_id = (SELECT min(id) FROM mediaplatform_mediaitem)
"""


@pytest.mark.parametrize("kind", UNUSUAL)
def test_what_is_unusual_is_imported_and_told(kind, webapp, record, engine):
    webapp.execute(UNUSUAL[kind].format(**_IDS))
    plan = import_into(record, webapp)
    assert {finding.kind for finding in plan.oddities} >= {kind}
    assert all(table.found == table.added + table.left_out for table in plan.tables)
    assert import_into(record, webapp).is_empty


def test_several_playlists_and_accounts_keep_their_ids_and_are_left_alone_by_syncs(webapp, record, engine):
    for kind in ("channel with several playlists", "institution with several accounts", "playlist with missing items"):
        webapp.execute(UNUSUAL[kind].format(**_IDS))
    webapp.execute("UPDATE mediaplatform_playlist SET media_items = '{nobody}' WHERE id = 'second'")
    import_into(record, webapp)
    for sync_all in (False, True):
        record.sync(sync_all=sync_all)
        second = rows(engine, "SELECT title, media_item_ids, deleted_at FROM playlists WHERE id = 'second'")
        assert [tuple(row) for row in second] == [("Mine", ["nobody"], None)]
    assert len(rows(engine, "SELECT FROM billing_accounts WHERE id = 'second'")) == 1


def test_a_withdrawn_item_stays_withdrawn_and_the_next_sync_writes_nothing(webapp, record, engine):
    webapp.execute(UNUSUAL["withdrawn item"].format(**_IDS))
    before = webapp.rows("SELECT id, item_id FROM legacysms_mediaitem ORDER BY id")
    plan = import_into(record, webapp)
    # Only the playlists that listed it no longer do.
    assert set(plan.next_sync) <= {"playlists"}
    written = {place: by for place, by in written_by(engine).items() if place[0] != "playlists"}
    record.sync()
    assert {place: by for place, by in written_by(engine).items() if place[0] != "playlists"} == written
    assert rows(engine, "SELECT id, media_item_id FROM sms_media_items ORDER BY id") == before
    assert open_problems(engine) == {}


def test_the_sms_id_of_an_item_without_a_video_is_left_alone_by_syncs(webapp, record, engine):
    """If a sync deleted the id, everybody who may edit the item's channel could edit the item, too."""
    webapp.execute(
        'INSERT INTO mediaplatform_mediaitem SELECT (jsonb_populate_record(item, \'{"id": "alone"}\')).*'
        f" FROM mediaplatform_mediaitem AS item WHERE id = {_IDS['item']}"
    )
    webapp.execute("INSERT INTO legacysms_mediaitem VALUES (987654, 'alone', now())")
    import_into(record, webapp)
    for sync_all in (False, True):
        record.sync(sync_all=sync_all)
        assert rows(engine, "SELECT media_item_id FROM sms_media_items WHERE id = 987654") == [("alone",)]


def test_importing_again_renews_what_is_kept_as_json(webapp, record, engine):
    webapp.execute(UNUSUAL["playlist that is not public"].format(**_IDS))
    import_into(record, webapp)
    webapp.execute("UPDATE mediaplatform_permission SET crsids = '{y}' WHERE crsids = '{x}'")
    assert import_into(record, webapp).kept == 1
    kept = rows(engine, "SELECT data FROM media_webapp_rows WHERE reason = 'view permission of a playlist'")
    assert [row.data["crsids"] for row in kept] == [["y"]]
    assert import_into(record, webapp).is_empty


def test_permissions_that_contradict_each_other_open_an_item_to_nobody_and_are_kept(webapp, record, engine):
    for statement in WITHOUT_CONSTRAINTS.split(";"):
        webapp.execute(statement)
    plan = import_into(record, webapp)
    assert [(finding.kind, finding.count) for finding in plan.oddities] == [("contradicting permissions", 1)]
    granted = "SELECT view_is_public, view_is_signed_in, view_crsids FROM media_items ORDER BY id LIMIT 1"
    assert [tuple(row) for row in rows(engine, granted)] == [(False, False, [])]
    kept = rows(engine, "SELECT data FROM media_webapp_rows WHERE reason = 'one of several permissions of one thing'")
    assert {row.data["id"] for row in kept} > {"again"}
    assert len(kept) == 2


def test_what_has_no_place_is_kept_to_the_letter(webapp, record, engine):
    webapp.execute(UNUSUAL["playlist that is not public"].format(**_IDS))
    webapp.execute(
        f"INSERT INTO mediaplatform_transcriptionrequest VALUES ('t', {_IDS['item']}, 'running', now(), now())"
    )
    webapp.execute(
        f"UPDATE mediaplatform_mediaitem SET initially_fetched_from_url = 'https://x' WHERE id = {_IDS['item']}"
    )
    webapp.execute("INSERT INTO legacysms_mediaitem VALUES (987654, NULL, now())")
    webapp.execute("INSERT INTO legacysms_collection VALUES (987654, NULL, NULL, now())")
    webapp.execute(
        "INSERT INTO mediaplatform_permission SELECT 'p', NULL, NULL, NULL, id, '{a}', '{}', '{}', false, false"
        " FROM mediaplatform_billingaccount LIMIT 1"
    )
    import_into(record, webapp)
    kept = {(row.source_table, row.reason): row.data for row in rows(engine, "SELECT * FROM media_webapp_rows")}
    assert kept.pop(("mediaplatform_billingaccount", "when a billing account was last saved"))["updated_at"]
    assert kept["mediaplatform_permission", "view permission of a playlist"]["crsids"] == ["x"]
    assert kept["mediaplatform_permission", "who may create channels on a billing account"]["crsids"] == ["a"]
    assert kept["mediaplatform_transcriptionrequest", "transcription request"]["state"] == "running"
    assert kept["mediaplatform_mediaitem", "URL that the item was fetched from"] == {
        "initially_fetched_from_url": "https://x"
    }
    assert kept["legacysms_mediaitem", "SMS id whose item is gone for good"]["id"] == 987654
    assert kept["legacysms_collection", "SMS id whose channel is gone for good"]["id"] == 987654
    assert len(kept) == 6


def refused(record, webapp):
    """Return why an import is refused, having seen that nothing was written."""
    before = contents(record.engine, *TABLES)
    with pytest.raises(CannotImport) as refusal:
        import_into(record, webapp)
    assert contents(record.engine, *TABLES) == before
    return str(refusal.value)


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ("DROP TABLE legacysms_collection", "table legacysms_collection"),
        ("ALTER TABLE mediaplatform_mediaitem DROP COLUMN language", "mediaplatform_mediaitem.language"),
        (
            "ALTER TABLE mediaplatform_jwp_video DROP CONSTRAINT mediaplatform_jwp_video_item_id_fkey;"
            "UPDATE mediaplatform_jwp_video SET item_id = 'nowhere'"
            " WHERE key = (SELECT min(key) FROM mediaplatform_jwp_video)",
            "mediaplatform_jwp_video.item_id",
        ),
        (
            "ALTER TABLE mediaplatform_uploadendpoint DROP CONSTRAINT mediaplatform_uploadendpoint_pkey;"
            "INSERT INTO mediaplatform_uploadendpoint"
            " SELECT 'same', id, 'https://u', now() FROM mediaplatform_mediaitem",
            "mediaplatform_uploadendpoint whose id is missing or not unique",
        ),
    ],
)
def test_a_database_that_is_not_whole_is_refused(damage, named, webapp, record):
    for statement in damage.split(";"):
        webapp.execute(statement)
    assert named in refused(record, webapp)


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("media_items", "title = 'Other'"),
        ("media_items", "view_is_public = NOT view_is_public"),
        ("media_channels", "edit_crsids = '{other}'"),
        ("playlists", "title = 'Other'"),
        ("billing_accounts", "description = 'Other'"),
        ("cached_resources", "data = '{}'"),
        ("videos", "media_item_id = NULL"),
        ("channels", "media_channel_id = NULL"),
    ],
)
def test_other_rows_under_the_same_keys_are_not_overwritten(table, change, webapp, record):
    import_into(record, webapp)
    record.execute(f"UPDATE {table} SET {change}")
    assert f"rows of {table} (" in refused(record, webapp)


def test_a_record_that_syncs_have_filled_is_not_mixed_with_another(webapp, record):
    record.sync()
    assert "import into a schema of its own" in refused(record, webapp)


def test_the_other_database_cannot_be_written_to(webapp):
    with open_source(webapp.url) as source, pytest.raises(DatabaseError, match="read-only"):
        source._all("UPDATE public.django_site SET name = '' RETURNING 1")
    with webapp.engine.connect() as connection:
        assert connection.scalar(text("SELECT name FROM django_site")) == "Media"

"""The triggers of media_items record what applications edit, whoever they are, and nothing that the pipeline writes."""

import secrets
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text

from jwp_pipeline_tests.outbox.site import EditedSite
from jwp_pipeline_tests.support import SCHEMA, rows, video

KEY = "aB3dE5gH"
TITLE = "UPDATE media_items SET title = title || '!'"


@pytest.fixture
def api():
    return "v1"


@pytest.fixture
def jwp(engine, simulator, api):
    with EditedSite(engine, simulator, api, create_items="all") as jwp:
        jwp.library.replace_all([video(KEY, acl="USER_abc", date=1_600_000_000.25)], [])
        jwp.sync()
        yield jwp


@contextmanager
def application(tables_url, *grants):
    """Yield a connection with a role of its own, that may read everything and has these privileges besides."""
    role, password = f"app_{secrets.token_hex(4)}", secrets.token_hex(8)
    with psycopg.connect(tables_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(password)))
        for grant in (f"USAGE ON SCHEMA {SCHEMA}", f"SELECT ON ALL TABLES IN SCHEMA {SCHEMA}", *grants):
            server.execute(sql.SQL(f"GRANT {grant} TO {{}}").format(sql.Identifier(role)))
        parts = urlsplit(tables_url)
        host = parts.netloc.rpartition("@")[2]
        try:
            with psycopg.connect(
                parts._replace(netloc=f"{role}:{password}@{host}").geturl(), options=f"-csearch_path={SCHEMA}"
            ) as connection:
                yield connection
        finally:
            server.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
            server.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def test_a_role_that_may_only_edit_items_cannot_evade_the_outbox(jwp, tables_url):
    with application(tables_url, f"UPDATE ON {SCHEMA}.media_items") as app:
        app.execute("SET jwp_pipeline.writer = 'pipeline'")
        app.execute(TITLE)
        app.commit()
    assert jwp.edits() == {"title": "waiting"}


def test_the_mark_of_the_pipeline_exempts_its_own_role(jwp):
    jwp.execute(f"SET LOCAL jwp_pipeline.writer = 'pipeline'; {TITLE}")
    assert jwp.edits() == {}
    jwp.execute(TITLE)
    assert jwp.edits() == {"title": "waiting"}


def test_tables_and_functions_of_an_application_do_not_mislead_the_triggers(jwp, tables_url):
    grants = (f"UPDATE ON {SCHEMA}.media_items", f"TEMPORARY ON DATABASE {urlsplit(tables_url).path[1:]}")
    with application(tables_url, *grants) as app:
        app.execute("CREATE TEMP TABLE write_back AS SELECT false AS records_edits")
        app.execute("CREATE TEMP TABLE item_updates (LIKE jwp.item_updates INCLUDING ALL)")
        app.execute("CREATE TEMP TABLE videos (LIKE jwp.videos)")
        app.execute("CREATE FUNCTION pg_temp.lower(text) RETURNS text LANGUAGE sql AS $$ SELECT 'misled' $$")
        app.execute("SET search_path TO pg_temp, jwp")
        app.execute("UPDATE jwp.media_items SET title = 'New', tags = '{One}'")
        assert app.execute("SELECT count(*) FROM pg_temp.item_updates").fetchall() == [(0,)]
        app.commit()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("CREATE TRIGGER mine AFTER UPDATE ON pg_temp.videos EXECUTE FUNCTION jwp.record_edit()")
    assert jwp.edits() == {"tags": "waiting", "title": "waiting"}
    assert jwp.item(KEY).tags == ["one"]


def test_what_a_trigger_of_an_application_changes_is_recorded_as_well(jwp):
    jwp.execute(
        "CREATE FUNCTION sign_off() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.copyright := 'signed'; RETURN NEW; END $$;"
        " CREATE TRIGGER a_sign BEFORE UPDATE ON media_items FOR EACH ROW EXECUTE FUNCTION sign_off();"
        " CREATE TRIGGER z_sign BEFORE UPDATE ON media_items FOR EACH ROW EXECUTE FUNCTION sign_off()"
    )
    try:
        jwp.execute(TITLE)
        assert jwp.edits() == {"copyright": "waiting", "title": "waiting"}
    finally:
        jwp.execute("DROP FUNCTION sign_off CASCADE")


def test_a_bulk_edit_records_every_item_and_a_rollback_none(jwp):
    jwp.library.replace_all([video(f"v{number:07}") for number in range(1000)], [])
    jwp.sync()
    with jwp.engine.connect() as connection:
        connection.exec_driver_sql(TITLE)
        connection.rollback()
    assert jwp.edits() == {}
    jwp.execute(f"{TITLE} WHERE deleted_at IS NULL")
    assert rows(jwp.engine, "SELECT field, state, count(*) FROM item_updates GROUP BY 1, 2") == [
        ("title", "waiting", 1000)
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE media_items SET title = title, tags = tags, view_crsids = view_crsids",
        "UPDATE media_items SET deleted_at = now()",
        "UPDATE media_items SET updated_at = now(), duration = 7, type = 'audio'",
    ],
)
def test_what_changes_nothing_that_is_pushed_records_nothing(jwp, statement):
    jwp.execute(statement)
    assert jwp.edits() == {}


def test_an_edit_that_also_withdraws_the_item_waits_until_it_is_restored(jwp):
    jwp.execute("UPDATE media_items SET title = 'Mine', deleted_at = now()")
    jwp.execute("UPDATE media_items SET description = 'Of a withdrawn item'")
    assert jwp.edits() == {"title": "waiting"}
    jwp.push()
    assert jwp.at_jwp(KEY)["title"] != "Mine"
    jwp.execute("UPDATE media_items SET deleted_at = NULL")
    jwp.sync(sync_all=True)
    assert jwp.item(KEY).title == "Mine"
    jwp.push()
    assert jwp.at_jwp(KEY)["title"] == "Mine"


def test_an_edit_of_one_column_leaves_the_others_as_they_are(jwp):
    """A publish date with a fraction stays, for to cut it would be an edit that nobody made."""
    date = jwp.item(KEY).published_at
    assert date.microsecond
    jwp.execute("UPDATE media_items SET tags = '{One}'")
    assert (jwp.edits(), jwp.item(KEY).published_at) == ({"tags": "waiting"}, date)


def test_nothing_is_recorded_while_nothing_is_pushed(jwp):
    assert jwp.push(jwp_sync_items=False).stopped
    jwp.execute(TITLE)
    jwp.execute("UPDATE media_items SET tags = '{One}'")
    jwp.execute(INSERT)
    assert jwp.edits() == {}
    assert rows(jwp.engine, "SELECT * FROM item_creations") == []
    assert jwp.item(KEY).tags == ["One"]
    assert jwp.push(jwp_sync_items=False).changes == ()
    assert jwp.at_jwp(KEY)["title"] == f"Video {KEY}"


def test_nothing_is_recorded_if_it_is_not_known_whether_edits_are_pushed(jwp):
    jwp.execute("DELETE FROM write_back")
    jwp.execute(TITLE)
    assert jwp.edits() == {}


def test_the_settings_of_a_session_do_not_matter(jwp, tables_url):
    with psycopg.connect(tables_url, options=f"-csearch_path={SCHEMA}") as app:
        app.execute("SET TimeZone TO 'Asia/Kathmandu'; SET DateStyle TO 'German'; SET IntervalStyle TO 'sql_standard'")
        app.execute("UPDATE media_items SET published_at = '01.02.2024 00:00:00.5'")
    (edit,) = rows(jwp.engine, "SELECT base FROM item_updates")
    assert edit.base == "2020-09-13T12:26:40.25+00:00"
    assert jwp.item(KEY).published_at.isoformat() == "2024-01-31T18:15:00+00:00"
    jwp.push()
    assert jwp.at_jwp(KEY)["date"] == 1_706_724_900


@pytest.mark.parametrize(
    ("assignment", "field"),
    [
        ("published_at = 'infinity'", "published_at"),
        ("published_at = '0044-03-15 BC'", "published_at"),
        ("published_at = '12024-01-01'", "published_at"),
        ("view_crsids = '{{a,b},{c,d}}'", "view_permission"),
        ("tags = '{{a,b},{c|,d}}'", "tags"),
    ],
)
def test_a_value_that_cannot_be_pushed_does_not_hold_up_anything(jwp, assignment, field):
    jwp.library.put("video", video("other123"))
    jwp.sync()
    jwp.execute(f"UPDATE media_items SET {assignment} WHERE title = 'Video {KEY}'")
    jwp.execute(TITLE)
    report = jwp.push()
    assert jwp.edits() == {f"{KEY}.{field}": "refused", f"{KEY}.title": "pushed", "other123.title": "pushed"}
    assert [change.problem is not None for change in report.changes if change.field == field] == [True]
    problems = rows(jwp.engine, "SELECT key, field FROM sync_problems WHERE stage = 'push' AND resolved_at IS NULL")
    assert problems == [(KEY, field)]


INSERT = (
    "INSERT INTO media_items (id, title, description, type, duration, published_at, language, copyright)"
    " VALUES ('inserted', 'Inserted', '', 'unknown', 0, now(), '', '')"
)
LINK = "INSERT INTO videos (key, updated, media_item_id) VALUES ('linked12', 0, 'inserted')"


@pytest.mark.parametrize(
    ("statements", "created"),
    [
        ([INSERT], 1),
        ([INSERT, LINK], 0),
        ([INSERT, "UPDATE media_items SET deleted_at = now() WHERE id = 'inserted'"], 0),
        ([INSERT, "DELETE FROM media_items WHERE id = 'inserted'"], 0),
        (["SET LOCAL jwp_pipeline.writer = 'pipeline'", INSERT], 0),
    ],
)
def test_only_an_item_without_a_video_is_a_new_one(jwp, statements, created):
    """Clarification 12: what counts is whether it has one when the transaction commits."""
    jwp.execute(";".join(statements))
    assert len(rows(jwp.engine, "SELECT * FROM item_creations")) == created


@pytest.mark.parametrize("what", ["edit", "creation"])
def test_a_bulk_write_does_not_read_a_table_again_for_each_item(engine, jwp, what):
    """In a new session: it plans the statements of triggers only once, and at that time the tables are still small."""
    items = 500
    insert = (
        "INSERT INTO media_items (id, title, description, type, duration, published_at, language, copyright)"
        f" SELECT 'bulk' || n, 'New', '', 'video', 1, now(), 'eng', '' FROM generate_series(1, {items}) AS n"
    )
    link = (
        "INSERT INTO videos (key, media_item_id, updated) SELECT 'bulk' || n, 'bulk' || n, 1"
        f" FROM generate_series(1, {items}) AS n"
    )
    if what == "edit":
        jwp.execute(f"{insert}; {link}")
    jwp.execute("ANALYZE")
    engine.dispose()
    with engine.begin() as connection:
        connection.execute(text(TITLE if what == "edit" else insert))
        connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        read = connection.execute(text("SELECT relname, seq_tup_read FROM pg_stat_xact_user_tables")).all()
    assert {table: count for table, count in read if count > 10 * items} == {}

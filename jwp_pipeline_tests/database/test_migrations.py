"""Migrations create the tables of the models, from any older version and also when several processes migrate."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from jwp_pipeline.database import budget_tables, history_tables, import_tables, media_tables
from jwp_pipeline.database.connection import WRITER_LOCK, advisory_lock, open_engine
from jwp_pipeline.database.migrate import create_schema, migrate
from jwp_pipeline.database.tables import Base, CachedResource
from jwp_pipeline.errors import DatabaseError
from jwp_pipeline.mirror.resources import fetch_videos, set_resources
from jwp_pipeline.record.models import MediaItem
from jwp_pipeline_tests.support import PROJECT, cache, follow, jwplatform, python, rows, sync, video, videos

SCHEMA = "jwp"
# The models do not name the partitions of raw_pages.
OPTIONS = {"include_name": lambda name, kind, parents: not (kind == "table" and name.startswith("raw_pages_"))}
MIGRATIONS = PROJECT / "jwp_pipeline" / "database" / "migrations"
assert {budget_tables, history_tables, import_tables, media_tables}, "imported so that Base knows their tables"


@pytest.fixture
def engine_of(database_url):
    """A function that makes engines for a new database, in which no schema has been created yet."""
    with ExitStack() as engines:

        def make(schema=SCHEMA):
            engine = open_engine(database_url, schema)
            engines.callback(engine.dispose)
            return engine

        yield make


def test_migrations_create_the_tables_of_the_models(engine_of):
    """This includes what Alembic does not compare: generated columns, defaults, indexes and descriptions."""
    migrated, modelled = engine_of("migrated"), engine_of("modelled")
    migrate(migrated, "migrated")
    with migrated.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts=OPTIONS), Base.metadata) == []
    function = rows(migrated, "SELECT pg_get_functiondef('array_as_text'::regproc) AS definition")[0].definition
    with modelled.begin() as connection:
        connection.execute(text("CREATE SCHEMA modelled"))
        connection.execute(text(function.replace("migrated.", "modelled.")))
        Base.metadata.create_all(connection)
    assert definitions(migrated) == definitions(modelled)
    assert len(definitions(migrated)) > 250


def definitions(engine):
    """Return the server's definitions of all columns, indexes and constraints of the models' tables."""
    names = list(Base.metadata.tables)
    columns = rows(
        engine,
        "SELECT table_name, column_name, udt_name, is_nullable, column_default, generation_expression, is_identity"
        " FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = ANY(:names)",
        names=names,
    )
    indexes = rows(
        engine,
        "SELECT replace(indexdef, current_schema(), '') FROM pg_indexes"
        " WHERE schemaname = current_schema() AND tablename = ANY(:names)",
        names=names,
    )
    constraints = rows(
        engine,
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = current_schema()::regnamespace AND conrelid::regclass::text = ANY(:names)"
        " AND contype <> 't'",
        names=names,
    )
    descriptions = rows(
        engine,
        "SELECT attrelid::regclass::text, attname, col_description(attrelid, attnum) FROM pg_attribute"
        " WHERE attrelid = ANY(CAST(CAST(:names AS text[]) AS regclass[])) AND attnum > 0 AND NOT attisdropped",
        names=names,
    )
    return {tuple(row) for row in (*columns, *indexes, *constraints, *descriptions)}


def migrate_to(engine, revision):
    """Migrate only as far as `revision`, as an older version of this program would."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.connect() as connection:
        create_schema(connection, SCHEMA)
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()


OLD_LIBRARY = """
INSERT INTO raw_snapshots (resource_type, api_version) VALUES ('video', 'v1');
INSERT INTO cached_resources (type, key, data) VALUES
    ('video', 'has-acl', '{"custom": {"sms_acl": "acl:CAM:"}}'),
    ('video', 'has-acl-v2', '{"metadata": {"custom_params": {"sms_acl": null}}}'),
    ('video', 'had-acl', '{"custom": {}}'), ('video', 'had-acl-v2', '{"metadata": {}}'),
    ('video', 'never', '{"title": "sms_acl", "custom": {"sms_language": "sms_acl"}}'),
    ('video', 'withdrawn', '{"custom": null}'), ('video', 'no-custom', '{}');
INSERT INTO resource_changes (snapshot_id, type, key, change, changed_fields)
SELECT id, 'video', key, 'changed', CAST(fields AS jsonb) FROM raw_snapshots, (VALUES
    ('had-acl', '{"custom": [{"sms_acl": "acl:CAM:"}, {}], "title": ["a", "b"]}'),
    ('had-acl-v2', '{"metadata": [{}, {"custom_params": {"sms_acl": "acl:CAM:"}}]}'),
    ('never', '{"title": ["sms_acl", "x"], "custom": [{}, {"sms_language": "x"}]}')
) AS logged (key, fields);
INSERT INTO media_items (id, title, description, type, duration, published_at, language, copyright, deleted_at)
SELECT key, '', '', 'video', 0, now(), '', '', CASE WHEN key IN ('never', 'withdrawn') THEN now() END
FROM cached_resources;
INSERT INTO videos (key, updated, media_item_id, looked_at, waits, returned, deleted_at)
SELECT key, 5, key, updated_at, key = 'has-acl', key = 'had-acl', CASE WHEN key = 'never' THEN now() END
FROM cached_resources;
"""


def test_data_of_an_older_version_are_migrated(engine_of):
    """`had_acl` comes from the cache and the change log, and items deleted by a sync differ from withdrawn ones."""
    engine = engine_of()
    migrate_to(engine, "0004")
    with engine.begin() as connection:
        connection.exec_driver_sql(OLD_LIBRARY)
    migrate(engine, SCHEMA)
    links = {row.key: row for row in rows(engine, "SELECT * FROM videos")}
    assert {key for key, link in links.items() if link.had_acl} == {"has-acl", "has-acl-v2", "had-acl", "had-acl-v2"}
    assert {key for key, link in links.items() if link.item_deleted_at} == {"never"}
    assert {key for key, link in links.items() if link.needs_full_sync} == {"has-acl"}
    assert {key for key, link in links.items() if link.reappeared} == {"had-acl"}
    assert all(link.mapped_version and link.acl_state is None for link in links.values())


BEFORE_THE_LEDGER = """
INSERT INTO raw_snapshots (resource_type, api_version, scope, status, complete, resource_count, key_count, page_count,
    applied_at, newest_change)
SELECT type, 'v1', scope, 'verified', scope = 'full', 1, 1, 1, now(), now() - interval '1 hour'
FROM (VALUES ('video', 'full'), ('channel', 'full'), ('video', 'incremental'), ('video', 'full')) AS read (type, scope);
INSERT INTO raw_pages (snapshot_id, page_number, body, resource_count, keys)
SELECT id, 1, jsonb_build_object(resource_type || 's', jsonb_build_array(jsonb_build_object('key', 'v0001'))), 1,
    ARRAY['v0001']
FROM raw_snapshots;
CREATE ROLE pages_reader; CREATE ROLE pages_writer;
GRANT SELECT ON raw_pages TO pages_reader;
GRANT SELECT, INSERT, DELETE ON raw_pages TO pages_writer;
"""
CACHED_BEFORE_THE_LEDGER = """
INSERT INTO cached_resources (type, key, data, updated_at)
SELECT 'video', data ->> 'key', data, now() - interval '1 day' FROM CAST(:data AS jsonb) AS data
"""
RIGHTS = "SELECT has_table_privilege(:role, :partition, 'SELECT'), has_table_privilege(:role, :partition, 'TRUNCATE')"


def test_a_cache_without_digests_gets_them_and_nothing_else_moves(engine_of, simulator):
    """No row changes for the upgrade: no `updated_at`, so no item is read again, and nothing in the change log."""
    engine = engine_of()
    migrate_to(engine, "0009")
    simulator.library.replace_all(videos(1, 2), [])
    with jwplatform(simulator) as client:
        stored = [json.dumps(listed) for listed in fetch_videos(client)]
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(BEFORE_THE_LEDGER)
            for data in stored:
                connection.execute(text(CACHED_BEFORE_THE_LEDGER), {"data": data})
        migrate(engine, SCHEMA)
        with engine.connect() as connection:
            rights = [
                connection.execute(text(RIGHTS), {"role": role, "partition": partition}).one()
                for role in ("pages_reader", "pages_writer")
                for partition in ("raw_pages", "raw_pages_1")
            ]
        assert rights == [(True, False), (False, False), (True, False), (False, True)]
    finally:
        with engine.begin() as connection:
            connection.execute(text("DROP OWNED BY pages_reader, pages_writer"))
            connection.execute(text("DROP ROLE pages_reader, pages_writer"))
    pages = rows(engine, "SELECT snapshot_id, slot, body, digests FROM raw_pages ORDER BY snapshot_id")
    assert [page.slot for page in pages] == [3, 2, 0, 1]
    assert [json.loads(page.body)["videos" if n != 1 else "channels"] for n, page in enumerate(pages)] == [
        [{"key": "v0001"}]
    ] * 4
    assert rows(engine, "SELECT key FROM raw_videos") == rows(engine, "SELECT key FROM raw_channels") == [("v0001",)]
    before = cache(engine)
    assert {row.digest for row in before.values()} == {None}
    with jwplatform(simulator) as client:
        _, applied = sync(engine, client)
        after = cache(engine)
        assert (applied.plan.reformatted, applied.plan.rows) == (2, 0)
        assert all(row.digest for row in after.values())
        for key, row in after.items():
            assert row._asdict() == before[key]._asdict() | {"digest": row.digest}
        assert rows(engine, "SELECT FROM resource_changes") == []
        _, applied = sync(engine, client)
    assert applied.plan.reformatted == 0


def test_autovacuum_comes_before_a_fifth_of_a_large_table_has_changed(engine_of):
    engine = engine_of()
    migrate(engine, SCHEMA)
    query = """
        SELECT relname, option_name, option_value FROM pg_class, pg_options_to_table(reloptions)
        WHERE relnamespace = current_schema()::regnamespace AND option_name LIKE '%vacuum%scale_factor'
    """
    factors = {(row.relname, row.option_name): float(row.option_value) for row in rows(engine, query)}
    for table in ("cached_resources", "media_items", "videos"):
        assert factors[table, "autovacuum_vacuum_scale_factor"] <= 0.02
    assert factors["resource_changes", "autovacuum_vacuum_insert_scale_factor"] <= 0.02


def test_migrating_twice_does_nothing(engine_of):
    engine = engine_of()
    assert migrate(engine, SCHEMA)
    with engine.begin() as connection:
        set_resources(connection, [video("a")], "video")
    assert not migrate(engine, SCHEMA)
    assert rows(engine, "SELECT count(*) FROM cached_resources") == [(1,)]


def test_threads_can_migrate_at_the_same_time(engine_of):
    """P2: of several threads that start at the same moment, one migrates and none fails."""
    for round_ in range(5):
        schema = f"s{round_}"
        start = Barrier(6)

        def at_once(engine, schema=schema, start=start):
            start.wait()
            return migrate(engine, schema)

        engines = [engine_of(schema) for _ in range(6)]
        with ThreadPoolExecutor(6) as pool:
            did = list(pool.map(at_once, engines))
        assert True in did
        assert rows(engines[0], "SELECT count(*) FROM media_items") == [(0,)]


def test_processes_can_migrate_at_the_same_time(engine_of, database_url):
    """P2: `make up` starts several such processes."""
    code = (
        "import sys; from jwp_pipeline.database.connection import open_engine;"
        "from jwp_pipeline.database.migrate import migrate;"
        "print(migrate(open_engine(sys.argv[1], 'jwp'), 'jwp'))"
    )
    with ExitStack() as running:
        processes = [running.enter_context(python(code, database_url)) for _ in range(3)]
        answers = [process.communicate(timeout=60) for process in processes]
    assert {out.strip() for out, _ in answers} <= {"True", "False"}, answers
    assert rows(engine_of(), "SELECT count(*) FROM media_items") == [(0,)]


def test_two_sites_share_a_database(engine_of):
    """Two schemas share neither rows nor locks."""
    one, other = engine_of("one"), engine_of("other")
    for engine, title in ((one, "Of one"), (other, "Of the other")):
        migrate(engine, "one" if engine is one else "other")
        with engine.begin() as connection:
            set_resources(connection, [video("same", 1, title=title)], "video")
    with one.connect() as connection, advisory_lock(connection, WRITER_LOCK, patience=1):
        follow(other)
    with Session(one) as session:
        assert session.scalars(CachedResource.videos).one().data["title"] == "Of one"
        assert session.scalars(MediaItem.including_deleted).all() == []
    with Session(other) as session:
        assert session.scalars(MediaItem.live).one().title == "Of the other"


def test_a_schema_of_a_newer_version_is_refused(engine_of):
    engine = engine_of()
    migrate(engine, SCHEMA)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match=r"Schema jwp is at migration 9999.*a newer version made it"):
        migrate(engine, SCHEMA)
    assert rows(engine, "SELECT version_num FROM alembic_version") == [("9999",)]


def test_items_are_found_by_their_words(engine_of):
    """The search stems words, uses the index, and ranks titles before tags and tags before descriptions."""
    engine = engine_of()
    migrate(engine, SCHEMA)
    with engine.begin() as connection:
        lectures = [
            video("description", 1, description="A lecture on moving glaciers"),
            video("title", 2, title="Glaciers move"),
            video("tag", 3, custom={"sms_keywords": "keywords:moving glaciers|ice:"}),
            *(video(f"other-{number}", 10 + number, title=f"Lecture {number}") for number in range(2000)),
        ]
        set_resources(connection, lectures, "video")
    follow(engine)
    query = func.websearch_to_tsquery("english", "glacier moves -volcano")
    matching = MediaItem.live.where(MediaItem.searched_text.bool_op("@@")(query))
    by_rank = matching.order_by(func.ts_rank(MediaItem.searched_text, query).desc())
    with Session(engine) as session:
        session.execute(text("ANALYZE media_items"))
        assert [item.video.key for item in session.scalars(by_rank)] == ["title", "tag", "description"]
        searched = (
            "EXPLAIN SELECT id FROM media_items WHERE searched_text @@ websearch_to_tsquery('english', 'glacier')"
        )
        assert "media_items_search" in "\n".join(session.scalars(text(searched)))
        tagged = select(MediaItem.id).where(MediaItem.tags.contains(["ice"]))
        assert len(session.scalars(tagged).all()) == 1

"""Pages are stored to the letter, and only what differs from the ledger is read; what is read is compared as data."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, text

from jwp_pipeline.mirror.apply import apply_newest
from jwp_pipeline.mirror.digests import digests, split
from jwp_pipeline.mirror.landing import read_listing
from jwp_pipeline.mirror.mending import mended
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.simulator import RawJson, bulk_library
from jwp_pipeline_tests.support import cache, jwplatform, rows, sync, touched, video, videos

TOO_DEEP = '{"k": ' * 750 + "1" + "}" * 750
CHANGES = "SELECT count(*) AS n FROM resource_changes"


@pytest.fixture
def client(simulator):
    """A client of a site with 20 videos that reads eight per page."""
    simulator.library.replace_all(videos(*range(20)), [])
    with jwplatform(simulator, page_length=8) as client:
        yield client


def apply(engine, client):
    return apply_newest(engine, "video", options=MirrorOptions(), client=client)


def assert_next_sync_writes_nothing(engine, client):
    before = touched(engine), rows(engine, CHANGES)
    _, applied = sync(engine, client)
    assert (touched(engine), rows(engine, CHANGES)) == before
    assert (applied.plan.rows, applied.plan.reformatted) == (0, 0)


ODD = (
    '{"title" : "a\\/b", "key": "v0001","size":1.0, "duration":1e2, "views": 12345678901234567890123,\n'
    ' "custom": {"b": "1", "a": "2", "b": "3"}, "md5": "\\u0000 \\ud800", "zero": -0.0}'
)


@pytest.mark.parametrize("neighbour", ['"good"', "NaN"])
def test_number_texts_order_and_escapes_stay_as_they_were_sent(engine, simulator, client, neighbour):
    simulator.library.override("video", "v0001", RawJson(ODD))
    simulator.library.override("video", "v0002", RawJson(f'{{"key": "v0002", "title": {neighbour}}}'))
    sync(engine, client)
    bodies = [row.body for row in rows(engine, "SELECT body FROM raw_pages ORDER BY page_number")]
    assert ODD in bodies[0]
    assert f'"title": {neighbour}}}' in bodies[0]
    assert cache(engine)["v0001"].data["custom"] == {"a": "2", "b": "3"}
    assert [row.key for row in rows(engine, "SELECT key FROM raw_videos")] == simulator.library.keys("video")
    assert_next_sync_writes_nothing(engine, client)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)
spaces = st.sampled_from(["", " ", "\n\t "])


@given(st.lists(values, max_size=5), spaces, st.booleans(), st.sampled_from(["videos", "ключ", "x"]))
def test_a_page_is_split_where_the_parser_splits_it(elements, space, is_ascii, array):
    """The fallback for pages that are not valid JSON finds the same bytes, so digests do not depend on neighbours."""
    texts = [json.dumps(element, ensure_ascii=is_ascii) for element in elements]
    listed = f"{space},{space}".join(texts)
    name = json.dumps(array)
    body = f'{{"total":{space}1, {name}: [[1]],{space}{name}:{space}[{space}{listed}{space}]{space}, "y": {{}}}}'
    body.encode("utf-8", errors="surrogatepass")
    try:
        expected = [each.encode() for each in texts]
    except UnicodeEncodeError:
        return
    assert [each.encode() for each in mended(body, array).sent] == expected
    is_valid = not any(word in text for text in texts for word in ("NaN", "Infinity"))
    found = split(body, array)
    assert found == expected if is_valid else found in (None, expected)


def test_digests_of_different_origins_are_never_equal():
    ours = {digests([b"{}"], origin)[0] for origin in ("v1", "v2", "local")}
    assert len(ours) == 3
    assert all(len(digest) == 32 for digest in ours)


def test_an_unchanged_listing_reads_no_bodies(engine, client):
    sync(engine, client)
    listing = read_listing(engine, client, "video")
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE raw_pages SET body = 'nobody reads this' WHERE snapshot_id = :id"), {"id": listing.snapshot_id}
        )
    assert apply(engine, client).plan.unchanged == 20


def test_a_digest_that_moves_for_formatting_alone_moves_nothing_else(engine, simulator, client):
    sync(engine, client)
    before, logged = cache(engine), rows(engine, CHANGES)
    reordered = dict(reversed(before["v0001"].data.items()))
    simulator.library.override("video", "v0001", RawJson(json.dumps(reordered, indent=1)))
    _, applied = sync(engine, client)
    assert (applied.plan.reformatted, applied.plan.rows, applied.plan.unchanged) == (1, 0, 20)
    after = cache(engine)
    assert after["v0001"].digest != before["v0001"].digest
    for key, row in after.items():
        assert row._asdict() == before[key]._asdict() | {"digest": row.digest}
    assert rows(engine, CHANGES) == logged
    assert_next_sync_writes_nothing(engine, client)


def test_a_marked_row_that_only_reads_differently_is_found_again(engine, client):
    sync(engine, client)
    with engine.begin() as connection:
        connection.execute(text("UPDATE cached_resources SET missing_since = now(), digest = NULL WHERE key = 'v0001'"))
    _, applied = sync(engine, client)
    assert (applied.missing, applied.plan.reformatted) == (0, 1)
    assert cache(engine)["v0001"].missing_since is None


def test_views_that_move_are_written_and_nothing_is_logged(engine, simulator, client):
    sync(engine, client)
    logged = rows(engine, CHANGES)
    for key in simulator.library.keys("video"):
        simulator.library.edit("video", key, views=77)
    _, applied = sync(engine, client)
    assert (applied.plan.refreshed, applied.plan.changed) == (20, 0)
    assert {row.data["views"] for row in cache(engine).values()} == {77}
    assert rows(engine, CHANGES) == logged
    assert_next_sync_writes_nothing(engine, client)


def test_of_a_key_that_is_always_listed_twice_the_last_digest_counts(engine, simulator, client):
    simulator.library.append("video", video("v0001", 1, title="The last"), "v1")
    sync(engine, client)
    assert cache(engine)["v0001"].data["title"] == "The last"
    assert_next_sync_writes_nothing(engine, client)


UNSTORABLE = [r'"a \u0000"', r'"\\ud83d\ude00"', "NaN", "1e999999", "1e-16384", "9" * 131_073]


@pytest.mark.parametrize("value", UNSTORABLE, ids=lambda value: value[:12])
def test_what_cannot_be_stored_stays_a_problem_and_is_not_written_again(engine, simulator, client, value):
    """P3 and P4 hold for it, whether it is found by its looks or only because the server refuses it."""
    simulator.library.override("video", "v0001", RawJson(f'{{"key": "v0001", "title": {value}}}'))
    sync(engine, client)
    for _ in range(2):
        assert_next_sync_writes_nothing(engine, client)
        assert [row.key for row in rows(engine, "SELECT key FROM sync_problems WHERE resolved_at IS NULL")] == ["v0001"]
    assert len(cache(engine)) == 20
    simulator.library.override("video", "v0001", RawJson('{"key": "v0001", "title": "good"}'))
    sync(engine, client)
    assert cache(engine)["v0001"].data["title"] == "good"
    assert rows(engine, "SELECT FROM sync_problems WHERE resolved_at IS NULL") == []


def test_a_dry_run_does_not_hide_what_cannot_be_stored(engine, simulator, client):
    """The page was mended for the dry run already, so the server refuses nothing when it is applied."""
    simulator.library.override("video", "v0001", RawJson('{"key": "v0001", "title": 1e999999}'))
    read_listing(engine, client, "video")
    apply_newest(engine, "video", options=MirrorOptions(), client=client, dry_run=True)
    apply(engine, client)
    sync(engine, client)
    assert [row.key for row in rows(engine, "SELECT key FROM sync_problems WHERE resolved_at IS NULL")] == ["v0001"]


def test_data_that_somebody_else_wrote_are_put_right(engine, client):
    sync(engine, client)
    with engine.begin() as connection:
        connection.execute(text("""UPDATE cached_resources SET data = '{"key": "v0001"}' WHERE key = 'v0001'"""))
        connection.execute(text("UPDATE cached_resources SET data = data || '{}' WHERE key = 'v0002'"))
    _, applied = sync(engine, client)
    assert applied.plan.changed == 1
    assert cache(engine)["v0001"].data["title"]
    assert_next_sync_writes_nothing(engine, client)


def test_an_element_that_the_server_refuses_only_later_is_set_aside(engine, simulator, client):
    """Between landing and applying, a server may be restarted with other limits."""
    simulator.library.override("video", "v0001", RawJson(f'{{"key": "v0001", "custom": {TOO_DEEP}}}'))
    read_listing(engine, client, "video")

    @event.listens_for(engine, "connect")
    def limit(connection, record):
        connection.execute("SET max_stack_depth TO '100kB'")
        connection.commit()

    engine.dispose()
    applied = apply(engine, client)
    assert (applied.plan.added, applied.plan.set_aside, applied.open_problems) == (19, 1, 1)
    [problem] = rows(engine, "SELECT key, problem FROM sync_problems")
    assert problem.key == "v0001"
    assert problem.problem.startswith("cannot be stored: ")


def make_all_visible(engine, table):
    """Vacuum until each page of the table is marked as visible to all, which an index-only scan relies on.

    Vacuum marks no page whose commit has not reached the disk, and this server commits asynchronously. One synchronous
    commit writes out all that came before it. A snapshot of autovacuum can still be older than the rows, so one try
    may not be enough.
    """
    pages = text("SELECT relpages, relallvisible FROM pg_class WHERE oid = CAST(:table AS regclass)")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET synchronous_commit TO on"))
        for _ in range(100):
            connection.execute(text(f"ANALYZE {table}"))
            connection.execute(text(f"VACUUM {table}"))
            page = connection.execute(pages, {"table": table}).one()
            if 0 < page.relpages == page.relallvisible:
                return
            time.sleep(0.1)
    pytest.fail(f"Of {page.relpages} pages of {table}, only {page.relallvisible} became visible to all.")


def test_the_listing_is_joined_with_an_index_by_hash_joins(engine, simulator):
    """Without statistics about the new pages, the planner would look up each key, or sort everything."""
    simulator.library.load("video", bulk_library(5000, channels=0).records("video"))
    with jwplatform(simulator) as client:
        sync(engine, client)
        read_listing(engine, client, "video")
    make_all_visible(engine, "cached_resources")
    plans = []

    @event.listens_for(engine, "before_cursor_execute")
    def explain(connection, cursor, statement, parameters, context, executemany):
        if "unnest(keys)" in statement and "cached_resources" in statement:
            with connection.connection.driver_connection.cursor() as another:
                plans.append("\n".join(line for (line,) in another.execute(f"EXPLAIN {statement}", parameters)))

    assert apply_newest(engine, "video", options=MirrorOptions(), client=None).plan.unchanged == 5000
    assert len(plans) == 2
    for plan in plans:
        assert "Index Only Scan using cached_resources_live" in plan
        assert "Hash" in plan
        assert "Nested Loop" not in plan
        assert "Merge" not in plan

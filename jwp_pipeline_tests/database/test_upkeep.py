"""GIN indexes are built after a large first write, but only if that blocks no other session."""

import pytest
from sqlalchemy import text

from jwp_pipeline.database import upkeep
from jwp_pipeline.database.tables import CachedResource
from jwp_pipeline.mirror.apply import apply_newest
from jwp_pipeline.mirror.landing import read_listing
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline_tests.support import jwplatform, rows, videos

GIN = "cached_resources_data"


def index_oid(engine):
    (row,) = rows(engine, "SELECT oid, pg_get_indexdef(oid) AS made_by FROM pg_class WHERE relname = :name", name=GIN)
    return row


def filled(engine, simulator):
    """Mirror 20 videos, and return the index before and after."""
    before = index_oid(engine)
    simulator.library.replace_all(videos(*range(20)), [])
    with jwplatform(simulator) as client:
        read_listing(engine, client, "video")
        apply_newest(engine, "video", options=MirrorOptions(), client=client)
    found = "SELECT count(*) AS found FROM cached_resources WHERE data @> :data"
    assert rows(engine, found, data='{"title": "Video v0007"}')[0].found == 1
    return before, index_oid(engine)


def test_the_gin_index_is_built_again_after_a_large_first_write(engine, simulator, monkeypatch):
    monkeypatch.setattr(upkeep, "_LARGE", 20)
    before, after = filled(engine, simulator)
    assert after.made_by == before.made_by
    assert after.oid != before.oid


@pytest.mark.parametrize("why", ["small", "not empty", "looked at"])
def test_the_gin_index_is_kept_if_the_write_is_small_or_the_table_in_use(engine, simulator, monkeypatch, why):
    monkeypatch.setattr(upkeep, "_LARGE", 21 if why == "small" else 20)
    with engine.connect() as reader:
        if why == "not empty":
            with engine.begin() as connection:
                connection.execute(CachedResource.__table__.insert(), {"type": "channel", "key": "c", "data": {}})
        if why == "looked at":
            # A reader that keeps its transaction open must neither wait nor make the sync wait.
            reader.execute(text("SELECT count(*) FROM cached_resources"))
        before, after = filled(engine, simulator)
    assert after.oid == before.oid

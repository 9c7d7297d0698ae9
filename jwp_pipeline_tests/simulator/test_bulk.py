"""A bulk library answers like any other, but a million videos need little memory, and a page of them no search."""

import resource
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwp_pipeline.simulator import Library, bulk_library
from jwp_pipeline.simulator.listing import Listings
from jwp_pipeline.simulator.lucene import parse
from jwp_pipeline.simulator.shelf import SortField
from jwp_pipeline_tests.support import video

KEYS = bulk_library(300).keys("video")
BOUNDS = st.sampled_from(KEYS) | st.text("0AZaz~", min_size=1, max_size=8) | st.just("*")
ORDERS = [
    ("v1", "date"),
    ("v1", "updated"),
    ("v1", "title"),
    ("v2", "created"),
    ("v2", "last_modified"),
    ("v2", "title"),
]
CHANGES = st.lists(
    st.tuples(st.sampled_from(["edit", "move", "remove", "add", "hide"]), st.sampled_from(KEYS)), max_size=4
)


def change(library, what, key):
    """Make one change, if the key is still there."""
    if library.record("video", key) is None:
        return
    if what == "edit":
        library.edit("video", key, title="Edited", updated=library.get("video", key)["updated"] + 500_000)
    elif what == "move":
        library.edit("video", key, date=1_600_000_000)
    elif what == "remove":
        library.remove("video", key)
    elif what == "add":
        library.put("video", video("addedAAA"))
    else:
        library.hide("video", key)


def copy_of(library):
    """Return an ordinary library with the same content."""
    copy = Library()
    for kind in ("video", "channel"):
        copy.load(kind, library.records(kind))
    return copy


@given(
    first=BOUNDS,
    last=BOUNDS,
    more=st.sampled_from(["", " AND status:ready", " AND title:Edited"]),
    order=st.sampled_from(ORDERS),
    descending=st.booleans(),
    changes=CHANGES,
)
def test_a_bulk_library_answers_like_any_other(first, last, more, order, descending, changes):
    bulk, api = bulk_library(300, bytes_per_video=10), order[0]
    ordinary = copy_of(bulk)
    for what, key in changes:
        change(bulk, what, key)
        change(ordinary, what, key)
    query = f"id:[{first} TO {last}]{more}"
    asked = "video", api, (SortField(order[1], descending),), query, parse(query, "video")
    expected, found = (Listings(library).select(*asked) for library in (ordinary, bulk))
    assert found.total == expected.total
    assert [r.json(api) for r in found.slice(0, 500)] == [r.json(api) for r in expected.slice(0, 500)]
    assert bulk.keys("video") == ordinary.keys("video")


@pytest.mark.slow
def test_a_million_videos_need_little_memory_and_no_search():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    library = bulk_library(1_000_000, channels=20_000)
    listings = Listings(library)

    def ask(api, order, query, kind="video"):
        started = time.process_time()
        found = listings.select(kind, api, order, query, parse(query, kind) if query else None)
        page = [record.json(api) for record in found.slice(0, 1000)]
        return found.total, len(page), time.process_time() - started

    oldest_first = (SortField("created", False),)
    assert ask("v2", oldest_first, "")[:2] == (1_000_000, 1000)
    ask("v2", oldest_first, "id:[00000000 TO 00000000]")
    total, _, seconds = ask("v2", oldest_first, "id:[40000000 TO 43zzzzzz]")
    assert 800 < total < 1200
    assert seconds < 0.5
    total, _, seconds = ask("v2", oldest_first, "id:[40000000 TO 4zzzzzzz] AND playlist_type:manual", "channel")
    assert 250 < total < 400
    assert seconds < 2
    library.edit("video", library.keys("video")[7], title="Edited")
    assert ask("v1", (SortField("date", False),), "")[:2] == (1_000_000, 1000)
    # Kilobytes: the keys as texts, twice, are most of it.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 250_000

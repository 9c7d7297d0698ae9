"""Whatever ids a library has and however its totals are told: each id is read once, the walk ends, and is cheap."""

from bisect import bisect_left, bisect_right
from collections import deque
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwp_pipeline.errors import MalformedAnswer
from jwp_pipeline.jwplatform.census import EVERY, Census
from jwp_pipeline.jwplatform.ids import ALL_IDS, ALPHABET, IdRange
from jwp_pipeline.jwplatform.ranges import RangeWalk

IDS = st.text(ALPHABET, min_size=8, max_size=8)
# Ids of one prefix lie close together, which even ones never do.
CLOSE_IDS = st.integers(0, 62**2 - 1).map(lambda n: "vvvvvv" + ALPHABET[n // 62] + ALPHABET[n % 62])


def read_all(ids, window, page_length, capped, census=None):
    """Requests and ids of a walk over these ids, served as v2 does: q, a window, a total that may be capped."""
    ids = sorted(ids)

    def announced(total):
        return min(total, window) if capped else total

    requests, read = 1, []
    walk = RangeWalk(announced(len(ids)), window, page_length, census)
    while (part := walk.next_range()) is not None:
        first, last = part.bounds
        found = ids[bisect_left(ids, first) : bisect_right(ids, last)]
        requests += 1
        if announced(len(found)) >= window:
            walk.too_big(part, announced(len(found)))
            continue
        requests += max(0, -(-len(found) // page_length) - 1)
        read += found
        walk.read(part, announced(len(found)))
    assert walk.at_end
    assert walk.ids_read == walk.estimate == len(read)
    return requests, read


@given(
    ids=st.sets(IDS | CLOSE_IDS, min_size=20, max_size=300),
    window=st.integers(2, 20),
    page_length=st.integers(1, 10),
    capped=st.booleans(),
)
def test_each_id_is_in_exactly_one_range(ids, window, page_length, capped):
    _, read = read_all(ids, window, page_length, capped)
    assert read == sorted(ids)


@given(first=st.integers(0, ALL_IDS - 1), size=st.integers(2, 10**6), parts=st.integers(1, 20), share=st.floats(0, 1))
def test_cutting_a_range_loses_no_id(first, size, parts, share):
    whole = IdRange(first, min(first + size, ALL_IDS) - 1)
    pieces = whole.cut(parts)
    if whole.size > 1:
        for cut in (pieces, whole.split(share)):
            assert cut[0].first == whole.first
            assert cut[-1].last == whole.last
            assert all(left.last + 1 == right.first for left, right in pairwise(cut))
            assert all(piece.size >= 1 for piece in cut)


def test_the_query_of_all_ids():
    assert IdRange().query == "id:[00000000 TO zzzzzzzz]"


@pytest.mark.parametrize("capped", [False, True])
@pytest.mark.parametrize(
    ("make", "extra"),
    [
        (lambda chance, n: "".join(chance.choices(ALPHABET, k=8)), 0.16),
        # Not how JWP makes ids; dearer, but not by much.
        (lambda chance, n: "".join(chance.choices(ALPHABET[36:], k=8)), 0.6),
        (lambda chance, n: f"v{n:07}", 2.0),
    ],
    ids=["even", "lower case", "sequential"],
)
def test_fifty_thousand_cost_about_their_fifty_pages(make, extra, capped):
    chance = Random(1)
    ids = {make(chance, number) for number in range(50_000)}
    requests, _ = read_all(ids, 10_000, 1000, capped)
    assert requests <= 50 * (1 + extra)


@pytest.mark.parametrize("capped", [False, True])
@pytest.mark.parametrize("grown", [0, 500, 25_000])
@pytest.mark.parametrize(
    "make", [lambda chance, n: "".join(chance.choices(ALPHABET, k=8)), lambda chance, n: f"v{n:07}"]
)
def test_a_census_makes_fifty_thousand_cost_their_fifty_pages_and_few_more(make, grown, capped):
    """Whatever the ids look like, and also if new ones have come since; they are spread like the others."""
    chance = Random(1)
    ids = sorted({make(chance, number) for number in range(50_000)})
    known = ids if not grown else sorted(chance.sample(ids, 50_000 - grown))
    requests, read = read_all(ids, 10_000, 1000, capped, Census(known[::EVERY]))
    assert read == ids
    # A census of half of the ids is still better than none, unless the total does not say so.
    assert requests <= (53 if not grown else 56 if grown == 500 else 75 if not capped else 110)


@given(
    ids=st.sets(IDS | CLOSE_IDS, min_size=60, max_size=120),
    known=st.sets(IDS | CLOSE_IDS | st.just("no id"), max_size=40),
    share=st.floats(0, 1),
    capped=st.booleans(),
)
def test_no_census_however_wrong_makes_a_walk_miss_or_repeat_an_id(ids, known, share, capped):
    remembered = sorted({*known, *sorted(ids)[: int(len(ids) * share)]})
    _, read = read_all(ids, 50, 200, capped, Census(remembered))
    assert read == sorted(ids)


@pytest.mark.parametrize("total", [10_000, 10**15])
def test_contradictory_totals_end_the_walk(total):
    always_full = RangeWalk(total, 10_000, 1000)
    with pytest.raises(MalformedAnswer):
        deque(always_full.too_big(part, 10_000) for part in iter(always_full.next_range, None))
    walk = RangeWalk(total, 10_000, 1000)
    asked = 0
    while (part := walk.next_range()) is not None:
        walk.read(part, 0)
        asked += 1
    assert asked < 1000


def test_an_endless_listing_is_given_up():
    """Each range holds what is announced, and still there is ever more."""
    walk = RangeWalk(10**15, 10_000, 1000)
    with pytest.raises(MalformedAnswer, match="contradict"):
        deque(walk.read(part, 939) for part in iter(walk.next_range, None))


def test_a_million_resources_can_be_read_fifty_at_a_time():
    walk = RangeWalk(1_000_000, 10_000, 50)
    while (ids := walk.next_range()) is not None:
        walk.read(ids, round(1_000_000 * (ids.last + 1) / ALL_IDS) - round(1_000_000 * ids.first / ALL_IDS))
    assert walk.ids_read == 1_000_000

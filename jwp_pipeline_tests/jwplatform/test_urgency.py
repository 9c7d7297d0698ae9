"""User edits go before background reads, which lose at most a tenth of the rate, and only while somebody may write."""

from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwp_pipeline.jwplatform.limiter import RateLimiter
from jwp_pipeline.jwplatform.management import ClientOptions
from jwp_pipeline.jwplatform.v2 import ManagementV2
from jwp_pipeline.jwplatform.writing_v2 import WritingV2
from jwp_pipeline.rate_limit import WINDOW, Lane
from jwp_pipeline_tests.jwplatform.conftest import KEY, SECRET, answer
from jwp_pipeline_tests.support.lanes import REQUESTS, observe


@given(limit=st.integers(1, 25), requests=REQUESTS, writers=st.booleans())
def test_the_lanes_go_in_order_and_the_limit_holds(limit, requests, writers):
    limiter = RateLimiter(limit)
    if writers:
        limiter.reserve()
    observe(
        limit,
        requests,
        lambda _, lane: limiter.in_line(lane),
        lambda _, now, lane: limiter.begin(now, lane),
        lambda _, now: limiter.end(now),
        writers=writers,
    )


def begun(limiter, *lane):
    """Begin as many requests as are allowed at once, and return their number."""
    number = 0
    while limiter.begin(0.0, *lane) == 0:
        limiter.end(0.0)
        number += 1
    return number


@pytest.mark.parametrize(("limit", "reads"), [(60, 54), (10, 9), (9, 8), (2, 1), (1, 1), (600, 540)])
def test_reads_leave_a_tenth_while_somebody_may_write(limit, reads):
    limiter = RateLimiter(limit)
    limiter.reserve()
    limiter.reserve()
    limiter.unreserve()
    assert begun(limiter) == reads
    assert begun(limiter, Lane.EDITS) == limit - reads
    limiter = RateLimiter(limit)
    limiter.reserve()
    limiter.unreserve()
    assert begun(limiter) == limit


def test_no_read_begins_where_an_edit_could():
    limiter = RateLimiter(30)
    limiter.reserve()
    assert begun(limiter, Lane.EDITS) == 30
    with ExitStack() as line:
        for _ in range(29):
            line.enter_context(limiter.in_line(Lane.EDITS))
        assert limiter.begin(WINDOW) == 0
        assert limiter.begin(WINDOW) > 0
        assert limiter.wait(WINDOW, Lane.EDITS) == 0
    assert limiter.begin(WINDOW) == 0


def test_a_push_that_waits_is_in_line(script, clock):
    limiter = RateLimiter(1)
    reads = []
    options = ClientOptions(limiter=limiter, on_wait=lambda notice: reads.append(limiter.wait(clock.now + WINDOW)))
    script.answers = [answer(200, {"id": "AbCd1234"})]
    writer = WritingV2(KEY, SECRET, origin=script.url, options=options, clock=clock)
    writer.show_video("AbCd1234")
    writer.show_video("AbCd1234")
    assert reads == [WINDOW]
    assert limiter.wait(clock.now + WINDOW) == 0


def test_a_push_does_not_wait_behind_a_long_listing(script, clock):
    pages = [answer(200, {"media": [{"id": f"page{n:04}"}], "total": 80, "page_length": 1}) for n in range(80)]
    limiter = RateLimiter(60)
    options = ClientOptions(limiter=limiter)
    reader = ManagementV2(KEY, SECRET, origin=script.url, options=options, clock=clock)
    writer = WritingV2(KEY, SECRET, origin=script.url, options=options, clock=clock)
    script.answers = list(pages)
    listing = reader.list_pages("video")
    for _ in range(54):
        next(listing)
    rest, script.answers = script.answers, [answer(200, {"id": "AbCd1234"})]
    assert writer.show_video("AbCd1234") == {"id": "AbCd1234"}
    assert clock.slept == []
    script.answers = rest
    writer.close()
    writer.close()
    # The room that was kept is for the reader now.
    for _ in range(5):
        next(listing)
    assert clock.slept == []
    next(listing)
    assert sum(clock.slept) == WINDOW

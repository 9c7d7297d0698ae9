"""User edits go before background reads, which lose at most a tenth of the rate, and only while somebody may write."""

import heapq
from contextlib import ExitStack
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwp_pipeline.jwplatform.management import ClientOptions
from jwp_pipeline.jwplatform.pacing import WINDOW, RateLimiter
from jwp_pipeline.jwplatform.v2 import ManagementV2
from jwp_pipeline.jwplatform.writing_v2 import WritingV2
from jwp_pipeline_tests.jwplatform.conftest import KEY, SECRET, answer

REQUESTS = st.lists(st.tuples(st.floats(0, 150), st.booleans(), st.floats(0, 20)), max_size=80)


class Window:
    """What an observer counts who sees when each request begins and ends."""

    def __init__(self):
        self.ended = []
        self.under_way = 0

    def used(self, now):
        return self.under_way + sum(end + WINDOW > now + 1e-6 for end in self.ended)


@given(limit=st.integers(1, 25), requests=REQUESTS, reserved=st.booleans())
def test_urgent_requests_go_first_and_the_limit_holds(limit, requests, reserved):
    limiter, window, order = RateLimiter(limit), Window(), count()
    if reserved:
        limiter.reserve()
    kept = (max(limit // 10, 1) if limit > 1 else 0) if reserved else 0
    lines = {}
    events = [(at, next(order), "ask", number) for number, (at, _, _) in enumerate(requests)]
    heapq.heapify(events)
    while events:
        now, _, what, number = heapq.heappop(events)
        _, urgent, duration = requests[number]
        if what == "end":
            limiter.end(now)
            window.under_way -= 1
            window.ended.append(now)
            continue
        if urgent and number not in lines:
            lines[number] = ExitStack()
            lines[number].enter_context(limiter.urgent_in_line())
        allowed = limit if urgent else limit - max(kept, len(lines))
        used = window.used(now)
        wait = limiter.begin(now, urgent=urgent)
        if wait == 0:
            assert used < allowed
            window.under_way += 1
            if urgent:
                lines.pop(number).close()
            heapq.heappush(events, (now + duration, next(order), "end", number))
        else:
            # Nobody waits who need not.
            assert used >= allowed or wait < 1e-6
            heapq.heappush(events, (now + max(wait, 1e-6), next(order), "ask", number))


def begun(limiter, **lane):
    """Begin as many requests as are allowed at once, and return their number."""
    number = 0
    while limiter.begin(0.0, **lane) == 0:
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
    assert begun(limiter, urgent=True) == limit - reads
    limiter = RateLimiter(limit)
    limiter.reserve()
    limiter.unreserve()
    assert begun(limiter) == limit


def test_no_read_begins_where_an_urgent_request_could():
    limiter = RateLimiter(30)
    limiter.reserve()
    assert begun(limiter, urgent=True) == 30
    with ExitStack() as line:
        for _ in range(29):
            line.enter_context(limiter.urgent_in_line())
        assert limiter.begin(WINDOW) == 0
        assert limiter.begin(WINDOW) > 0
        assert limiter.wait(WINDOW, urgent=True) == 0
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

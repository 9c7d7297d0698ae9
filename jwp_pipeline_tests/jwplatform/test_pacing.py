"""Requests never exceed the rate, and are never sent before the time that JW Platform asks for."""

import threading
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwp_pipeline.jwplatform.limiter import RateLimiter, shared_limiter
from jwp_pipeline.jwplatform.pacing import asked_wait, backoff
from jwp_pipeline.rate_limit import WINDOW

NOW = 1_700_000_000.0  # second 20 of its minute
DATE = formatdate(NOW + 10, usegmt=True)


@given(
    limit=st.integers(1, 7),
    steps=st.lists(st.tuples(st.floats(0, 50), st.floats(0, 20)), max_size=60),
)
def test_never_more_than_the_limit_within_any_window(limit, steps):
    """JW Platform counts a request somewhere between its sending and its answer, at the worst moment for us."""
    limiter, now, spans = RateLimiter(limit), 0.0, []
    for idle, duration in steps:
        now += idle
        while wait := limiter.begin(now):
            now += wait
        spans.append((now, now + duration))
        now += duration
        limiter.end(now)
    for (_, answered), (sent, _) in zip(spans, spans[limit:], strict=False):
        assert sent - answered >= WINDOW - 1e-6


def test_bursts_pass_and_a_hold_stops_them():
    limiter = RateLimiter(60)
    for _ in range(59):
        assert limiter.begin(0.0) == 0
        limiter.end(0.0)
    limiter.hold(1.0, 6.0)
    assert limiter.wait(1.0) == 6
    assert limiter.wait(8.0) == 0


def test_requests_in_progress_count():
    limiter = RateLimiter(3)
    assert limiter.begin(0.0) == 0
    limiter.end(5.0)
    assert (limiter.begin(6.0), limiter.begin(7.0)) == (0, 0)
    # The one that was answered leaves its window first; what is still asked could not before a whole window from now.
    assert limiter.begin(8.0) == WINDOW - 3
    assert limiter.begin(5.0 + WINDOW) == 0
    assert limiter.begin(5.0 + WINDOW) == WINDOW
    limiter.end(66.0)
    assert limiter.begin(66.0) == WINDOW


def test_threads_that_share_a_limiter_keep_to_it_together():
    limiter, begun = shared_limiter("https://host", "key", 50), []

    def ask():
        for _ in range(20):
            if limiter.begin(0.0) == 0:
                begun.append(1)
                limiter.end(0.0)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(begun) == 50
    assert shared_limiter("https://host", "key", 50) is limiter
    assert shared_limiter("https://host", "another", 50) is not limiter


@pytest.mark.parametrize(
    ("status", "headers", "document", "expected"),
    [
        (429, {"Retry-After": "7"}, None, 7),
        (503, {"Retry-After": formatdate(NOW + 30, usegmt=True)}, None, 30),
        (503, {"Retry-After": formatdate(NOW + 30, usegmt=True), "Date": DATE}, None, 20),
        (200, {"Retry-After": "7"}, None, None),
        (429, {"Retry-After": "soon"}, None, None),
        # v2: until the clock's minute ends, by JW Platform's clock where it tells the time.
        (429, {"JW-Request-Remaining": "0"}, None, 40),
        (200, {"JW-Request-Remaining": "0", "Date": DATE}, None, 30),
        (200, {"JW-Request-Remaining": "1"}, None, None),
        # v1: in the body.
        (200, {}, {"rate_limit": {"reset": NOW // 1 + 40, "limit": 60, "remaining": 0}}, None),
        (200, {}, {"rate_limit": {"reset": int(NOW) + 40, "limit": 60, "remaining": 0}}, 40),
        (200, {}, {"rate_limit": {"reset": int(NOW) + 40, "limit": 60, "remaining": 3}}, None),
        (429, {}, {"rate_limit": {"reset": int(NOW) + 40}}, 40),
        (429, {}, {"rate_limit": {"reset": int(NOW) + 86_400, "remaining": 0}}, 60),
        (429, {}, {"rate_limit": {"reset": int(NOW) - 86_400, "remaining": 0}}, 1),
        (429, {}, {"rate_limit": {"reset": 10**400, "remaining": 0}}, None),
        (429, {}, [{"code": "rate_limit_exceeded"}], None),
    ],
)
def test_the_wait_that_an_answer_asks_for(status, headers, document, expected):
    assert asked_wait(status, headers, document, NOW) == expected


def test_backoff_doubles_with_jitter_up_to_a_minute():
    for failures in range(1, 40):
        ceiling = min(60, 0.5 * 2 ** (failures - 1))
        assert ceiling / 2 <= backoff(failures) <= ceiling

"""An observer of a rate limiter: it makes requests at given times, and checks each decision against the rule."""

import heapq
from contextlib import ExitStack
from itertools import count

from hypothesis import strategies as st

from jwp_pipeline.rate_limit import WINDOW, Lane

REQUESTS = st.lists(
    st.tuples(st.floats(0, 150, width=16), st.sampled_from(Lane), st.floats(0, 20, width=16), st.integers(0, 2)),
    max_size=60,
)
"""When each request is wanted, its lane, how long it takes, and which of three processes makes it."""

_A_MOMENT = 1e-3


def observe(limit, requests, in_line, begin, end, *, writers=False):
    """Make the requests in a time of our own, and fail if one begins that should not, or waits that need not.

    `in_line(process, lane)` is a context, `begin(process, now, lane)` returns the seconds to wait, and `end(process,
    now)` ends a request. `writers` says whether somebody may write at any time.
    """
    order, ended, under_way = count(), [], 0
    kept = (max(limit // 10, 1) if limit > 1 else 0) if writers else 0
    lines = {lane: {} for lane in Lane}
    events = [(at, next(order), "ask", number) for number, (at, *_) in enumerate(requests)]
    heapq.heapify(events)
    while events:
        now, _, what, number = heapq.heappop(events)
        _, lane, duration, process = requests[number]
        if what == "end":
            end(process, now)
            under_way -= 1
            ended.append(now)
            continue
        if number not in lines[lane]:
            lines[lane][number] = ExitStack()
            lines[lane][number].enter_context(in_line(process, lane))
        allowed = limit
        if lane > Lane.EDITS:
            allowed -= max(kept, len(lines[Lane.EDITS]))
        if lane > Lane.LOOKS:
            allowed -= len(lines[Lane.LOOKS])
        used = under_way + sum(end + WINDOW > now + _A_MOMENT for end in ended)
        at_most = under_way + sum(end + WINDOW > now - _A_MOMENT for end in ended)
        wait = begin(process, now, lane)
        if wait == 0:
            assert used < allowed
            under_way += 1
            lines[lane].pop(number).close()
            heapq.heappush(events, (now + duration, next(order), "end", number))
        else:
            # Nobody waits who need not.
            assert at_most >= allowed or wait < _A_MOMENT
            heapq.heappush(events, (now + max(wait, _A_MOMENT), next(order), "ask", number))

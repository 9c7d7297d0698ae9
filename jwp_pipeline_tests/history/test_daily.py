"""library_history, which is computed afterwards, agrees with a model that records the library day by day."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text

from jwp_pipeline.database.connection import open_engine
from jwp_pipeline.history.daily import DaysToCompute, days_that_do_not_add_up, days_to_compute, record_days
from jwp_pipeline.history.report import read_report
from jwp_pipeline_tests.history.conftest import kept, mirror
from jwp_pipeline_tests.support import SCHEMA, empty, of_v2, video, videos

# The clocks of Europe go forward on the second of these days.
FIRST = date(2026, 3, 28)
DAYS = [FIRST + timedelta(number) for number in range(-2, 8)]
DAY = timedelta(days=1)


@dataclass
class Model:
    """The library of one type, and what should be known about each day on which something was mirrored."""

    live: dict[str, Any] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    ends: dict[date, tuple] = field(default_factory=dict)
    """Day → (live, hours, bytes) at the end of that day."""
    counts: dict[date, Counter] = field(default_factory=dict)
    first: date | None = None

    def mirror(self, elements, day):
        counts = self.counts.setdefault(day, Counter())
        for key, data in elements.items():
            if key in self.gone:
                counts["restored"] += 1
            elif key not in self.live:
                counts["added"] += 1
            elif meaningful(self.live[key]) != meaningful(data):
                counts["changed"] += 1
        gone = self.live.keys() - elements.keys()
        counts["deleted"] += len(gone)
        self.gone = (self.gone | gone) - elements.keys()
        self.live = dict(elements)
        self.first = self.first or day
        self.ends[day] = self.end()

    def end(self):
        seconds, size = (
            [number for data in self.live.values() if (number := known(data.get(name)))]
            for name in ("duration", "size")
        )
        return (
            len(self.live),
            sum(seconds) / 3600 if seconds or not self.live else None,
            int(sum(size)) if size or not self.live else None,
        )

    def expected(self, day, kind):
        """Return (live, hours, bytes, added, changed, restored, deleted, complete) of a day."""
        if self.first is None or day < self.first:
            return (None,) * 7 + (False,)
        live, hours, size = self.ends[max(mirrored for mirrored in self.ends if mirrored <= day)]
        counts = self.counts.get(day, Counter())
        if kind == "channel":
            hours = size = None
        return live, hours, size, *(counts[name] for name in ("added", "changed", "restored", "deleted")), True


def meaningful(data):
    return json.dumps({name: value for name, value in data.items() if name != "views"}, sort_keys=True)


def known(value):
    """Return a duration or size as a number, or None if it is not one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if 0 < number < 1e13 else None


durations = st.sampled_from(
    ["3600.00", "5400.50", 7200.25, 900, "0.00", "-1", -1, None, "", "long", True, [60], 10**30]
)
sizes = st.sampled_from(["1000", "250000000000", 77, "0", None, "many", {"bytes": 5}, "9" * 400])
v1 = st.fixed_dictionaries(
    {"views": st.integers(0, 2)}, optional={"duration": durations, "size": sizes, "title": st.sampled_from("AB")}
)
# The same video in v2, where its key has another name, it has no size, and its duration is a number.
v2 = st.fixed_dictionaries({"id": st.just("?"), "duration": st.sampled_from([60, 1469.0780029296875, None])})
listings = st.dictionaries(st.sampled_from("abcdef"), st.one_of(v1, v1, v1, v2), max_size=6)
times = st.sampled_from([time(0), time(0, 30), time(12), time(23, 30), time(23, 59, 59, 999_999)])
steps = st.lists(
    st.tuples(st.integers(0, 2), times, st.sampled_from(["video", "video", "channel"]), listings),
    min_size=1,
    max_size=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps, alone=st.permutations(DAYS).map(lambda days: days[:3]), since=st.sampled_from(DAYS))
def test_every_day_agrees_with_the_model(engine, steps, alone, since):
    empty(engine)
    models = {"video": Model(), "channel": Model()}
    moment = datetime.combine(FIRST, time(0), UTC)
    for later, at, kind, listing in steps:
        day = moment.date() + later * DAY
        moment = max(moment, datetime.combine(min(day, DAYS[-1]), at, UTC))
        elements = {key: {**data, "id" if "id" in data else "key": key} for key, data in listing.items()}
        mirror(engine, elements.values(), kind, at=moment)
        models[kind].mirror(elements, moment.date())

    for day in alone:
        record_days(engine, day, day)
    assert {day for day, _ in kept(engine)} == set(alone)
    record_days(engine, since, DAYS[-1])
    record_days(engine, DAYS[0], DAYS[-1])

    written = kept(engine)
    assert set(written) == {(day, kind) for day in DAYS for kind in models}
    for (day, kind), row in written.items():
        live, hours, *rest = models[kind].expected(day, kind)
        assert (row.live, row.hours) == (live, None if hours is None else pytest.approx(hours, abs=1e-4))
        assert [row.storage_bytes, row.added, row.changed, row.restored, row.deleted, row.complete] == rest
    assert not any(row.written for row in record_days(engine, DAYS[0], DAYS[-1]))
    assert kept(engine) == written
    with engine.connect() as connection:
        assert days_that_do_not_add_up(connection) == []


def test_computing_a_day_writes_no_other_day(engine):
    for number, day in enumerate(DAYS):
        mirror(engine, videos(*range(number + 1)), at=datetime.combine(day, time(12), UTC))
    record_days(engine, DAYS[0], DAYS[-1])
    with engine.begin() as connection:
        connection.execute(text("UPDATE library_history SET live = -1"))
    before = kept(engine)

    record_days(engine, DAYS[4], DAYS[4])

    after = kept(engine)
    assert {place for place in before if before[place] != after[place]} == {(DAYS[4], "video"), (DAYS[4], "channel")}
    assert after[DAYS[4], "video"].live == 5
    with engine.connect() as connection:
        apart = days_that_do_not_add_up(connection)
    assert any(line.startswith(f"{DAYS[4]} videos: -1 + 1 - 0 <> 5") for line in apart)


def test_days_are_utc_in_any_session_time_zone(tables_url, engine):
    for at, count in (
        ("2026-03-28T23:59:59Z", 1),
        ("2026-03-29T00:00Z", 2),
        ("2026-03-29T23:30Z", 3),
        ("2026-03-30T00:00Z", 4),
    ):
        mirror(engine, videos(*range(count)), at=at)
    abroad = open_engine(tables_url, SCHEMA)
    event.listen(abroad, "connect", lambda session, _: session.execute("SET timezone TO 'Europe/London'"))
    event.listen(abroad, "connect", lambda session, _: session.commit())

    found = {
        row.day: (row.live, row.added) for row in record_days(abroad, FIRST, FIRST + 2 * DAY) if row.type == "video"
    }

    assert found == {FIRST: (1, 1), FIRST + DAY: (3, 2), FIRST + 2 * DAY: (4, 1)}
    abroad.dispose()


def test_a_day_that_is_not_known_is_marked_as_such(engine):
    today = datetime.now(UTC).date()
    record_days(engine, today, today)
    assert kept(engine)[today, "video"].note == "Nothing has been mirrored yet."

    silent = {"duration": None, "size": None}
    mirror(engine, videos(1, 2, 3, **silent), at=datetime.combine(FIRST, time(9), UTC))
    mirror(engine, videos(1, 2, 3, 4, **silent), at=datetime.combine(FIRST, time(10), UTC))
    mirror(engine, [*videos(1, 2, 3, 4, **silent), video("new", **silent)])
    days = {
        row.day: row
        for day in (FIRST - DAY, FIRST, today)
        for row in record_days(engine, day, day)
        if row.type == "video"
    }

    before, first, last = days[FIRST - DAY], days[FIRST], days[today]
    assert (before.live, before.complete, before.note) == (None, False, "The change log begins on 2026-03-28.")
    assert (first.live, first.added, first.complete) == (4, 4, True)
    assert first.note == "First mirror: 3 of those added had been there before."
    assert (last.live, last.added, last.complete, last.note) == (5, 1, False, "The day was not over.")
    assert first.hours is None
    assert first.storage_bytes is None


def test_days_to_compute_end_with_yesterday(engine):
    """Days that were missed or computed before they were over are included, and today is not."""
    assert days_to_compute(engine) == DaysToCompute(0, None, None)
    today = datetime.now(UTC).date()
    mirror(engine, videos(1))
    assert days_to_compute(engine).days == 0
    mirror(engine, videos(1), "channel", at=datetime.combine(today - 3 * DAY, time(23), UTC))
    assert days_to_compute(engine) == DaysToCompute(3, today - 3 * DAY, today - DAY)

    record_days(engine, today - 3 * DAY, today - 3 * DAY)
    record_days(engine, today, today)
    assert days_to_compute(engine) == DaysToCompute(2, today - 2 * DAY, today - DAY)
    record_days(engine, today - 2 * DAY, today - DAY)
    assert days_to_compute(engine).days == 0
    with engine.begin() as connection:
        connection.execute(text("UPDATE library_history SET complete = false WHERE type = 'channel'"))
    assert days_to_compute(engine) == DaysToCompute(3, today - 3 * DAY, today - DAY)


def test_a_switch_of_the_api_does_not_count_as_a_change_to_reflect(engine):
    """Every video then gets a stamp in the other field, which belongs to its last edit years ago."""
    now = int(datetime.now(UTC).timestamp())
    old = [1_500_000_000 + number for number in range(10)]
    v1 = [video(f"v{number}", updated=stamp) for number, stamp in enumerate(old)]
    mirror(engine, v1)
    mirror(engine, [{**v1[0], "title": "New", "updated": now - 30}, *v1[1:]])
    assert 29 < read_report(engine).waits.item() < 60

    def v2(number, stamp):
        last_modified = datetime.fromtimestamp(stamp, UTC).isoformat()
        return of_v2(f"v{number}", {"title": "?"}, last_modified=last_modified)

    mirror(engine, [v2(number, stamp) for number, stamp in enumerate([now - 30, *old[1:]])])
    assert read_report(engine).waits.size == 1
    mirror(engine, [v2(number, stamp) for number, stamp in enumerate([now - 30, now - 40, *old[2:]])])
    assert sorted(read_report(engine).waits.round(-1)) == [30, 40]
    mirror(engine, v1)
    assert read_report(engine).waits.size == 2

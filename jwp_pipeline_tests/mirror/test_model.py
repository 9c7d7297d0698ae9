"""`set_resources` agrees with a small model of the cache, for random libraries that change over time."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select, text
from sqlalchemy.orm import Session

from jwp_pipeline.database.frames import read_frame
from jwp_pipeline.database.tables import CachedResource
from jwp_pipeline.errors import DatabaseError, UnusableResources
from jwp_pipeline.mirror.resources import fetch_channels, fetch_videos, set_resources
from jwp_pipeline_tests.support import cache, channel, contents, empty, jwplatform, live, rows, touched, video

VOLATILE = "views"
REPLACEMENT = "\ufffd"


@dataclass
class Row:
    data: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None


@dataclass
class Model:
    """The cache of one type, as described in semantics §1."""

    rows: dict[str, Row] = field(default_factory=dict)
    changes: list[tuple] = field(default_factory=list)
    problems: set[tuple[str, str]] = field(default_factory=set)
    """The (key or position, field) of each open problem."""

    def apply(self, elements, now):
        """Change the model as set_resources should change the cache at `now`. Returns the counts of the plan."""
        listed, problems = {}, []
        for element in elements:
            key, element = keyed(element)
            problems += [(key, name) for name, value in element.items() if stored(value) != value]
            listed[key] = {name: stored(value) for name, value in element.items()}
        done = Counter(live=sum(row.deleted_at is None for row in self.rows.values()), seen=len(listed))
        done["problems"] = len(problems)
        for key, data in listed.items():
            done[self.list_one(key, data, now)] += 1
        for key, row in self.rows.items():
            if key not in listed and row.deleted_at is None:
                row.deleted_at = now
                self.changes.append((key, "deleted", now, None))
                done["deleted"] += 1
        self.problems = set(problems)
        return done

    def list_one(self, key, data, now):
        row = self.rows.get(key)
        if row is None:
            self.rows[key] = Row(data, now, now)
            self.changes.append((key, "added", now, None))
            return "added"
        names = {name for name in {*row.data, *data} if as_json(row.data, name) != as_json(data, name)}
        fields = {name: [row.data.get(name), data.get(name)] for name in names - {VOLATILE}}
        if row.deleted_at is not None:
            change = "restored"
        elif names:
            change = "changed" if fields else "refreshed"
        else:
            return "unchanged"
        row.data, row.updated_at, row.deleted_at = data, now, None
        if change != "refreshed":
            self.changes.append((key, change, now, fields or None))
        return change


def keyed(element):
    """Return the key and the object of an element. The key is None if set_resources must refuse the element."""
    if isinstance(element, dict):
        key, data = element.get("key", element.get("id")), element
    elif isinstance(element, tuple) and len(element) == 2 and isinstance(element[1], dict):
        key, data = element
    else:
        return None, None
    return (stored(key) if isinstance(key, str) and 0 < len(key) <= 255 else None), data


def stored(value):
    return value.replace("\0", REPLACEMENT).replace("\ud800", REPLACEMENT) if isinstance(value, str) else value


def as_json(data, name):
    # Compared as text, because in Python True equals 1.
    return json.dumps(data[name], sort_keys=True) if name in data else None


scalars = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(st.characters(codec="utf-8"), max_size=5)
values = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.sampled_from("xy"), scalars, max_size=2)
values = values.filter(lambda value: "\\u0000" not in json.dumps(value))
titles = st.sampled_from(["", "A", "B", "nul \0", "surrogate \ud800"]) | values
resources = st.builds(
    lambda name, key, rest: {name: key, **rest},
    st.sampled_from(["key", "key", "id"]),
    st.sampled_from(["a", "b", "c", "d", "ключ", "k" * 255]),
    st.fixed_dictionaries({}, optional={"title": titles, "custom": values, VOLATILE: st.integers(0, 2)}),
)
unusable = st.sampled_from(
    [
        *(None, True, 7, "text", [], {}, {"key": ""}, {"key": 7}, {"key": "k" * 256}, {"key": None}, {"x": 1}),
        *(("a", 7), ("", {}), (7, {"key": "a"}), ("a", {}, {}), ("a",), ({"key": "a"}, {"key": "b"})),
    ]
)
pairs = st.tuples(st.sampled_from("abcd"), st.fixed_dictionaries({}, optional={"title": titles, "key": st.just("c")}))
places = st.integers(0, 7)
edits = st.one_of(
    st.tuples(st.just("list"), st.just(0), resources | pairs),
    st.tuples(st.just("drop"), places, st.none()),
    st.tuples(st.just("again"), places, titles),
    st.tuples(st.just("title"), places, titles),
    st.tuples(st.just(VOLATILE), places, st.integers(0, 2)),
    st.tuples(st.just("list"), st.just(0), unusable),
)
steps = st.lists(
    st.tuples(
        st.sampled_from(["video", "video", "channel"]), st.lists(edits, max_size=4), st.booleans(), st.booleans()
    ),
    min_size=3,
    max_size=7,
)


def edited(listing, edits):
    """Return the next listing of a library."""
    listing = list(listing)
    for what, place, value in edits:
        at = place % len(listing) if listing else None
        if what == "list":
            listing.append(value)
        elif at is not None and what == "drop":
            del listing[at]
        elif at is not None and isinstance(listing[at], dict):
            if what == "again":
                listing.append({**listing[at], "title": value})
            else:
                listing[at] = {**listing[at], what: value}
    return listing


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(resources, min_size=2, max_size=6), steps)
def test_the_cache_does_what_the_model_does(engine, first, steps):
    empty(engine)
    models = {"video": Model(), "channel": Model()}
    listings = {"video": first, "channel": first}
    for resource_type, edits, in_session, undone in steps:
        elements = edited(listings[resource_type], edits)
        if any(keyed(element)[0] is None for element in elements):
            before = everything(engine)
            with engine.begin() as connection, pytest.raises(UnusableResources):
                set_resources(connection, iter(elements), resource_type)
            assert everything(engine) == before
            continue
        listings[resource_type] = elements
        if undone:
            before = everything(engine)
            with engine.connect() as connection:
                set_resources(connection, elements, resource_type)
                connection.rollback()
            assert everything(engine) == before
            continue
        with Session(engine) if in_session else engine.connect() as bind, bind.begin():
            now = bind.scalar(text("SELECT now()"))
            plan = set_resources(bind, (element for element in elements), resource_type)
        expected = models[resource_type].apply(elements, now)
        assert {name: getattr(plan, name) for name in COUNTS} == {name: expected[name] for name in COUNTS}
        for name, model in models.items():
            assert_as_modelled(engine, name, model)
        before = touched(engine), rows(engine, CHANGES_LOGGED)
        with engine.begin() as connection:
            again = set_resources(connection, elements, resource_type)
        assert again.rows == 0
        assert again.unchanged == again.seen == plan.seen
        assert (touched(engine), rows(engine, CHANGES_LOGGED)) == before


CHANGES_LOGGED = "SELECT count(*) FROM resource_changes"
COUNTS = ("live", "seen", "added", "changed", "refreshed", "restored", "deleted", "unchanged", "problems")


def assert_as_modelled(engine, resource_type, model):
    cached = cache(engine, resource_type)
    assert cached.keys() == model.rows.keys()
    for key, row in model.rows.items():
        found = cached[key]
        assert json.dumps(found.data, sort_keys=True) == json.dumps(row.data, sort_keys=True)
        assert (found.created_at, found.updated_at, found.deleted_at) == (
            row.created_at,
            row.updated_at,
            row.deleted_at,
        )
    changes = rows(
        engine,
        "SELECT key, change, changed_at, changed_fields FROM resource_changes WHERE type = :type",
        type=resource_type,
    )
    assert sorted(map(as_text, changes)) == sorted(map(as_text, model.changes))
    problems = rows(
        engine, "SELECT key, field FROM sync_problems WHERE type = :type AND resolved_at IS NULL", type=resource_type
    )
    assert len(problems) == len(model.problems)
    assert set(map(tuple, problems)) == model.problems


def as_text(row):
    return json.dumps(tuple(row), sort_keys=True, default=str)


def everything(engine):
    return contents(engine, "cached_resources", "resource_changes", "sync_problems", "raw_snapshots", "raw_pages")


def test_an_unknown_type_is_refused(engine):
    with engine.begin() as connection, pytest.raises(UnusableResources, match="'videos'"):
        set_resources(connection, [video("a")], "videos")


def test_values_that_are_not_json_are_refused(engine):
    with engine.begin() as connection:
        with pytest.raises(UnusableResources, match="JSON"):
            set_resources(connection, [video("a"), video("b", title={1, 2})], "video")
        # The caller's transaction can continue as if there had been no call.
        set_resources(connection, [video("c")], "video")
    assert live(engine) == {"c"}


def test_a_listing_is_fetched_and_set_as_the_reference_documents_it(engine, simulator):
    simulator.library.replace_all([video("a"), video("b")], [channel("c")])
    with jwplatform(simulator, page_length=1) as client, engine.begin() as connection:
        set_resources(connection, fetch_videos(client), "video")
        set_resources(connection, ((channel["key"], channel) for channel in fetch_channels(client)), "channel")
    assert (live(engine), live(engine, "channel")) == ({"a", "b"}, {"c"})


def test_readers_never_see_half_of_a_transaction(engine):
    with engine.begin() as connection:
        set_resources(connection, [video("first")], "video")
    with engine.connect() as connection:
        set_resources(connection, [video("second")], "video")
        assert live(engine) == {"first"}
        connection.commit()
    assert live(engine) == {"second"}


def test_an_iterable_is_streamed(engine):
    taken = []

    def stream(connection: Connection):
        for number in range(2500):
            taken.append(number)
            # By then the earlier pages have been sent to the server.
            if number == 2400:
                assert connection.scalar(text("SELECT sum(resource_count) FROM raw_pages")) == 2000
            yield video(f"v{number:04}")

    with engine.begin() as connection:
        plan = set_resources(connection, stream(connection), "video")
    assert (plan.added, len(taken)) == (2500, 2500)


def test_live_resources_can_be_queried_by_their_json(engine):
    lectures = [
        video("lecture", custom={"sms_media_id": "media:1:"}, tags=["maths"], duration=60),
        video("seminar", custom={"sms_media_id": "media:2:"}, tags=["physics"], duration=5400.5),
        video("deleted", custom={"sms_media_id": "media:1:"}, tags=["maths"], duration=60),
    ]
    with Session(engine) as session, session.begin():
        set_resources(session, lectures, "video")
        set_resources(session, lectures[:2], "video")
        set_resources(session, [{"key": "lecture", "title": "A channel of the same key"}], "channel")
    with Session(engine) as session:
        data = CachedResource.data
        assert {row.key for row in session.scalars(CachedResource.videos)} == {"lecture", "seminar"}
        assert session.scalars(CachedResource.channels).one().data["title"] == "A channel of the same key"
        for condition in (
            data["custom"]["sms_media_id"].astext == "media:1:",
            data.contains({"tags": ["maths"]}),
            data["duration"].as_float() < 100,
            data.path_match('$.tags[*] == "maths"'),
        ):
            assert [row.key for row in session.scalars(CachedResource.videos.where(condition))] == ["lecture"]
        assert (
            session.scalars(select(CachedResource).where(CachedResource.deleted_at.is_not(None))).one().key == "deleted"
        )


def test_a_table_is_read_as_a_data_frame(engine):
    with engine.begin() as connection:
        set_resources(connection, [video("a", views=1), video("b", views=2)], "video")
    frame = read_frame(engine, "cached_resources", columns=["key", "data", "updated_at"], where="key > :key", key="a")
    assert frame.key.tolist() == ["b"]
    assert frame.data[0]["views"] == 2
    assert str(frame.updated_at.dt.tz) == "UTC"
    assert len(read_frame(engine, "live_videos")) == 2
    with pytest.raises(DatabaseError, match="cached_resources"):
        read_frame(engine, "cached_resource")
    with pytest.raises(DatabaseError, match=r"no column 'kay'.*key"):
        read_frame(engine, "cached_resources", columns=["kay"])

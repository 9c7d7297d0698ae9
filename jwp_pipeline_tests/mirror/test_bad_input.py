"""Resources that PostgreSQL cannot store do not stop the others: good ones are cached, each bad one is reported."""

import json

import pytest
from sqlalchemy import event

from jwp_pipeline.simulator import RawJson
from jwp_pipeline_tests.support import cache, jwplatform, live, rows, sync, video, videos

MEGABYTES = "x" * 5_000_000
DEEP = '{"k": ' * 750 + "1" + "}" * 750
LONG_NUMBER = "9" * 5000

# For each key: the resource's JSON after the key, the field of its problem, and the value shown for it.
BAD_FIELDS = {
    "v0001": (r'"title": "a\u0000b"', "title", "a\ufffdb"),
    "v0002": (r'"title": "\ud800"', "title", "\ufffd"),
    "v0003": (r'"title": "\udc00\ud83d"', "title", "\ufffd\ufffd"),
    "v0004": ('"duration": NaN', "duration", "NaN"),
    "v0005": ('"duration": -Infinity', "duration", "-Infinity"),
    "v0006": ('"duration": 1e999999', "duration", "1e999999"),
    "v0007": (r'"custom": {"list": [{"\u0000": 1}]}', "custom.list[0]", "\ufffd"),
    "v0008": (rf'"text": "{MEGABYTES}\u0000"', "text", MEGABYTES[:500]),
    "v0009": (f'"{"f" * 5000}": NaN', "f" * 255, "NaN"),
}
# On a server that is made to accept no such depth.
REFUSED = {"v0010": (f'"custom": {DEEP}',)}
GOOD = {
    "v0011": (r'"title": "\u00fc \ud83d\ude00 \ufffd \n \u007f"', "title", "ü 😀 \ufffd \n \x7f"),
    "v0012": (f'"text": "{MEGABYTES}"', "text", MEGABYTES),
    "v0013": (f'"views": {LONG_NUMBER}', "views", float("inf")),
    "v0014": ('"title": null, "custom": [], "tags": {}', "custom", []),
    "v0015": ('"title": "first", "title": "second"', "title", "second"),
}
WITHOUT_KEY = [None, True, 17, RawJson("NaN"), "v0000", ["v0000"], {}, {"title": "\0"}]
UNUSABLE_KEYS = ["", 12345678, None, "k" * 256, ["v0000"]]


@pytest.fixture
def shallow(engine):
    """Make the server refuse JSON that is nested as deep as DEEP."""

    @event.listens_for(engine, "connect")
    def limit(connection, record):
        connection.execute("SET max_stack_depth TO '100kB'")
        connection.commit()

    engine.dispose()


@pytest.mark.usefixtures("shallow")
@pytest.mark.parametrize("page_length", [1000, 4])
def test_bad_resources_are_reported_and_good_ones_are_cached(engine, simulator, api, page_length):
    library, name = simulator.library, {"v1": "key", "v2": "id"}[api]
    library.replace_all(videos(*range(20)), [])
    with jwplatform(simulator, api, page_length=page_length) as client:
        sync(engine, client)
        cached_before = cache(engine)
        for key, (text, *_) in (BAD_FIELDS | REFUSED | GOOD).items():
            library.override("video", key, RawJson(f'{{"{name}": "{key}", {text}}}'))
        without_key = [*WITHOUT_KEY, *({name: key} for key in UNUSABLE_KEYS)]
        for element in without_key:
            library.append("video", element, api)
        library.append("video", {name: "nul\0key", "title": "t"}, api)
        listing, applied = sync(engine, client)

        assert listing.verified
        assert applied.plan.deleted == 0
        assert live(engine) == {*cached_before, "nul\ufffdkey"}
        cached = cache(engine)
        for key, (_, field, value) in GOOD.items():
            assert cached[key].data[name] == key
            assert cached[key].data[field] == value
        for key in ("v0000", "v0016", "v0019"):
            assert cached[key] == cached_before[key]
        assert cached["v0010"] == cached_before["v0010"]
        assert cached["v0001"].data == {name: "v0001", "title": "a\ufffdb"}
        assert cached["v0006"].data == {name: "v0006", "duration": "1e999999"}

        problems = open_problems(engine)
        expected = {(key, field): value for key, (_, field, value) in BAD_FIELDS.items()}
        expected["v0010", ""] = f'{{"{name}": "v0010", "custom": {DEEP}'[:500]
        expected["nul\ufffdkey", name] = "nul\ufffdkey"
        positions = {place: value for place, value in problems.items() if place[0].startswith("page ")}
        assert {place: value for place, value in problems.items() if place not in positions} == expected
        assert sum(field == "key" for _, field in positions) == len(without_key)
        assert {field for _, field in positions} == {"key", "title", ""}
        assert applied.open_problems == applied.plan.problems == len(problems)
        assert max(map(len, problems.values())) == 500

        library.replace_all(videos(*range(20)), [])
        listing, applied = sync(engine, client)
    assert open_problems(engine) == {}
    assert applied.open_problems == 0
    assert live(engine) == set(library.keys("video"))
    resolved = rows(engine, "SELECT * FROM sync_problems WHERE resolved_at >= last_seen_at")
    assert len(resolved) == len(problems)
    assert cache(engine)["v0010"].data == cached_before["v0010"].data


@pytest.mark.usefixtures("shallow")
def test_a_new_resource_that_cannot_be_stored_at_all_counts_as_set_aside(engine, simulator):
    simulator.library.replace_all(videos(0, 1), [])
    simulator.library.override("video", "v0001", RawJson(f'{{"key": "v0001", "custom": {DEEP}}}'))
    with jwplatform(simulator) as client:
        _, applied = sync(engine, client)
        assert (applied.plan.seen, applied.plan.added, applied.plan.set_aside, applied.plan.unchanged) == (2, 1, 1, 0)
        _, applied = sync(engine, client)
        assert (applied.plan.seen, applied.plan.set_aside, applied.plan.unchanged) == (2, 1, 1)


@pytest.mark.parametrize("neighbour", ["good", "nul \0"])
def test_numbers_of_any_length_and_deep_values_are_stored_unchanged_beside_any_neighbour(
    engine, simulator, api, neighbour
):
    name, long_fraction = {"v1": "key", "v2": "id"}[api], "0." + "123456789" * 100
    simulator.library.replace_all([video("v0000", title=neighbour), *videos(1, 2)], [])
    text = f'"views": {LONG_NUMBER}, "size": 1.50, "part": {long_fraction}, "custom": {DEEP}'
    simulator.library.override("video", "v0001", RawJson(f'{{"{name}": "v0001", {text}}}'))
    with jwplatform(simulator, api) as client:
        listing, _ = sync(engine, client)
    assert (listing.status, live(engine)) == ("verified", {"v0000", "v0001", "v0002"})
    fields = "data ->> 'views', data ->> 'size', data ->> 'part', data ->> 'custom'"
    [stored] = rows(engine, f"SELECT {fields} FROM cached_resources WHERE key = 'v0001'")
    assert tuple(stored) == (LONG_NUMBER, "1.50", long_fraction, DEEP)
    assert {key for key, _ in open_problems(engine)} == ({"v0000"} if "\0" in neighbour else set())


def open_problems(engine):
    """Return the value of each open problem by (key or position, field), after checking that none is there twice."""
    found = rows(engine, "SELECT key, field, value FROM sync_problems WHERE resolved_at IS NULL")
    assert len({(row.key, row.field) for row in found}) == len(found)
    return {(row.key, row.field): row.value for row in found}


def test_a_problem_is_opened_once_and_updated_while_it_lasts(engine, simulator):
    simulator.library.replace_all(videos(0, 1), [])
    simulator.library.edit("video", "v0001", title="\0")
    with jwplatform(simulator) as client:
        for _ in range(2):
            sync(engine, client)
        simulator.library.edit("video", "v0001", title="worse \0")
        sync(engine, client)
        [problem] = rows(engine, "SELECT * FROM sync_problems")
        assert (problem.stage, problem.type, problem.value) == ("cache", "video", "worse \ufffd")
        assert problem.first_seen_at < problem.last_seen_at
        simulator.library.edit("video", "v0001", title="good")
        sync(engine, client)
        simulator.library.edit("video", "v0001", title="\0")
        sync(engine, client)
    first, second = rows(engine, "SELECT * FROM sync_problems ORDER BY id")
    assert (first.resolved_at is not None, second.resolved_at) == (True, None)


def test_the_snapshot_holds_the_answer_as_it_was_sent(engine, simulator, api):
    simulator.library.replace_all(videos(1), [])
    element = {"key": "v0001", "id": "v0001", "list": [1.50, {"deep": None}], "text": "ü 😀"}
    simulator.library.override("video", "v0001", element)
    with jwplatform(simulator, api) as client:
        sync(engine, client)
    [page] = rows(engine, "SELECT body, keys FROM raw_pages")
    array = {"v1": "videos", "v2": "media"}[api]
    assert json.loads(page.body)[array] == [element]
    assert json.loads(page.body)["total"] == 1
    assert page.keys == ["v0001"]
    assert rows(engine, "SELECT key, data FROM raw_videos") == [("v0001", element)]
    assert json.dumps(cache(engine)["v0001"].data, sort_keys=True) == json.dumps(element, sort_keys=True)

"""Mapping keeps its promises for any JSON that JW Platform might send."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jwp_pipeline.access.acl import NOBODY, parse_acl
from jwp_pipeline.jwplatform.properties import property_value
from jwp_pipeline.media.mapping import map_channel, map_video, properties
from jwp_pipeline.media.mapping.fields import Unreadable
from jwp_pipeline_tests.media.malformed import WORDS

WORLD, _ = parse_acl("WORLD")
SMS_FORM = re.compile("^(?P<type>[^:]+):(?P<value>.*):$")

characters = st.characters() | st.sampled_from("\0\ud800\n:,|")
texts = st.text(characters, max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.sampled_from([10**400, -(2**63), 1e308]),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(texts, children, max_size=3),
    max_leaves=5,
)


def optionally(**values):
    return st.fixed_dictionaries({}, optional=values)


customs = optionally(
    **{
        name: json_values | st.builds(f"{word}:{{}}:{{}}".format, texts, st.sampled_from(["", "\n", "x"]))
        for name, word in (WORDS["video"] | WORDS["channel"]).items()
    }
)
FIELDS = ["key", "id", "title", "description", "mediatype", "duration", "date", "updated", "tags"]
V2_FIELDS = ["title", "description", "publish_start_date", "tags"]
resources = st.one_of(
    json_values,
    optionally(**dict.fromkeys(FIELDS, json_values), custom=customs | json_values),
    optionally(
        **dict.fromkeys(["id", "media_type", "duration", "last_modified"], json_values),
        metadata=optionally(**dict.fromkeys(V2_FIELDS, json_values), custom_params=customs | json_values) | json_values,
    ),
)
modes = st.sampled_from(["all", "sms"])
quickly = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)


def outcome(data, mode):
    return (
        map_video(data, key="k", default_acl=WORLD, create_items=mode),
        map_channel(data, key="k", create_items=mode),
    )


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from strings(tuple(value.values()))
    elif isinstance(value, tuple):
        for part in value:
            yield from strings(part)
    elif hasattr(value, "__slots__"):
        for name in value.__slots__:
            yield from strings(getattr(value, name))


@quickly
@given(resources, modes)
def test_any_json_maps_to_values_that_the_database_can_store(data, mode):
    first = outcome(data, mode)
    assert first == outcome(data, mode)
    for fields in first:
        for text in strings(fields):
            text.encode()
            assert "\0" not in text
        named = [problem.field for problem in fields.problems]
        assert len(named) == len(set(named))
        assert all(len(problem.value) <= 500 and 0 < len(problem.problem) <= 500 for problem in fields.problems)


@quickly
@given(st.lists(resources, max_size=4), modes)
def test_values_that_were_read_before_are_read_alike(listed, mode):
    """What is kept of one resource must not show in another: each maps as if it were the first that is read."""
    together = [outcome(data, mode) for data in listed]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(properties, "_read_once", properties._read_once.__wrapped__)
        assert repr([outcome(data, mode) for data in listed]) == repr(together)


@quickly
@given(json_values)
def test_an_acl_that_cannot_be_read_is_never_public(raw):
    fields = map_video({"key": "k", "custom": {"sms_acl": raw}}, key="k", default_acl=WORLD, create_items="all")
    assert fields.permission == NOBODY
    assert [problem.field for problem in fields.problems] == ["sms_acl"]


@quickly
@given(json_values.filter(lambda value: not isinstance(value, dict)))
def test_custom_properties_that_cannot_be_read_are_never_public(raw):
    v1 = {"key": "k", "custom": raw}
    v2 = {"id": "k", "metadata": {"custom_params": raw}}
    for data in (v1, v2) if raw is not None else (v1,):
        video, channel = outcome(data, "all")
        assert video.permission == channel.permission == NOBODY
        assert [problem.field for problem in video.problems] == ["custom"]


@given(
    st.builds("{}{}{}".format, st.sampled_from(["media:", "media", "x:", ""]), texts, st.sampled_from([":", ":\n", ""]))
)
def test_a_property_is_read_as_the_sms_reads_it(raw):
    match = SMS_FORM.match(raw)
    if match and match["type"] == "media":
        assert property_value(raw, ("media",)) == re.sub("[\0\ud800-\udfff]", "\ufffd", match["value"])
    else:
        with pytest.raises(Unreadable):
            property_value(raw, ("media",))


def test_deeply_nested_values_are_noted_as_problems():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    fields = map_video({"key": "k", "title": deep}, key="k", default_acl=WORLD, create_items="all")
    assert [problem.field for problem in fields.problems] == ["title"]

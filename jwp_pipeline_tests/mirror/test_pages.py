"""Values that PostgreSQL cannot store are replaced and reported; elements without a key are set aside."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwp_pipeline.mirror.pages import MAX_FIELD_LENGTH, Problem, ledger, storable, storable_page, without

CHARACTERS = "holds characters that PostgreSQL refuses; replaced by U+FFFD"
NUMBER = "is no number that JSON can hold; stored as null"
KEY = "has no usable key (a non-empty text of up to 255 characters); set aside"


@pytest.mark.parametrize(
    ("value", "stored", "problems"),
    [
        ({"title": "Ünïcödé \U0001f600 \n\t\x7f\ufffd"}, {"title": "Ünïcödé \U0001f600 \n\t\x7f\ufffd"}, []),
        ({"title": "a\0b\0"}, {"title": "a\ufffdb\ufffd"}, [("title", "a\ufffdb\ufffd", CHARACTERS)]),
        ({"title": "\ud800"}, {"title": "\ufffd"}, [("title", "\ufffd", CHARACTERS)]),
        ({"title": "\udfff\ud800"}, {"title": "\ufffd\ufffd"}, [("title", "\ufffd\ufffd", CHARACTERS)]),
        (
            {"custom": {"a": [1, {"b": "\0"}]}},
            {"custom": {"a": [1, {"b": "\ufffd"}]}},
            [("custom.a[1].b", "\ufffd", CHARACTERS)],
        ),
        ({"custom": {"\0": 1}}, {"custom": {"\ufffd": 1}}, [("custom", "\ufffd", CHARACTERS)]),
        ({"duration": float("nan")}, {"duration": None}, [("duration", "nan", NUMBER)]),
        ({"duration": -float("inf")}, {"duration": None}, [("duration", "-inf", NUMBER)]),
        ({"duration": json.loads("1e999999")}, {"duration": None}, [("duration", "inf", NUMBER)]),
        ({"views": 10**400, "size": 1e300, "ok": True}, {"views": 10**400, "size": 1e300, "ok": True}, []),
        (["\0", float("nan")], ["\ufffd", None], [("[0]", "\ufffd", CHARACTERS), ("[1]", "nan", NUMBER)]),
    ],
)
def test_values_that_jsonb_refuses_are_replaced_and_reported_by_path(value, stored, problems):
    assert storable(value) == (stored, problems)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
)


@given(json_values)
def test_storable_values_stay_as_they_are(value):
    stored, _ = storable(value)
    assert "\\u0000" not in json.dumps(stored, allow_nan=False).replace("\\\\", "")
    json.dumps(stored, ensure_ascii=False).encode()
    assert storable(stored) == (stored, [])


@pytest.mark.parametrize(
    ("element", "key", "problem"),
    [
        ({"key": "AbCd1234"}, "AbCd1234", None),
        ({"id": "AbCd1234", "type": "media"}, "AbCd1234", None),
        ({"key": "k" * 255}, "k" * 255, None),
        ({"key": "a\0b"}, "a\ufffdb", None),
        (None, None, "is not an object but null; set aside"),
        (17, None, "is not an object but a number; set aside"),
        (float("nan"), None, "is not an object but a number; set aside"),
        (False, None, "is not an object but a boolean; set aside"),
        ("AbCd1234", None, "is not an object but a text; set aside"),
        (["AbCd1234"], None, "is not an object but a list; set aside"),
        ({}, None, KEY),
        ({"key": ""}, None, KEY),
        ({"key": 12345678}, None, KEY),
        ({"key": None, "title": "t"}, None, KEY),
        ({"key": "k" * 256}, None, KEY),
    ],
)
def test_a_resource_is_identified_by_its_key_or_by_its_position(element, key, problem):
    entry = ledger([{"key": "before"}, element], page_number=3)
    assert entry.keys == ["before", key]
    assert [(found.key, found.field, found.problem) for found in entry.problems] == (
        [] if problem is None else [("page 3, element 2", "key", problem)]
    )
    assert entry.unusable == (key is None)


def test_problems_are_short_even_if_the_values_are_long():
    elements = [{"key": "a", "title": "\0" * 10_000, "f" * 10_000: "\0"}, {"title": "t" * 10_000}]
    _, entry = storable_page(elements, 1)
    assert {found.key for found in entry.problems} == {"a", "page 1, element 2"}
    assert max(len(found.value) for found in entry.problems) == 500
    assert max(len(found.field) for found in entry.problems) == MAX_FIELD_LENGTH


def test_deeply_nested_elements_are_left_to_postgresql():
    deep = "\0"
    for _ in range(600):
        deep = [deep]
    elements = [{"key": "deep", "custom": deep}, {"title": deep}, {"key": "flat", "title": "\0"}]
    kept, entry = storable_page(elements, 1)
    assert kept[:2] == elements[:2]
    assert entry.keys == ["deep", None, "flat"]
    assert [found.key for found in entry.problems] == ["page 1, element 2", "flat"]


def test_a_refused_element_counts_as_listed():
    elements = [{"key": "a", "title": "t" * 1000}, {"title": "no key"}, {"key": "c"}]
    kept, entry = without(elements, ledger(elements, 2), 2, {0: "too large", 1: "too large"})
    assert kept == [None, None, {"key": "c"}]
    assert entry.keys == ["a", None, "c"]
    shown = json.dumps(elements[0])[:500]
    assert entry.problems == [
        Problem("page 2, element 2", "key", '{"title": "no key"}', KEY),
        Problem("a", "", shown, "cannot be stored: too large"),
        Problem("page 2, element 2", "", '{"title": "no key"}', "cannot be stored: too large"),
    ]

"""Elements without a key are set aside, and every problem of a page names its resource."""

import json

import pytest

from jwp_pipeline.mirror.mending import mended
from jwp_pipeline.mirror.pages import MAX_FIELD_LENGTH, Problem, after_mending, ledger

KEY = "has no usable key (a non-empty text of up to 255 characters); set aside"


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


def deep(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("element", "shown"),
    [
        ("caf\u00e9\0", "caf\u00e9\ufffd"),
        (["caf\u00e9"], r'["caf\u00e9"]'),
        (deep(100_000), "(nested too deep to be shown)"),
    ],
)
def test_what_cannot_be_read_is_shown_as_far_as_that_is_possible(element, shown):
    [problem] = ledger([element], 1).problems
    assert problem.value == shown


def test_problems_are_short_even_if_the_values_are_long():
    elements = [{"key": "a", "title": "\0" * 10_000, "f" * 10_000: "\0"}, {"title": "t" * 10_000}]
    page = mended(json.dumps({"videos": elements}), "videos")
    entry = after_mending(ledger(elements, 1), page, 1, refused={0: "too large"})
    assert {found.key for found in entry.problems} == {"a", "page 1, element 2"}
    assert max(len(found.value) for found in entry.problems) == 500
    assert max(len(found.field) for found in entry.problems) == MAX_FIELD_LENGTH


def test_a_refused_element_counts_as_listed():
    elements = [{"key": "a", "title": "t" * 1000}, {"title": "no key"}, {"key": "c"}]
    page = mended(json.dumps({"videos": elements}), "videos")
    entry = after_mending(ledger(elements, 2), page, 2, {0: "too large", 1: "too large"})
    assert json.loads(page.text(without={0, 1})) == {"videos": [None, None, {"key": "c"}]}
    assert entry.keys == ["a", None, "c"]
    shown = json.dumps(elements[0])[:500]
    assert entry.problems == [
        Problem("page 2, element 2", "key", '{"title": "no key"}', KEY),
        Problem("a", "", shown, "cannot be stored: too large"),
        Problem("page 2, element 2", "", '{"title": "no key"}', "cannot be stored: too large"),
    ]

"""What `jsonb` refuses is replaced in a page's text; every other character stays as JWP sent it."""

import json
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from jwp_pipeline.mirror.mending import CHARACTERS, NUMBER, Replacement, mended
from jwp_pipeline_tests.support import rows

LONG = "9" * 5000
DEEP = "[" * 5000 + "]" * 5000


@pytest.mark.parametrize(
    ("element", "stored", "replacements"),
    [
        (r'{"title": "\u00dc \ud83d\udE00 \n \\u0000 \\\\ud800"}', ..., []),
        (r'{"title": "a\u0000b\\\u0000"}', '{"title": "a�b\\\\�"}', [("title", "a�b\\�", CHARACTERS)]),
        (r'{"title": "\uD800"}', '{"title": "�"}', [("title", "�", CHARACTERS)]),
        (r'{"title": "\udfff\ud800"}', '{"title": "��"}', [("title", "��", CHARACTERS)]),
        (r'{"a": {"b": [1, {"c": "\u0000"}]}}', '{"a": {"b": [1, {"c": "�"}]}}', [("a.b[1].c", "�", CHARACTERS)]),
        (r'{"custom": {"\u0000": 1}}', '{"custom": {"�": 1}}', [("custom", "�", CHARACTERS)]),
        (r'{"\u0000": NaN}', '{"�": "NaN"}', [("", "�", CHARACTERS), ("�", "NaN", NUMBER)]),
        (
            '{"a": [Infinity,-Infinity]}',
            '{"a": ["Infinity","-Infinity"]}',
            [("a[0]", "Infinity", NUMBER), ("a[1]", "-Infinity", NUMBER)],
        ),
        ('{"a": 1e999999, "b": 1E-99}', '{"a": "1e999999", "b": 1E-99}', [("a", "1e999999", NUMBER)]),
        (f'{{"views": {LONG}, "size": 1.50e2, "x": 0.{LONG}}}', ..., []),
        ('{"a": "first", "a": "second", "views": {}, "b": []}', ..., []),
        ('"\\u0000"', '"�"', [("", "�", CHARACTERS)]),
        ("NaN", '"NaN"', [("", "NaN", NUMBER)]),
        (f'{{"deep": {DEEP}, "x": NaN}}', f'{{"deep": {DEEP}, "x": "NaN"}}', [("x", "NaN", NUMBER)]),
    ],
)
def test_only_what_jsonb_refuses_is_replaced(element, stored, replacements):
    body = rf'{{"status": "\u0000", "videos" : [ {{"key": "before"}}, {element} ] , "limit":NaN}}'
    page = mended(body, "videos")
    stored = element if stored is ... else stored
    assert page.elements == ['{"key": "before"}', stored]
    assert page.replacements == [Replacement(1, *replacement) for replacement in replacements]
    assert page.text() == f'{{"status": "�", "videos" : [{{"key": "before"}},{stored}] , "limit":"NaN"}}'


def test_of_two_arrays_with_one_name_the_last_one_counts():
    body = r'{"media": ["\u0000", 1], "page": {"media": [7]}, "media": [{"media": ["x", "\u0000"]}, 3], "total": 2}'
    page = mended(body, "media")
    assert page.elements == ['{"media": ["x", "�"]}', "3"]
    assert page.replacements == [Replacement(0, "media[1]", "�", CHARACTERS)]
    assert json.loads(page.text(without={0})) == {"media": [None, 3], "page": {"media": [7]}, "total": 2}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
)


@given(st.lists(json_values, max_size=4), st.sampled_from([None, 0, 1]), st.booleans())
def test_a_mended_page_reads_as_its_values_without_what_jsonb_refuses(elements, indent, ascii_only):
    sendable = ascii_only or not re.search("[\ud800-\udfff]", json.dumps(elements, ensure_ascii=False))
    body = json.dumps({"total": 1, "videos": elements}, indent=indent, ensure_ascii=not sendable or ascii_only)
    page = mended(body, "videos")
    assert json.loads(page.text()) == {"total": 1, "videos": [without_unstorable(element) for element in elements]}
    assert [json.loads(element) for element in page.elements] == json.loads(page.text())["videos"]
    assert mended(page.text(), "videos").replacements == []
    assert {replacement.element for replacement in page.replacements} == {
        index for index, element in enumerate(elements) if repr(without_unstorable(element)) != repr(element)
    }


def without_unstorable(value):
    if isinstance(value, str):
        return re.sub("[\0\ud800-\udfff]", "�", value)
    if isinstance(value, float) and not math.isfinite(value):
        return json.dumps(value)
    if isinstance(value, dict):
        return {without_unstorable(name): without_unstorable(inner) for name, inner in value.items()}
    return [without_unstorable(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "number",
    [
        "-0", "1.5e3", "1e131071", "9.9e131071", "0.1e131072", "1e131072", "10e131071", "1e-16383", "12e-16383",
        "1e-16384", "1.5e-16383", "0e999999", "0e-16384", "1e99999999999999999999", "-1E-99999999999999999999",
        "9" * 131_072, "9" * 131_073, "0." + "1" * 16_383, "0." + "1" * 16_384, "0." + "0" * 20_000,
    ],
)  # fmt: skip
def test_a_number_is_replaced_exactly_if_postgresql_cannot_store_it(engine, number):
    try:
        rows(engine, "SELECT CAST(:number AS jsonb)", number=number)
        stored = number
    except DBAPIError:
        stored = f'"{number}"' if len(number) <= 100 else f'"{number[:100]}…"'
    assert mended(f'{{"videos": [{number}]}}', "videos").elements == [stored]

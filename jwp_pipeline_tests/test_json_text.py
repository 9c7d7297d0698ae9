"""JSON is parsed as Python's own parser does it, only faster, and with numbers that Python refuses."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwp_pipeline.json_text import loads

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud800"),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)
pieces = st.lists(
    st.sampled_from([*'{}[]:,"\\ud8e-+.0123456789', "true", "NaN", "\ufeff", " ", "\t", "\0"]), max_size=12
)


def parsed(parse, text):
    """Return the value with the types of all its parts, or the kind of error."""
    try:
        return repr(parse(text))
    except ValueError:
        return ValueError


@given(values.map(json.dumps) | pieces.map("".join))
def test_any_text_is_parsed_as_by_python(text):
    for form in (text, text.encode()):
        assert parsed(loads, form) == parsed(json.loads, form)


def test_an_integer_with_more_digits_than_python_accepts_is_a_float():
    assert loads(f"[{'1' * 5000}, -{'1' * 5000}, 1]") == [math.inf, -math.inf, 1]


@pytest.mark.parametrize("text", ["", "[1,]", "{'a': 1}", b"\xff"])
def test_what_is_no_json_is_a_value_error(text):
    with pytest.raises(ValueError):
        loads(text)

import json

from hypothesis import given
from hypothesis import strategies as st

from jwp_pipeline.mirror.differences import ABSENT, Difference, differences, shortened

names = st.text("abc", min_size=1, max_size=2)
scalars = st.none() | st.booleans() | st.integers(-2, 2) | st.text("xy", max_size=2)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=3))
objects = st.dictionaries(names, values, max_size=4)


def changed(old, found):
    """Return `old` with every difference applied."""
    new = json.loads(json.dumps(old))
    for difference in found:
        *folders, last = difference.path.split(".")
        place = new
        for name in folders:
            place = place[name]
        if difference.new is ABSENT:
            del place[last]
        else:
            place[last] = difference.new
    return new


@given(objects, objects)
def test_the_differences_lead_from_the_old_value_to_the_new_one(old, new):
    found = differences(json.dumps(old), json.dumps(new))
    assert json.dumps(changed(old, found), sort_keys=True) == json.dumps(new, sort_keys=True)
    assert all(difference.old is not difference.new for difference in found)


def test_true_is_not_one_and_null_is_not_nothing():
    assert differences('{"a": 1, "b": [1], "c": null}', '{"a": true, "b": [true]}') == (
        Difference("a", 1, True),
        Difference("b", [1], [True]),
        Difference("c", None, ABSENT),
    )
    assert Difference("c", None, ABSENT).in_words == ("null", "(none)")


def test_what_python_cannot_read_is_compared_as_text():
    deep, long = "[" * 100_000 + "]" * 100_000, "9" * 10_000
    for unreadable in (f'{{"a": {deep}}}', f'{{"a": {long}}}'):
        [difference] = differences('{"a": 1}', unreadable)
        assert difference.new == unreadable
        assert differences(unreadable, unreadable) == ()


def test_a_long_text_is_shortened_in_its_middle():
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abcdefg", 6) == "abc…fg"
    assert [len(shortened("x" * 99, most)) for most in (1, 2, 3, 50)] == [1, 2, 3, 50]

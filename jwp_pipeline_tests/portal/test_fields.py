"""The texts of the portal's form mean what the item has, and nothing that nobody typed is written."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from examples.portal import fields

texts = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]) | st.sampled_from("\r\n |,"), max_size=12
)
names = st.lists(texts, max_size=3)
items = st.builds(
    SimpleNamespace,
    title=texts,
    description=texts,
    tags=names,
    view_is_public=st.booleans(),
    view_is_signed_in=st.booleans(),
    view_crsids=names,
    view_lookup_groups=names,
    view_lookup_insts=names,
)
forms = items.map(fields.shown)


@given(items)
def test_a_form_that_is_sent_as_it_was_opened_changes_nothing(item):
    shown = fields.shown(item)
    sent = {name: text.replace("\n", "\r\n") for name, text in shown.items()}
    assert fields.changes(shown, fields.typed(sent)) == {}


@given(begun=forms, typed=forms, now=forms)
def test_a_form_that_was_overtaken_keeps_what_was_typed_and_else_shows_what_is_new(begun, typed, now):
    for name, text in fields.merged(begun, typed, now).items():
        assert text == (now[name] if typed[name] == begun[name] else typed[name])


def test_lists_have_one_entry_a_line():
    typed = {**dict.fromkeys(fields.FIELDS, ""), "tags": " a, b \n\n c|d\n", "view_is_public": "on"}
    assert fields.changes({}, typed)["tags"] == ["a, b", "c|d"]
    assert fields.changes({}, typed)["view_is_public"] is True
    assert fields.changes({"view_is_public": "on"}, {**typed, "view_is_public": ""})["view_is_public"] is False

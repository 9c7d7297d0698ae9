"""What an ACL means, and that what is unknown or unwritable never grants more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwp_pipeline.access.acl import NOBODY, Permission, format_acl, parse_acl

# What an entry can carry: no comma, no blank at its end (entries are stripped), which covers all that is read.
names = st.text().filter(lambda name: "," not in name and name == name.rstrip())
permissions = st.builds(
    Permission,
    st.booleans(),
    st.booleans(),
    *(st.lists(names, max_size=3).map(tuple) for _ in range(3)),
)


@pytest.mark.parametrize("entries", ["", " , ,", "['']", " [''] ", []])
def test_no_entry_is_nobody(entries):
    assert parse_acl(entries) == (NOBODY, ())


def test_entries_are_kept_in_order_with_duplicates():
    permission, problems = parse_acl(" CAM ,USER_b,, USER_a ,USER_b,GROUP_x:y,INST_UIS,INST_,WORLD")
    assert permission == Permission(
        is_public=True,
        is_signed_in=True,
        crsids=("b", "a", "b"),
        lookup_groups=("x:y",),
        lookup_insts=("UIS", ""),
    )
    assert problems == ()


def test_an_unknown_entry_grants_nothing_and_is_named():
    permission, problems = parse_acl("world,USER_a,user_b,['x'")
    assert permission == Permission(crsids=("a",))
    assert len(problems) == 3
    assert "'world'" in problems[0]


def test_text_and_entries_read_alike():
    assert parse_acl("WORLD, USER_a") == parse_acl(["WORLD", " USER_a"])


def test_written_order():
    permission = Permission(True, True, ("a", "b"), ("1",), ("UIS",))
    assert format_acl(permission) == "WORLD,CAM,USER_a,USER_b,GROUP_1,INST_UIS"
    assert format_acl(NOBODY) == ""


def test_a_comma_in_a_name_cannot_smuggle_an_entry():
    assert format_acl(Permission(crsids=("a,WORLD", "b"))) == "USER_b"


@given(permissions)
def test_what_is_written_reads_back(permission):
    assert parse_acl(format_acl(permission)) == (permission, ())


@given(st.text())
def test_only_the_exact_word_is_public(text):
    permission, _ = parse_acl(text)
    assert permission.is_public == ("WORLD" in [entry.strip() for entry in text.split(",")])

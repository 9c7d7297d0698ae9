"""ACLs are read and written as specified, and an entry that is unknown or cannot be written never grants more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwp_pipeline.access.acl import NOBODY, Permission, format_acl, intersection, parse_acl

# The names that an entry can hold, which include all names that are read: entries are stripped, so a name has no comma
# and no blank at its end.
names = st.text(min_size=1).filter(lambda name: not set(",\n") & set(name) and name == name.rstrip())


def permissions_of(names):
    return st.builds(
        Permission,
        st.booleans(),
        st.booleans(),
        *(st.lists(names, max_size=3).map(tuple) for _ in range(3)),
    )


permissions = permissions_of(names)
few = permissions_of(st.sampled_from(["a", "b", ""]))


@pytest.mark.parametrize("entries", ["", " , ,", "['']", " [''] ", []])
def test_an_acl_without_entries_grants_nothing(entries):
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
    assert problems == ("entry 'INST_' names nobody and grants nothing",)


def test_an_unknown_entry_grants_nothing_and_is_named():
    permission, problems = parse_acl("world,USER_a,user_b,['x'")
    assert permission == Permission(crsids=("a",))
    assert len(problems) == 3
    assert "'world'" in problems[0]


def test_text_and_entries_read_alike():
    assert parse_acl("WORLD, USER_a") == parse_acl(["WORLD", " USER_a"])


def test_entries_are_written_in_a_fixed_order():
    permission = Permission(True, True, ("a", "b"), ("1",), ("UIS",))
    assert format_acl(permission) == "WORLD,CAM,USER_a,USER_b,GROUP_1,INST_UIS"
    assert format_acl(NOBODY) == ""


@pytest.mark.parametrize("name", ["a,WORLD", "", " ", "a ", "a\nWORLD"])
def test_a_name_that_would_be_read_back_differently_is_left_out(name):
    assert format_acl(Permission(crsids=(name, "b"))) == "USER_b"


@given(permissions)
def test_a_written_permission_reads_back_unchanged(permission):
    assert parse_acl(format_acl(permission)) == (permission, ())


@given(st.text())
def test_only_the_exact_word_is_public(text):
    permission, _ = parse_acl(text)
    assert permission.is_public == ("WORLD" in [entry.strip() for entry in text.split(",")])


@pytest.mark.parametrize(
    ("permission", "limit", "kept"),
    [
        ("WORLD", "USER_x", "USER_x"),
        ("WORLD", "CAM", "CAM"),
        ("WORLD,USER_x", "WORLD", "WORLD,USER_x"),
        ("CAM", "WORLD", "CAM"),
        ("CAM", "GROUP_g", "GROUP_g"),
        ("CAM,USER_x", "USER_y,INST_i", "USER_y,INST_i"),
        ("USER_a,USER_b", "USER_b", "USER_b"),
        ("USER_b,USER_a,USER_b", "USER_b,USER_c", "USER_b"),
        ("USER_b,USER_a,USER_b", "USER_a,USER_b", "USER_b,USER_a,USER_b"),
        ("USER_a", "GROUP_a,INST_a", ""),
        ("USER_a", "", ""),
        ("WORLD", "", ""),
        ("", "WORLD", ""),
    ],
)
def test_the_intersection_is_what_both_grant(permission, limit, kept):
    """Semantics §4.2: everyone includes everyone who is signed in, and that includes everybody who is named."""
    (permission, _), (limit, _), (kept, _) = map(parse_acl, (permission, limit, kept))
    assert intersection(permission, limit) == kept


def test_an_array_of_more_dimensions_grants_nothing_also_within_a_limit():
    odd = Permission(crsids=(["a", "b"], ["c", "d"]))
    assert intersection(odd, Permission(crsids=("a",))) == odd
    assert intersection(Permission(crsids=("a",)), odd) == NOBODY


# All possible people: (signed in, person, groups and institutions of that person).
PEOPLE = [(False, None, frozenset())] + [
    (True, person, frozenset(member_of)) for person in "ab" for member_of in ("", "a", "b", "ab")
]


def may(permission):
    return {
        person
        for person in PEOPLE
        if permission.is_public
        or (person[0] and permission.is_signed_in)
        or person[1] in permission.crsids
        or person[2] & set(permission.lookup_groups + permission.lookup_insts)
    }


@given(few, few)
def test_the_intersection_grants_nothing_to_anybody_else(permission, limit):
    """Semantics §4.2: a name that both contain is kept, and a permission within its limit does not change."""
    kept = intersection(permission, limit)
    assert may(kept) <= may(permission) & may(limit)
    assert may(permission).isdisjoint(may(limit)) or may(kept) or not set(permission.crsids) & set(limit.crsids) - {""}
    assert intersection(kept, limit) == kept
    assert intersection(permission, permission) == permission
    if intersection(permission, limit) == permission:
        assert may(permission) <= may(limit)

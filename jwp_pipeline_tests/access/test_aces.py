"""Entries of ACLs as the reference has them: how they are read, and whom they let pass (semantics §9.1, §9.2)."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwp_pipeline.access import (
    ANONYMOUS,
    AceCam,
    AceGroup,
    AceInst,
    AceUser,
    AceWorld,
    Membership,
    Person,
    aces,
    build_acl,
    check_user_access,
)
from jwp_pipeline.access.acl import parse_acl
from jwp_pipeline.access.users import has_user_permission, is_signed_in, is_superuser, username_of
from jwp_pipeline.database.tables import CachedResource
from jwp_pipeline.media.mapping import map_video

CLASSES = {
    "WORLD": AceWorld(),
    "CAM": AceCam(),
    "INST_UIS": AceInst("UIS"),
    "GROUP_1": AceGroup("1"),
    "USER_x": AceUser("x"),
}


class Members:
    """Says of `x` that they belong to UIS and to group 1, which is called Team."""

    def membership(self, user):
        return Membership(frozenset({"UIS"}), frozenset({"1", "Team"})) if user == "x" else Membership()


MEMBERS = Members()


@pytest.mark.parametrize(
    "text", [*CLASSES, "world", " WORLD", "WORLD ", "INST", "INST-UIS", "OWNER_x", "", None, 1, ["WORLD"]]
)
def test_an_entry_is_read_by_one_class_and_case_and_blanks_matter(text):
    found = [ace for each in aces.ACE_CLASSES if (ace := each.parse(text)) is not None]
    assert found == ([CLASSES[text]] if isinstance(text, str) and text in CLASSES else [])


@pytest.mark.parametrize(
    ("ace", "lets_pass"),
    [
        (AceWorld(), {"anonymous", "nobody", "x", "y"}),
        (AceCam(), {"x", "y"}),
        (AceInst("UIS"), {"x"}),
        (AceInst("uis"), set()),
        (AceInst(""), set()),
        (AceGroup("1"), {"x"}),
        (AceGroup("Team"), {"x"}),
        (AceGroup(""), set()),
        (AceUser("x"), {"x"}),
        (AceUser("X"), set()),
        (AceUser(""), set()),
    ],
)
def test_an_entry_lets_pass_whom_it_names(ace, lets_pass):
    anonymous = SimpleNamespace(username="x", is_anonymous=True)
    users = {"anonymous": anonymous, "nobody": None, "x": Person("x"), "y": Person("y")}
    assert {name for name, user in users.items() if ace.has_permission(user, MEMBERS)} == lets_pass


def test_without_a_lookup_of_its_own_an_entry_asks_that_of_the_environment(monkeypatch):
    monkeypatch.setattr(aces, "default_lookup", lambda: MEMBERS)
    assert AceGroup("Team").has_permission(Person("x"))
    assert AceInst("UIS").has_permission(Person("x"))
    assert not AceInst("UIS").has_permission(Person("y"))


class Unasked:
    """Fails if it is asked about anybody."""

    def membership(self, user):
        raise AssertionError(f"Lookup was asked about {user}")


@pytest.mark.parametrize("nobody", [AceInst(""), AceGroup("")])
def test_an_empty_name_grants_nothing_and_lookup_is_not_asked(nobody):
    assert not nobody.has_permission(Person("x"), Unasked())


def test_unknown_entries_are_left_out_and_logged(caplog):
    assert build_acl([" USER_x ", "", "owner_x", "WORLD", 7, None]) == [AceUser("x"), AceWorld()]
    assert "'owner_x'" in caplog.text
    assert build_acl("CAM, INST_UIS,,") == [AceCam(), AceInst("UIS")]
    assert build_acl(["['']"]) == build_acl("['']") == build_acl(None) == build_acl([]) == []


@pytest.mark.parametrize(
    ("data", "passes"),
    [
        ({"key": "k", "custom": {"sms_acl": "acl:USER_x:"}}, True),
        ({"id": "k", "metadata": {"custom_params": {"sms_acl": "acl:GROUP_Team:"}}}, True),
        ({"key": "k", "custom": {}}, True),
        ({"id": "k", "metadata": {"custom_params": None}}, True),
        ({"key": "k", "custom": {"sms_acl": "acl::"}}, False),
        ({"key": "k", "custom": {"sms_acl": "acl:['']:"}}, False),
        ({"key": "k", "custom": {"sms_acl": "acl:USER_y:"}}, False),
        ({"key": "k", "custom": {"sms_acl": "WORLD"}}, False),
        ({"key": "k", "custom": {"sms_acl": None}}, False),
        ({"key": "k", "custom": None}, False),
        ({"id": "k", "metadata": None}, False),
        ({"key": "k", "id": "k", "custom": {}}, False),
        (["WORLD"], False),
        (None, False),
    ],
)
def test_a_resource_lets_pass_whom_its_acl_names(data, passes):
    assert check_user_access(data, Person("x"), MEMBERS) == passes
    assert check_user_access(CachedResource(type="video", key="k", data=data), Person("x"), MEMBERS) == passes
    gone = CachedResource(type="video", key="k", data=data, deleted_at="2026-01-01")
    assert not check_user_access(gone, Person("x"), MEMBERS)


def test_lookup_is_asked_only_if_no_other_entry_grants_access():
    class Unreachable:
        def membership(self, user):
            raise AssertionError("Lookup was asked")

    data = {"key": "k", "custom": {"sms_acl": "acl:GROUP_1,INST_UIS,USER_x:"}}
    assert check_user_access(data, Person("x"), Unreachable())
    assert not check_user_access(data, None, Unreachable())


@pytest.fixture
def default_acl(monkeypatch):
    """A function that sets JWP_DEFAULT_ACL in the environment, which a process reads once."""
    aces._default_acl.cache_clear()
    yield lambda text: monkeypatch.setenv("JWP_DEFAULT_ACL", text)
    aces._default_acl.cache_clear()


@pytest.mark.parametrize(("text", "anonymous", "signed_in"), [("CAM", False, True), ("NOBODY", False, False)])
def test_a_resource_without_an_acl_has_that_of_the_settings(default_acl, text, anonymous, signed_in):
    default_acl(text)
    for data in ({"key": "k", "custom": {}}, {"id": "k", "metadata": {"custom_params": {}}}):
        assert check_user_access(data, None, MEMBERS) == anonymous
        assert check_user_access(data, Person("y"), MEMBERS) == signed_in


def test_a_resource_without_an_acl_has_the_default_one():
    assert not check_user_access({"key": "k", "custom": {}}, None, MEMBERS, default_acl="CAM")
    assert check_user_access({"key": "k", "custom": {}}, Person("y"), MEMBERS, default_acl="CAM")


entries = st.sampled_from(
    [*CLASSES, "GROUP_Team", "USER_", "INST_", "GROUP_", "world", "USER_y", " CAM ", ""]
) | st.text(max_size=8)
texts = st.lists(entries, max_size=4).map(",".join)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | entries | texts.map("acl:{}:".format),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["key", "id", "custom", "metadata", "custom_params", "sms_acl"]), inner, max_size=4
        )
    ),
)
users = st.sampled_from([None, ANONYMOUS, Person("x"), Person("y"), Person(" "), SimpleNamespace(), "x"])


@given(values, users)
def test_no_json_value_raises_and_nothing_unknown_grants(value, user):
    for ace in build_acl(value):
        assert ace in (AceWorld(), AceCam()) or isinstance(ace, AceInst | AceGroup | AceUser)
    assert check_user_access(value, user, MEMBERS) in (True, False)


def passes(permission, user):
    """Whether a permission, as the record keeps it, lets a user pass."""
    known = MEMBERS.membership(username_of(user))
    return permission.is_public or (
        is_signed_in(user)
        and (
            permission.is_signed_in
            or username_of(user) in [name for name in permission.crsids if name]
            or not known.groups.isdisjoint(filter(None, permission.lookup_groups))
            or not known.institutions.isdisjoint(filter(None, permission.lookup_insts))
        )
    )


@given(texts, users)
def test_entries_and_the_permission_that_the_record_keeps_decide_alike(text, user):
    permission, _ = parse_acl(text)
    assert any(ace.has_permission(user, MEMBERS) for ace in build_acl(text)) == passes(permission, user)


@given(values, users)
def test_a_resource_lets_pass_whom_a_sync_gives_its_item_to(data, user):
    permission = map_video(data, key="k", default_acl=parse_acl("WORLD")[0], create_items="all").permission
    assert check_user_access(data, user, MEMBERS) == passes(permission, user)


@pytest.mark.parametrize(
    ("user", "signed_in", "name", "superuser", "views_all"),
    [
        (None, False, None, False, False),
        (SimpleNamespace(), False, None, False, False),
        (SimpleNamespace(is_anonymous=False), True, None, False, False),
        (SimpleNamespace(is_anonymous=lambda: False, username="x"), True, "x", False, False),
        (
            SimpleNamespace(is_anonymous=True, username="x", is_superuser=True, permissions={"view_all"}),
            False,
            None,
            False,
            False,
        ),
        (SimpleNamespace(is_anonymous=False, username="x", permissions="view_all_and_more"), True, "x", False, False),
        (SimpleNamespace(is_anonymous=False, username="x", permissions=["view_all"]), True, "x", False, True),
        (SimpleNamespace(is_anonymous=False, username="x", is_superuser="no"), True, "x", False, False),
        (Person("x", is_superuser=True), True, "x", True, True),
        (Person("x", frozenset({"view_all"})), True, "x", False, True),
        (Person(""), False, None, False, False),
    ],
)
def test_what_a_user_brings_counts_only_if_it_is_of_the_expected_kind(user, signed_in, name, superuser, views_all):
    assert is_signed_in(user) == signed_in
    assert username_of(user) == name
    assert is_superuser(user) == superuser
    assert has_user_permission(user, "view_all") == views_all

"""SQL and Python decide alike who may view, edit and download (semantics §9), and ask Lookup as little as possible."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from jwp_pipeline.access.decide import Access
from jwp_pipeline.access.lookup import Membership
from jwp_pipeline.database.tables import CachedResource
from jwp_pipeline.record import BillingAccount, MediaChannel, MediaItem, SmsCollection, SmsMediaItem, Video

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = ["", "spqr1", "abc12", "UIS", "101888", "Members of the team", "ü", "nul\0", "half\ud800"]
LISTS = ("crsids", "lookup_groups", "lookup_insts")
STORED_NAMES = [name for name in NAMES if "\0" not in name and "\ud800" not in name]


@dataclass
class Somebody:
    username: str
    is_anonymous: bool = False
    permissions: set = field(default_factory=set)
    is_superuser: bool = False


class Members:
    """Knows the membership of everybody, and counts how often it is asked."""

    def __init__(self, membership=None):
        self.known = membership or Membership()
        self.requests = 0

    def membership(self, user):
        self.requests += 1
        return self.known


# PostgreSQL lets somebody write arrays of more dimensions, which grant nothing.
stored_names = st.sampled_from(STORED_NAMES)
names = st.lists(stored_names, max_size=2) | st.lists(
    st.lists(stored_names, min_size=2, max_size=2), min_size=1, max_size=2
)


def permission(action):
    columns = {"is_public": st.booleans(), "is_signed_in": st.booleans()}
    columns |= dict.fromkeys(LISTS, names)
    return st.fixed_dictionaries({f"{action}_{name}": values for name, values in columns.items()})


deleted = st.sampled_from([None, None, None, NOW])
rarely = st.sampled_from([False, False, True])
channels = st.fixed_dictionaries({"deleted_at": deleted, "in_sms": rarely, "permission": permission("edit")})
statuses = st.sampled_from(["ready", "ready", "processing", "Ready", None, 1, ["ready"], {"ready": "ready"}])
documents = st.fixed_dictionaries({"status": statuses}) | st.sampled_from([{}, [], ["ready"], "ready", None])
links = st.none() | st.fixed_dictionaries(
    {"data": documents, "cached": st.sampled_from([True, True, False]), "resource_deleted_at": deleted}
)
items = st.fixed_dictionaries(
    {
        "deleted_at": deleted,
        "in_sms": rarely,
        "channel": st.none() | st.integers(0, 2),
        "published_at": st.sampled_from([NOW - timedelta(days=9), NOW, NOW + timedelta(microseconds=1)]),
        "downloadable": st.booleans(),
        "video": links,
        "permission": permission("view"),
    }
)
people = st.builds(
    Somebody,
    username=st.sampled_from(NAMES),
    is_anonymous=rarely,
    permissions=st.sets(st.sampled_from(["view_mediaitem", "download_mediaitem", "other"]), max_size=1),
    is_superuser=rarely,
)
memberships = st.builds(Membership, st.frozensets(st.sampled_from(NAMES)), st.frozensets(st.sampled_from(NAMES)))
libraries = st.tuples(st.lists(channels, min_size=3, max_size=3), st.lists(items, min_size=8, max_size=20))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(libraries, st.lists(st.tuples(st.none() | people, memberships), min_size=8, max_size=8))
def test_sql_and_python_decide_alike(engine, library, users):
    with Session(engine) as session:
        store(session, *library)
        found = session.scalars(MediaItem.including_deleted).all()
        for user, membership in users:
            access = Access(Members(membership))
            in_sql = {
                "view": set(session.scalars(select(MediaItem).where(access.viewable_by(user, now=NOW)))),
                "edit": set(session.scalars(select(MediaItem).where(access.editable_by(user)))),
                "download": set(session.scalars(select(MediaItem).where(access.downloadable_by(user)))),
                "edit channel": set(session.scalars(select(MediaChannel).where(access.channel_editable_by(user)))),
            }
            assert in_sql == {
                "view": {item for item in found if access.may_view(item, user, now=NOW)},
                "edit": {item for item in found if access.may_edit(item, user)},
                "download": {item for item in found if access.may_download(item, user)},
                "edit channel": {
                    channel
                    for channel in session.scalars(MediaChannel.including_deleted)
                    if access.may_edit_channel(channel, user)
                },
            }
            for decision, granted in in_sql.items():
                event(f"{decision}: {'some' if granted else 'none'}")
            assert in_sql["edit"] <= in_sql["view"]
            assert not any(item.deleted_at for item in in_sql["view"])


def store(session, channels, items):
    session.add(BillingAccount(id="account", description="", lookup_instid="UIS"))
    session.flush()
    texts = {"title": "", "description": ""}
    for number, drawn in enumerate(channels):
        channel = MediaChannel(id=f"c{number}", billing_account_id="account", deleted_at=drawn["deleted_at"], **texts)
        add(session, channel, drawn)
        if drawn["in_sms"]:
            session.add(SmsCollection(id=number, media_channel_id=channel.id))
    for number, drawn in enumerate(items):
        item = MediaItem(id=f"i{number}", deleted_at=drawn["deleted_at"], published_at=drawn["published_at"], **texts)
        item.type, item.duration, item.language, item.copyright = "video", 1.0, "", ""
        item.downloadable = drawn["downloadable"]
        item.media_channel_id = None if drawn["channel"] is None else f"c{drawn['channel']}"
        add(session, item, drawn)
        if drawn["in_sms"]:
            session.add(SmsMediaItem(id=number, media_item_id=item.id))
        if (video := drawn["video"]) is not None:
            session.add(Video(key=f"v{number}", updated=1, media_item_id=item.id))
            if video["cached"]:
                resource = CachedResource(type="video", key=f"v{number}", data=video["data"])
                resource.deleted_at = video["resource_deleted_at"]
                session.add(resource)
    session.flush()
    session.expire_all()


def add(session, row, drawn):
    for column, value in drawn["permission"].items():
        setattr(row, column, value)
    session.add(row)
    session.flush()


def item(**columns):
    return {
        "deleted_at": None,
        "in_sms": False,
        "channel": None,
        "published_at": NOW,
        "downloadable": False,
        "video": {"data": {"status": "ready"}, "cached": True, "resource_deleted_at": None},
        "permission": {},
    } | columns


@pytest.mark.parametrize(
    ("permission", "user", "reasons"),
    [
        ({"view_is_public": True}, None, ["It is public."]),
        ({"view_is_signed_in": True}, None, []),
        ({"view_is_signed_in": True}, Somebody("x"), ["It is for everybody who is signed in."]),
        ({"view_crsids": ["x"]}, Somebody("x"), ["It is for you (x)."]),
        ({"view_crsids": ["x"]}, Somebody("x", is_anonymous=True), []),
        ({"view_crsids": [""]}, Somebody(""), []),
        ({"view_lookup_groups": ["1", "2"]}, Somebody("x"), ["It is for members of a group that you belong to (2)."]),
        (
            {"view_lookup_groups": ["The team"]},
            Somebody("x"),
            ["It is for members of a group that you belong to (The team)."],
        ),
        (
            {"view_lookup_insts": ["UIS"]},
            Somebody("x"),
            ["It is for members of an institution that you belong to (UIS)."],
        ),
        ({"view_lookup_insts": ["uis", "2"]}, Somebody("x"), []),
        ({f"view_{names}": [["x", "2"], ["y", "UIS"]] for names in LISTS}, Somebody("x"), []),
        ({}, Somebody("x", is_superuser=True), ["You may edit it as a superuser.", "You are a superuser."]),
        ({}, Somebody("x", permissions={"view_mediaitem"}), ["You have the permission to view every item."]),
    ],
)
def test_the_reasons_to_view_an_item_are_named(engine, permission, user, reasons):
    access = Access(Members(Membership(frozenset({"UIS"}), frozenset({"2", "The team"}))))
    with Session(engine) as session:
        store(session, [], [item(permission=permission)])
        [stored] = session.scalars(MediaItem.live)
        assert [*access.reasons_to_view(stored, user, now=NOW)] == reasons


def test_lookup_is_asked_once_for_a_list_and_not_at_all_for_the_anonymous_user(engine):
    members = Members()
    access = Access(members)
    with Session(engine) as session:
        store(session, [], [item(permission={"view_lookup_groups": [str(number)]}) for number in range(100)])
        session.scalars(MediaItem.live.where(access.viewable_by(None))).all()
        assert members.requests == 0
        session.scalars(MediaItem.live.where(access.viewable_by(Somebody("x")))).all()
        assert members.requests == 1


def test_a_permission_that_names_no_group_costs_no_request(engine):
    members = Members()
    with Session(engine) as session:
        store(session, [], [item(permission={"view_crsids": ["x"], "view_is_public": True})])
        [stored] = session.scalars(MediaItem.live)
        assert Access(members).may_view(stored, Somebody("x"))
    assert members.requests == 0

"""Conflicts and refusals: what they show, who may view the item meanwhile, and what deciding them does."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from jwp_pipeline.errors import NothingToResolve
from jwp_pipeline.outbox import read_outbox, resolve, updates_of
from jwp_pipeline.simulator import Fault
from jwp_pipeline_tests.support import rows, video

KEY = "aB3dE5gH"
VIEW = "view_permission"


@pytest.fixture
def jwp(jwp):
    custom = {"sms_acl": "acl:USER_abc:", "sms_copyright": "copyright:old:", "other": "stays"}
    jwp.library.replace_all([video(KEY, updated=1_700_000_000, description="Old", custom=custom)], [])
    jwp.sync()
    return jwp


def there(jwp, *, custom=None, **fields):
    """Change the video at JW Platform."""
    known = jwp.at_jwp(KEY)
    custom = {name: value for name, value in {**known["custom"], **(custom or {})}.items() if value is not None}
    jwp.library.edit("video", KEY, **fields, custom=custom, updated=known["updated"] + 1000)


def decide(jwp, field, side):
    with Session(jwp.engine) as session:
        resolve(session, jwp.item(KEY).id, field, side)
        session.commit()


def shown(jwp, field):
    with jwp.engine.connect() as connection:
        return next(
            each for each in updates_of(connection, [jwp.item(KEY).id])[jwp.item(KEY).id] if each.field == field
        )


def may_view(jwp):
    item = jwp.item(KEY)
    return "everyone" if item.view_is_public else "signed in" if item.view_is_signed_in else item.view_crsids


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_a_conflict_ends_as_somebody_decides(jwp, side):
    jwp.edit(KEY, title="Here")
    there(jwp, title="There")
    jwp.push()
    edit = shown(jwp, "title")
    assert (edit.state, edit.ours, edit.theirs) == ("conflict", "Here", "There")
    decide(jwp, "title", side)
    jwp.push()
    jwp.sync()
    expected = {"ours": "Here", "theirs": "There"}[side]
    assert jwp.at_jwp(KEY)["title"] == jwp.item(KEY).title == expected
    assert rows(jwp.engine, "SELECT FROM sync_problems WHERE stage = 'push' AND resolved_at IS NULL") == []
    with pytest.raises(NothingToResolve):
        decide(jwp, "title", side)


@pytest.mark.parametrize("policy", ["ours", "theirs"])
def test_a_policy_decides_conflicts_that_are_older_than_it(jwp, policy):
    jwp.edit(KEY, title="Here", view_is_public=True)
    there(jwp, title="There", custom={"sms_acl": "acl:CAM:"})
    jwp.push()
    assert set(jwp.edits().values()) == {"conflict"}
    jwp.push(jwp_conflict=policy)
    jwp.sync()
    expected = {"ours": ("Here", "everyone"), "theirs": ("There", "signed in")}[policy]
    assert (jwp.at_jwp(KEY)["title"], may_view(jwp)) == (jwp.item(KEY).title, expected[1]) == expected
    assert set(jwp.edits().values()) <= {"pushed"}


def test_a_conflict_ends_when_jwp_has_our_value(jwp):
    """Clarification 13: whatever its base."""
    jwp.edit(KEY, title="Here", copyright="here")
    there(jwp, title="There", custom={"sms_copyright": "copyright:there:"})
    jwp.push()
    jwp.sync()
    jwp.push()
    assert jwp.edits() == {"title": "conflict", "copyright": "conflict"}
    there(jwp, title="Here")
    jwp.sync()
    assert jwp.push().count("unchanged") == 1
    assert jwp.edits() == {"title": "pushed", "copyright": "conflict"}
    jwp.sync()
    assert jwp.item(KEY).title == "Here"


def test_an_item_is_for_those_whom_both_sides_admit_until_somebody_decides(jwp):
    """Clarification 2."""
    jwp.edit(KEY, view_is_public=True)
    there(jwp, custom={"sms_acl": "acl:CAM:"})
    jwp.push()
    assert may_view(jwp) == "signed in"
    there(jwp, custom={"sms_acl": "acl:USER_def:"})
    jwp.sync()
    assert may_view(jwp) == ["def"]
    decide(jwp, VIEW, "theirs")
    assert may_view(jwp) == ["def"], "what JW Platform had at the time of the conflict must not open it again"
    jwp.sync()
    assert may_view(jwp) == ["def"]


def test_a_null_among_the_names_of_a_permission_in_conflict_stops_no_sync(jwp):
    jwp.edit(KEY, view_crsids=["def", None])
    there(jwp, custom={"sms_acl": "acl:CAM:"})
    jwp.push()
    for sync_all in (False, True):
        jwp.sync(sync_all=sync_all)
        assert [name for name in may_view(jwp) if name] == ["def"]


@pytest.mark.parametrize("policy", ["ask", "ours", "theirs"])
def test_an_acl_that_vanished_opens_nothing(jwp, policy):
    """Semantics §4: the permission stays, because somebody dropped the ACL by accident; and an edit of it is pushed."""
    jwp.edit(KEY, view_crsids=["def"])
    there(jwp, custom={"sms_acl": None})
    jwp.push(jwp_conflict=policy)
    jwp.sync(sync_all=True)
    assert (may_view(jwp), jwp.at_jwp(KEY)["custom"]["sms_acl"]) == (["def"], "acl:USER_def:")
    assert jwp.edits() == {VIEW: "pushed"}


def test_an_edit_gives_a_video_its_acl_back_even_if_it_names_the_same_people(jwp):
    jwp.edit(KEY, view_crsids=["abc", "x,y"])
    there(jwp, custom={"sms_acl": None})
    jwp.push()
    assert jwp.at_jwp(KEY)["custom"]["sms_acl"] == "acl:USER_abc:"


def test_an_acl_that_cannot_be_read_admits_nobody_whatever_the_policy(jwp):
    jwp.edit(KEY, view_is_public=True)
    there(jwp, custom={"sms_acl": "WORLD"})
    jwp.push(jwp_conflict="theirs")
    assert may_view(jwp) == []
    jwp.sync()
    assert may_view(jwp) == []


def test_what_cannot_be_read_there_may_be_replaced_by_decision(jwp):
    jwp.edit(KEY, copyright="here")
    there(jwp, custom={"sms_copyright": "nonsense"})
    jwp.push()
    assert (shown(jwp, "copyright").state, shown(jwp, "copyright").theirs) == ("conflict", "(cannot be read)")
    decide(jwp, "copyright", "ours")
    jwp.push()
    assert jwp.at_jwp(KEY)["custom"]["sms_copyright"] == "copyright:here:"


def test_a_video_without_a_date_has_no_opinion_about_it(jwp):
    jwp.execute("UPDATE media_items SET published_at = '2024-02-03 04:05:06+00'")
    there(jwp, title="There")
    jwp.push()
    assert jwp.edits() == {"published_at": "pushed"}
    assert jwp.at_jwp(KEY)["date"] == 1_706_933_106


def test_an_edit_of_a_video_that_came_back_can_still_be_decided(jwp):
    jwp.edit(KEY, title="Here")
    jwp.library.remove("video", KEY)
    assert jwp.push().count("refused") == 1
    jwp.library.restore("video", KEY)
    decide(jwp, "title", "ours")
    jwp.push()
    assert (jwp.at_jwp(KEY)["title"], jwp.edits()) == ("Here", {"title": "pushed"})


def test_what_waits_for_a_withdrawn_item_is_kept_and_counts_as_nothing(jwp):
    jwp.edit(KEY, title="Here")
    jwp.execute("UPDATE media_items SET deleted_at = now()")
    with jwp.engine.connect() as connection:
        assert read_outbox(connection).oldest_seconds is None
    assert jwp.push().changes == ()
    jwp.execute("UPDATE media_items SET deleted_at = NULL")
    jwp.push()
    assert jwp.at_jwp(KEY)["title"] == "Here"


@pytest.mark.parametrize("side", ["ours", "theirs"])
def test_deciding_does_not_hide_the_other_edits_of_the_same_transaction(jwp, side):
    jwp.edit(KEY, title="Here")
    there(jwp, title="There")
    jwp.push()
    with Session(jwp.engine) as session:
        resolve(session, jwp.item(KEY).id, "title", side)
        session.execute(text("UPDATE media_items SET copyright = 'somebody'"))
        session.commit()
    assert jwp.edits()["copyright"] == "waiting"


def test_an_edit_that_was_refused_keeps_its_value_and_is_tried_again_with_the_next_one(jwp):
    jwp.edit(KEY, view_is_public=True)
    jwp.simulator.faults.add(Fault.status(400), route="update")
    jwp.push()
    assert (jwp.edits(), may_view(jwp)) == ({VIEW: "refused"}, ["abc"])
    jwp.edit(KEY, title="Here")
    jwp.push()
    assert (set(jwp.edits().values()), may_view(jwp)) == ({"pushed"}, "everyone")
    assert jwp.at_jwp(KEY)["custom"]["sms_acl"] == "acl:WORLD,USER_abc:"


def test_a_video_whose_properties_are_no_object_is_refused_and_not_overwritten(jwp, api):
    jwp.library.put("video", video("other123"))
    jwp.sync()
    jwp.library.override("video", KEY, _with_bad_properties(jwp, api))
    jwp.edit(KEY, title="Here")
    jwp.edit("other123", title="Here")
    jwp.push()
    assert jwp.edits() == {f"{KEY}.title": "refused" if api == "v2" else "pushed", "other123.title": "pushed"}


def _with_bad_properties(jwp, api):
    if api == "v1":
        return {**jwp.at_jwp(KEY), "custom": ["other"]}
    return {
        "id": KEY,
        "type": "media",
        "last_modified": "2023-11-14T22:13:20+00:00",
        "metadata": {"title": f"Video {KEY}", "custom_params": ["other"]},
    }

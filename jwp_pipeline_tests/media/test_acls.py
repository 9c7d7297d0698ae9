"""With JWP_STRICT_ACLS, narrower ACLs do not wait, and ACLs that vanish keep the permission (semantics §4.2, §4.3)."""

import pytest
from sqlalchemy import text

from jwp_pipeline.access.acl import parse_acl
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.settings import load_settings
from jwp_pipeline_tests.media.state import live_titles, open_problems, read_state, written_by
from jwp_pipeline_tests.media.values import NOBODY, WORLD, permission
from jwp_pipeline_tests.support import Site, rows, video

VANISHED = ("permission", "video", "a", "sms_acl")


@pytest.fixture
def strict(engine, simulator):
    """A site with strict ACLs and an empty library."""
    with Site(engine, simulator, strict_acls=True, create_items="sms") as jwp:
        yield jwp


@pytest.fixture
def lenient(engine, simulator):
    """A site that handles ACLs as the reference does."""
    with Site(engine, simulator, strict_acls=False, create_items="sms") as jwp:
        yield jwp


def view_of(engine, key="a"):
    return read_state(engine)["media_items"][key]["view"]


def of(acl):
    """Return the permission that an ACL means, as states show it."""
    parsed, _ = parse_acl(acl)
    names = (parsed.crsids, parsed.lookup_groups, parsed.lookup_insts)
    return permission(parsed.is_public, parsed.is_signed_in, *names)


def edit_by_hand(engine, **columns):
    """Edit every item, as somebody here would."""
    assignments = ", ".join(f"{name} = :{name}" for name in columns)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE media_items SET {assignments}"), columns)


@pytest.mark.parametrize(
    ("create_items", "given", "expected"),
    [("all", None, True), ("sms", None, False), ("all", False, False), ("sms", True, True)],
)
def test_strict_acls_are_the_default_if_all_videos_have_an_item(create_items, given, expected):
    settings = load_settings(jwp_create_items=create_items, jwp_strict_acls=given)
    assert MediaOptions.from_settings(settings).strict_acls is expected


def test_a_wrong_object_under_a_key_makes_an_item_public_for_one_sync_at_most(strict, engine):
    """Without strict ACLs the item stays public, because the right object has an older `updated`."""
    private, public = video("a", 1, acl="USER_x", updated=5), video("b", 2, acl="WORLD", updated=9)
    strict.library.replace_all([private, public], [])
    strict.sync()
    strict.library.put("video", {**public, "key": "a"})
    assert strict.sync().became_public.count == 1
    strict.library.put("video", private)
    strict.sync()
    assert view_of(engine) == of("USER_x")
    assert rows(engine, "SELECT key FROM videos WHERE needs_full_sync") == [("a",)]
    for acl in ("USER_x,USER_y", ""):
        strict.library.put("video", video("a", 1, acl=acl, updated=6))
        strict.sync()
    assert view_of(engine) == NOBODY


@pytest.mark.parametrize(
    ("had", "acl", "keeps"),
    [
        ("WORLD", "USER_x", "USER_x"),
        ("CAM", "GROUP_g", "GROUP_g"),
        ("USER_a,USER_b", "USER_b", "USER_b"),
        ("USER_a,USER_b", "USER_b,USER_c", "USER_b"),
        ("USER_a,INST_UIS", "INST_UIS,WORLD", "USER_a,INST_UIS"),
        ("USER_a", "CAM", "USER_a"),
        ("WORLD", "acl:", ""),
    ],
)
def test_a_narrower_acl_does_not_wait_and_a_wider_one_does(had, acl, keeps, strict, engine):
    strict.library.put("video", video("a", 1, acl=had, updated=5))
    strict.sync()
    strict.library.put("video", video("a", 1, acl=acl, updated=4, title="New title"))
    report = strict.sync()
    assert (view_of(engine), live_titles(engine)) == (of(keeps), {"a": "Video a"})
    assert report.counts["media_items"].updated == (of(keeps) != of(had))
    assert report.became_public.count == 0
    written = written_by(engine)
    strict.sync()
    assert written_by(engine) == written
    strict.library.put("video", video("a", 1, acl=acl, updated=6, title="New title"))
    strict.sync()
    assert (view_of(engine), live_titles(engine)) == (of(acl), {"a": "New title"})


def test_only_an_item_that_waits_for_new_grants_counts_as_behind(strict, engine):
    """Semantics §2.2: check content_reflected does not count an item whose permission was only narrowed."""
    strict.library.replace_all([video(key, acl="USER_x,USER_y", updated=5) for key in "ab"], [])
    strict.sync(create_items="all")
    strict.library.put("video", video("a", acl="USER_x,USER_z", updated=5))
    strict.library.put("video", video("b", acl="USER_x", updated=5))
    strict.sync(create_items="all")
    assert view_of(engine) == view_of(engine, "b") == of("USER_x")
    assert rows(engine, "SELECT key FROM videos WHERE needs_full_sync") == [("a",)]


def test_the_next_sync_takes_away_grants_that_were_made_here(strict, engine):
    """Nothing has to change at JW Platform. A grant that was removed here stays removed until the item is due.

    This is so if edits do not go back. Otherwise the edit is on its way there.
    """
    strict.settings["jwp_sync_items"] = False
    strict.library.replace_all([video("a", 1, acl="USER_x,USER_y"), video("b", 2)], [])
    strict.sync()
    edit_by_hand(engine, view_is_public=True)
    report = strict.sync()
    assert (report.looked_at, view_of(engine), view_of(engine, "b")) == (1, of("USER_x,USER_y"), WORLD)
    edit_by_hand(engine, view_is_public=False, view_crsids=["y"])
    assert strict.sync().counts["media_items"].updated == 0
    assert (view_of(engine), view_of(engine, "b")) == (of("USER_y"), of("USER_y"))
    assert strict.sync().looked_at == 0


def test_turning_strict_acls_on_compares_every_item_once(lenient, engine):
    lenient.settings["jwp_sync_items"] = False
    lenient.library.replace_all([video("a", 1, acl="WORLD"), video("b", 2, acl="CAM")], [])
    lenient.sync()
    lenient.library.put("video", video("a", 1, acl="USER_x"))
    edit_by_hand(engine, view_is_public=True)
    lenient.sync()
    assert view_of(engine) == WORLD
    assert lenient.follow(strict_acls=True).looked_at == 2
    assert (view_of(engine), view_of(engine, "b")) == (of("USER_x"), of("CAM"))
    assert lenient.follow(strict_acls=True).looked_at == 0


@pytest.mark.parametrize("unreadable", [False, True])
@pytest.mark.parametrize("gone", [None, "seen", "unseen"])
def test_an_acl_that_vanishes_keeps_the_permission(unreadable, gone, strict, engine):
    """It stays across disappearance and return until there is an ACL again; after an unreadable one, it is empty."""
    strict.library.replace_all([video("a", 1, acl="USER_x", updated=5), video("never", 2)], [])
    strict.sync()
    kept = of("USER_x")
    if unreadable:
        strict.library.put("video", video("a", 1, updated=6, custom={"sms_acl": "WORLD"}))
        strict.sync()
        kept = NOBODY
    if gone:
        strict.library.remove("video", "a")
        strict.fetch()
        if gone == "seen":
            strict.follow()
    for number in (7, 7, 8):
        strict.library.put("video", video("a", 1, updated=number, title=f"Title {number}"))
        strict.sync(sync_all=number == 8)
        assert (view_of(engine), live_titles(engine)["a"]) == (kept, f"Title {number}")
        assert (view_of(engine, "never"), open_problems(engine).keys()) == (WORLD, {VANISHED})
    strict.library.put("video", video("a", 1, acl="CAM", updated=9))
    strict.sync()
    assert (view_of(engine), open_problems(engine)) == (of("CAM"), {})


def test_nobody_may_view_a_new_item_whose_acl_has_vanished(strict, engine):
    strict.library.put("video", video("a", acl="WORLD"))
    strict.sync()
    strict.library.put("video", video("a", 1))
    strict.sync()
    assert (view_of(engine), open_problems(engine).keys()) == (NOBODY, {VANISHED})


ACCIDENTS = {
    "every property": {},
    "ACL and SMS id": {"sms_language": "language:eng:"},
}


@pytest.mark.parametrize("accident", ACCIDENTS)
@pytest.mark.parametrize("updated", [5, 6])
def test_an_acl_that_vanishes_with_all_else_keeps_the_permission_in_any_mode(api, accident, updated, engine, simulator):
    """That is probably an accident: v2's PATCH replaces all properties. Later edits without an ACL change nothing."""
    with Site(engine, simulator, api, strict_acls=False, create_items="sms") as jwp:
        jwp.library.put("video", video("a", 1, acl="USER_x", updated=5))
        jwp.sync()
        jwp.library.put("video", video("a", updated=updated, custom=ACCIDENTS[accident]))
        jwp.sync()
        assert view_of(engine) == of("USER_x")
        for number in (6, 7):
            jwp.library.put("video", video("a", 1, updated=number))
            jwp.sync(sync_all=True)
            assert (view_of(engine), open_problems(engine).keys()) == (of("USER_x"), {VANISHED})
        jwp.library.put("video", video("a", 1, acl="CAM", updated=8))
        jwp.sync()
        assert (view_of(engine), open_problems(engine)) == (of("CAM"), {})


def test_an_acl_that_vanishes_alone_gives_the_default_if_acls_are_not_strict(lenient, engine):
    """This is what the reference does. A narrower ACL then waits for a newer `updated`."""
    lenient.library.put("video", video("a", 1, acl="USER_x", updated=5))
    lenient.sync()
    lenient.library.put("video", video("a", 1, updated=6))
    lenient.sync()
    assert (view_of(engine), open_problems(engine)) == (WORLD, {})
    lenient.library.put("video", video("a", 1, acl="USER_x", updated=6))
    lenient.sync()
    assert view_of(engine) == WORLD


def test_an_acl_that_vanishes_after_an_unreadable_one_grants_nothing_in_any_mode(lenient, engine):
    """A broken ACL counts as an ACL, so when it vanishes the item stays closed until there is one that can be read."""
    for number, custom in enumerate(({"sms_acl": "acl:USER_x:"}, {"sms_acl": "USER_x"}, {}, {})):
        lenient.library.put("video", video("a", 1, updated=number, custom=custom))
        lenient.sync()
    assert (view_of(engine), open_problems(engine).keys()) == (NOBODY, {VANISHED})


@pytest.mark.parametrize(
    ("before", "after", "at_once"),
    [("WORLD", "CAM", True), ("CAM", "USER_a", True), ("USER_a,GROUP_g", "USER_a", True), ("USER_a", "WORLD", False)],
)
def test_a_narrower_default_does_not_wait_and_a_wider_one_does(before, after, at_once, strict, engine):
    """Nothing changes at JW Platform. Only items that grant more than the default are looked at."""
    strict.library.replace_all([video("a", 1, updated=5), video("b", 2, acl="WORLD", updated=5)], [])
    strict.sync(default_acl=before)
    assert strict.follow(default_acl=after).looked_at == at_once
    assert (view_of(engine), view_of(engine, "b")) == (of(after if at_once else before), WORLD)
    assert strict.sync(default_acl=after).looked_at == 0
    strict.sync(default_acl=after, sync_all=True)
    assert view_of(engine) == of(after)

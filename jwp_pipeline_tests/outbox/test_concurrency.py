"""Edits, pushes and syncs at the same time: the edit wins, and nobody undoes what another has just written."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest
from sqlalchemy import event, text

from jwp_pipeline.database.connection import open_engine
from jwp_pipeline.database.sql import statement
from jwp_pipeline.errors import SyncInProgress
from jwp_pipeline.outbox import push as pushing
from jwp_pipeline.simulator import Fault
from jwp_pipeline_tests.support import SCHEMA, rows, video, wait_until, waits_for_lock

KEY = "aB3dE5gH"
LATER = 2_000_000_000


@pytest.fixture
def jwp(jwp):
    jwp.library.replace_all([video(KEY, acl="USER_abc", updated=1_700_000_000, description="Old")], [])
    jwp.sync()
    return jwp


@contextmanager
def interrupted(engine, *, before, act):
    """During the block, call `act` once: before the first statement whose text contains `before`."""
    done = []

    def look(_connection, _cursor, statement, *_rest):
        if before in statement and not done:
            done.append(statement)
            act()

    event.listen(engine, "before_cursor_execute", look)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", look)
    assert done, f"nothing ran that contains {before!r}"


@pytest.fixture
def other(jwp, tables_url):
    """The same site, in sessions of its own."""
    engine = open_engine(tables_url, SCHEMA)
    yield jwp.elsewhere(engine)
    engine.dispose()


STEPS = {
    "it reads": "CREATE TEMPORARY TABLE videos_to_read",
    "it maps": "CREATE TEMPORARY TABLE proposed_items",
    "it locks": "Locks the items that this sync is about to change",
}


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
@pytest.mark.parametrize("sync_all", [False, True])
def test_an_edit_that_is_made_while_a_sync_works_wins_and_is_pushed(jwp, other, step, sync_all):
    jwp.library.edit("video", KEY, title="There", description="There", updated=LATER)
    jwp.fetch()
    with interrupted(jwp.engine, before=step, act=lambda: other.edit(KEY, title="Here", view_is_public=True)):
        jwp.follow(sync_all=sync_all)
    item = jwp.item(KEY)
    assert (item.title, item.view_is_public, item.description) == ("Here", True, "There")
    assert jwp.edits() == {"title": "waiting", "view_permission": "waiting"}
    jwp.push(jwp_conflict="ours")
    assert jwp.at_jwp(KEY)["title"] == "Here"
    jwp.sync()
    assert (jwp.item(KEY).title, jwp.item(KEY).view_is_public) == ("Here", True)


def test_an_edit_that_waits_for_a_sync_is_made_on_what_the_sync_wrote(jwp, other):
    jwp.library.edit("video", KEY, title="There", updated=LATER)
    jwp.fetch()
    with ThreadPoolExecutor(1) as somebody:
        edits = []

        def edit():
            edits.append(somebody.submit(other.edit, KEY, title="Here"))
            wait_until(lambda: waits_for_lock(other.engine))

        with interrupted(jwp.engine, before="Stores what the links must remember", act=edit):
            jwp.follow()
        edits[0].result()
    assert rows(jwp.engine, "SELECT base FROM item_updates") == [("There",)]
    jwp.push()
    assert (jwp.at_jwp(KEY)["title"], jwp.edits()) == ("Here", {"title": "pushed"})


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_a_push_that_records_while_a_sync_works_is_not_undone(jwp, other, step):
    jwp.edit(KEY, title="Here", view_crsids=["abc", "x,y"])
    jwp.library.edit("video", KEY, description="There", updated=1_700_000_100)
    jwp.fetch()
    with interrupted(jwp.engine, before=step, act=other.push):
        jwp.follow(sync_all=True)
    (link,) = rows(jwp.engine, "SELECT updated, pushed_updated, awaits_listing FROM videos")
    assert link.updated == link.pushed_updated == jwp.at_jwp(KEY)["updated"]
    assert link.awaits_listing
    assert (jwp.item(KEY).title, jwp.item(KEY).view_crsids) == ("Here", ["abc"])
    jwp.sync()
    assert (jwp.item(KEY).description, jwp.at_jwp(KEY)["title"]) == ("There", "Here")
    assert not rows(jwp.engine, "SELECT FROM videos WHERE awaits_listing")


def test_the_stamp_of_a_push_that_commits_last_stays(jwp, other):
    """The sync has read the older stamp, and writes after the push."""
    jwp.library.edit("video", KEY, title="There", updated=1_700_000_100)
    jwp.fetch()
    with other.engine.connect() as pushing, ThreadPoolExecutor(1) as pool:
        pushing.execute(statement("jwp_pipeline.outbox", "remember_push"), {"key": KEY, "updated": LATER})
        syncing = pool.submit(jwp.follow)
        wait_until(lambda: waits_for_lock(jwp.engine))
        pushing.commit()
        syncing.result()
    assert rows(jwp.engine, "SELECT updated, pushed_updated, awaits_listing FROM videos") == [(LATER, LATER, True)]


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_a_sync_does_not_open_an_item_that_a_push_has_just_narrowed(jwp, other, step):
    """Who may view it is in conflict: until somebody decides, those whom both sides admit."""
    jwp.edit(KEY, view_is_public=True)
    jwp.library.edit("video", KEY, custom={"sms_acl": "acl:CAM:"}, title="There", updated=LATER)
    jwp.fetch()
    with interrupted(jwp.engine, before=step, act=other.push):
        jwp.follow(sync_all=True)
    item = jwp.item(KEY)
    assert jwp.edits() == {"view_permission": "conflict"}
    assert (item.view_is_public, item.view_is_signed_in, item.title) == (False, True, "There")


@pytest.mark.parametrize("step", ["CREATE TEMPORARY TABLE proposed_items", STEPS["it locks"]])
def test_a_sync_does_not_open_an_item_that_somebody_narrows_meanwhile(jwp, other, step):
    """Edits do not go back, and the ACL has become narrower: the item is for those whom both admit (semantics §4.2)."""
    jwp.settings["jwp_sync_items"] = False
    jwp.library.put("video", video(KEY, acl="USER_abc,USER_x,USER_y", updated=LATER))
    jwp.sync()
    jwp.library.put("video", video(KEY, acl="USER_abc,USER_x", updated=LATER))
    jwp.fetch()
    with interrupted(jwp.engine, before=step, act=lambda: other.edit(KEY, view_crsids=["x", "y"])):
        jwp.follow()
    assert jwp.item(KEY).view_crsids == ["x"]
    jwp.follow()
    assert jwp.item(KEY).view_crsids == ["x"]


def test_an_edit_of_an_item_that_is_being_pushed_is_pushed_next(jwp, other):
    jwp.edit(KEY, title="Here")
    jwp.simulator.faults.add(Fault.edit(lambda library: other.edit(KEY, title="Newer")), route="update")
    assert jwp.push().after.waiting == 1
    assert (jwp.at_jwp(KEY)["title"], jwp.edits(), jwp.item(KEY).title) == ("Here", {"title": "waiting"}, "Newer")
    jwp.push()
    assert (jwp.at_jwp(KEY)["title"], jwp.edits()) == ("Newer", {"title": "pushed"})


@pytest.mark.parametrize("title", ["Newer", f"Video {KEY}"])
def test_our_own_value_at_jwp_is_no_conflict_though_its_answer_was_lost(jwp, title):
    """Clarification 13 and semantics §8: a later edit, or taking the first one back, meets what we sent ourselves."""
    jwp.edit(KEY, title="Here")
    jwp.simulator.faults.add(Fault.lost_answer(), route="update")
    jwp.push()
    assert jwp.at_jwp(KEY)["title"] == "Here"
    jwp.edit(KEY, title=title)
    jwp.execute("UPDATE item_updates SET next_try_at = NULL")
    jwp.push(jwp_conflict="theirs")
    assert (jwp.at_jwp(KEY)["title"], jwp.edits()) == (title, {"title": "pushed"})


def test_of_two_pushers_one_works_and_the_other_says_so(jwp, other, monkeypatch):
    monkeypatch.setattr(pushing, "_LOCK_PATIENCE", 0.2)
    jwp.edit(KEY, title="Here")
    busy, go_on = Event(), Event()

    def hold(_library):
        busy.set()
        go_on.wait(20)

    jwp.simulator.faults.add(Fault.edit(hold), route="show")
    with ThreadPoolExecutor(1) as somebody:
        first = somebody.submit(other.push)
        try:
            assert busy.wait(20)
            with pytest.raises(SyncInProgress, match="edits on their way"):
                jwp.push()
        finally:
            go_on.set()
        assert first.result().count("pushed") == 1
    assert [request.route for request in jwp.simulator.requests].count("update") == 1


def test_a_push_survives_a_deadlock_with_an_application(jwp, tables_url):
    jwp.edit(KEY, title="Here")
    soon = open_engine(f"{tables_url}?options=-cdeadlock_timeout%3D300ms", SCHEMA)
    site = jwp.elsewhere(soon)
    with jwp.engine.connect() as app, ThreadPoolExecutor(1) as pool:
        app.execute(text("SET LOCAL deadlock_timeout TO '20s'"))
        app.execute(text("UPDATE videos SET updated = updated"))
        pushed = pool.submit(site.push)
        wait_until(lambda: waits_for_lock(soon))
        app.execute(text("UPDATE media_items SET duration = 7"))
        app.commit()
        assert pushed.result().count("pushed") == 1
    assert jwp.edits() == {"title": "pushed"}
    soon.dispose()


WRITE = "UPDATE media_items SET title = 'Newer' WHERE id = (SELECT media_item_id FROM videos WHERE key = :key)"


def test_a_push_leaves_alone_what_an_application_is_writing_and_cannot_deadlock_with_it(jwp):
    """The application goes on to write an item that the push has in hand."""
    jwp.library.put("video", video("other123", updated=1_700_000_000))
    jwp.sync()
    for key in ("other123", KEY):
        jwp.edit(key, title="Here")
    with ThreadPoolExecutor(1) as pool, jwp.engine.connect() as app:
        app.execute(text(WRITE), {"key": KEY})
        assert [change.key for change in pool.submit(jwp.push).result(20).changes] == ["other123"]
        app.execute(text(WRITE), {"key": "other123"})
        app.commit()
    assert jwp.push().count("pushed") == 2
    assert [jwp.at_jwp(key)["title"] for key in (KEY, "other123")] == ["Newer", "Newer"]


@pytest.mark.parametrize("patience", [0.3, 20])
def test_what_cannot_be_recorded_yet_holds_up_no_other_item(jwp, monkeypatch, patience):
    """An application begins to write the item while JW Platform is asked, and takes its time."""
    monkeypatch.setattr(pushing, "_BUSY_PATIENCE", patience)
    monkeypatch.setattr(pushing, "_WORKERS", 1)
    others = [f"other{number:03}" for number in range(3)]
    jwp.library.replace_all([jwp.at_jwp(KEY), *(video(key, updated=1_700_000_000) for key in others)], [])
    jwp.sync()
    for key in (KEY, *others):
        jwp.edit(key, title="Here")
    with ThreadPoolExecutor(1) as pool, jwp.engine.connect() as app:
        write = Fault.edit(lambda library: app.execute(text(WRITE), {"key": KEY}))
        jwp.simulator.faults.add(write, route="update", key=KEY)
        pushed = pool.submit(jwp.push)
        wait_until(lambda: [jwp.edits()[f"{key}.title"] for key in others] == ["pushed"] * 3)
        if patience > 1:
            app.commit()
        pushed.result(20)
    jwp.push(jwp_conflict="theirs")
    assert jwp.at_jwp(KEY)["title"] == jwp.item(KEY).title == ("Newer" if patience > 1 else "Here")
    assert set(jwp.edits().values()) == {"pushed"}


def test_our_own_write_is_no_change_of_another_field_by_somebody_else(jwp, other):
    """JW Platform's value of the other field cannot be read, so only the stamp can tell whether somebody changed it."""
    jwp.library.edit(
        "video", KEY, custom={"sms_acl": "acl:USER_abc:", "sms_copyright": "broken"}, updated=1_700_000_050
    )
    jwp.sync()
    jwp.edit(KEY, title="Here")
    jwp.simulator.faults.add(Fault.edit(lambda library: other.edit(KEY, copyright="here")), route="update")
    jwp.push()
    jwp.push()
    assert jwp.edits() == {"copyright": "pushed", "title": "pushed"}

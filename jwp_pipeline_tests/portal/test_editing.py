"""The example portal's forms: who may send them, what they write, and what they show of the way to JW Platform."""

import html
import json
import re

import pytest

from jwp_pipeline.simulator import Fault
from jwp_pipeline_tests.outbox.site import EditedSite
from jwp_pipeline_tests.portal.site import (
    ADMINISTRATOR,
    ANONYMOUS,
    EDITOR,
    KEY,
    OTHER_USERS,
    OWN_CHANNEL,
    PRIVATE,
    STRANGER,
    created,
    form_in,
    portal_site,
)


def states(page):
    """Return the state of each field that a page shows."""
    return {field: state for state, field in re.findall(r'class="state (\w+)" data-field="(\w+)"', page)}


def test_only_what_was_typed_is_written_and_waits_until_a_push(portal):
    page = portal.post(portal.item_path() + "/edit", {**portal.open_form(), "title": "New title"}).text
    assert states(page) == {"title": "waiting"}
    assert "waiting to reach JW Platform" in page
    before = portal.jwp.item(KEY)
    assert (before.title, before.description) == ("New title", "First\nSecond")
    assert before.updated_at > before.created_at
    portal.jwp.push()
    assert portal.jwp.at_jwp(KEY)["title"] == "New title"
    assert "at JW Platform since" in portal.get(portal.item_path()).text
    portal.jwp.sync()
    assert portal.jwp.item(KEY) == before


def test_all_fields_of_the_form_are_written(portal):
    typed = {
        "title": "T",
        "description": "a\r\nb",
        "tags": "One\r\ntwo, three",
        "view_crsids": "ab1\r\ncd2",
        "view_lookup_groups": "A group",
        "view_lookup_insts": "HIST",
        "view_is_signed_in": "on",
    }
    portal.post(portal.item_path() + "/edit", {"opened": portal.open_form()["opened"], **typed})
    item = portal.jwp.item(KEY)
    assert (item.title, item.description, item.tags) == ("T", "a\nb", ["one", "two, three"])
    assert (item.view_is_public, item.view_is_signed_in, item.view_crsids) == (False, True, ["ab1", "cd2"])
    assert (item.view_lookup_groups, item.view_lookup_insts) == (["A group"], ["HIST"])


def test_a_form_that_somebody_overtook_saves_nothing_and_keeps_what_was_typed(portal):
    path, form = portal.item_path() + "/edit", portal.open_form()
    portal.jwp.edit(KEY, title="Their title", description="Their text")
    before = portal.columns()
    answer = portal.post(path, {**form, "title": "My title"})
    assert answer.status_code == 409
    assert portal.columns() == before
    assert 'value="My title"' in answer.text
    assert "Somebody has changed this meanwhile, to: Their title" in answer.text
    assert "Their text</textarea>" in answer.text
    portal.post(path, {**form_in(answer.text), "title": "My title"})
    assert portal.columns() == {**before, "title": "My title"}


@pytest.mark.parametrize("opened", ["", "[]", "{", "[" * 100_000, '{"title": 1}'])
def test_a_form_that_does_not_say_what_it_began_with_saves_nothing(portal, opened):
    before = portal.columns()
    answer = portal.post(portal.item_path() + "/edit", {**portal.open_form(), "title": "My title", "opened": opened})
    assert answer.status_code == 409
    assert portal.columns() == before


def test_an_item_without_a_title_is_not_saved(portal):
    answer = portal.post(portal.item_path() + "/edit", {**portal.open_form(), "title": " "})
    assert answer.status_code == 422
    assert portal.jwp.item(KEY).title == "A lecture"


@pytest.mark.parametrize("user", OTHER_USERS)
def test_somebody_who_may_not_edit_gets_no_form_and_changes_nothing(portal, user):
    form, path = portal.open_form(), portal.item_path()
    assert portal.get(path, user).ok
    assert "/edit" not in portal.get(path, user).text
    answers = [portal.get(path + "/edit", user), portal.post(path + "/edit", {**form, "title": "Mine"}, user)]
    answers += [portal.post(path + "/upload", {}, user), portal.get("/add", user)]
    answers += [portal.post("/add", {"title": "Mine", "mime_type": "video/mp4"}, user)]
    answers += [portal.post(path + "/decide", {"field": "title", "side": "ours"}, user)]
    assert {answer.status_code for answer in answers} == {403}
    hidden = portal.item_path(PRIVATE)
    assert {portal.get(hidden + "/edit", user).status_code, portal.post(hidden + "/edit", form, user).status_code} == {
        404
    }
    assert portal.jwp.item(KEY).title == "A lecture"
    assert created(portal.jwp) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "https://example.org"},
        {"Origin": "null"},
    ],
)
def test_a_form_of_another_site_is_refused_although_the_cookie_comes_with_it(portal, headers):
    form = {**portal.open_form(), "title": "Forged"}
    for path in (portal.item_path() + "/edit", "/user", "/add", portal.item_path() + "/upload"):
        assert portal.post(path, form, **headers).status_code == 403
    assert portal.jwp.item(KEY).title == "A lecture"
    for own in ({"Origin": portal.url}, {"Sec_Fetch_Site": "same-origin", "Origin": portal.url}):
        assert portal.post(portal.item_path() + "/edit", portal.open_form(), **own).ok


def test_another_name_that_leads_to_this_machine_does_not_pass_for_the_portal(portal):
    assert portal.get("/", Host="portal.example.org").status_code == 400


def test_a_form_that_is_too_long_is_refused(portal):
    answer = portal.post(portal.item_path() + "/edit", {**portal.open_form(), "description": "x" * 2_000_000})
    assert answer.status_code == 413


def test_an_edit_that_jwp_refuses_shows_why_and_can_be_tried_again_edited_or_dropped(portal):
    path, fault = portal.item_path(), Fault.status(400)

    def refuse(title):
        portal.jwp.simulator.faults.add(fault, route="update", key=KEY, times=1)
        portal.post(path + "/edit", {**portal.open_form(), "title": title})
        portal.jwp.push()
        page = portal.get(path).text
        assert states(page) == {"title": "refused"}
        assert "not taken by JW Platform" in page
        assert "HTTP 400" in page
        return page

    refuse("First")
    page = portal.post(path + "/decide", {"field": "title", "side": "ours"}).text
    assert states(page) == {"title": "waiting"}
    portal.jwp.push()
    assert portal.jwp.at_jwp(KEY)["title"] == "First"
    refuse("Second")
    portal.post(path + "/edit", {**portal.open_form(), "title": "Third"})
    portal.jwp.push()
    assert portal.jwp.at_jwp(KEY)["title"] == "Third"
    refuse("Fourth")
    assert states(portal.post(path + "/decide", {"field": "title", "side": "theirs"}).text) == {}
    assert portal.jwp.item(KEY).title == "Third"


def test_a_decision_that_somebody_else_has_made_already_changes_nothing(portal):
    before = portal.columns()
    for field in ("title", "video", "no such field"):
        assert portal.post(portal.item_path() + "/decide", {"field": field, "side": "theirs"}).ok
    assert portal.post(portal.item_path() + "/decide", {"field": "title", "side": "mine"}).status_code == 422
    assert portal.columns() == before


def test_texts_are_shown_as_texts_everywhere(portal):
    evil = "</textarea><script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    portal.post(portal.item_path() + "/edit", {**portal.open_form(), "title": evil, "description": evil, "tags": evil})
    portal.jwp.library.edit("video", KEY, title=f"{evil} theirs", updated=1_700_000_100)
    portal.jwp.push()
    pages = [portal.get(path).text for path in ("/", portal.item_path(), portal.item_path() + "/edit")]
    assert states(pages[1])["title"] == "conflict"
    for page in pages:
        assert "<script>alert" not in page
        assert "<img src=x" not in page
    assert html.unescape(json.loads(portal.open_form()["opened"])["title"]) == evil


def test_a_page_says_so_if_edits_are_not_pushed(engine, simulator):
    with EditedSite(engine, simulator, "v2", sync_items=False) as jwp, portal_site(jwp) as portal:
        assert "JWP_SYNC_ITEMS is false" in portal.get(portal.item_path() + "/edit").text


def test_an_editor_adds_to_their_own_channel_and_an_administrator_to_none(portal):
    form = {"title": " A new  lecture ", "mime_type": "video/mp4"}
    assert OWN_CHANNEL in portal.get("/add").text
    assert portal.post("/add", form).status_code == 403
    assert portal.post("/add", {**form, "channel": portal.jwp.item(KEY).media_channel_id}).status_code == 403
    assert portal.post("/add", {**form, "mime_type": "text/html", "channel": OWN_CHANNEL}).status_code == 422
    page = portal.post("/add", {**form, "channel": OWN_CHANNEL}).text
    assert states(page) == {"video": "waiting"}
    (made,) = created(portal.jwp)
    assert (made.title, made.created_by, made.mime_type) == ("A new lecture", EDITOR, "video/mp4")
    assert (made.media_channel_id, made.view_is_public, made.view_crsids) == (OWN_CHANNEL, False, [EDITOR])
    assert portal.get(f"/items/{made.id}", STRANGER).status_code == 404
    assert portal.post("/add", form, ADMINISTRATOR).ok
    assert len(created(portal.jwp)) == 2
    assert "/add" in portal.get("/").text
    assert "/add" not in portal.get("/", ANONYMOUS).text


def test_a_new_item_whose_video_is_refused_shows_why_and_can_be_tried_again(portal):
    portal.post("/add", {"title": "New", "mime_type": "video/mp4", "channel": OWN_CHANNEL})
    (made,) = created(portal.jwp)
    path = f"/items/{made.id}"
    assert portal.post(path + "/upload", {}, EDITOR).status_code == 503
    portal.jwp.simulator.faults.add(Fault.status(400), route="create", times=1)
    portal.jwp.push()
    page = portal.get(path).text
    assert states(page) == {"video": "refused"}
    assert "HTTP 400" in page
    portal.post(path + "/decide", {"field": "video", "side": "ours"})
    portal.jwp.push()
    assert states(portal.get(path).text)["video"] == "pushed"

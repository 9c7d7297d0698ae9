"""Editing in the example portal as a person does it, in a real browser."""

import pytest
from playwright.sync_api import expect

from jwp_pipeline_tests.end_to_end.ui import IN_A_BROWSER
from jwp_pipeline_tests.portal.site import EDITOR, KEY, OWN_CHANNEL, STRANGER, created

pytestmark = IN_A_BROWSER


@pytest.fixture
def new_page(chromium):
    """A function that opens a portal as a user, with cookies of its own. No page may have errors or open a dialog."""
    pages, complaints = [], []

    def open_page(portal, user=EDITOR):
        page = chromium.new_context(viewport={"width": 1200, "height": 900}).new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        pages.append(page)
        page.goto(portal.url)
        page.get_by_label("Who you are").select_option(user)
        page.get_by_role("button", name="Change user").click()
        expect(page.get_by_text(f"You are signed in as {user}.")).to_be_visible()
        return page

    yield open_page
    for page in pages:
        page.context.close()
    assert complaints == []


def edit(page, portal, **typed):
    """Open the form of the item, type, and save."""
    page.goto(portal.url + portal.item_path())
    page.get_by_role("link", name="Edit").click()
    for label, text in typed.items():
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Save").click()


def field(page, name):
    return page.locator(f".state[data-field={name}]")


def test_an_editor_sees_an_edit_wait_and_then_reach_jwp(portal, new_page):
    page = new_page(portal)
    edit(page, portal, Title="A better title", Tags="one\ntwo")
    expect(page.get_by_role("heading", name="A better title", exact=True)).to_be_visible()
    expect(field(page, "title")).to_contain_text("waiting to reach JW Platform")
    expect(field(page, "tags")).to_contain_text("waiting to reach JW Platform")
    expect(page.locator(".state")).to_have_count(2)
    portal.jwp.push()
    page.reload()
    expect(field(page, "title")).to_contain_text("at JW Platform since")
    sent = portal.jwp.at_jwp(KEY)
    assert (sent["title"], sent["custom"]["sms_keywords"]) == ("A better title", "keywords:one|two:")
    expect(page.frame_locator("iframe.player").locator("video")).to_be_visible()


def test_an_editor_changes_who_may_view_an_item(portal, new_page):
    page = new_page(portal)
    page.goto(portal.url + portal.item_path() + "/edit")
    page.get_by_label("Everybody", exact=True).uncheck()
    page.get_by_label("People").fill("ab1")
    page.get_by_role("button", name="Save").click()
    expect(field(page, "view_permission")).to_contain_text("waiting")
    portal.jwp.push()
    assert portal.jwp.at_jwp(KEY)["custom"]["sms_acl"] == "acl:USER_ab1:"
    assert portal.get(portal.item_path(), STRANGER).status_code == 404


@pytest.mark.parametrize(("button", "decided"), [("Keep ours", "Our title"), ("Take theirs", "Their title")])
def test_a_conflict_shows_both_values_and_is_decided_with_a_button(portal, new_page, button, decided):
    page = new_page(portal)
    edit(page, portal, Title="Our title")
    portal.jwp.library.edit("video", KEY, title="Their title", updated=1_700_000_100)
    portal.jwp.push()
    page.reload()
    for text in ("changed on both sides", "Our title", "Their title"):
        expect(field(page, "title")).to_contain_text(text)
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("heading", name=decided, exact=True)).to_be_visible()
    portal.jwp.push()
    portal.jwp.sync()
    page.reload()
    expect(page.get_by_role("heading", name=decided, exact=True)).to_be_visible()
    expect(page.get_by_text("changed on both sides")).to_have_count(0)
    assert portal.jwp.at_jwp(KEY)["title"] == portal.jwp.item(KEY).title == decided


def test_two_editors_at_once_lose_nothing(portal, new_page):
    first, second = new_page(portal), new_page(portal)
    for page in (first, second):
        page.goto(portal.url + portal.item_path() + "/edit")
    first.get_by_label("Title").fill("Of the first")
    first.get_by_label("Description").fill("Of the first, too")
    first.get_by_role("button", name="Save").click()
    second.get_by_label("Title").fill("Of the second")
    second.get_by_role("button", name="Save").click()
    expect(second.get_by_role("alert")).to_contain_text("This item has changed since you opened the form")
    expect(second.get_by_label("Title")).to_have_value("Of the second")
    expect(second.get_by_text("to: Of the first", exact=False)).to_be_visible()
    assert portal.jwp.item(KEY).title == "Of the first"
    second.get_by_role("button", name="Save").click()
    expect(second.get_by_role("heading", name="Of the second", exact=True)).to_be_visible()
    assert portal.jwp.item(KEY).description == "Of the first, too"


def test_somebody_who_may_not_edit_sees_no_way_to(portal, new_page):
    page = new_page(portal, STRANGER)
    page.goto(portal.url + portal.item_path())
    expect(page.get_by_role("heading", name="A lecture", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Edit")).to_have_count(0)
    assert page.goto(portal.url + portal.item_path() + "/edit").status == 403


def test_markup_in_a_title_is_only_text(portal, new_page):
    title = "\"><script>alert('script')</script><img src=x onerror=alert('image')>"
    page = new_page(portal)
    edit(page, portal, Title=title)
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    page.get_by_role("link", name="Edit").click()
    expect(page.get_by_label("Title")).to_have_value(title)
    page.goto(portal.url)
    expect(page.get_by_role("link", name=title).first).to_be_visible()


def test_a_new_video_is_uploaded_by_the_browser_and_plays(portal_of_either, new_page):
    portal, page = portal_of_either, new_page(portal_of_either)
    page.get_by_role("link", name="Add a video").click()
    page.get_by_label("Title").fill("A new lecture")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(field(page, "video")).to_contain_text("waiting to be made")
    (made,) = created(portal.jwp)
    assert made.media_channel_id == OWN_CHANNEL
    portal.jwp.push()
    page.reload()
    expect(page.get_by_text("JW Platform has no file for this video yet.")).to_be_visible()
    portal.jwp.simulator.behaviour.processing_seconds = 3600
    page.get_by_role("button", name="Upload the file").click()
    upload(page)
    portal.jwp.sync()
    page.get_by_role("link", name="Back to the item").click()
    expect(page.get_by_text("JW Platform is processing this video.")).to_be_visible()
    (made,) = created(portal.jwp)
    assert portal.jwp.at_jwp(made.key)["size"] == str(len(FILM))
    portal.jwp.simulator.behaviour.processing_seconds = 0
    page.get_by_role("button", name="Replace the file").click()
    upload(page)
    portal.jwp.sync()
    page.get_by_role("link", name="Back to the item").click()
    player = page.frame_locator("iframe.player").locator("video")
    assert player.evaluate("async media => { media.muted = true; await media.play(); return media.duration }") > 0


FILM = b"bytes of a film"


def upload(page):
    """Send a file whose type the browser takes for another one, in the form that leads to JW Platform."""
    page.get_by_label("File").set_input_files({"name": "film.mkv", "mimeType": "video/x-matroska", "buffer": FILM})
    page.get_by_role("button", name="Upload").click()
    if page.locator("iframe[name=answer]").count():
        expect(page.frame_locator("iframe[name=answer]").locator("body")).to_contain_text('"ok"')
    else:
        expect(page.get_by_text("JW Platform has the file.")).to_be_visible()

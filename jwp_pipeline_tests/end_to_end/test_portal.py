"""The example portal in a real browser: each visitor sees what they may see, and it really plays."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from playwright.sync_api import expect

from jwp_pipeline.simulator import DEMO_PEOPLE
from jwp_pipeline_tests.end_to_end.ui import IN_A_BROWSER, eventually
from jwp_pipeline_tests.support import PROJECT, bare_environment, free_port

pytestmark = IN_A_BROWSER

HOST = "127.0.0.1"
READY_SECONDS, STOP_SECONDS = 90, 30


@pytest.fixture(scope="module")
def portal(tmp_path_factory):
    """The URL of the portal as `make portal` serves it on an empty home: the simulator, a first sync, and the pages."""
    folder = tmp_path_factory.mktemp("portal")
    port = free_port()
    command = [Path(sys.executable).with_name("jwp-pipeline"), "with-site", "--"]
    command += [sys.executable, "-m", "examples.portal", "--port", str(port)]
    environment = bare_environment(JWP_HOME=str(folder / "home"), PYTHONPATH=str(PROJECT))
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        url = f"http://{HOST}:{port}"

        def is_ready():
            assert process.poll() is None, (folder / "log").read_text()
            try:
                return requests.get(url, timeout=5).ok
            except requests.RequestException:
                return False

        try:
            eventually(is_ready, READY_SECONDS)
            yield url
        finally:
            process.send_signal(signal.SIGINT)
            code = process.wait(STOP_SECONDS)
    said = (folder / "log").read_text()
    assert code == 0, said
    assert "Sync done" in said
    assert "Traceback" not in said
    # Links that play for everybody who has them belong in no log.
    assert not re.search("sig=|token=", said)


@pytest.fixture
def page(chromium, portal):
    page = chromium.new_page(viewport={"width": 1200, "height": 900})
    page.goto(portal)
    yield page
    page.close()


def become(page, username):
    page.get_by_label("Who you are").select_option(username)
    page.get_by_role("button", name="Change user").click()
    expect(
        page.get_by_text(f"You are signed in as {username}." if username else "You are not signed in.")
    ).to_be_visible()


def addresses(portal, username=None):
    """Return the addresses of all items in the channels of the portal that `username` sees, without a browser."""
    with requests.Session() as session:
        if username:
            session.post(f"{portal}/user", data={"username": username}, timeout=5)
        channels = re.findall(r'href="(/channels/[\w-]+)"', session.get(portal, timeout=5).text)
        pages = [session.get(portal + address, timeout=5).text for address in channels]
        return dict.fromkeys(address for text in pages for address in re.findall(r'href="(/items/[\w-]+)"', text))


def restricted_to(portal, username, words):
    """Return the address of an item that `username` sees because of `words`, and the anonymous user does not see."""
    public = addresses(portal)
    cookies = {"portal_user": username}
    for address in addresses(portal, username):
        if address not in public and words in requests.get(portal + address, cookies=cookies, timeout=5).text:
            return address
    raise AssertionError(f"{username} sees no item because of {words!r}")


def test_a_public_item_plays_for_everybody(page):
    expect(page.get_by_text("You are not signed in.")).to_be_visible()
    title = page.locator("ul.grid div a").first.inner_text()
    page.locator("ul.grid div a").first.click()
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    expect(page.locator(".why")).to_contain_text("It is public.")
    player = page.frame_locator("iframe.player").locator("video, audio")
    playing = "async media => { media.muted = true; await media.play(); return media.duration }"
    assert player.evaluate(playing) > 0
    poster = page.request.get(page.frame_locator("iframe.player").locator("video").get_attribute("poster"))
    assert poster.ok


def test_posters_are_shown(page):
    image = page.locator("ul.grid img").first
    page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=image.element_handle())


@pytest.mark.parametrize(
    ("username", "words"),
    [
        ("sl201", "an institution that you belong to (LAW)"),
        ("gm345", "a group that you belong to (103"),
        ("jt700", "It is for you (jt700)"),
    ],
)
def test_somebody_sees_what_is_for_them_and_why_and_nobody_else_does(page, portal, username, words):
    address = restricted_to(portal, username, words)
    become(page, username)
    page.goto(portal + address)
    expect(page.locator("iframe.player")).to_be_visible()
    expect(page.locator(".why")).to_contain_text(words)
    become(page, "")
    assert page.goto(portal + address).status == 404
    page.goto(portal)
    become(page, "zz999")
    assert page.goto(portal + address).status == 404


def test_the_files_of_a_downloadable_item_can_be_downloaded(page, portal):
    with_downloads = (
        address for address in addresses(portal) if "Downloads" in requests.get(portal + address, timeout=5).text
    )
    page.goto(portal + next(with_downloads))
    answer = page.request.get(page.get_by_role("link", name="Download").first.get_attribute("href"))
    assert answer.ok


def test_a_search_finds_only_what_the_user_may_see(page):
    title = page.locator("ul.grid div a").first.inner_text()
    page.get_by_label("Search").fill(f'"{title}"')
    page.get_by_role("button", name="Search").click()
    expect(page.locator("ul.grid div a", has_text=title).first).to_be_visible()
    page.get_by_label("Search").fill("xyzzy")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("There is nothing here that you may see.")).to_be_visible()


def test_an_administrator_adds_a_video_which_waits_for_a_push(page):
    become(page, "ad001")
    page.get_by_role("link", name="Add a video").click()
    page.get_by_label("Title").fill("Added in the demo")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name="Added in the demo", exact=True)).to_be_visible()
    expect(page.get_by_text("waiting to be made at JW Platform")).to_be_visible()


def test_the_portal_imports_only_what_an_application_would():
    sources = (PROJECT / "examples" / "portal").glob("*.py")
    imported = {
        name for source in sources for name in re.findall(r"^from (jwp_pipeline[\w.]*)", source.read_text(), re.M)
    }
    assert imported == {"jwp_pipeline.record", "jwp_pipeline.outbox"}


def test_the_visitors_are_people_whom_the_simulated_lookup_knows_or_nobody():
    visitors = json.loads((PROJECT / "examples" / "portal" / "visitors.json").read_text())
    described = {each["username"]: each["description"] for each in visitors}
    assert {name: described[name] for name in DEMO_PEOPLE} == {
        name: person.description for name, person in DEMO_PEOPLE.items()
    }
    assert described.keys() - DEMO_PEOPLE.keys() == {"zz999", "ad001"}

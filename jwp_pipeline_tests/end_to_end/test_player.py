"""The simulator's players in a real browser: they show the title, and what they show really plays."""

import time

import pytest
from playwright.sync_api import expect

from jwp_pipeline.simulator import Simulator
from jwp_pipeline_tests.end_to_end.ui import IN_A_BROWSER
from jwp_pipeline_tests.simulator.wire import signed, token
from jwp_pipeline_tests.support import video

pytestmark = IN_A_BROWSER

TITLES = {"video001": "A talk about <b> & more", "audio001": "Only to be heard"}
# The browser plays no sound without a person's click, so all is muted.
_PLAYS = """async media => {
  media.muted = true;
  await media.play();
  await new Promise(heard => media.addEventListener("timeupdate", () => media.currentTime > 0.2 && heard()));
  media.currentTime = 20;
  await new Promise(sought => media.addEventListener("seeked", sought));
  return [media.currentTime, media.duration, media.videoWidth || 0];
}"""


@pytest.fixture(scope="module")
def sim():
    videos = [
        video("video001", title=TITLES["video001"], duration="30.00"),
        video("audio001", title=TITLES["audio001"], duration="30.00", mediatype="audio"),
    ]
    with Simulator() as simulator:
        simulator.library.replace_all(videos, [])
        yield simulator


def feed(sim, key):
    resource = f"/v2/media/{key}"
    claims = {"resource": resource, "exp": int(time.time()) + 600}
    return f"{sim.url}{resource}?token={token(sim.api_secret, claims)}"


@pytest.mark.parametrize("key", TITLES)
@pytest.mark.parametrize("way", ["page", "script", "library", "file"])
def test_a_player_shows_the_title_and_plays(sim, chromium, key, way):
    page = chromium.new_page(viewport={"width": 640, "height": 420})
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    if way == "page":
        page.goto(signed(sim, f"players/{key}-{sim.player_key}.html"))
    elif way == "script":
        page.set_content(f'<body><script src="{signed(sim, f"players/{key}-{sim.player_key}.js")}"></script>')
    else:
        page.set_content(
            f'<div id="here"></div><script src="{signed(sim, f"libraries/{sim.player_key}.js")}"></script>'
        )
        setup = {"playlist": feed(sim, key)}
        if way == "file":
            name, mime_type = ("180p.mp4", "video/mp4") if key == "video001" else ("audio.m4a", "audio/mp4")
            source = {"file": signed(sim, f"videos/{key}-{name}"), "type": mime_type}
            setup = {"title": TITLES[key], "sources": [source]}
        page.evaluate("setup => { jwplayer('here').setup(setup) }", setup)
    expect(page.get_by_text(TITLES[key])).to_be_visible()
    media = page.locator("video" if key == "video001" else "audio")
    at, length, width = media.evaluate(_PLAYS)
    assert (at >= 20, round(length), width) == (True, 30, 320 if key == "video001" else 0)
    assert complaints == []
    page.close()

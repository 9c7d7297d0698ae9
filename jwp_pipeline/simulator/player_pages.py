"""Writes the players: a page, a script that puts the player where it is included, and the player's library."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

from jwp_pipeline.simulator.renditions import Delivered

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
body {{ margin: 0; background: #111; }}
/* The whole player fits into a frame of any size. */
figure {{ height: 100vh; display: flex; flex-direction: column; }}
video, img {{ flex: 1; min-height: 0; object-fit: contain; }}
</style>
</head>
<body>
{player}
</body>
</html>
"""
_PLAYER = """<figure style="margin:0;background:#111;color:#eee;font:16px sans-serif">
{media}
<figcaption style="padding:.6em .8em">{title}</figcaption>
</figure>"""
_VIDEO = """<video controls playsinline preload="metadata" poster="{poster}" style="display:block;width:100%">
{sources}
</video>"""
_AUDIO = """<img src="{poster}" alt="" style="display:block;width:100%">
<audio controls preload="metadata" style="display:block;width:100%">
{sources}
</audio>"""
_SCRIPT = """(function () {
  var place = document.currentScript, player = %s;
  if (place) place.insertAdjacentHTML("beforebegin", player);
  else document.body.insertAdjacentHTML("beforeend", player);
})();
"""


def page(delivered: Delivered) -> bytes:
    """Return a page that shows a video's player, for use in a frame or on its own."""
    return _PAGE.format(title=escape(delivered.title), player=_player(delivered)).encode()


def script(delivered: Delivered) -> bytes:
    """Return a script that puts a video's player before the script element that includes it."""
    return (_SCRIPT % json.dumps(_player(delivered))).encode()


def library() -> bytes:
    """Return the script that defines `jwplayer`."""
    return Path(__file__).with_name("player_library.js").read_bytes()


def _player(delivered: Delivered) -> str:
    # The browser plays the first source whose type it knows.
    sources = "\n".join(
        f'<source src="{escape(source["file"])}" type="{escape(source["type"])}">' for source in delivered.sources()
    )
    template = _AUDIO if delivered.is_audio else _VIDEO
    media = template.format(poster=escape(delivered.poster()), sources=sources)
    return _PLAYER.format(media=media, title=escape(delivered.title))

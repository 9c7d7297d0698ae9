"""Draws the poster of a video: its title on a colour of its own."""

from __future__ import annotations

import colorsys
import hashlib
import io
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

WIDTHS = (120, 320, 480, 640, 720, 1280, 1920)
MOST_LINES = 3


@dataclass(frozen=True, slots=True)
class Card:
    """What a poster shows. Equal cards give equal posters."""

    key: str
    title: str
    author: str
    is_audio: bool


@lru_cache(maxsize=128)
def jpeg(card: Card, width: int) -> bytes:
    """Return the poster as a JPEG file of this width in pixels, in the ratio 16:9."""
    file = io.BytesIO()
    picture(card, width, width * 9 // 16).save(file, "JPEG", quality=85)
    return file.getvalue()


def accent(card: Card) -> tuple[int, int, int]:
    """Return the bright colour that goes with a poster, as red, green and blue from 0 to 255."""
    return _colour(card, 0.55, 0.95)


def picture(card: Card, width: int, height: int) -> Image.Image:
    """Return the poster as an RGB image. Its lowest eighth is left without text."""
    size = (width, height)
    shade = Image.linear_gradient("L").resize(size)
    image = Image.composite(
        Image.new("RGB", size, _colour(card, 0.8, 0.22)), Image.new("RGB", size, _colour(card, 0.6, 0.5)), shade
    )
    draw = ImageDraw.Draw(image)
    large, small = ImageFont.load_default(height / 9), ImageFont.load_default(height / 15)
    margin = height / 9
    draw.text((margin, margin), "AUDIO" if card.is_audio else "VIDEO", accent(card), small)
    lines = _wrapped(draw, card.title, large, width - 2 * margin)
    draw.multiline_text((margin, height * 0.26), "\n".join(lines), "white", large, spacing=height / 40)
    draw.text((margin, height * 0.76), card.author, (220, 220, 220), small)
    return image


def _wrapped(
    draw: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float
) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if not lines[-1] or draw.textlength(longer, font) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], f"{lines[MOST_LINES - 1]} …"]
    return lines


def _colour(card: Card, saturation: float, value: float) -> tuple[int, int, int]:
    hue = hashlib.blake2b(card.key.encode("utf-8", "replace"), digest_size=1).digest()[0] / 256
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)

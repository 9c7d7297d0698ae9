"""Turns a LibraryReport into PNG images and into Markdown that has these images embedded.

Put here how charts are encoded, named and saved; charts.py draws them. Import this module inside the function that
needs it, because matplotlib is slow to load.
"""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from jwp_pipeline.history import charts
from jwp_pipeline.history.report import LibraryReport


@dataclass(frozen=True, slots=True)
class Picture:
    """One chart."""

    name: str
    """The file name without its extension."""
    title: str
    png: bytes

    @property
    def markdown(self) -> str:
        """Markdown with the image embedded as a data URL, so that it needs no file."""
        return f"![{self.title}](data:image/png;base64,{base64.b64encode(self.png).decode()})"


def draw(report: LibraryReport) -> Sequence[Picture]:
    """Draw every chart of a report, in display order; a chart without data says that there is none."""
    with charts.style(), warnings.catch_warnings():
        # A tag in a script that the font does not have is drawn as boxes; that needs no warning.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font", category=UserWarning)
        return [Picture(name, _title(figure), _png(figure)) for name, figure in _figures(report).items()]


def save(pictures: Sequence[Picture], folder: Path) -> None:
    """Write the pictures into `folder`, creating it if necessary and overwriting files of the same names."""
    folder.mkdir(parents=True, exist_ok=True)
    for picture in pictures:
        (folder / f"{picture.name}.png").write_bytes(picture.png)


def _figures(report: LibraryReport) -> Mapping[str, Figure]:
    return {
        "growth": charts.growth(report),
        "additions_and_deletions": charts.changes(report),
        "time_to_reflect": charts.waits(report),
        "durations": charts.durations(report),
        "media_types": charts.bars(report.media_types, "Media items by type", _NO_ITEMS),
        "languages": charts.bars(report.languages, "Media items by language, the most frequent", _NO_ITEMS),
        "tags": charts.bars(report.tags, "Media items by tag, the most frequent", "Nothing yet: no item has a tag."),
        "problems": charts.bars(
            report.problems, "Open problems by what could not be read", "None is open.", color=charts.RED
        ),
    }


_NO_ITEMS = "Nothing yet: there is no media item."


def _title(figure: Figure) -> str:
    title: str = figure.get_suptitle()
    return title


def _png(figure: Figure) -> bytes:
    drawn, target = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png")
    # The images go into Dagster's event log, and a palette makes them a third as large. Maximum coverage keeps the
    # colours of small dots.
    colours, plain = Image.Quantize.MAXCOVERAGE, Image.Dither.NONE
    Image.open(drawn).convert("RGB").quantize(64, method=colours, dither=plain).save(
        target, format="png", optimize=True
    )
    return target.getvalue()

"""A LibraryReport as PNG files and as one Markdown text that carries its pictures with it.

Import it where it is used: matplotlib is slow to load. Put here what turns a figure into a file or a text; figures
are drawn in charts.py.
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
    """File name without its ending."""
    title: str
    png: bytes

    @property
    def markdown(self) -> str:
        """The picture inside a Markdown text: no file, no link."""
        return f"![{self.title}](data:image/png;base64,{base64.b64encode(self.png).decode()})"


def draw(report: LibraryReport) -> Sequence[Picture]:
    """Every chart of a report, in the order to show them; a chart of nothing says so."""
    with charts.style(), warnings.catch_warnings():
        # A tag in a script that the font lacks is drawn as boxes, which is no reason to alarm anybody.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font", category=UserWarning)
        return [Picture(name, _title(figure), _png(figure)) for name, figure in _figures(report).items()]


def save(pictures: Sequence[Picture], folder: Path) -> None:
    """Write the pictures into `folder`, which is made if need be, over those of the same names."""
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
    # They stand in Dagster's event log: a palette saves two thirds. Maximum coverage keeps the colours of small dots.
    colours, plain = Image.Quantize.MAXCOVERAGE, Image.Dither.NONE
    Image.open(drawn).convert("RGB").quantize(64, method=colours, dither=plain).save(
        target, format="png", optimize=True
    )
    return target.getvalue()

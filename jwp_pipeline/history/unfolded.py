"""Writes what `library_report` says at first sight: pieces of Markdown that Dagster's UI shows unfolded.

The functions are pure. Put here what the asset's page says about a LibraryReport; pictures.py draws the large pictures.
Import this module inside the function that needs it, because pandas takes half a second to load.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from jwp_pipeline.history.charts import duration
from jwp_pipeline.history.report import DURATION_STEP, LONGEST_DURATION, LibraryReport
from jwp_pipeline.history.small_pictures import COLUMNS, bars, image, line, table_of_bars

_LONGEST_NAME = 40


def unfolded(report: LibraryReport) -> Mapping[str, str]:
    """Return the pieces by name, in order. Each is short enough to be shown unfolded."""
    return {
        "growth": _growth(report.days),
        "additions_and_deletions": _changes(report.days),
        "time_to_reflect": _waits(report.waits),
        "durations": _durations(report),
        "media_types": _counts("type", report.media_types),
        "languages": _counts("language", report.languages),
        "tags": _counts("tag", report.tags),
    }


def _growth(days: pd.DataFrame) -> str:
    said = []
    for kind, column, what in (("video", "live", "videos"), ("video", "hours", "hours of video")):
        known = days[days["type"] == kind].set_index("day")[column].dropna()
        if known.size:
            first, last = known.index[0], known.index[-1]
            numbers = [round(number) for number in known]
            said.append(f"{numbers[0]:,} → {numbers[-1]:,} {what}, {first:%Y-%m-%d} to {last:%Y-%m-%d}")
            said.append(image(what, line(numbers)))
    return "\n\n".join(said) or "Nothing yet: library_history holds no day on which the library is known."


def _changes(days: pd.DataFrame) -> str:
    videos = days[days["type"] == "video"].tail(COLUMNS)[["added", "restored", "deleted"]].fillna(0).astype(int)
    came, went = (videos["added"] + videos["restored"]).tolist(), videos["deleted"].tolist()
    if not any(came) and not any(went):
        return "Nothing yet: since the first mirror nothing came or went."
    said = f"{sum(came):,} videos came (above) and {sum(went):,} went (below) in the last {len(videos)} days"
    return f"{said}\n\n{image('videos that came and went', bars(came, went))}"


def _waits(waits: pd.Series[float]) -> str:
    if waits.empty:
        return "Nothing yet: no change has been seen since the first mirror."
    half, most = (duration(float(waits.quantile(share))) for share in (0.5, 0.95))
    return f"{waits.size:,} changes at JW Platform were here within {half} (half of them) or {most} (95 %)."


def _durations(report: LibraryReport) -> str:
    if report.durations.empty:
        return "Nothing yet: there is no media item of known duration."
    picture = image("media items by duration", bars([int(count) for count in report.durations]))
    return (
        f"0 to {LONGEST_DURATION} minutes, a bar for each {DURATION_STEP}; {report.longer:,} items are longer, and of "
        f"{report.untimed:,} the duration is not known\n\n{picture}"
    )


def _counts(what: str, counts: pd.Series[int]) -> str:
    if counts.empty:
        return f"Nothing yet: no item has a {what}."
    rows = [(_name(str(name)), int(count)) for name, count in counts.items()]
    return table_of_bars((what, "items"), rows)


def _name(text: str) -> str:
    """Return a name as the text of a cell. It is somebody else's, so that none of it may be read as Markdown."""
    line = " ".join(text.split()).replace("`", "'").replace("|", "\\|")
    return f"`{line[:_LONGEST_NAME]}`"

"""Draws the charts of `library_report`: every function takes a LibraryReport or its data and returns a figure.

It does not use pyplot, so it needs no display and changes no global state. Import this module inside the function that
needs it, because matplotlib is slow to load.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import DAILY, AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, MultipleLocator

from jwp_pipeline.history.report import DURATION_STEP, LONGEST_DURATION, LibraryReport

BLUE, TEAL, RED = "#2b6c99", "#7fb7a6", "#c8553d"
INK, FAINT = "#333333", "#dddddd"
WIDTH = 8.4
"""Inches. At 100 dots per inch, a chart is as wide as Dagster's dialogue."""

_STYLE: Any = {
    "font.size": 9.5,
    "text.color": INK,
    # Tags and fields are plain text, even if they contain dollar signs.
    "text.parse_math": False,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "grid.color": "#eeeeee",
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
}
_LONGEST_LABEL = 36

# With fewer days than this, each day gets a dot on the line, so that a single day is visible.
_DOTTED = 40

# How much time a bar covers: pandas' name, its days, and our word. We use the first that gives at most _MOST_BARS bars.
_STEPS = (("D", 1, "day"), ("W-MON", 7, "week"), ("MS", 30, "month"), ("YS", 365, "year"))
_MOST_BARS = 100

_WAIT_MARKS = {1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h", 6 * 3600: "6 h", 86_400: "1 day"}
_WAIT_MARKS |= {7 * 86_400: "1 week", 30 * 86_400: "1 month", 365 * 86_400: "1 year"}


@contextmanager
def style() -> Iterator[None]:
    """Set the common style of all charts; keep it open while figures are drawn and saved."""
    with mpl.rc_context(_STYLE):
        yield


def growth(report: LibraryReport) -> Figure:
    """Draw live videos, live channels and hours of video at the end of each day."""
    days = report.days
    series = (
        ("Videos", "live", "video", BLUE),
        ("Channels", "live", "channel", TEAL),
        ("Hours of video", "hours", "video", BLUE),
    )
    drawn = [
        (name, days[days["type"] == kind].set_index("day")[column].dropna().astype(float), color)
        for name, column, kind, color in series
    ]
    drawn = [entry for entry in drawn if entry[1].size]
    if not drawn:
        return _nothing("Growth", "Nothing yet: library_history holds no day on which the library is known.")
    figure = _figure("Growth: what is live at the end of each day (UTC)", height=0.7 + 1.25 * len(drawn))
    panels = figure.subplots(len(drawn), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (name, values, color) in zip(panels, drawn, strict=True):
        marker = "o" if values.size < _DOTTED else ""
        axes.plot(values.index, values.to_numpy(), color=color, linewidth=1.8, marker=marker, markersize=3.5)
        axes.set_title(f"{name}, {values.iloc[-1]:,.0f} on {values.index[-1]:%-d %B %Y}")
        _count_axis(axes)
        _leave_room(axes, values)
    _date_axis(panels[-1], days["day"].min(), days["day"].max())
    return figure


def changes(report: LibraryReport) -> Figure:
    """Draw added, restored and deleted resources by type, per day, or per week, month or year in a long history."""
    days = report.days
    if not days[["added", "restored", "deleted"]].to_numpy(dtype=float).any():
        return _nothing("Additions and deletions", "Nothing yet: since the first mirror nothing came or went.")
    first, last = days["day"].min(), days["day"].max()
    span = (last - first).days + 1
    step, length, unit = next(step for step in _STEPS if span <= step[1] * _MOST_BARS)
    figure = _figure(f"Additions and deletions a {unit}", height=4.0)
    panels = figure.subplots(2, 1, sharex=True)
    for axes, (kind, name) in zip(panels, (("video", "Videos"), ("channel", "Channels")), strict=True):
        counts = days[days["type"] == kind].set_index("day")[["added", "restored", "deleted"]].astype(float)
        binned = counts.resample(step, closed="left", label="left").sum()
        middle = pd.DatetimeIndex(binned.index) + pd.Timedelta(days=(length - 1) / 2)
        axes.bar(middle, binned["added"], color=BLUE, label="added", width=length * 0.8)
        axes.bar(middle, binned["restored"], bottom=binned["added"], color=TEAL, label="restored", width=length * 0.8)
        axes.bar(middle, -binned["deleted"], color=RED, label="deleted", width=length * 0.8)
        axes.axhline(0, color=INK, linewidth=0.6)
        axes.set_title(name)
        _count_axis(axes)
        if not binned.to_numpy().any():
            axes.set_ylim(-1, 1)
            axes.yaxis.set_major_locator(FixedLocator([0]))
    panels[0].legend(loc="lower right", bbox_to_anchor=(1, 0.98), ncols=3, borderaxespad=0)
    _date_axis(panels[-1], first - pd.Timedelta(days=length - 1), last + pd.Timedelta(days=length - 1))
    return figure


def bars(counts: pd.Series[int], title: str, nothing: str, *, color: str = BLUE) -> Figure:
    """Draw a horizontal bar for each name, in the given order, with its count."""
    if counts.empty:
        return _nothing(title, nothing)
    figure = _figure(title, height=0.75 + 0.27 * counts.size)
    axes = figure.subplots()
    drawn = axes.barh([_label(name) for name in counts.index], counts.to_numpy(), color=color, height=0.72)
    axes.bar_label(drawn, [f"{count:,}" for count in counts], padding=4)
    axes.invert_yaxis()
    axes.margins(x=0.09, y=0.5 / counts.size)
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)
    return figure


def durations(report: LibraryReport) -> Figure:
    """Draw a histogram of durations in minutes; its title counts longer items and those of unknown duration."""
    title = "Media items by duration"
    counts = report.durations
    if counts.empty:
        return _nothing(title, "Nothing yet: there is no media item of known duration.")
    figure = _figure(f"{title}, in minutes", height=2.9)
    axes = figure.subplots()
    axes.bar(counts.index, counts.to_numpy(), width=DURATION_STEP * 0.9, align="edge", color=BLUE)
    axes.set_xlim(0, LONGEST_DURATION)
    axes.xaxis.set_major_locator(MultipleLocator(15))
    axes.set_title(f"{report.longer:,} last two hours or more; the duration of {report.untimed:,} is not known")
    _count_axis(axes)
    return figure


def waits(report: LibraryReport) -> Figure:
    """Draw how long changes took from JWP's time stamp to our change log, on a logarithmic axis."""
    title = "Time to reflect a change: from JW Platform's stamp to our change log"
    seconds = report.waits.clip(lower=1.0)
    if seconds.empty:
        return _nothing(title, "Nothing yet: no change has been seen since the first mirror.")
    figure = _figure(title, height=2.9)
    axes = figure.subplots()
    low, high = max(seconds.min() / 3, 1.0), max(seconds.max() * 3, 3600.0)
    edges = [low * (high / low) ** (step / 40) for step in range(41)]
    axes.hist(seconds, bins=edges, color=BLUE, rwidth=0.9)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator(list(_WAIT_MARKS)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _WAIT_MARKS.get(round(value), "")))
    axes.xaxis.set_minor_locator(FixedLocator([]))
    half, most = float(seconds.quantile(0.5)), float(seconds.quantile(0.95))
    for quantile in (half, most):
        axes.axvline(quantile, color=RED, linewidth=1)
    axes.set_title(f"{seconds.size:,} changes: half within {duration(half)}, 95 % within {duration(most)} (red lines)")
    _count_axis(axes)
    return figure


def duration(seconds: float) -> str:
    """Write a time for people to read: 45 s, 3.2 min, 5.1 h, 12 days."""
    for size, unit in ((86_400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= (2 * size if unit == "days" else size):
            seconds /= size
            break
    else:
        unit = "s"
    return f"{seconds:.0f} {unit}" if seconds >= 10 else f"{seconds:.1f} {unit}"


def _figure(title: str, *, height: float) -> Figure:
    figure = Figure(figsize=(WIDTH, height), dpi=100, layout="constrained", facecolor="white")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.1)  # type: ignore[union-attr,call-arg]
    figure.suptitle(title, x=0.014, ha="left", fontsize=12, fontweight="bold")
    return figure


def _nothing(title: str, why: str) -> Figure:
    figure = _figure(title, height=0.9)
    figure.text(0.014, 0.2, why, color="#777777")
    return figure


def _count_axis(axes: Axes) -> None:
    """Draw few gridlines, at round numbers, and label counts below zero without a minus sign."""
    axes.grid(axis="y")
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):,.0f}"))


def _leave_room(axes: Axes, values: pd.Series[float]) -> None:
    """Make the axis span at least a twentieth of the total, so that a few changes do not look like many."""
    low, high = float(values.min()), float(values.max())
    room = max((high - low) * 0.15, high * 0.025, 1.0)
    axes.set_ylim(max(0.0, low - room), high + room)


def _date_axis(axes: Axes, first: pd.Timestamp, last: pd.Timestamp) -> None:
    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    # The defaults also offer every third or 21st day, which fall on irregular days of the month.
    locator.intervald[DAILY] = [1, 2, 7, 14]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    # The axis spans at least a week, so that a single day does not fill the chart and no hours are shown.
    room = pd.Timedelta(days=max(1.0, 3.5 - (last - first).days / 2))
    axes.set_xlim(date2num(first - room), date2num(last + room))  # type: ignore[no-untyped-call]


def _label(name: str) -> str:
    line = " ".join(name.split())
    return line if len(line) <= _LONGEST_LABEL else f"{line[: _LONGEST_LABEL - 1]}…"

"""Draws docs/scale.svg from the figures of the benchmark: how time, memory and WAL grow with the library.

python -m jwp_pipeline_tests.benchmarks --videos 5000 50000 200000 1000000 --channels 20000 --api v2 --json FILE
python docs/make_scale_picture.py FILE
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

PICTURE = Path(__file__).with_name("scale.svg")

# The same figures shall give the same file.
STYLE = {"svg.hashsalt": "jwp_pipeline", "svg.fonttype": "none", "font.size": 9, "axes.spines.top": False}
STYLE |= {"axes.spines.right": False}

Case = Mapping[str, Any]


def seconds(case: Case) -> float:
    """Return the seconds of the pipeline: listing, apply and media side, without start-up and Dagster."""
    return float(sum(case["seconds_of"].values()))


def main(figures: Path) -> None:
    """Draw the picture from the file that the benchmark wrote."""
    runs = sorted(json.loads(figures.read_text())["runs"], key=lambda run: int(run["videos"]))
    with mpl.rc_context(STYLE):
        figure, (left, middle, right) = plt.subplots(1, 3, figsize=(10, 3.6), layout="constrained")
        draw(left, runs, seconds, "seconds of a sync", "log")
        draw(middle, runs, lambda case: float(case["peak_rss_mb"]), "peak memory in MB", "linear")
        draw(
            right, runs, lambda case: max(float(case["wal_outside_raw_mb"]), 0.01), "WAL in MB, raw pages apart", "log"
        )
        middle.set_ylim(bottom=0)
        left.legend(frameon=False)
        figure.savefig(PICTURE, metadata={"Date": None})


def draw(
    axes: Axes, runs: Sequence[Mapping[str, Any]], figure_of: Callable[[Case], float], what: str, scale: str
) -> None:
    """Draw one figure of each case over the number of videos."""
    for name in dict.fromkeys(case["case"] for run in runs for case in run["cases"]):
        points = [(run["videos"], figure_of(case)) for run in runs for case in run["cases"] if case["case"] == name]
        axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=name)
    sizes = [run["videos"] for run in runs]
    axes.set(xscale="log", yscale=scale, xlabel="videos", title=what)
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    if scale == "log":
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(alpha=0.25)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

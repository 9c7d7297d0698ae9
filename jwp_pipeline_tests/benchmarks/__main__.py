"""Measures what a sync costs, and prints the figures with their targets. The exit code is 0 even if a target is missed.

It works in a temporary folder, on its own PostgreSQL with the usual durable settings.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from jwp_pipeline_tests.benchmarks import peers, report, speed
from jwp_pipeline_tests.benchmarks.bench import measure
from jwp_pipeline_tests.benchmarks.cases import CASES

QUICK_VIDEOS, QUICK_CASES = 2_000, CASES[:2]


def main(arguments=None):
    options = _parser().parse_args(arguments)
    if options.quick:
        options.videos, options.api = [QUICK_VIDEOS], ["v2"]
    console = Console(width=None if sys.stdout.isatty() else 140)
    cases = QUICK_CASES if options.quick else CASES
    runs, peer_runs = [], []
    for videos in options.videos:
        for api in options.api:
            runs.append(_in_folder(console, api, videos, measure, cases, options.channels))
            for table in (
                report.times_table,
                report.writes_table,
                report.limits_table,
                report.decisions_table,
                report.edits_table,
            ):
                console.print(table(runs[-1]), "")
        for strategy in peers.STRATEGIES if options.peer else ():
            peer_runs.append(_in_folder(console, strategy, videos, peers.measure, options.peer_python))
            console.print(report.peers_table(peer_runs[-1]), "")
    targets = [*report.targets(runs), *speed.targets(runs, peer_runs)]
    console.print(report.targets_table(targets))
    if options.json:
        figures = {"runs": runs, "peers": peer_runs, "targets": [vars(target) for target in targets]}
        options.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False))
    return 0


def _in_folder(console, what, videos, measured, *more):
    """Return the figures of one run, which works in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="jwp_benchmark_") as folder, console.status("") as status:

        def progress(doing):
            status.update(f"{what}, {videos:,} videos: {doing}")

        return measured(what, videos, Path(folder), progress, *more)


def _parser():
    parser = argparse.ArgumentParser(prog="python -m jwp_pipeline_tests.benchmarks", description=__doc__)
    parser.add_argument("--videos", type=int, nargs="+", default=[50_000, 200_000], help="library sizes")
    parser.add_argument("--channels", type=int, help="number of channels; by default as many as the videos fill")
    parser.add_argument("--api", nargs="+", choices=["v1", "v2"], default=["v1", "v2"])
    parser.add_argument("--quick", action="store_true", help=f"v2 and {QUICK_VIDEOS:,} videos only: does it run?")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures, too")
    parser.add_argument("--peer", choices=["dlt"], help="measure this one, too, on the same listing")
    parser.add_argument(
        "--peer-python",
        type=Path,
        metavar="PYTHON",
        default=Path(sys.executable),
        help='Python of an environment with the peer: pip install "dlt[postgres]"',
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""Targets for the first mirror, for a sync of all items and for the start of `jwpfetch`, as ratios in one run."""

from jwp_pipeline_tests.benchmarks.report import LARGE, Target, name_of

MOST_OF_PEER = 0.75
"""The first mirror, Dagster included, by dlt's first load of its one table."""
MOST_LIMITS = 2.7
"""A sync of all items by what it cannot do without: fetching the pages, comparing them, and copying as many rows. It is
six tenths of what it was at 50,000 videos before mapping did no work twice: 11.1 s, by 1.3 s + 0.4 s + 0.8 s."""
MOST_IMPORTS = 1.3
"""Starting jwpfetch, up to its first request, by importing Dagster and dagster_postgres."""

PEER = "dlt, upsert"
"""The peer's strategy that does what our cache does; `scd2` keeps old versions."""


def targets(runs, peer_runs):
    """Return the targets that these runs can judge."""
    found = []
    loads = {run["videos"]: run["cases"][0]["seconds"] for run in peer_runs if run["peer"] == PEER}
    for run in runs:
        cases = {case["case"]: case for case in run["cases"]}
        where, large = name_of(run), run["videos"] >= LARGE

        def judge(what, ratio, most, *, tells=True, where=where):
            found.append(Target(f"{where}: {what}", f"≤ {most:g}", f"{ratio:.2f}", ratio <= most if tells else None))

        if run["videos"] in loads:
            ratio = cases["first mirror"]["run_seconds"] / loads[run["videos"]]
            judge(f"first mirror, everything included / first load of {PEER}", ratio, MOST_OF_PEER, tells=large)
        if "sync all" in cases:
            limits = sum(run["limits"][f"{what}_seconds"] for what in ("fetch", "digest_diff", "copy_rows"))
            ratio = sum(cases["sync all"]["seconds_of"].values()) / limits
            judge("sync all / fetch, diff and COPY of the rows", ratio, MOST_LIMITS, tells=large)
        start = run["start_up"]
        ratio = start["first_request_seconds"] / start["import_seconds"]
        judge("jwpfetch to its first request / import of Dagster", ratio, MOST_IMPORTS)
    return found

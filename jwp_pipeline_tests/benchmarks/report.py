"""Makes tables of the figures, and compares them with targets.

Most targets are counts, bytes and ratios, because seconds depend on the machine.
"""

from dataclasses import dataclass
from itertools import pairwise

from rich.table import Table

LARGE = 50_000
"""The number of videos from which ratios of times are meaningful. With fewer, the fixed costs of a sync dominate."""
MOST_WAL_MB = 1.0
MOST_RSS_GROWTH = 1.2
MOST_FETCHES = 2.0
"""How many times as long as fetching the pages the mirror may take if nothing has changed."""
MOST_RAW_WAL = 1.1
"""How many bytes of WAL the raw tables may write for each byte of the pages as they are stored."""
MOST_PEAK_MB = 300.0
MOST_PAGE_MS = 50.0
MOST_TRIGGER_RATIO = 1.1
MOST_GROWTH = 4.5
"""How many times as long a case may take with four times as many videos."""
MOST_SECONDS = {
    "first mirror": 12.0,
    "nothing changed": 3.0,
    "nothing changed, later": 3.0,
    "1 % changed": 3.0,
    "sync all": 8.0,
    "views moved": 8.0,
}
"""The most seconds of the pipeline without Dagster's own, for LARGE videos on two idle cores."""

# Seconds that the reference implementation took on two cores for its sync alone, with the pages in memory.
REFERENCE = {
    1_000: {"first mirror": 4.0, "nothing changed": 0.74, "1 % changed": 0.88, "sync all": 2.6},
    10_000: {"first mirror": 38.0, "nothing changed": 7.8, "1 % changed": 8.0, "sync all": 29.0},
    50_000: {"first mirror": 208.0, "nothing changed": 38.0, "1 % changed": 40.0, "sync all": 147.0},
}


@dataclass(frozen=True)
class Target:
    """A figure and its limit. `holds` is None if the library is too small to tell."""

    what: str
    limit: str
    figure: str
    holds: bool | None


def targets(runs):
    """Return every target that can be judged from these runs."""
    found = []
    for run in runs:
        for case in (case for case in run["cases"] if case["unchanged"]):
            where = f"{name_of(run)}, {case['case']}"
            written, wal = sum(case["rows_written"]), case["wal_outside_raw_mb"]
            fetches = (_seconds(case, "listing") + _seconds(case, "applied")) / run["limits"]["fetch_seconds"]
            raw_wal = case["wal_raw_mb"] / run["limits"]["stored_pages_mb"]
            holds = fetches <= MOST_FETCHES if run["videos"] >= LARGE else None
            found += [
                Target(f"{where}: rows written", "0", f"{written:,}", written == 0),
                Target(
                    f"{where}: WAL, our others and catalogs",
                    f"< {MOST_WAL_MB:g} MB",
                    f"{wal:.2f} MB",
                    wal < MOST_WAL_MB,
                ),
                Target(f"{where}: listing and apply / fetching alone", f"≤ {MOST_FETCHES:g}", f"{fetches:.2f}", holds),
                Target(
                    f"{where}: WAL of the raw tables / compressed pages",
                    f"≤ {MOST_RAW_WAL:g}",
                    f"{raw_wal:.2f}",
                    raw_wal <= MOST_RAW_WAL,
                ),
            ]
        if run["videos"] == LARGE:
            for case in run["cases"]:
                what, seconds = f"{name_of(run)}, {case['case']}: seconds of the pipeline", _pipeline(case)
                most = MOST_SECONDS[case["case"]]
                found.append(Target(what, f"≤ {most:g}", f"{seconds:.1f}", seconds <= most))
        slowest = max(figures["page_ms"] for figures in run["decisions"])
        holds = slowest <= MOST_PAGE_MS if run["videos"] >= LARGE else None
        found.append(
            Target(f"{name_of(run)}: a page of viewable items", f"≤ {MOST_PAGE_MS:g} ms", f"{slowest:.1f} ms", holds)
        )
        by_sync = next(figures for figures in run["edits"] if figures["write"] == "the same by a sync")
        ratio = by_sync["with_triggers_ms"] / by_sync["without_ms"]
        holds = ratio <= MOST_TRIGGER_RATIO if run["videos"] >= LARGE else None
        what = f"{name_of(run)}: a sync's write of items, with the outbox's triggers / without"
        found.append(Target(what, f"≤ {MOST_TRIGGER_RATIO:g}", f"{ratio:.2f}", holds))
        peak = _peak(run)
        found.append(
            Target(f"{name_of(run)}: peak RSS", f"≤ {MOST_PEAK_MB:g} MB", f"{peak:.0f} MB", peak <= MOST_PEAK_MB)
        )
    for smaller, larger in pairwise(sorted(runs, key=lambda run: (run["api"], run["videos"]))):
        if smaller["api"] == larger["api"] and smaller["videos"] >= LARGE:
            ratio = _peak(larger) / _peak(smaller)
            what = f"{name_of(larger)}: peak RSS / that at {smaller['videos']:,}"
            found.append(Target(what, f"≤ {MOST_RSS_GROWTH:g}", f"{ratio:.2f}", ratio <= MOST_RSS_GROWTH))
            most = MOST_GROWTH * larger["videos"] / smaller["videos"] / 4
            for before, after in zip(smaller["cases"], larger["cases"], strict=True):
                ratio = _pipeline(after) / _pipeline(before)
                what = f"{name_of(larger)}, {after['case']}: pipeline / that at {smaller['videos']:,}"
                found.append(Target(what, f"≤ {most:g}", f"{ratio:.1f}", ratio <= most))
    return found


def name_of(run):
    """Return the name of a run: its API and library size."""
    return f"{run['api']}, {run['videos']:,} videos"


def times_table(run):
    """Return a table of the time and the memory that each case took."""
    table = _table(f"{name_of(run)}: seconds, memory")
    _columns(table, "total", "start-up", "Dagster", "listing", "apply", "media", "pipeline", "reference", "our CPU")
    _columns(table, "requests", "peak RSS, MB")
    for case in run["cases"]:
        seconds = [case[f"{part}_seconds"] for part in ("total", "startup", "dagster")]
        seconds += [*(_seconds(case, part) for part in ("listing", "applied", "media")), _pipeline(case)]
        reference = REFERENCE.get(run["videos"], {}).get(case["case"])
        table.add_row(
            case["case"],
            *(f"{s:.2f}" for s in seconds),
            "" if reference is None else f"{reference:g}",
            f"{case['cpu_seconds']:.2f}",
            f"{case['requests']}",
            f"{case['peak_rss_mb']:.0f}",
        )
    return table


def writes_table(run):
    """Return a table of the WAL and the rows that each case wrote."""
    table = _table(f"{name_of(run)}: WAL in MB right after a checkpoint, rows of cached_resources")
    _columns(table, "WAL", "raw tables", "our others", "catalogs …", "Dagster's")
    _columns(table, "inserted", "updated", "deleted", "dead now")
    for case in run["cases"]:
        rest = case["wal_outside_raw_mb"] - case["wal_ours_mb"]
        wal = (case["wal_mb"], case["wal_raw_mb"], case["wal_ours_mb"], rest, case["wal_dagster_mb"])
        rows = (*case["rows_written"], case["dead_rows"])
        table.add_row(case["case"], *(f"{size:.2f}" for size in wal), *(f"{count:,}" for count in rows))
    return table


def limits_table(run):
    """Return a table of the limits in seconds, and of the ratio of the pipeline's time to each."""
    table = _table(f"{name_of(run)}: limits")
    _columns(table, "seconds", "the pipeline / this")
    limits = run["limits"]
    first, unchanged = run["cases"][0], next(case for case in run["cases"] if case["unchanged"])
    for what, name, seconds in (
        ("fetch all pages, store none (listing unchanged)", "fetch_seconds", _seconds(unchanged, "listing")),
        ("COPY the same pages (listing unchanged)", "copy_pages_seconds", _seconds(unchanged, "listing")),
        (
            "diff of the digests in SQL (apply unchanged)",
            "digest_diff_seconds",
            unchanged["seconds_of"]["applied videos"],
        ),
        ("COPY the same rows (apply of the first mirror)", "copy_rows_seconds", first["seconds_of"]["applied videos"]),
    ):
        table.add_row(what, f"{limits[name]:.2f}", f"{seconds / limits[name]:.1f}")
    return table


def decisions_table(run):
    """Return a table of what a page of items costs for each kind of user, and how it is read."""
    table = _table(f"{name_of(run)}: milliseconds for the 50 newest items that a user may view, and for their count")
    _columns(table, "page", "count", "items", "how the page is read")
    for figures in run["decisions"]:
        milliseconds = (f"{figures[name]:.1f}" for name in ("page_ms", "count_ms"))
        table.add_row(figures["user"], *milliseconds, f"{figures['items']:,}", figures["plan"])
    return table


def edits_table(run):
    """Return a table of what the outbox's triggers add to a write of items, by an application and by a sync."""
    table = _table(f"{name_of(run)}: milliseconds for a write of items, with the outbox's triggers and without any")
    _columns(table, "items", "with triggers", "without", "ratio", "edits recorded")
    for figures in run["edits"]:
        with_triggers, without = figures["with_triggers_ms"], figures["without_ms"]
        recorded = f"{figures['recorded']:,}" if "recorded" in figures else ""
        ratio = f"{with_triggers / without:.2f}"
        table.add_row(
            figures["write"], f"{figures['items']:,}", f"{with_triggers:.1f}", f"{without:.1f}", ratio, recorded
        )
    return table


def peers_table(run):
    """Return a table of what the peer took for the same work."""
    table = _table(f"{name_of(run)}: {run['peer']}")
    _columns(table, "seconds", "WAL, MB", "peak RSS, MB")
    for case in run["cases"]:
        table.add_row(case["case"], f"{case['seconds']:.2f}", f"{case['wal_mb']:.1f}", f"{case['peak_rss_mb']:.0f}")
    return table


def targets_table(found):
    """Return a table of the targets and whether they hold."""
    table = _table("targets")
    _columns(table, "target", "measured", "holds")
    for target in found:
        word = {True: "[green]yes", False: "[red]NO", None: "too small to tell"}[target.holds]
        table.add_row(target.what, target.limit, target.figure, word)
    return table


def _seconds(case, part):
    """Return the seconds of the reports whose names begin with `part`."""
    return sum(seconds for name, seconds in case["seconds_of"].items() if name.startswith(part))


def _pipeline(case):
    """Return the seconds of listing, apply and media side, which is all but start-up and Dagster."""
    return sum(_seconds(case, part) for part in ("listing", "applied", "media"))


def _peak(run):
    return max(case["peak_rss_mb"] for case in run["cases"])


def _table(title):
    table = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    table.add_column("")
    return table


def _columns(table, *names):
    for name in names:
        table.add_column(name, justify="right")

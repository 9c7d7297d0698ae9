"""Measures the seconds from a change at JW Platform to the record, under the live daemon, with webhooks and without.

Run it with `python -m jwp_pipeline_tests.benchmarks.freshness`. It takes some ten minutes: videos of a simulated site
get a new title, one after the other at random intervals, and the record is watched until it has the title.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path
from statistics import quantiles

from rich.console import Console
from rich.table import Table

from jwp_pipeline.database.embedded import ensure_running, release
from jwp_pipeline.jwplatform.connect import connect_registry
from jwp_pipeline.settings import load_settings
from jwp_pipeline.simulator import Simulator, bulk_library
from jwp_pipeline_tests.support.configuration import settings_of
from jwp_pipeline_tests.support.stack import asked, free_port, up

VIDEOS = 1000
PATIENCE = 180.0
LOOK_SECONDS = 0.1
WAYS = ("with webhooks", "without webhooks")


def measure(way, changes, every):
    """Return the seconds that each change took. A change that did not arrive in time counts as PATIENCE seconds."""
    with tempfile.TemporaryDirectory(prefix="jwp_freshness_") as folder, Simulator(bulk_library(VIDEOS)) as site:
        home = Path(folder)
        url = ensure_running(home / "postgres")
        try:
            return _seconds(home, url, site, way == WAYS[0], changes, every)
        finally:
            release(home / "postgres")


def _seconds(home, url, site, hooked, changes, every):
    settings = {"JWP_DATABASE_URL": url, **site.environment("v2")}
    if hooked:
        secrets, port = home / "secrets", free_port()
        settings |= {"JWP_WEBHOOK_SECRETS_FILE": str(secrets), "JWP_WEBHOOK_PORT": str(port)}
        registry = connect_registry(load_settings(**settings_of(site, "v2")))
        made = registry.register(f"http://127.0.0.1:{port}/", name="benchmark", site_id=site.api_key)
        secrets.write_text(made.secret)
    chance = random.Random(1)
    keys = site.library.keys("video")[:changes]
    changed, arrived = {}, {}
    with up(home, **settings) as stack:
        stack.expect(lambda: len(_titles(url)) == VIDEOS, "the first sync")
        due = time.monotonic() + 30
        while len(arrived) < len(keys):
            now = time.monotonic()
            if len(changed) < len(keys) and now >= due:
                key = keys[len(changed)]
                site.library.edit("video", key, title=f"Changed {key}", updated=int(time.time()))
                changed[key], due = time.monotonic(), now + chance.expovariate(1 / every)
            titles = _titles(url)
            for key in changed.keys() - arrived.keys():
                waited = time.monotonic() - changed[key]
                if f"Changed {key}" in titles or waited > PATIENCE:
                    arrived[key] = waited
            time.sleep(LOOK_SECONDS)
    return list(arrived.values())


def _titles(url):
    return {title for (title,) in asked(url, "SELECT title FROM jwp.media_items WHERE deleted_at IS NULL")}


def figures(seconds):
    """Return p50, p95 and the maximum."""
    parts = quantiles(seconds, n=100, method="inclusive")
    return {"changes": len(seconds), "p50": parts[49], "p95": parts[94], "max": max(seconds)}


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m jwp_pipeline_tests.benchmarks.freshness", description=__doc__)
    parser.add_argument("--changes", type=int, default=100, help="how many changes to measure (default 100)")
    parser.add_argument("--every", type=float, default=2.5, help="mean seconds between two changes (default 2.5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures, too")
    options = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 140)
    found = {}
    table = Table(title=f"seconds from a change at JW Platform to the record, {VIDEOS:,} videos", box=None)
    for name in ("", "changes", "p50", "p95", "max"):
        table.add_column(name, justify="right" if name else "left")
    for way in WAYS:
        console.print(f"{way} …")
        found[way] = figures(measure(way, options.changes, options.every))
        table.add_row(way, str(found[way]["changes"]), *(f"{found[way][name]:.1f}" for name in ("p50", "p95", "max")))
    console.print(table)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Runs one sync as jwpfetch does, in its own process, and prints the figures as JSON in the last line of stdout.

The seconds of the run are those that `run_sync` counts. The parent measures the whole process, start-up included.
"""

import argparse
import json
import re
import resource
import sys
import time
from pathlib import Path


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sync-all", action="store_true")
    options = parser.parse_args()

    from jwp_pipeline.commands.launch import SyncRequest, run_sync
    from jwp_pipeline.settings import load_settings

    outcome = run_sync(load_settings(), SyncRequest(sync_all=options.sync_all))
    if not outcome.success:
        sys.exit(f"The sync failed: {outcome.failure}")
    parts = {}
    for report in outcome.reports:
        kind = getattr(report, "resource_type", None)
        name = type(report).__name__.removesuffix("Report").lower() + (f" {kind}s" if kind else "")
        parts[name] = parts.get(name, 0.0) + report.seconds
    figures = {
        "run_seconds": outcome.seconds,
        "dagster_seconds": outcome.seconds - sum(parts.values()),
        "seconds_of": parts,
        "requests": sum(
            getattr(report, "request_count", 0) + getattr(report, "members_asked", 0) for report in outcome.reports
        ),
        "cpu_seconds": time.process_time(),
        "peak_rss_mb": peak_rss_mb(),
    }
    print(json.dumps(figures))


def peak_rss_mb():
    """Return the peak resident memory of this program, in MB of 10^6 bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux's getrusage also counts the time before exec, when the process was still a copy of its parent.
        return int(re.search(r"VmHWM:\s*(\d+) kB", status.read_text())[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


if __name__ == "__main__":
    main()

"""Tests the campaign itself: plants one fault after the other in a copy of the package, and expects rounds to break.

    python -m jwp_pipeline_tests.campaign.planted [NAME ...]

A fault is a text of one file and what to put in its place. Put one here for each promise, such as a guard that is left
out. The exit code is 1 if the campaign did not notice one of them within its rounds.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from jwp_pipeline_tests.support import PROJECT


@dataclass(frozen=True)
class Fault:
    """A fault to plant."""

    name: str
    file: str
    """Below `jwp_pipeline/`."""
    text: str
    instead: str
    options: tuple[str, ...] = ()
    """Options of the campaign that make it more likely to meet the fault soon."""


FAULTS = (
    Fault(
        "a listing's word is enough to delete",
        "mirror/confirm.py",
        "still_there.append(key)",
        "gone.append(key)",
        options=("--fault", "hidden"),
    ),
    Fault(
        "the guard lets everything pass",
        "mirror/guard.py",
        "if plan.live < options.guard_min_rows:",
        "if True:",
    ),
    Fault(
        "deletions are not logged",
        "mirror/sql/apply_plan.sql",
        "'restored', 'deleted')",
        "'restored')",
    ),
    Fault(
        "a snapshot is not marked as applied",
        "mirror/apply.py",
        "snapshots.mark_applied(connection, snapshot.id)",
        "pass",
    ),
    Fault(
        "the lease is not looked at",
        "database/leases.py",
        "row is None or row.ended_at is not None",
        "False",
        options=("--fault", "dispossess", "--run", "sync_all"),
    ),
    Fault(
        "playlists are written though equal",
        "media/sql/playlists/update.sql",
        "AND (playlist.title",
        "AND true OR (playlist.title",
    ),
    Fault(
        "a value that cannot be stored stops the sync",
        "mirror/storing.py",
        'startswith(("22", "54"))',
        'startswith("54")',
    ),
    Fault(
        "an ACL that cannot be read is public",
        "media/mapping/items.py",
        'return "unreadable", NOBODY',
        'return "unreadable", Permission(is_public=True)',
    ),
    Fault(
        "messages name the database with its password",
        "database/session.py",
        "user = f\"{parameters['user']}@\"",
        "user = f\"{parameters['user']}:{parameters.get('password')}@\"",
        options=("--fault", "restart"),
    ),
    Fault(
        "an incomplete read does not say why",
        "mirror/landing.py",
        'problem = "; ".join(reasons) or None',
        "problem = None",
        options=("--fault", "short page"),
    ),
    Fault(
        "an error of the network is not translated",
        "jwplatform/wire.py",
        "except (OSError, urllib3.exceptions.HTTPError)",
        "except ZeroDivisionError",
        options=("--fault", "drop"),
    ),
    Fault(
        "a sync overwrites edits",
        "media/sql/reads/videos_to_map.sql",
        "edited.waiting, edited.undecided",
        "NULL AS waiting, NULL AS undecided",
        options=("--run", "sync_all"),
    ),
    Fault(
        "what JW Platform refused counts as pushed",
        "outbox/outcomes.py",
        'decision, verdict="unsendable"',
        'decision, verdict="push"',
        options=("--run", "push", "--fault", "route=update"),
    ),
    Fault(
        "a new video is made without a search",
        "outbox/creations.py",
        "elif row.asked_at is None:",
        "elif True:",
        options=("--run", "push", "--fault", "route=create"),
    ),
    Fault(
        "a returning video gets another item",
        "media/sql/videos/unlink_gone.sql",
        "UPDATE videos\nSET ",
        "UPDATE videos\nSET media_item_id = NULL, ",
    ),
    Fault(
        "events count as handled before they are",
        "webhooks/store.py",
        "values(snapshot_id=snapshot_id)",
        "values(snapshot_id=snapshot_id, handled_at=func.now())",
        options=("--run", "events"),
    ),
    Fault(
        "every session has a lock of its own",
        "database/connection.py",
        "'jwp_pipeline/' ||",
        "'jwp_pipeline/' || pg_backend_pid() ||",
        options=("--fault", "rival"),
    ),
)


def main():
    parser = argparse.ArgumentParser(prog="python -m jwp_pipeline_tests.campaign.planted", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="plant only those whose name has this in it")
    parser.add_argument("--rounds", type=int, default=80, help="how many rounds may pass until one breaks (default 80)")
    options = parser.parse_args()
    unnoticed = 0
    for fault in FAULTS:
        if options.names and not any(name in fault.name for name in options.names):
            continue
        noticed, by = _run(fault, options.rounds)
        unnoticed += not noticed
        print(f"{'noticed' if noticed else 'NOT NOTICED':12} {fault.name}: {by}", flush=True)
    return 1 if unnoticed else 0


def is_outdated(fault):
    """Return whether the text that the fault replaces is not in its file any more, or more than once."""
    return (PROJECT / "jwp_pipeline" / fault.file).read_text().count(fault.text) != 1


def _run(fault, rounds):
    """Return whether a campaign on a copy with this fault broke, and by which promise, after how many rounds.

    The life that broke is then played without the fault. If it breaks as well, it says nothing about the fault.
    """
    if is_outdated(fault):
        return False, f"{fault.file} does not hold {fault.text!r} once; the fault has to be written anew"
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        for name in ("jwp_pipeline", "jwp_pipeline_tests", "docs"):
            shutil.copytree(PROJECT / name, Path(folder) / name, ignore=shutil.ignore_patterns("__pycache__", "_build"))
        for name in ("dagster.yaml", "workspace.yaml"):
            shutil.copy(PROJECT / name, folder)
        path = Path(folder) / "jwp_pipeline" / fault.file
        text = path.read_text()
        path.write_text(text.replace(fault.text, fault.instead))
        ran = _campaign(folder, fault, rounds)
        path.write_text(text)
        life = re.search(r"--life (\d+)", ran.stdout)
        unplanted = _campaign(folder, fault, rounds, "--life", life[1]) if life else None
    found = re.search(r"BROKEN (\w+)", ran.stdout)
    number = re.search(r"(\d+) rounds in", ran.stdout)
    if unplanted and "BROKEN" in unplanted.stdout:
        return False, f"life {life[1]} breaks without the fault, too:\n{unplanted.stdout[-2000:]}"
    if found:
        return True, f"by {found[1]}, in round {number[1] if number else '?'}"
    if ran.returncode and "Every promise held" not in ran.stdout:
        return True, f"the campaign could not go on: {ran.stderr.strip().splitlines()[-1][:200]}"
    return False, ran.stdout[-300:]


def _campaign(folder, fault, rounds, *arguments):
    command = [sys.executable, "-m", "jwp_pipeline_tests.campaign", "--rounds", str(rounds), "--until-broken"]
    return subprocess.run(
        [*command, "--through", "functions", *fault.options, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": folder},
        capture_output=True,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())

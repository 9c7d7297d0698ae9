"""Runs a campaign, prints what was run and what broke, and exits with 1 if anything did."""

import argparse
import json
import logging
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import contextmanager, suppress
from dataclasses import asdict
from itertools import count
from pathlib import Path

from jwp_pipeline.database.connection import open_engine
from jwp_pipeline.database.migrate import migrate
from jwp_pipeline.proxies import keep_loopback_off_proxies
from jwp_pipeline.settings import Settings
from jwp_pipeline_tests.campaign.arming import OURS, TWIN
from jwp_pipeline_tests.campaign.clean import sync_all
from jwp_pipeline_tests.campaign.life import Life
from jwp_pipeline_tests.campaign.looking import Watching
from jwp_pipeline_tests.campaign.relay import Relay
from jwp_pipeline_tests.campaign.runs import RUNS
from jwp_pipeline_tests.campaign.server import Server
from jwp_pipeline_tests.support import PROJECT, client_of, empty

ROUNDS_OF_A_LIFE = 8
THROUGH = ("functions", "dagster", "jwpfetch")


class Campaign:
    """What all lives share: a folder, a server with two schemas, and the relay through which it is reached."""

    def __init__(self, folder, options):
        self.folder, self.seed = folder, options.seed
        self.only_fault, self.only_run = options.fault, options.run
        self._saboteur = None

    @contextmanager
    def running(self):
        """Start the server and make the tables."""
        with Server(self.folder / "server") as self.server, Relay(self.server.port) as self.relay:
            self.password = self.server.url.partition("://postgres:")[2].partition("@")[0]
            self.engine, self.twin_engine = (self._engine(schema) for schema in (OURS, TWIN))
            for schema, engine in ((OURS, self.engine), (TWIN, self.twin_engine)):
                migrate(engine, schema)
            yield self
            self.engine.dispose()
            self.twin_engine.dispose()

    def _engine(self, schema):
        # The sessions of the campaign's own clean work are not those of a run.
        return open_engine(f"{self.server.url}?application_name=campaign", schema)

    def watching(self, schema):
        return Watching(self.server.url, schema)

    @contextmanager
    def saboteur(self):
        """Yield a connection that changes what the server does."""
        if self._saboteur is None:
            self._saboteur = Watching(self.server.url, OURS)
        yield self._saboteur

    def empty(self):
        """Empty both schemas."""
        for engine in (self.engine, self.twin_engine):
            empty(engine)

    def sync_twin(self, simulator, api, settings):
        """Bring the twin in step with the library as it is."""
        client = client_of(simulator, api, deadline=20.0)
        sync_all(self.twin_engine, simulator, client, settings.model_copy(update={"jwp_sync_items": False}))
        client.close()


def main():
    options = _arguments()
    keep_loopback_off_proxies()
    logging.disable(logging.CRITICAL)
    for name in Settings.model_fields:
        os.environ.pop(name.upper(), None)
    # The processes that we start run elsewhere.
    os.environ["PYTHONPATH"] = os.pathsep.join(map(str, (PROJECT, *filter(None, sys.path))))
    began, done = time.monotonic(), []
    with tempfile.TemporaryDirectory(prefix="campaign-") as folder:
        Path(folder).chmod(0o711)
        os.chdir(folder)
        # An interrupted campaign reports what it has done.
        with Campaign(Path(folder), options).running() as campaign, suppress(KeyboardInterrupt):
            for each in _rounds(campaign, options, began):
                done.append(each)
                _print_round(each, options)
    return _report(done, time.monotonic() - began, options)


def _rounds(campaign, options, began):
    """Yield the rounds of all lives until there are enough. A life ends with its first broken round."""
    number = 0
    for life in [options.life] if options.life else count(1):
        for each in Life(campaign, life, **_kind(options, life)).rounds(ROUNDS_OF_A_LIFE):
            yield each
            number += 1
            if number >= options.rounds or time.monotonic() - began > options.minutes * 60:
                return
            if each.broken:
                if options.until_broken:
                    return
                break


def _arguments():
    parser = argparse.ArgumentParser(prog="python -m jwp_pipeline_tests.campaign", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="how many rounds at the most (default 200)")
    parser.add_argument("--minutes", type=float, default=15, help="how long at the most (default 15)")
    parser.add_argument("--seed", type=int, default=1, help="whatever is drawn comes from it (default 1)")
    parser.add_argument("--life", type=int, help="replay only this life of the seed")
    parser.add_argument("--api", choices=("v1", "v2", "both"), default="both")
    parser.add_argument(
        "--through",
        choices=(*THROUGH, "both", "mixed"),
        default="mixed",
        help="what makes the runs; both: jobs of Dagster and the real jwpfetch; mixed: mostly functions",
    )
    parser.add_argument(
        "--fault", metavar="TEXT", help="only faults that are printed with this text, and others beside them"
    )
    parser.add_argument("--run", choices=RUNS, help="only this kind of run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round to this file as well")
    parser.add_argument("--until-broken", action="store_true", help="end with the first broken round")
    parser.add_argument("--verbose", action="store_true", help="print every round")
    options = parser.parse_args()
    options.json = options.json and options.json.resolve()
    return options


def _kind(options, life):
    """Return the API of a life and what makes its runs. They depend on its number alone, so that it can be replayed."""
    api = ("v2", "v1")[life % 2] if options.api == "both" else options.api
    if options.through == "both":
        return {"api": api, "through": ("dagster", "jwpfetch")[life // 2 % 2]}
    if options.through == "mixed":
        return {"api": api, "through": {3: "dagster", 6: "jwpfetch"}.get(life % 10, "functions")}
    return {"api": api, "through": options.through}


def _print_round(each, options):
    if options.verbose or each.broken:
        what = f"{each.api} {each.through} {' '.join(each.runs)}: {'; '.join(map(str, each.faults))}"
        print(f"life {each.life} round {each.number} {what} → {each.codes} in {each.seconds:.1f} s")
    for what in each.broken:
        print(f"  BROKEN {what}")
    if each.broken:
        for what in each.told:
            print(f"    {what}")
        print(f"    steps: {each.done}")
        through = f" --through {options.through}" if options.through != "mixed" else ""
        api = f" --api {options.api}" if options.api != "both" else ""
        only = f" --fault {options.fault!r}" if options.fault else ""
        only += f" --run {options.run}" if options.run else ""
        where = f"--seed {options.seed} --life {each.life}{api}{through}{only} --verbose"
        print(f"  replay: python -m jwp_pipeline_tests.campaign {where}")
    sys.stdout.flush()


def _report(done, seconds, options):
    table = defaultdict(Counter)
    for each in done:
        for fault in each.faults or ["none"]:
            counted = table[(fault.layer, fault.name)] if fault != "none" else table[("none", "")]
            counted["rounds"] += 1
            counted["broken"] += bool(each.broken)
            counted["seconds"] += each.seconds
    print(f"\n{'layer':12} {'fault':22} {'rounds':>7} {'broken':>7} {'seconds':>8}")
    for (layer, name), counted in sorted(table.items()):
        print(f"{layer:12} {name:22} {counted['rounds']:7} {counted['broken']:7} {counted['seconds']:8.0f}")
    ways = Counter((each.api, each.through) for each in done)
    print(
        f"\n{len(done)} rounds in {seconds:.0f} s, seed {options.seed}: "
        + ", ".join(f"{number} with {api} through {through}" for (api, through), number in sorted(ways.items()))
    )
    print(
        f"{sum(len(each.runs) for each in done)} runs under faults, and how they ended: "
        + ", ".join(
            f"{code}: {number}"
            for code, number in sorted(Counter(str(code) for each in done for code in each.codes).items())
        )
    )
    broken = [each for each in done if each.broken]
    print(f"{len(broken)} rounds broke a promise." if broken else "Every promise held in every round.")
    if options.json:
        options.json.write_text(json.dumps([asdict(each) for each in done], indent=1, default=str))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

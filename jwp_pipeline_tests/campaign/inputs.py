"""Sends bad inputs of every kind through what reads them, and counts what came of them.

    python -m jwp_pipeline_tests.campaign.inputs --examples 100000

The exit code is 1 if an input did what no input may do; it is printed in its smallest form.
"""

import argparse
import logging
import os
import sys
import tempfile
import time
import traceback
from collections import Counter

from hypothesis import HealthCheck, Phase, given, seed, settings

from jwp_pipeline.settings import Settings
from jwp_pipeline_tests.campaign.kinds import KINDS


def try_inputs(name, number, first_seed):
    """Send at least so many inputs of a kind. Returns a Counter of what came; raises what an input may not do."""
    kind = KINDS[name]
    came = Counter()
    _draw(kind, lambda value: came.update(map(kind.target, kind.inputs(value))), came, number, first_seed)
    return came


def _draw(kind, send, came, number, first_seed):
    """Draw values until so many inputs have come; a hundred at a time, because how many one makes is not known."""
    while came.total() < number:
        first_seed += 1
        seed(first_seed)(
            settings(
                max_examples=100 if number > 100 else 10,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate, Phase.shrink],
            )(given(kind.strategy)(send))
        )()


def main():
    parser = argparse.ArgumentParser(prog="python -m jwp_pipeline_tests.campaign.inputs", description=__doc__)
    parser.add_argument("--examples", type=int, default=100_000, help="how many of all kinds together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=KINDS, help="only this kind; --examples is then its number")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    for name in Settings.model_fields:
        os.environ.pop(name.upper(), None)
    broken = 0
    with tempfile.TemporaryDirectory() as folder:
        # There is no .env here.
        os.chdir(folder)
        for kind in [options.kind] if options.kind else KINDS:
            share = 100 if options.kind else KINDS[kind].share
            started = time.monotonic()
            try:
                came = try_inputs(kind, options.examples * share // 100, options.seed * 10**6)
            except Exception:
                broken += 1
                print(f"{kind}: BROKEN")
                traceback.print_exc()
                continue
            what = ", ".join(f"{word} {number}" for word, number in came.most_common())
            print(f"{kind:18} {sum(came.values()):7} in {time.monotonic() - started:5.0f} s: {what}", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

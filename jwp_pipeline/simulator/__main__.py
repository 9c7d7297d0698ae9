"""`python -m jwp_pipeline.simulator` serves the demo library on its own port for as long as its parent process lives.

When it is ready, it prints one line of JSON with its URL and the environment that configures the pipeline for it. It
ends when stdin is closed, which happens when the parent dies, or at SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from threading import Event, Thread

from jwp_pipeline.simulator import DEMO_SEED, Behaviour, Demo, Simulator


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal or the end of stdin, and return the exit status."""
    options = _parser().parse_args(arguments)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    demo = Demo(options.videos, options.channels, options.seed, options.generation)
    behaviour = Behaviour(requests_per_minute=options.requests_per_minute)
    with Simulator(demo.library, behaviour, port=options.port, control=demo) as simulator:
        ready = {"url": simulator.url, "environment": simulator.environment()}
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        Thread(target=_stop_at_end_of_stdin, args=(stop,), daemon=True).start()
        while not stop.wait(options.evolve_every):
            demo.evolve()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m jwp_pipeline.simulator", description="A simulated JW Platform.")
    parser.add_argument("--port", type=int, default=0, help="port of 127.0.0.1 to listen on (default: a free one)")
    parser.add_argument("--videos", type=int, default=2000, help="videos in generation 0")
    parser.add_argument("--channels", type=int, default=60, help="manual channels in generation 0")
    parser.add_argument("--seed", type=int, default=DEMO_SEED, help="what the library is made from")
    parser.add_argument("--generation", type=int, default=0, help="generation to begin with")
    parser.add_argument("--evolve-every", type=float, metavar="SECONDS", help="go to the next generation so often")
    parser.add_argument("--requests-per-minute", type=int, metavar="N", help="answer 429 above this (default: never)")
    return parser


def _stop_at_end_of_stdin(stop: Event) -> None:
    # os.read, because a thread that waits in sys.stdin keeps the interpreter from exiting.
    while os.read(0, 4096):
        pass
    stop.set()


if __name__ == "__main__":
    sys.exit(main())

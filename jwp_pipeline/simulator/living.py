"""A demo site that lives: days pass in its library, small things change by themselves, and it can be in trouble.

Put here the life of one demo, and what its control routes do. evolution.py makes a day, moves.py the small changes,
troubles.py what goes wrong; keeping.py keeps it all in a file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from threading import RLock
from typing import Any

from jwp_pipeline.simulator.demo import DAY, DEMO_SEED, START, demo_library
from jwp_pipeline.simulator.evolution import evolve, manual_channels
from jwp_pipeline.simulator.faults import Faults
from jwp_pipeline.simulator.moves import move
from jwp_pipeline.simulator.troubles import TROUBLES, plan, taken_by

MOVE_SECONDS = 180
"""How often the library changes by itself: so long after `start`, and again, and again."""

_REMEMBERED = 10


class Demo:
    """A demo library with the faults of its server. Safe to use from several threads.

    `start` is the time of generation 0 (epoch seconds). Without a `clock`, a generation is a day after the one before.
    With it, a generation begins when it is asked for.
    """

    def __init__(
        self,
        videos: int = 2000,
        channels: int = 60,
        seed: int = DEMO_SEED,
        generation: int = 0,
        *,
        start: int = START,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.library = demo_library(videos, channels, seed, start)
        self.faults = Faults()
        self.seed = seed
        self.start = start
        self.generation = 0
        self.trouble: str | None = None
        self.taken: Sequence[str] = ()
        """The keys of the videos that the trouble has taken away."""
        self.lives_in_the_past = clock is not None and start < clock() - DAY
        """Whether its library still has to be brought up to the present, day by day; nothing moves by itself then."""
        self._clock = clock
        self._next_move: int | None = None
        self._moves: deque[str] = deque(maxlen=_REMEMBERED)
        self._lock = RLock()
        for _ in range(generation):
            self.evolve()

    def evolve(self, now: int | None = None) -> dict[str, Any]:
        """Go to the next generation, and return its number and the keys of what changed.

        The changes have stamps of the half day before `now` (epoch seconds), or, by the clock, of this second.
        """
        with self._lock:
            spread = DAY // 2
            if now is None and self._clock is not None:
                now, spread = int(self._clock()), 1
                self.lives_in_the_past = False
            evolution = evolve(self.library, self.generation + 1, self.seed, start=self.start, now=now, spread=spread)
            self.generation = evolution.generation
            return asdict(evolution)

    def move_on(self, now: float) -> list[str]:
        """Make the moves that have become due since the last call, and return what they did.

        The first call only begins to count: nothing changes while nobody looks.
        """
        with self._lock:
            due = int(now - self.start) // MOVE_SECONDS
            first = due + 1 if self._next_move is None or self.lives_in_the_past else self._next_move
            self._next_move = max(first, due + 1)
            made = [
                move(self.library, number, self.seed, self.start, self.start + number * MOVE_SECONDS)
                for number in range(max(first, 0), due + 1)
            ]
            self._moves.extend(made)
            return made

    def begin_trouble(self, name: str) -> None:
        """End the present trouble, if there is one, and begin another. Raises KeyError for an unknown name."""
        with self._lock:
            plan(name, Faults())
            self.mend()
            self.taken = taken_by(name, self.library)
            self.library.remove("video", *self.taken)
            self.resume_trouble(name)

    def resume_trouble(self, name: str) -> None:
        """Let the server be at fault as in a trouble; what the trouble took away is gone already."""
        plan(name, self.faults)
        self.trouble = name

    def mend(self) -> None:
        """End the present trouble: what it took away is back, and the server makes no faults."""
        with self._lock:
            self.faults.clear()
            gone = set(self.library.removed_keys("video"))
            self.library.restore("video", *(key for key in self.taken if key in gone))
            self.trouble, self.taken = None, ()

    def state(self) -> dict[str, Any]:
        """Return the generation, the seed, what there is, what is wrong (or None), and what the last moves did."""
        with self._lock:
            return {
                "generation": self.generation,
                "seed": self.seed,
                "videos": len(self.library.records("video")),
                "channels": len(manual_channels(self.library)),
                "trouble": self.trouble,
                "troubled": TROUBLES[self.trouble] if self.trouble else None,
                "moves": list(self._moves),
            }

    def act(self, verb: str, options: Mapping[str, str]) -> dict[str, Any]:
        """Do what a control route asks for, and return what came of it. Raises LookupError and ValueError."""
        match verb:
            case "evolve":
                return self.evolve(int(options["now"]) if "now" in options else None)
            case "break":
                self.begin_trouble(options["how"])
            case "mend":
                self.mend()
            case _:
                raise LookupError(verb)
        return self.state()

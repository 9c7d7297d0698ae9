"""A simulated JW Platform for the demo and the tests, which serves real HTTP on the loopback interface.

    with Simulator(demo_library(videos=200), Behaviour(unstable_ties=True)) as sim:
        sim.faults.add(Fault.status(503), path="/v1/videos/list", times=2)
        environment = sim.environment("v1")

It serves both Management APIs (what lists, shows and writes videos), the servers that take uploads, delivery (players,
sources, posters, clips that play), and a Lookup with its token server. It sends webhooks, and uses no code of the rest
of the pipeline.
"""

from jwp_pipeline.simulator.bulk_library import bulk_library
from jwp_pipeline.simulator.demo import DEMO_SEED, demo_library
from jwp_pipeline.simulator.directory import DEMO_PEOPLE, Member
from jwp_pipeline.simulator.evolution import Evolution, evolve
from jwp_pipeline.simulator.faults import Fault
from jwp_pipeline.simulator.library import Library
from jwp_pipeline.simulator.living import Demo
from jwp_pipeline.simulator.records import RawJson
from jwp_pipeline.simulator.server import Simulator
from jwp_pipeline.simulator.site import Behaviour
from jwp_pipeline.simulator.webhooks import Mishaps

__all__ = [
    "DEMO_PEOPLE",
    "DEMO_SEED",
    "Behaviour",
    "Demo",
    "Evolution",
    "Fault",
    "Library",
    "Member",
    "Mishaps",
    "RawJson",
    "Simulator",
    "bulk_library",
    "demo_library",
    "evolve",
]

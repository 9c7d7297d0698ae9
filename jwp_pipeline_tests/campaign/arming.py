"""Arms the planned faults before a run and disarms them after it."""

import json

from jwp_pipeline.simulator import Fault
from jwp_pipeline_tests.campaign import faults, tables

OURS, TWIN = "jwp", "twin"
"""The schema under fire, and that of the twin."""


class Arming:
    """The faults of one life."""

    def __init__(self, campaign, simulator, world, api):
        self._campaign, self._simulator, self._world, self._api = campaign, simulator, world, api

    def arm(self, planned, stale):
        """Let these faults happen. `stale` is key → the JSON that a stale page shows."""
        for each in planned:
            how = each.how
            if each.layer == "JW Platform":
                self._arm_jwp(each.name, how, stale)
            elif each.name in tables.STATES:
                state, often = tables.STATES[each.name], {"nth": how["nth"], "times": how["times"]}
                with self._campaign.saboteur() as connection:
                    tables.fail_at(connection, OURS, how["table"], state, **often)
            elif each.name == "connection cut":
                self._campaign.relay.cut_after(how["after"], how["times"])
            elif each.name == "session setting":
                with self._campaign.saboteur() as connection:
                    value = faults.SESSION[how["setting"]]
                    connection.execute(f"ALTER DATABASE postgres SET {how['setting']} TO {value}")

    def disarm(self):
        """Take away whatever was armed."""
        self._simulator.faults.clear()
        for kind in ("video", "channel"):
            self._world.library.unhide(kind)
        self._campaign.relay.let_through()
        with self._campaign.saboteur() as connection:
            tables.mend(connection, OURS)
            connection.execute("ALTER DATABASE postgres RESET ALL")

    def _arm_jwp(self, name, how, stale):
        library, number = self._world.library, how["number"]
        if name == "hidden":
            kind = ("video", "video", "channel")[number % 3]
            keys = library.keys(kind)
            library.hide(kind, *keys[number % len(keys) :][: 1 + number % 9])
            return
        if name == "moves":
            fault = Fault.edit(lambda _: self._world.happens(1 + number % 3))
        elif name == "stale page":
            fault = Fault("stale", bend=lambda page: self._bend_back(page, stale))
        else:
            fault = faults.JWP[name](number)
        self._simulator.faults.add(fault, route=how["route"], nth=how["nth"], times=how["times"])

    def _bend_back(self, page, stale):
        """Show what a page lists as it was when all was last settled."""
        name = "key" if self._api == "v1" else "id"
        page.elements[:] = [stale.get(json.loads(each).get(name), each) for each in page.elements]

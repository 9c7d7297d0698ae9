"""No matter what a listing claims, nothing that JW Platform still has is deleted, and nothing private stays public.

Random libraries change while JW Platform's listings are wrong: pages are short, repeated or stale, resources are
hidden, totals are wrong, or one video's object is under another video's key.
"""

import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from jwp_pipeline.simulator import Fault, Simulator
from jwp_pipeline_tests.support import Site, empty, fewer_if_quick, live, pages_of_at_most, rows, sync, video

VIDEOS = 24
PUBLIC, PRIVATE = "WORLD", "USER_abc1"


def at_a_key(elements, change):
    """Replace some elements of a page. `change` gets all of them parsed, and returns position → new element."""
    parsed = [json.loads(element) for element in elements]
    for place, element in change(parsed).items():
        parsed[place] = element
    elements[:] = [json.dumps(element).encode() for element in parsed]


def under_another_key(number):
    """A fault: a page shows a video's object under another video's key."""

    def bend(page):
        def change(parsed):
            if len(parsed) < 2:
                return {}
            taken, given_to = number % len(parsed), (number + 1) % len(parsed)
            name = "key" if "key" in parsed[taken] else "id"
            return {given_to: {**parsed[taken], name: parsed[given_to][name]}}

        at_a_key(page.elements, change)

    return Fault("another video's object", bend=bend)


def stale(number):
    """A fault: a page shows a video as it was before its last change, with an older stamp and another title."""

    def bend(page):
        def change(parsed):
            if not parsed:
                return {}
            place = number % len(parsed)
            old = dict(parsed[place])
            if "updated" in old:
                old |= {"updated": 0, "title": "As it was"}
            return {place: old}

        at_a_key(page.elements, change)

    return Fault("stale", bend=bend)


LIES = {
    "short page": lambda number: Fault.short_page(1 + number % 3),
    "empty page": lambda number: Fault.empty_page(),
    "repeated page": lambda number: Fault.repeated_page(),
    "wrong total": lambda number: Fault.wrong_total(number % 7 - 3),
    "stale": stale,
    "another video's object": under_another_key,
}

numbers = st.integers(0, 1000)
lies = st.tuples(st.sampled_from([*LIES, "hidden", "hidden"]), numbers, st.integers(1, 3))
events = st.tuples(st.sampled_from(["upload", "remove", "restore", "edit", "open"]), numbers)
syncs = st.tuples(st.lists(events, max_size=3), st.lists(lies, max_size=2), st.booleans())


def key(number):
    return f"v{number:07}"


class World:
    """The library as it really is, and the keys of the videos whose ACL has ever been public."""

    def __init__(self, library):
        self.library = library
        self.ever_public = set()
        self.stamp = 1000
        self.numbers = VIDEOS
        library.replace_all([self.made(number) for number in range(VIDEOS)], [])

    def made(self, number):
        acl = PUBLIC if number % 3 == 0 else PRIVATE
        if acl == PUBLIC:
            self.ever_public.add(key(number))
        self.stamp += 1
        return video(key(number), number, updated=self.stamp, acl=acl, date=1_000_000_000 + number)

    def happens(self, event, number):
        present, removed = self.library.keys("video"), self.library.removed_keys("video")
        self.stamp += 1
        if event == "upload":
            self.library.put("video", self.made(self.numbers))
            self.numbers += 1
        elif event == "remove" and len(present) > 1:
            self.library.remove("video", present[number % len(present)])
        elif event == "restore" and removed:
            self.library.restore("video", removed[number % len(removed)])
        elif event == "edit" and present:
            chosen = present[number % len(present)]
            self.library.edit("video", chosen, title=f"Edited {number}", updated=self.stamp)
        elif event == "open" and present:
            chosen = present[number % len(present)]
            self.ever_public.add(chosen)
            custom = {**self.library.get("video", chosen)["custom"], "sms_acl": f"acl:{PUBLIC}:"}
            self.library.edit("video", chosen, custom=custom, updated=self.stamp)


def public_items(engine):
    query = (
        "SELECT videos.key FROM media_items AS item JOIN videos ON videos.media_item_id = item.id"
        " WHERE item.view_is_public AND item.deleted_at IS NULL"
    )
    return {row.key for row in rows(engine, query)}


@pytest.mark.parametrize(("create_items", "strict"), [("all", None), ("sms", True), ("sms", None)])
@settings(
    max_examples=fewer_if_quick(),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(steps=st.lists(syncs, min_size=1, max_size=5))
def test_nothing_live_is_deleted_and_nothing_private_stays_public(engine, api, create_items, strict, steps):
    empty(engine)
    options = {"create_items": create_items, "strict_acls": strict}
    with Simulator() as simulator, Site(engine, simulator, api, **options) as jwp, pages_of_at_most(7):
        world = World(simulator.library)
        follow(jwp)
        lied_about_objects = False
        for happened, told, sync_all in [*steps, ([], [], True)]:
            for event in happened:
                world.happens(*event)
            # If a wrong object made an item public, the next listing without errors makes it private again.
            lied_about_objects = lied_about_objects and bool(told)
            # Without strict ACLs the reference's rule applies: an item that a newer stamp made public stays public.
            for what, number, nth in told:
                if what == "another video's object" and not (strict or create_items == "all"):
                    continue
                present = world.library.keys("video")
                if what == "hidden":
                    world.library.hide("video", *present[number % len(present) :][: number % 9])
                else:
                    simulator.faults.add(LIES[what](number), route="list", nth=nth, times=1 + number % 3)
                    lied_about_objects = lied_about_objects or what == "another video's object"
            cached = live(engine)
            follow(jwp, sync_all=sync_all)
            really_there = set(world.library.keys("video"))
            assert cached & really_there <= live(engine)
            if not lied_about_objects:
                assert public_items(engine) <= world.ever_public
            simulator.faults.clear()
            world.library.unhide("video")


def follow(jwp, *, sync_all=False):
    """Run a sync of videos. Unlike that of a Site, it has the usual guard and may find that a listing is wrong."""
    sync(jwp.engine, jwp.client, confirm_requests=10)
    jwp.follow(sync_all=sync_all)

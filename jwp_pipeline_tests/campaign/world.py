"""The library and the record as people change them on both sides, and what they may expect of it afterwards.

Everything that happens is drawn from one source of chance. A field of a video is changed on one side only between two
times when all is settled, except in a collision, which somebody then decides in favour of the record.
"""

from datetime import UTC, datetime

from jwp_pipeline.simulator import Library
from jwp_pipeline.webhooks.events import Event
from jwp_pipeline_tests.support import channel, video

PUBLIC, PRIVATE, UNREADABLE = "acl:WORLD:", "acl:USER_abc1,GROUP_101:", "acl:WORLD"
SITE_ID = "DemoSite"
FIRST = 1_780_000_000

HERE = {
    "title": lambda dice: {"title": f"Ours {dice.randrange(10**6)}"},
    "description": lambda dice: {"description": dice.choice(["", "Words: of, two|three\nlines", "ours é 🎬"])},
    "copyright": lambda dice: {"copyright": f"© {dice.randrange(10**6)} a:b, c|d"},
    "tags": lambda dice: {"tags": [f"tag {dice.randrange(100)}", "two, three"]},
    "downloadable": lambda dice: {"downloadable": dice.random() < 0.5},
    "view_permission": lambda dice: {
        "view_is_public": dice.random() < 0.2,
        "view_is_signed_in": False,
        "view_crsids": [f"ab{dice.randrange(100)}"],
        "view_lookup_groups": [],
        "view_lookup_insts": [],
    },
}
"""Field → the columns that an application writes when somebody edits it."""

THERE = {"title": "title", "silent": "title", "open": "view_permission", "close": "view_permission"}
THERE |= {"garble": "view_permission", "keywords": "tags", "nul": "description"}
"""What happens to a video at JW Platform → the field of the item that it changes."""


class World:
    """One library that moves, and the edits of its record."""

    def __init__(self, dice, *, videos, channels):
        self.dice = dice
        self.clock = FIRST
        self.library = Library(clock=lambda: self.clock)
        self.numbers = self.channel_numbers = 0
        self.public = set()
        """Keys of videos that JW Platform or an edit has opened to everyone since all was last settled, or before."""
        self._public_once_back = set()
        """Keys of videos that were removed before an edit that makes their item public was pushed. It still waits."""
        self.removed = set()
        """(type, key) of what JW Platform has not had at some time since then."""
        self.touched = {}
        """Key → the fields that were changed at JW Platform since then."""
        self.edits = {}
        """(key, field) → the columns that somebody wrote here last, until all is settled."""
        self.made = []
        """Ids of the items that were made here."""
        self.events = []
        """What JW Platform's webhooks would report, not yet delivered."""
        self.told = []
        """Everything that happened, in words, for whoever looks at a broken round."""
        for _ in range(videos):
            self.add()
        for _ in range(channels):
            self.add_channel()
        self.library.watch(self._note)

    def _note(self, kind, key, change):
        if kind == "video" and self.dice.random() < 0.5:
            happened = {"created": "media_created", "updated": "media_updated", "deleted": "media_deleted"}[change]
            self.events.append(Event(happened, "video", key, "hooK0001", SITE_ID, datetime.now(UTC)))

    def tick(self):
        self.clock += 2
        return self.clock

    # --- At JW Platform ---

    def happens(self, number=1):
        """Let people change so many things at JW Platform."""
        with self.library.lock:
            for _ in range(number):
                what = self.dice.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
                self.tick()
                done = getattr(self, what)()
                self.told.append(f"JWP: {what} {done or ''}")

    def add(self):
        self.numbers += 1
        key = f"v{self.numbers:07}"
        acl = self.dice.choice([PUBLIC, PRIVATE, PRIVATE])
        custom = {"sms_media_id": f"media:{self.numbers}:", "sms_acl": acl, "other": "stays"}
        if acl == PUBLIC:
            self.public.add(key)
        fields = {"updated": self.tick(), "date": 1_000_000_000 + self.numbers, "tags": "alpha, beta"}
        self.library.put("video", video(key, custom=custom, **fields))
        return key

    def remove(self):
        if len(self.library.keys("video")) > 8:
            key = self._some_video()
            self.removed.add(("video", key))
            self.library.remove("video", key)
            return key
        return None

    def exodus(self):
        """Many videos are removed at once, more than the guard lets pass."""
        keys = self.library.keys("video")
        gone = self.dice.sample(keys, len(keys) // 2) if len(keys) > 16 else []
        self.removed |= {("video", key) for key in gone}
        self.library.remove("video", *gone)
        return gone

    def restore(self):
        if gone := self.library.removed_keys("video"):
            key = self.dice.choice(gone)
            self.library.restore("video", key)
            if self.is_public(key) or key in self._public_once_back:
                self.public.add(key)
            self._public_once_back.discard(key)
            return key
        return None

    def title(self):
        return self._change("title", lambda it: it.update(title=f"There {self.clock}", updated=self.clock))

    def silent(self):
        return self._change("silent", lambda it: it.update(title=f"Silently {self.clock}"))

    def nul(self):
        return self._change("nul", lambda it: it.update(description=f"a\0b {self.clock} \ud800", updated=self.clock))

    def watch(self):
        return self._change("watch", lambda it: it.update(views=self.clock))

    def keywords(self):
        words = f"keywords:a{self.clock}|b:"
        return self._change(
            "keywords", lambda it: it["custom"].update(sms_keywords=words) or it.update(updated=self.clock)
        )

    def open(self):
        return self._set_acl("open", PUBLIC)

    def close(self):
        return self._set_acl("close", PRIVATE)

    def garble(self):
        return self._set_acl("garble", UNREADABLE)

    def _set_acl(self, what, acl):
        def change(it):
            if acl == PUBLIC:
                self.public.add(it["key"])
            it["custom"]["sms_acl"] = acl
            # Narrowing does not wait for a newer stamp.
            it["updated"] = self.clock

        return self._change(what, change)

    def add_channel(self):
        self.channel_numbers += 1
        key = f"c{self.channel_numbers:07}"
        self.library.put("channel", self._channel(key))
        return key

    def edit_channel(self):
        if keys := self.library.keys("channel"):
            key = self.dice.choice(keys)
            self.library.put("channel", self._channel(key))
            return key
        return None

    def remove_channel(self):
        if len(keys := self.library.keys("channel")) > 2:
            key = self.dice.choice(keys)
            self.removed.add(("channel", key))
            self.library.remove("channel", key)
            return key
        return None

    def restore_channel(self):
        if gone := self.library.removed_keys("channel"):
            key = self.dice.choice(gone)
            self.library.restore("channel", key)
            return key
        return None

    def _channel(self, key):
        ids = self.dice.sample(range(1, self.numbers + 1), min(4, self.numbers))
        return channel(key, int(key[1:]), media_ids=ids, title=f"Channel {self.clock}")

    def _some_video(self):
        return self.dice.choice(self.library.keys("video"))

    def _change(self, what, change):
        key = self._some_video()
        field = THERE.get(what)
        if (key, field) in self.edits:
            return None
        found = self.library.get("video", key)
        if "custom" not in found or not isinstance(found["custom"], dict):
            return None
        change(found)
        if field is not None:
            self.touched.setdefault(key, set()).add(field)
        self.library.put("video", found)
        return key

    # --- Here ---

    def edit(self, items, *, collide=False):
        """Choose an edit of one of these live items, given as key → id. Returns id and columns, or None.

        A collision is an edit of a field that JW Platform changes right afterwards.
        """
        key = self.dice.choice(sorted(items)) if items else None
        if key is None or key not in self.library.keys("video"):
            return None
        field = "title" if collide else self.dice.choice(list(HERE))
        if field in self.touched.get(key, ()):
            return None
        columns = HERE[field](self.dice)
        if columns.get("view_is_public"):
            self.public.add(key)
        self.edits[key, field] = columns
        self.told.append(f"here: {field} of {key}")
        if collide:
            found = self.library.get("video", key)
            found.update(title=f"Collided {self.tick()}", updated=self.clock)
            self.library.put("video", found)
        return items[key], columns

    def is_public(self, key):
        """Return whether JW Platform's ACL of a video admits everyone."""
        return "WORLD" in str((self.library.get("video", key).get("custom") or {}).get("sms_acl"))

    def settled(self):
        """Note that both sides are equal, and expect nothing more of earlier changes."""
        gone = set(self.library.removed_keys("video"))
        self._public_once_back |= {
            key for (key, _), columns in self.edits.items() if columns.get("view_is_public") and key in gone
        }
        self.edits.clear()
        self.touched.clear()
        self.removed = {(kind, key) for kind in ("video", "channel") for key in self.library.removed_keys(kind)}
        self.public = set(filter(self.is_public, self.library.keys("video")))
        self.told.clear()


_WEIGHTS = {
    "title": 5,
    "silent": 2,
    "nul": 1,
    "watch": 2,
    "keywords": 2,
    "open": 2,
    "close": 4,
    "garble": 1,
    "add": 3,
    "remove": 3,
    "restore": 2,
    "add_channel": 1,
    "edit_channel": 2,
    "remove_channel": 1,
    "restore_channel": 1,
}

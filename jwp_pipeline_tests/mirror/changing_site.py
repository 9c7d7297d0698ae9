"""A simulated site whose clock the test sets, and a cache that follows it with frequent syncs."""

import time
from datetime import timedelta
from itertools import count

from jwp_pipeline.mirror import snapshots
from jwp_pipeline_tests.support import Site, cache, channel, sync_changes, video

HOUR = 3600


class ChangingSite(Site):
    """A site with its own clock. `kind` is the type of resource to sync."""

    def __init__(self, engine, simulator, api="v1", kind="video", *, now=None):
        super().__init__(engine, simulator, api)
        self.kind = kind
        self.now = time.time() - 10 * 24 * HOUR if now is None else now
        """JW Platform's time, in seconds since the epoch."""
        self._numbers = count()

    def listed_keys(self):
        return self.library.keys(self.kind)

    def put(self, key=None, *, stamp=None):
        """Add or edit a resource at `stamp` (by default now), with a title never used before. Returns its key."""
        number = next(self._numbers)
        stamp = int(self.now if stamp is None else stamp)
        key = key or f"k{number:07}"
        # The dates are unique, so that a full listing has a definite order. The change stamps may be equal.
        created = 1_000_000_000 + int(key[1:])
        if self.kind == "video":
            self.library.put("video", video(key, title=f"Title {number}", date=created, updated=stamp))
        else:
            self.library.put("channel", channel(key, title=f"Title {number}"), created=created, modified=stamp)
        return key

    def sync(self, overlap=timedelta(hours=1)):
        """Run one frequent sync. Returns its listing."""
        self.simulator.forget_requests()
        listing, self.applied = sync_changes(self.engine, self.client, self.kind, overlap=overlap, max_delete_ratio=1)
        return listing

    def assert_in_step(self):
        cached = {key: title_of(row.data) for key, row in cache(self.engine, self.kind).items() if not row.deleted_at}
        assert cached == {key: self.library.get(self.kind, key)["title"] for key in self.listed_keys()}

    def watermark(self):
        with self.engine.connect() as connection:
            return snapshots.watermark(connection, self.kind)


def title_of(data):
    return data.get("title") or data["metadata"]["title"]

"""The clean work after a round: everything that syncs and pushes without faults do until all is settled."""

from datetime import timedelta

from sqlalchemy.orm import Session

from jwp_pipeline.database.connection import connect
from jwp_pipeline.database.leases import Tolerance, standings
from jwp_pipeline.jwplatform.connect import connect_writing
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.media.report import MEDIA_ASSETS
from jwp_pipeline.media.sync import sync_media
from jwp_pipeline.mirror.apply import apply_newest
from jwp_pipeline.mirror.looks import read_keys
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.outbox import resolve
from jwp_pipeline.outbox.push import PushOptions, push
from jwp_pipeline.webhooks import store
from jwp_pipeline_tests.support import client_of, sync
from jwp_pipeline_tests.support.site import OPEN_GUARD

AT_ONCE = Tolerance(silent=-1.0, second_look=0.0)
_PUSHES = 10


def sync_all(engine, simulator, client, settings):
    """Bring the tables of an engine wholly in step with the library as it is.

    Meanwhile, resources with the same stamp are listed in a stable order. Otherwise, every read may by chance list one
    of them twice and another not at all, so that the listing is not verified, or two reads repeat the same one.
    """
    behaviour = simulator.behaviour
    is_unstable, behaviour.unstable_ties = behaviour.unstable_ties, False
    try:
        for kind in ("video", "channel"):
            listing, _ = sync(engine, client, kind, **OPEN_GUARD)
            assert listing.verified, f"the clean listing is {listing.status}: {listing.problem}"
    finally:
        behaviour.unstable_ties = is_unstable
    options = MediaOptions.from_settings(settings, sync_all=True)
    sync_media(engine, MEDIA_ASSETS, options=options, client=client)


class Clean:
    """The clean work of one life. `connection` is the campaign's own."""

    def __init__(self, engine, connection, simulator, api, settings):
        self._engine, self._connection, self._settings = engine, connection, settings
        self._simulator = simulator
        self._client = client_of(simulator, api, deadline=20.0)

    def sync(self):
        """Run a whole sync of all items."""
        sync_all(self._engine, self._simulator, self._client, self._settings)

    def settle(self):
        """Do what the next runs would do, until nothing waits."""
        self.end_leases()
        self.sync()
        if self._outbox_waits():
            for _ in range(_PUSHES):
                self._push()
                if not self._outbox_waits():
                    break
            self.sync()
        if self._pushed_and_not_listed():
            self.sync()
        self._handle_events()

    def end_leases(self):
        """Declare every run dead that has not ended, as the next run would after half a minute of silence."""
        query = "SELECT run_id FROM run_leases WHERE ended_at IS NULL"
        runs = [row.run_id for row in self._connection.execute(query)]
        if runs:
            standings(self._engine, runs, AT_ONCE)

    def _push(self):
        """Push, let whatever waits for another try be due, and decide every conflict in favour of the record."""
        options = PushOptions.from_settings(self._settings)
        push(self._engine, lambda: connect_writing(self._settings), options=options)
        for table, columns in (("item_updates", ["next_try_at"]), ("item_creations", ["next_try_at", "searched_at"])):
            earlier = ", ".join(f"{column} = {column} - interval '1 hour'" for column in columns)
            self._connection.execute(f"UPDATE {table} SET {earlier}")
        with Session(self._engine) as session:
            for table, what in (("item_updates", "field"), ("item_creations", "'video' AS field")):
                query = f"SELECT media_item_id, {what} FROM {table} WHERE state IN ('conflict', 'refused')"
                for row in self._connection.execute(query).fetchall():
                    resolve(session, row.media_item_id, row.field, "ours")
            session.commit()

    def _outbox_waits(self):
        query = """
            SELECT FROM item_updates AS edit JOIN videos USING (media_item_id)
                WHERE edit.state <> 'pushed' AND videos.deleted_at IS NULL
            UNION ALL SELECT FROM item_creations WHERE state <> 'created'
        """
        return self._connection.execute(query).fetchone() is not None

    def _pushed_and_not_listed(self):
        """Let the time pass in which JWP's index may not yet have a video that a push created."""
        aged = "UPDATE cached_resources SET pushed_at = pushed_at - interval '1 day' WHERE pushed_at IS NOT NULL"
        return self._connection.execute(aged).rowcount > 0

    def _handle_events(self):
        """Look at what the events that still wait are about, as job `on_events` does."""
        engine, run_id = self._engine, "the campaign's own"
        with connect(engine) as connection:
            waiting = store.waiting(connection, "video")
        if waiting.ids:
            listing = read_keys(engine, self._client, "video", waiting.keys, overlap=timedelta(hours=1), run_id=run_id)
            with connect(engine) as connection, connection.begin():
                store.attach(connection, waiting.ids, listing.snapshot_id)
            options = MirrorOptions(**OPEN_GUARD)
            apply_newest(engine, "video", options=options, client=self._client, run_id=run_id, also=store.settle)

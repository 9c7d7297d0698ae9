"""A site whose record is edited, and whose edits are pushed to the simulated JW Platform."""

from contextlib import contextmanager

from sqlalchemy import text

from jwp_pipeline.jwplatform.connect import connect, connect_writing
from jwp_pipeline.outbox.push import PushOptions, push
from jwp_pipeline.settings import load_settings
from jwp_pipeline_tests.media.site import Site
from jwp_pipeline_tests.support import rows, settings_of

DOMAIN, NAME = "media.example.org", "Example Media"


class EditedSite(Site):
    """A site with a push. `settings` are those of the pipeline."""

    def __init__(self, engine, simulator, client, settings, **options):
        super().__init__(engine, simulator, client, **{"sync_items": True} | options)
        self.settings = settings

    def push(self, *, dry_run=False, **changes):
        """Push what is due, and return the report. `changes` replace settings, by field name."""
        settings = self.settings.model_copy(update=changes)
        options = PushOptions.from_settings(settings)
        return push(self.engine, lambda: connect_writing(settings), options=options, dry_run=dry_run)

    def edit(self, key, **columns):
        """Edit the item of a video as an application does."""
        self.write(
            f"UPDATE media_items SET {', '.join(f'{column} = :{column}' for column in columns)}"
            " WHERE id = (SELECT media_item_id FROM videos WHERE key = :key)",
            key=key,
            **columns,
        )

    def write(self, statement, **parameters):
        """Run a statement of an application in a transaction."""
        with self.engine.begin() as connection:
            connection.execute(text(statement), parameters)

    def item(self, key):
        """Return the row of a video's item."""
        return rows(
            self.engine,
            "SELECT item.* FROM media_items AS item JOIN videos ON videos.media_item_id = item.id WHERE key = :key",
            key=key,
        )[0]

    def edits(self):
        """Return field → state of everything in the outbox; of several items by `key.field`."""
        found = rows(
            self.engine,
            "SELECT videos.key, field, state FROM item_updates JOIN videos USING (media_item_id) ORDER BY 1, 2",
        )
        several = len({row.key for row in found}) > 1
        return {f"{row.key}.{row.field}" if several else row.field: row.state for row in found}

    def at_jwp(self, key):
        """Return the video as the simulated JW Platform has it, in v1's format."""
        return self.library.get("video", key)


@contextmanager
def edited_site(engine, simulator, api, **options):
    """Yield an EditedSite that is configured by the simulator's own environment."""
    settings = load_settings(
        **settings_of(simulator, api)
        | {
            "jwp_requests_per_minute": 1_000_000,
            "jwp_site_domain": DOMAIN,
            "jwp_site_name": NAME,
            "jwp_sync_items": True,
            "jwp_deadline_minutes": 0.05,
        }
    )
    client = connect(settings)
    try:
        yield EditedSite(engine, simulator, client, settings, **options)
    finally:
        client.close()

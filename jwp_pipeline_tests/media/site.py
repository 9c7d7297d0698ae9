"""A simulated site together with our tables: it runs syncs without Dagster, and makes small v1 resources to list.

state.py reads the result of a sync.
"""

from collections import Counter
from contextlib import contextmanager

from jwp_pipeline.jwplatform.connect import connect
from jwp_pipeline.jwplatform.management import RESOURCE_TYPES
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.media.report import MEDIA_ASSETS
from jwp_pipeline.media.sync import sync_media
from jwp_pipeline.mirror.apply import apply_newest
from jwp_pipeline.mirror.landing import read_listing
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.settings import load_settings
from jwp_pipeline_tests.support import settings_of

# With these options, every change that a test makes to the library is applied at once.
OPEN_GUARD = MirrorOptions(max_delete_ratio=1, guard_min_rows=1_000_000, confirm_requests=1_000_000)


class Site:
    """A simulated site, our tables, and the real client between them. `options` apply to every sync."""

    def __init__(self, engine, simulator, client, **options):
        self.engine = engine
        self.simulator = simulator
        self.client = client
        self._options = options

    def _options_with(self, **changes):
        """Return the media side's options of this site with some of them changed."""
        return media_options(**{**self._options, **changes})

    @property
    def library(self):
        return self.simulator.library

    def fetch(self, *types):
        """Read and apply the listings of `types`, by default of both types."""
        for resource_type in types or RESOURCE_TYPES:
            listing = read_listing(self.engine, self.client, resource_type)
            assert listing.verified, listing.problem
            apply_newest(self.engine, resource_type, options=OPEN_GUARD, client=self.client)

    def follow(self, *assets, **changes):
        """Bring the media side, or only `assets`, in step, and return the report. `changes` replace options."""
        options = self._options_with(**changes)
        return sync_media(self.engine, assets or MEDIA_ASSETS, options=options, client=self.client)

    def sync(self, **changes):
        """Run one whole sync, and return the report of its media side."""
        self.fetch()
        return self.follow(**changes)

    def members_asked(self):
        """Return key of a playlist → how often JWP was asked for its members."""
        asked = (request.path for request in self.simulator.requests if request.route == "members")
        return Counter(path.split("/playlists/")[1].split("/")[0] for path in asked)


@contextmanager
def site(engine, simulator, api="v1", **options):
    """Yield a Site whose client is configured by the simulator's own environment."""
    client = connect(load_settings(**settings_of(simulator, api), jwp_requests_per_minute=1_000_000))
    try:
        yield Site(engine, simulator, client, **options)
    finally:
        client.close()


def media_options(*, create_items="sms", default_acl="WORLD", strict_acls=None, sync_items=False, sync_all=False):
    """Return the media side's options that follow from the settings of the same names.

    Edits go to JW Platform only in the tests of the outbox; in all others, JW Platform rules.
    """
    settings = load_settings(
        jwp_create_items=create_items,
        jwp_default_acl=default_acl,
        jwp_strict_acls=strict_acls,
        jwp_sync_items=sync_items,
    )
    return MediaOptions.from_settings(settings, sync_all=sync_all)


def video(key, sms_media_id=None, *, updated=1, acl=None, custom=None, **fields):
    """Return a v1 video. `acl` is given without `acl:` and the last colon, and `custom` as it is sent."""
    properties = dict(custom or {})
    if sms_media_id is not None:
        properties["sms_media_id"] = f"media:{sms_media_id}:"
    if acl is not None:
        properties["sms_acl"] = f"acl:{acl}:"
    return {
        "key": key,
        "title": f"Video {key}",
        "mediatype": "video",
        "updated": updated,
        **fields,
        "custom": properties,
    }


def channel(key, sms_collection_id=None, *, media_ids=None, custom=None, **fields):
    """Return a v1 manual channel. `media_ids` are the SMS ids of its items."""
    properties = dict(custom or {})
    if sms_collection_id is not None:
        properties["sms_collection_id"] = f"collection:{sms_collection_id}:"
    if media_ids is not None:
        properties["sms_collection_media_ids"] = f"collection_media_ids:{','.join(map(str, media_ids))}:"
    return {"key": key, "title": f"Channel {key}", "type": "manual", **fields, "custom": properties}

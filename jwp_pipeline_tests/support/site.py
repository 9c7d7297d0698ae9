"""One site for the tests of every level: a simulated JW Platform, our tables, and the settings that connect the two.

Put here what several levels need. A level that needs more has a subclass beside its tests: runs under Dagster
(orchestration/conftest.py), commands in a folder of their own (end_to_end/conftest.py), and changes at times that the
test chooses (mirror/changing_site.py).
"""

from collections import Counter

from sqlalchemy import text

from jwp_pipeline.jwplatform.management import RESOURCE_TYPES
from jwp_pipeline.settings import load_settings
from jwp_pipeline_tests.support.configuration import prefixed, settings_of
from jwp_pipeline_tests.support.syncing import client_of, follow, sync

# With these options, every change that a test makes to the library is applied at once.
OPEN_GUARD = {"max_delete_ratio": 1, "guard_min_rows": 1_000_000, "confirm_requests": 1_000_000}


class Site:
    """A simulated site, our tables, and the settings for both. In a `with` block it has a client that never waits.

    `options` are settings without the prefix `jwp_`, such as `create_items="sms"`. What they leave out has its default.
    """

    def __init__(self, engine, simulator, api="v1", **options):
        self.engine = engine
        self.simulator = simulator
        self.api = api
        self.settings = settings_of(simulator, api) | prefixed({"requests_per_minute": 1_000_000, **options})
        """Field name → value. A test may change it; what is read or started afterwards uses the new values."""

    def __enter__(self):
        self.client = self._opened = client_of(self.simulator, self.api, deadline=60.0)
        return self

    def __exit__(self, *error):
        self._opened.close()

    @property
    def library(self):
        return self.simulator.library

    def effective(self):
        """Return the Settings as they are now."""
        return load_settings(**self.settings)

    @property
    def environment(self):
        """The settings as environment variables."""
        return {name.upper(): str(value) for name, value in self.settings.items() if value is not None}

    def fetch(self, *types):
        """Read and apply the listings of `types`, by default of both types."""
        for resource_type in types or RESOURCE_TYPES:
            listing, _ = sync(self.engine, self.client, resource_type, **OPEN_GUARD)
            assert listing.verified, listing.problem

    def follow(self, *assets, sync_all=False, **options):
        """Bring the media side, or only `assets`, in step, and return the report. `options` replace settings."""
        settings = self.settings | prefixed(options)
        return follow(self.engine, *assets, client=self.client, sync_all=sync_all, **settings)

    def sync(self, **options):
        """Run one whole sync, and return the report of its media side."""
        self.fetch()
        return self.follow(**options)

    def execute(self, statement, **parameters):
        with self.engine.begin() as connection:
            connection.execute(text(statement), parameters)

    def members_asked(self):
        """Return key of a playlist → how often JWP was asked for its members."""
        asked = (request.path for request in self.simulator.requests if request.route == "members")
        return Counter(path.split("/playlists/")[1].split("/")[0] for path in asked)

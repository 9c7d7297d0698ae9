"""A database of media-webapp that has followed a simulated site for a while, and a record that is to take over."""

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from sqlalchemy import create_engine, text

from jwp_pipeline.database.connection import open_engine
from jwp_pipeline.database.migrate import migrate
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.media_webapp.importing import opened
from jwp_pipeline.media_webapp.source import open_source
from jwp_pipeline.simulator import Simulator
from jwp_pipeline_tests import golden
from jwp_pipeline_tests.support import Site, fresh_database, rows

_HERE = Path(__file__).parent
# Of this scenario, the last steps have everything: deletions, shared items, playlists.
STEPS = list(golden.steps("channels"))[-2:]


@dataclass
class Webapp:
    """A database of media-webapp."""

    url: str
    engine: object

    def execute(self, statement, **parameters):
        with self.engine.begin() as connection:
            return connection.execute(text(statement), parameters)

    def rows(self, query, **parameters):
        return rows(self.engine, query, **parameters)


def follow_steps(url, simulator, steps):
    """Fill a new database as media-webapp would have, while its site went through these steps of a scenario."""
    made = open_engine(url, "made")
    migrate(made, "made")
    with Site(made, simulator, create_items="sms") as site:
        for step, _ in steps:
            site.library.replace_all(step["videos"], step["channels"])
            site.sync(sync_all=step["options"].get("sync_all", False))
    made.dispose()
    with psycopg.connect(url) as connection:
        for name in ("tables", "filled"):
            connection.execute((_HERE / f"{name}.sql").read_text())


@contextmanager
def opened_webapp(url):
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    yield Webapp(url, engine)
    engine.dispose()


@pytest.fixture(scope="session")
def template(postgres_url):
    """The name of a database whose application has followed a small site, to be copied."""
    with fresh_database(postgres_url) as url:
        with Simulator() as simulator:
            follow_steps(url, simulator, STEPS)
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture
def webapp(template, postgres_url, simulator):
    """A copy of that database, and the site as it is now."""
    now, _ = STEPS[-1]
    simulator.library.replace_all(now["videos"], now["channels"])
    with fresh_database(postgres_url, template=template) as url, opened_webapp(url) as webapp:
        yield webapp


@pytest.fixture
def record(engine, simulator):
    """The site whose record takes over, by media-webapp's own rule of which videos have items."""
    with Site(engine, simulator, create_items="sms") as site:
        yield site


def import_into(record, webapp, *, dry_run=False):
    """Import, and return the plan."""
    options = MediaOptions.from_settings(record.effective())
    with open_source(webapp.url) as source, opened(record.engine, source, options, lease=None) as job:
        plan = job.plan()
        if not dry_run:
            done = job.carry_out(plan)
            assert done.tables == plan.tables
        return plan

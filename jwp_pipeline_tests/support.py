"""What tests of the mirror and of whole runs share: a cache to look into, a client that does not wait, plain videos."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from jwp_pipeline.database import history_tables, media_tables  # noqa: F401 - so that Base knows their tables
from jwp_pipeline.database.tables import Base
from jwp_pipeline.jwplatform import v1, v2
from jwp_pipeline.jwplatform.management import ClientOptions
from jwp_pipeline.jwplatform.pacing import Clock
from jwp_pipeline.mirror.apply import apply_newest
from jwp_pipeline.mirror.landing import read_listing
from jwp_pipeline.mirror.options import MirrorOptions

PROJECT = Path(__file__).parents[1]
SCHEMA = "jwp"
DEAD_PROXY = dict.fromkeys(
    ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"),
    "http://127.0.0.1:9",
)
"""An environment whose proxy does not answer."""


def empty(engine):
    """Empty all our tables."""
    names = ", ".join(table.name for table in Base.metadata.sorted_tables)
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {names} CASCADE"))


class ImpatientClock(Clock):
    """Real time, but instead of sleeping it jumps ahead."""

    def __init__(self):
        super().__init__()
        self._ahead = 0.0

    def monotonic(self):
        return super().monotonic() + self._ahead

    def sleep(self, seconds):
        self._ahead += seconds


@contextmanager
def jwplatform(simulator, api="v1", *, page_length=1000):
    """A client of the simulated site that never waits; after a minute of its clock it gives up."""
    options = ClientOptions(requests_per_minute=10_000, deadline=60.0)
    where = {"origin": simulator.url, "options": options, "clock": ImpatientClock()}
    make = {
        "v1": lambda: v1.ManagementV1(simulator.api_key, simulator.api_secret, **where),
        "v2": lambda: v2.ManagementV2(simulator.api_key, simulator.v2_secret, **where),
    }
    with pytest.MonkeyPatch.context() as patch:
        for module in (v1, v2):
            patch.setattr(module, "LARGEST_PAGE", page_length)
        client = make[api]()
        try:
            yield client
        finally:
            client.close()


def sync(engine, client, resource_type="video", **options):
    """One listing read and applied: (Listing, Applied)."""
    listing = read_listing(engine, client, resource_type)
    applied = apply_newest(engine, resource_type, options=MirrorOptions(**options), client=client)
    return listing, applied


def rows(engine, query, **parameters):
    """All rows of a query."""
    with engine.connect() as connection:
        return connection.execute(text(query), parameters).all()


def cache(engine, resource_type="video"):
    """Key → row of cached_resources."""
    query = "SELECT * FROM cached_resources WHERE type = :type"
    return {row.key: row for row in rows(engine, query, type=resource_type)}


def touched(engine):
    """Type and key → the transactions that wrote the row of cached_resources, and that locked it."""
    query = "SELECT type, key, xmin || ' ' || xmax AS touched_by FROM cached_resources"
    return {(row.type, row.key): row.touched_by for row in rows(engine, query)}


def live(engine, resource_type="video"):
    """Keys of the live rows."""
    return {key for key, row in cache(engine, resource_type).items() if row.deleted_at is None}


def video(key, **fields):
    """A small v1 video. Its date follows from its key, so that a listing by date has one order."""
    number = sum(ord(letter) << 8 * place for place, letter in enumerate(reversed(key[-3:])))
    return {"key": key, "title": f"Video {key}", "date": 1_000_000_000 + number, "updated": 1, "views": 0, **fields}


def videos(*numbers):
    """Videos with keys such as v0007 for each number."""
    return [video(f"v{number:04}") for number in numbers]


def wait_until(condition, seconds=30.0):
    """Return when it holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(0.02)


def bare_environment(**variables):
    """An environment with none of our settings but these."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH")
    return {name: os.environ[name] for name in kept if name in os.environ} | variables


@contextmanager
def python(code, *arguments, **environment):
    """A Python process that runs `code` in the project; killed at the end if it still lives."""
    command = [sys.executable, "-c", code, *arguments]
    path = os.pathsep.join([str(PROJECT), *filter(None, sys.path)])
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    environment = bare_environment(**{**environment, "PYTHONPATH": path})
    with subprocess.Popen(command, env=environment, text=True, cwd="/", **pipes) as process:
        try:
            yield process
        finally:
            process.kill()

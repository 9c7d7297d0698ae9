"""Fixtures that serve the receiver over real HTTP."""

from contextlib import contextmanager

import pytest
import requests
from sqlalchemy import text

from jwp_pipeline.commands.webhooks import receiving
from jwp_pipeline.settings import load_settings
from jwp_pipeline_tests.support import rows, settings_of, unset_all_settings
from jwp_pipeline_tests.webhooks.tokens import SECRET, bearer


class Served:
    """A receiver that listens."""

    def __init__(self, url, engine):
        self.url = url
        self.engine = engine

    def post(self, body, headers=None, path="", **more):
        """Send a body, signed unless other headers are given. Returns the answer."""
        headers = bearer(body) if headers is None else headers
        how = {"data": body} if isinstance(body, bytes) else {"json": body}
        return requests.post(self.url + path, headers=headers, timeout=30, **how, **more)

    def stored(self):
        return rows(self.engine, "SELECT * FROM jwp_events ORDER BY id")

    def execute(self, statement):
        with self.engine.begin() as connection:
            connection.execute(text(statement))


@pytest.fixture
def configured(simulator, tables_url, monkeypatch, tmp_path):
    """The settings of a site with a webhook, by field name; there are no others."""
    monkeypatch.chdir(tmp_path)
    unset_all_settings(monkeypatch)
    return {**settings_of(simulator, "v2"), "jwp_database_url": tables_url, "jwp_webhook_secrets": SECRET}


@pytest.fixture
def serve(engine, configured):
    """Return a context manager that serves a receiver with the settings of the site, and others that are given."""

    @contextmanager
    def serve(registry=None, **settings):
        with receiving(load_settings(**(configured | settings)), "127.0.0.1", 0, registry) as server:
            yield Served(server.url, engine)

    return serve


@pytest.fixture
def receiver(serve):
    with serve() as served:
        yield served

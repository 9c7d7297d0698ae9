"""Three sites in one deployment, for all tests of a module."""

from contextlib import contextmanager

import pytest

from jwp_pipeline_tests.deploy.sites import SITES, Sites, eventually
from jwp_pipeline_tests.support import fresh_database


@pytest.fixture(scope="module")
def deployed(postgres_url, tmp_path_factory):
    """Makes a deployment of three sites from compose files and starts its hub and code servers."""

    @contextmanager
    def make(*files, **settings):
        with fresh_database(postgres_url) as url:
            sites = Sites(tmp_path_factory.mktemp("deployment"), files, url, **settings)
            try:
                yield sites
            finally:
                sites.end()

    return make


def start_hub(sites):
    """Start the code servers, and then what all sites share."""
    for site in SITES:
        sites.start(site)
    # Dagster would find a code server that comes later, too, but only a minute afterwards.
    eventually(lambda: all(sites.listens(site, 4000) for site in SITES))
    for service in ("webserver", "daemon"):
        sites.start(service)


def wait_for_first_syncs(sites):
    """Wait until each site is in step for the first time, which its own sensors bring about."""
    eventually(lambda: all(sites.is_in_step(site) for site in SITES))

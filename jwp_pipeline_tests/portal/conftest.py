"""Fixtures with the example portal on a site whose record is edited."""

import pytest

from jwp_pipeline_tests.end_to_end.conftest import chromium  # noqa: F401 - a fixture
from jwp_pipeline_tests.outbox.site import EditedSite
from jwp_pipeline_tests.portal.site import portal_site


@pytest.fixture
def portal(engine, simulator):
    """The portal of a site that is mirrored by v2, where a playlist has members of its own."""
    with EditedSite(engine, simulator, "v2") as jwp, portal_site(jwp) as portal:
        yield portal


@pytest.fixture
def portal_of_either(engine, simulator, api):
    """The portal of a site that is mirrored by v1 and by v2 in turn."""
    with EditedSite(engine, simulator, api) as jwp, portal_site(jwp) as portal:
        yield portal

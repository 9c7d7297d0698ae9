"""Fixtures with the example portal on a site whose record is edited."""

import pytest

from jwp_pipeline_tests.outbox.site import edited_site
from jwp_pipeline_tests.portal.site import portal_site


@pytest.fixture
def portal(engine, simulator):
    """The portal of a site that is mirrored by v2, where a playlist has members of its own."""
    with edited_site(engine, simulator, "v2", create_items="all") as jwp, portal_site(jwp) as portal:
        yield portal


@pytest.fixture
def portal_of_either(engine, simulator, api):
    """The portal of a site that is mirrored by v1 and by v2 in turn."""
    with edited_site(engine, simulator, api, create_items="all") as jwp, portal_site(jwp) as portal:
        yield portal

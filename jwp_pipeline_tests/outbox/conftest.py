"""A fixture with a site whose record is edited."""

import pytest

from jwp_pipeline_tests.outbox.site import EditedSite


@pytest.fixture
def jwp(engine, simulator, api):
    with EditedSite(engine, simulator, api, create_items="all") as jwp:
        yield jwp

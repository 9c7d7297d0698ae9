"""A fixture with a site whose record is edited."""

import pytest

from jwp_pipeline_tests.outbox.site import edited_site


@pytest.fixture
def jwp(engine, simulator, api):
    with edited_site(engine, simulator, api, create_items="all") as jwp:
        yield jwp

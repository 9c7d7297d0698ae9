"""A fixture with a simulated site and the media side that follows it."""

import pytest

from jwp_pipeline_tests.support import Site


@pytest.fixture
def jwp(engine, simulator):
    with Site(engine, simulator, create_items="sms") as jwp:
        yield jwp

"""A fixture with a simulated site and the media side that follows it."""

import pytest

from jwp_pipeline_tests.media.site import site


@pytest.fixture
def jwp(engine, simulator):
    with site(engine, simulator) as jwp:
        yield jwp

"""Fixtures and helpers for listings with small pages, and for libraries that change between two pages."""

import pytest

from jwp_pipeline.simulator import Fault
from jwp_pipeline_tests.support import jwplatform, video, videos

PAGE = 5


@pytest.fixture
def twelve_videos(simulator):
    """The simulated site with 12 videos."""
    simulator.library.replace_all(videos(*range(12)), [])
    return simulator


@pytest.fixture
def client(simulator, api):
    """A client of each API that reads five resources per page."""
    with jwplatform(simulator, api, page_length=PAGE) as client:
        yield client


def swap(removed, uploaded):
    """Make a fault that removes one video and adds another between two pages.

    The total stays the same, but the videos after the removed one move up by one place.
    """

    def edit(library):
        library.remove("video", removed)
        library.put("video", video(uploaded))

    return Fault.edit(edit)

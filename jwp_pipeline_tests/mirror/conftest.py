"""Small pages, and libraries that move between them."""

import pytest

from jwp_pipeline.simulator import Fault
from jwp_pipeline_tests.support import jwplatform, video, videos

PAGE = 5


@pytest.fixture
def twelve_videos(simulator):
    """The site, with 12 videos."""
    simulator.library.replace_all(videos(*range(12)), [])
    return simulator


@pytest.fixture
def client(simulator, api):
    """A client of each API that reads five a page."""
    with jwplatform(simulator, api, page_length=PAGE) as client:
        yield client


def swap(removed, uploaded):
    """One is removed and one uploaded between two pages: the totals stay, the rest moves up by one."""

    def edit(library):
        library.remove("video", removed)
        library.put("video", video(uploaded))

    return Fault.edit(edit)

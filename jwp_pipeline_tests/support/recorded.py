"""The recorded answers of JW Platform. They are beside the checkout and not in it, so tests skip without them."""

import pytest

from jwp_pipeline_tests.support.processes import PROJECT

RECORDED = PROJECT.parent / "shared" / "recorded"
"""A folder with one file for each answer, such as v1-videos-list.json."""

needs_recorded = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded answers are not beside the checkout")

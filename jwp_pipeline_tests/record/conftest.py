"""A synced record of a simulated site, and the settings with which an application opens it."""

import pytest

from jwp_pipeline.settings import load_settings
from jwp_pipeline_tests.support import Site, channel, set_only, video

PUBLISHED = {"date": 1_600_000_000, "duration": "60.0", "status": "ready"}


@pytest.fixture
def settings(simulator, tables_url, monkeypatch, tmp_path):
    """The settings of the simulated site and its record, as an application reads them."""
    monkeypatch.chdir(tmp_path)
    set_only(monkeypatch, simulator.environment() | {"JWP_DATABASE_URL": tables_url})
    return load_settings()


@pytest.fixture
def jwp(engine, simulator, settings):
    """A synced site with items for everybody, for abc1 and for a group, one of the future, and one not ready yet."""
    with Site(engine, simulator) as jwp:
        jwp.library.replace_all(
            [
                video("public01", 1, acl="WORLD", title="Public lecture", **PUBLISHED),
                video("named001", 2, acl="USER_abc1", title="Private lecture", **PUBLISHED),
                video("grouped1", 3, acl="GROUP_101888", title="Group lecture", **PUBLISHED),
                video("future01", 4, acl="WORLD", title="Future lecture", **PUBLISHED | {"date": 4_000_000_000}),
                video("waiting1", 5, acl="WORLD", title="Waiting lecture", **PUBLISHED | {"status": "processing"}),
            ],
            [channel("channel1", 1, media_ids=[3, 1, 2, 1])],
        )
        jwp.sync()
        yield jwp

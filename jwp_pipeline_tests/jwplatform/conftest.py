"""A clock that does not wait, clients of a scripted JW Platform, and what such a script answers."""

import pytest

from jwp_pipeline.jwplatform.management import ClientOptions
from jwp_pipeline.jwplatform.pacing import Clock
from jwp_pipeline.jwplatform.v1 import ManagementV1
from jwp_pipeline.jwplatform.v2 import ManagementV2
from jwp_pipeline.jwplatform.writing_v1 import WritingV1
from jwp_pipeline.jwplatform.writing_v2 import WritingV2
from jwp_pipeline_tests.support.http import Script, answer, send, serve
from jwp_pipeline_tests.support.recorded import RECORDED

__all__ = ["KEY", "SECRET", "answer", "send", "v1_videos", "v2_media"]

KEY = "AbCd1234"
SECRET = "s3cretOfThisSite0123456789"


class FakeClock(Clock):
    """Time that passes only in sleeps; it starts at second 20 of a minute."""

    def __init__(self):
        super().__init__()
        self.now = 1_700_000_000.0
        self.slept = []

    def monotonic(self):
        return self.now

    def time(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def v1_videos(*keys, total=None, **more):
    return answer(
        200,
        {"status": "ok", "videos": [{"key": k} for k in keys], "total": len(keys) if total is None else total, **more},
    )


def v2_media(*ids, total=None, **more):
    return answer(
        200, {"page": 1, "media": [{"id": i} for i in ids], "total": len(ids) if total is None else total, **more}
    )


@pytest.fixture
def script():
    with serve(Script()) as script:
        yield script


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def make_v1(script, clock):
    def make(**options):
        return ManagementV1(KEY, SECRET, origin=script.url, options=ClientOptions(**options), clock=clock)

    return make


@pytest.fixture
def make_v2(script, clock):
    def make(**options):
        return ManagementV2(KEY, SECRET, origin=script.url, options=ClientOptions(**options), clock=clock)

    return make


@pytest.fixture
def make_client(api, make_v1, make_v2):
    """A function that makes a client of each API in turn."""
    return {"v1": make_v1, "v2": make_v2}[api]


@pytest.fixture
def make_writer(api, script, clock):
    """A function that makes a writing client of each API in turn."""

    def make(**options):
        client = WritingV1 if api == "v1" else WritingV2
        return client(KEY, SECRET, origin=script.url, options=ClientOptions(**options), clock=clock)

    return make


@pytest.fixture
def recorded():
    """Text of a recorded answer, by file name."""
    if not RECORDED.is_dir():
        pytest.skip(f"{RECORDED.name}: the recorded answers of JW Platform are not beside this checkout")
    return lambda name: (RECORDED / name).read_text()

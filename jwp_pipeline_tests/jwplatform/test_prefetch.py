"""Reading ahead changes nothing but the time it takes, and leaves no thread behind."""

import threading
import time
from contextlib import closing

import pytest

from jwp_pipeline.jwplatform.prefetch import prefetched


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "prefetch"]


@pytest.fixture(autouse=True)
def _no_thread_is_left():
    yield
    assert not threads()


@pytest.mark.parametrize("ahead", [1, 3])
def test_the_same_elements_and_the_error_after_them(ahead):
    def source():
        yield from range(5)
        raise ValueError("at the sixth")

    got = []
    with pytest.raises(ValueError, match="at the sixth"):
        got.extend(prefetched(source(), ahead))
    assert got == list(range(5))
    assert list(prefetched(iter([]), ahead)) == []


@pytest.mark.parametrize("ahead", [1, 2])
def test_at_most_so_many_ahead(ahead):
    made = []

    def source():
        for number in range(10):
            made.append(number)
            yield number

    for value in prefetched(source(), ahead):
        time.sleep(0.01)
        assert len(made) <= value + 1 + ahead
    assert made == list(range(10))


def test_fetching_and_storing_overlap():
    def source():
        for number in range(5):
            time.sleep(0.05)
            yield number

    began = time.monotonic()
    for _ in prefetched(source()):
        time.sleep(0.05)
    assert time.monotonic() - began < 0.4  # 0.5 one after the other


def test_an_abandoned_reader_ends_the_thread_and_the_source():
    ended = []

    def source():
        try:
            yield from range(1000)
        finally:
            ended.append(threading.current_thread().name)

    with closing(prefetched(source(), 2)) as values:
        assert next(values) == 0
    assert ended == ["prefetch"]
    # Nor need it be closed: letting go of it is enough.
    values = prefetched(source())
    next(values)
    del values
    assert len(ended) == 2


def test_a_failing_reader_ends_the_thread():
    with pytest.raises(ZeroDivisionError), closing(prefetched(iter(range(1000)))) as values:
        sum(1 / value for value in values)

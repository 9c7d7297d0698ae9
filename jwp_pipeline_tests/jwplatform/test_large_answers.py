"""An oversized answer, compressed or not, is given up at the limit and reported, and never held in memory."""

import gzip
import tracemalloc

import pytest

from jwp_pipeline.errors import AnswerTooLarge
from jwp_pipeline.jwplatform import wire
from jwp_pipeline_tests.jwplatform.conftest import answer

BOUND = 2 * 2**20


@pytest.fixture(autouse=True)
def _small_bound(monkeypatch):
    monkeypatch.setattr(wire, "MOST_BYTES", BOUND)


def test_a_compressed_bomb_is_not_unpacked(script, make_v1, clock):
    packed = gzip.compress(b'{"status": "ok", "video": "' + b" " * (200 * 2**20) + b'"}', 9)
    assert len(packed) < 300_000
    script.answers = [answer(200, packed, Content_Encoding="gzip")]
    client = make_v1()
    tracemalloc.start()
    with pytest.raises(AnswerTooLarge) as raised:
        client.show("video", "AbCd1234")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert str(raised.value).startswith("Showing video AbCd1234: 127.0.0.1:")
    assert "HTTP 200 with more than 2.0 MB (packed with gzip: " in str(raised.value)
    assert peak < 8 * BOUND
    assert (len(script.requests), clock.slept) == (1, []), "asking again would not help"


def test_the_message_names_the_announced_size(script, make_v2):
    script.answers = [answer(200, b"[" + b"1," * BOUND)]
    with pytest.raises(AnswerTooLarge, match=r"more than 2\.0 MB of 4\.0 MB announced"):
        make_v2().show("video", "AbCd1234")


def test_an_endless_answer_is_given_up(script, make_v2):
    def endless(handler):
        handler.wfile.write(b"HTTP/1.1 503 Away\r\nConnection: close\r\n\r\n")
        try:
            while True:
                handler.wfile.write(b" " * 65536)
        except OSError:
            pass

    script.answers = [endless]
    with pytest.raises(AnswerTooLarge, match=r"HTTP 503 with more than 2\.0 MB\. No page"):
        make_v2().probe("video")

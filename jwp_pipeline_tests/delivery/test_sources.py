"""The sources of a video are read from JW Platform's answer; every failure is one error, without a token in it."""

import json
import logging
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwp_pipeline.delivery import Source, get_sources
from jwp_pipeline.delivery.sources import read_sources
from jwp_pipeline.errors import DeliveryRefused, DeliveryUnreachable, DeliveryUnreadable, NoPlaylist
from jwp_pipeline.settings import load_settings
from jwp_pipeline_tests.support.http import Script, answer, serve

RECORDED = {
    "title": "A talk",
    "playlist": [
        {
            "mediaid": "AbCd1234",
            "sources": [
                {"type": "application/vnd.apple.mpegurl", "file": "https://x/m.m3u8?exp=1&sig=2"},
                {
                    "type": "video/mp4",
                    "file": "https://x/v.mp4?exp=1&sig=2",
                    "width": 320,
                    "height": 180,
                    "label": "H.264",
                },
                {"type": "audio/mp4", "file": "https://x/a.m4a?exp=1&sig=2", "width": "320", "height": None},
            ],
        }
    ],
}
SOURCES = [
    Source("application/vnd.apple.mpegurl", "https://x/m.m3u8?exp=1&sig=2"),
    Source("video/mp4", "https://x/v.mp4?exp=1&sig=2", 320, 180),
    Source("audio/mp4", "https://x/a.m4a?exp=1&sig=2"),
]


@pytest.fixture
def script():
    with serve(Script()) as script:
        yield script


def ask(script, *answers, **options):
    script.answers = list(answers)
    settings = load_settings(
        jwplatform_api_key="DemoSite", jwplatform_api_secret="demoSecret", jwplatform_api_base_url=script.url
    )
    return get_sources("AbCd1234", settings=settings, **options)


def test_sources_come_in_jw_platforms_order_by_one_request(script):
    assert ask(script, answer(200, RECORDED), now=1_600_000_000) == SOURCES
    [path] = script.requests
    assert path.startswith("/v2/media/AbCd1234?token=")
    assert path.endswith("&format=json")
    assert "sig=" not in repr(SOURCES)


def test_a_video_that_is_missing_or_being_transcoded_has_no_sources(script, caplog):
    caplog.set_level(logging.INFO)
    assert ask(script, answer(404, {"message": "no"})) == []
    assert "AbCd1234" in caplog.text
    assert "token" not in caplog.text


def test_a_source_without_a_type_or_a_file_is_left_out_and_logged(caplog):
    bad = [{"file": "https://x/secret"}, {"type": "video/mp4"}, {"type": 1, "file": "https://x/secret"}, None, "x"]
    document = {"playlist": [{"sources": [*bad, {"type": "video/mp4", "file": "https://x/v.mp4"}]}]}
    assert read_sources(document, "AbCd1234") == [Source("video/mp4", "https://x/v.mp4")]
    assert len(caplog.records) == len(bad)
    assert "secret" not in caplog.text


ERRORS = {
    "forbidden": (answer(403), DeliveryRefused, "HTTP 403"),
    "broken": (answer(500), DeliveryRefused, "HTTP 500"),
    "redirected": (answer(302, Location="http://127.0.0.1:9/"), DeliveryRefused, "HTTP 302"),
    "html": (answer(200, "<html>"), DeliveryUnreadable, "not JSON"),
    "empty": (answer(200, ""), DeliveryUnreadable, "not JSON"),
    "deep": (answer(200, "[" * 100_000), DeliveryUnreadable, "not JSON"),
    "list": (answer(200, []), NoPlaylist, "no playlist"),
    "no playlist": (answer(200, {"title": "x"}), NoPlaylist, "no playlist"),
    "empty playlist": (answer(200, {"playlist": []}), NoPlaylist, "no playlist"),
    "odd playlist": (answer(200, {"playlist": [7]}), NoPlaylist, "no playlist"),
    "large": (answer(200, " " * (4 * 2**20 + 1)), DeliveryUnreachable, "larger than"),
    "dropped": (lambda handler: handler.connection.close(), DeliveryUnreachable, "the connection failed or broke"),
    "slow": (lambda handler: time.sleep(1.2), DeliveryUnreachable, "no answer within 0.5 s"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_each_failure_is_one_error_that_names_the_video_and_no_token(script, caplog, name):
    caplog.set_level(logging.DEBUG)
    given_answer, error, message = ERRORS[name]
    with pytest.raises(error, match=message) as failure:
        ask(script, given_answer, seconds=0.5)
    assert "AbCd1234" in str(failure.value)
    for text in (str(failure.value), repr(failure.value.__cause__), caplog.text):
        assert "token=" not in text
        assert "demoSecret" not in text
    assert failure.value.runbook == "delivery"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["playlist", "sources", "type", "file", "width", "height", "x"]), inner, max_size=4
        )
    ),
)


@given(json_values | st.builds(lambda sources: {"playlist": [{"sources": sources}]}, json_values))
def test_any_document_gives_sources_or_has_no_playlist(document):
    try:
        sources = read_sources(document, "k")
    except NoPlaylist:
        return
    for source in sources:
        assert source.mime_type
        assert source.url
        assert all(pixels is None or type(pixels) is int for pixels in (source.width, source.height))
    json.dumps([repr(source) for source in sources])

"""JWP's own client works with the simulator as with JW Platform."""

import http.client
from contextlib import closing, contextmanager

import pytest
from jwplatform.client import JWPlatformClient
from jwplatform.errors import APIError, NotFoundError
from jwplatform.v1 import errors

from jwp_pipeline.simulator import Simulator, demo_library
from jwp_pipeline_tests.simulator import wire


@pytest.fixture(scope="module")
def sim():
    with Simulator(demo_library(videos=120, channels=4)) as simulator:
        yield simulator


@contextmanager
def v1_client(sim, secret=None):
    client = wire.v1_client(sim, secret)
    with client._connection:
        yield client


@contextmanager
def v2_client(sim, secret):
    client = JWPlatformClient(secret=secret)
    # The client supports HTTPS only, so give it a plain HTTP connection.
    client._connection = http.client.HTTPConnection("127.0.0.1", sim.port)
    with closing(client._connection):
        yield client


def test_v1_client_reads_pages_shows_and_members(sim):
    with v1_client(sim) as client:
        listed = []
        while page := client.videos.list(result_limit=50, result_offset=len(listed))["videos"]:
            listed += page
        assert [video["key"] for video in listed] == sim.library.keys("video")
        key = listed[0]["key"]
        assert client.videos.show(video_key=key)["video"]["title"] == listed[0]["title"]
        sms_id = sim.library.get("video", key)["custom"]["sms_media_id"]
        found = client.videos.list(**{"search:custom.sms_media_id": sms_id})
        assert [video["key"] for video in found["videos"]] == [key]

        manual = client.channels.list(types_filter="manual")
        assert manual["total"] == 4
        first = manual["channels"][0]["key"]
        members = client.channels.videos.list(http_method="POST", channel_key=first)
        assert [video["key"] for video in members["videos"]] == sim.library.members(first)


def test_v1_client_sees_v1s_own_errors(sim):
    with v1_client(sim) as client, v1_client(sim, secret="wrong") as stranger:
        with pytest.raises(errors.JWPlatformNotFoundError):
            client.videos.show(video_key="nothere0")
        with pytest.raises(errors.JWPlatformParameterMissingError):
            client.videos.show()
        with pytest.raises(errors.JWPlatformSignatureInvalidError):
            stranger.videos.list()


def test_v2_client_reads_pages_and_resources(sim):
    with v2_client(sim, sim.v2_secret) as client:
        pages = [client.Media.list(sim.api_key, {"page": page, "page_length": 50}) for page in (1, 2, 3, 4)]
        assert [len(page) for page in pages] == [50, 50, 20, 0]
        ids = {media["id"] for page in pages for media in page}
        assert ids == set(sim.library.keys("video"))
        shown = client.Media.get(sim.api_key, media_id=min(ids)).json_body
        assert shown["metadata"]["title"] == sim.library.get("video", shown["id"])["title"]
        manual = sim.library.keys("channel")[-1]
        listed = client.Playlist.ManualPlaylist.get(sim.api_key, playlist_id=manual).json_body
        assert listed["metadata"]["media_filter"]["include"]["values"] == sim.library.members(manual)


def test_v2_client_sees_v2s_own_errors(sim):
    with v2_client(sim, sim.v2_secret) as client, v2_client(sim, "wrong") as stranger:
        with pytest.raises(NotFoundError):
            client.Media.get(sim.api_key, media_id="nothere0")
        with pytest.raises(APIError) as refused:
            stranger.Media.list(sim.api_key)
        assert refused.value.response.status == 403

"""Against the simulator: the same objects as the vendor's own clients get, and big listings whole."""

import http.client
from collections import Counter

import pytest
from jwplatform.client import JWPlatformClient
from jwplatform.v1 import Client as VendorV1

from jwp_pipeline.errors import MalformedAnswer
from jwp_pipeline.simulator import Behaviour, Simulator, bulk_library, demo_library
from jwp_pipeline_tests.jwplatform.conftest import v2_media
from jwp_pipeline_tests.support import client_of


def listed(client, resource_type):
    return [item for page in client.list_pages(resource_type) for item in page.items]


def test_the_vendors_v1_client_gets_the_same():
    with Simulator(demo_library(videos=30, channels=6)) as sim:
        vendor = VendorV1(sim.api_key, sim.api_secret, scheme="http", host="127.0.0.1", port=sim.port)
        ours = client_of(sim, "v1")
        assert listed(ours, "video") == vendor.videos.list(result_limit=1000, order_by="date:asc")["videos"]
        channels = listed(ours, "channel")
        assert channels == vendor.channels.list(types_filter="manual", result_limit=1000)["channels"]
        key = channels[0]["key"]
        assert ours.show("channel", key) == vendor.channels.show(channel_key=key)["channel"]
        members = vendor.channels.videos.list(channel_key=key, result_limit=1000)["videos"]
        assert ours.members(key) == [video["key"] for video in members]


def test_the_vendors_v2_client_gets_the_same():
    with Simulator(demo_library(videos=30, channels=6)) as sim:
        vendor = JWPlatformClient(sim.v2_secret)
        vendor._connection = http.client.HTTPConnection("127.0.0.1", sim.port)
        ours = client_of(sim, "v2")
        page = {"page_length": 1000, "sort": "created:asc"}
        media = vendor.Media.list(site_id=sim.api_key, query_params=page).json_body["media"]
        assert listed(ours, "video") == media
        shown = vendor.Media.get(site_id=sim.api_key, media_id=media[0]["id"])
        assert ours.show("video", media[0]["id"]) == shown.json_body
        # The vendor's playlist methods leave the site out of the path; its plain request does not.
        playlists = vendor.request("GET", f"/v2/sites/{sim.api_key}/playlists/", query_params=page).json_body
        manual = [one for one in playlists["playlists"] if one["playlist_type"] == "manual"]
        assert listed(ours, "channel") == manual
        assert ours.members(manual[0]["id"]) == sim.library.members(manual[0]["id"])


@pytest.mark.parametrize(("size", "capped"), [(25_000, False), (12_000, True)], ids=["true total", "capped total"])
def test_a_library_beyond_v2s_window_is_listed_whole(size, capped):
    behaviour = Behaviour(unstable_ties=True, total_is_capped=capped, past_window="error")
    with Simulator(bulk_library(size, channels=3, bytes_per_video=400), behaviour) as sim:
        client = client_of(sim, "v2")
        pages = list(client.list_pages("video"))
        counts = Counter(item["id"] for page in pages for item in page.items)
        assert counts == dict.fromkeys(sim.library.keys("video"), 1)
        assert client.stats.requests <= size / 1000 + 6
        # What the reader needs to prove it: each stretch full, and their sum the whole.
        totals = {page.stretch: page.stretch_total for page in pages}
        assert sum(totals.values()) == pages[-1].listing_total == size
        assert [page.number for page in pages] == list(range(1, len(pages) + 1))
        found = Counter(page.stretch for page in pages for _ in page.items)
        assert found == totals


def test_ten_thousand_playlists_are_cut_with_their_filter():
    library = bulk_library(0, channels=10_500)
    library.put("channel", {"key": "dynaBBBB", "title": "Newest", "type": "dynamic", "custom": {}})
    with Simulator(library) as sim:
        ids = [item["id"] for item in listed(client_of(sim, "v2"), "channel")]
        assert sorted(ids) == sorted(set(library.keys("channel")) - {"dynaBBBB"})


def test_ranges_that_miss_something_show_in_the_total():
    """An id that lies in no range: the last page tells a whole that is more than its stretches."""
    library = bulk_library(10_200, channels=0, bytes_per_video=300)
    library.put("video", {"key": "~oddkey~", "title": "Elsewhere", "date": 1, "updated": 1, "custom": {}})
    with Simulator(library) as sim:
        pages = list(client_of(sim, "v2").list_pages("video"))
        assert sum({page.stretch: page.stretch_total for page in pages}.values()) == 10_200
        assert pages[-1].listing_total == 10_201


def test_ranges_compared_in_another_order_are_refused(script, make_v2):
    """A server that takes upper and lower case for the same would repeat ids, and leave others out."""
    script.answers = [v2_media("AbCd1234", total=20_000), v2_media("0bCd1234", "zzCd1234")]
    with pytest.raises(MalformedAnswer, match="range of ids"):
        list(make_v2().list_pages("video"))

"""A site may take only shorter pages than we would like: they are found, remembered, and nothing is lost by it."""

import pytest

from jwp_pipeline.errors import RequestRefused
from jwp_pipeline.jwplatform import wire
from jwp_pipeline.jwplatform.connect import connect
from jwp_pipeline.mirror.landing import read_listing
from jwp_pipeline.settings import load_settings
from jwp_pipeline.simulator import Behaviour, Simulator, bulk_library
from jwp_pipeline_tests.jwplatform.conftest import answer, send, v1_videos, v2_media
from jwp_pipeline_tests.support import client_of, settings_of

LENGTH = {"v1": "result_limit", "v2": "page_length"}


def refusing_more_than(length):
    return Behaviour(max_page_length=length, longer_pages="refused")


def lengths(sim, api):
    return [int(request.params[LENGTH[api]]) for request in sim.requests if LENGTH[api] in request.params]


def test_shorter_pages_are_tried_and_what_worked_is_kept(api):
    with Simulator(bulk_library(620, channels=3, bytes_per_video=300), refusing_more_than(250)) as sim:
        reader = client_of(sim, api)
        pages = list(reader.list_pages("video"))
        assert sorted(key for page in pages for key in keys(page, api)) == sorted(sim.library.keys("video"))
        assert [page.page_length for page in pages] == [250, 250, 250]
        assert lengths(sim, api) == [1000, 500, 250, 250, 250]
        sim.forget_requests()
        list(reader.list_pages("video"))
        assert lengths(sim, api) == [250, 250, 250]
        # Each route may have a maximum of its own.
        sim.forget_requests()
        list(reader.list_pages("channel"))
        assert lengths(sim, api) == [1000, 500, 250]


def test_a_listing_of_short_pages_proves_complete_also_in_ranges(engine, api):
    with Simulator(bulk_library(10_300, channels=0, bytes_per_video=200), refusing_more_than(250)) as sim:
        listing = read_listing(engine, client_of(sim, api), "video")
    assert (listing.status, listing.problem, listing.key_count) == ("verified", None, 10_300)
    assert listing.page_count >= 42


def test_a_400_for_another_reason_is_raised_unchanged(script, make_client, api):
    reasons = iter(range(10))
    refusal = {"status": "error", "code": "ParameterInvalid", "errors": [{"code": "invalid", "description": ""}]}

    def refuse(handler):
        body = answer(400, refusal | {"message": f"order_by, reason {next(reasons)}"})[1]
        send(handler, 400, body)

    script.answers = [refuse]
    reader = make_client()
    with pytest.raises(RequestRefused, match=r"page 1: JW Platform answers HTTP 400, ParameterInvalid.*reason 0"):
        list(reader.list_pages("video"))
    assert len(script.requests) == 5
    # Nor is it taken for the length where that has been taken before.
    good = v1_videos("a") if api == "v1" else v2_media("a")
    script.answers = [good, refuse]
    list(reader.list_pages("video"))
    script.requests.clear()
    with pytest.raises(RequestRefused):
        list(reader.list_pages("video"))
    assert len(script.requests) == 1


def test_a_page_too_large_to_read_is_read_in_shorter_ones(monkeypatch, api):
    with Simulator(bulk_library(900, channels=0, bytes_per_video=2000)) as sim:
        monkeypatch.setattr(wire, "MOST_BYTES", 1_000_000)
        pages = list(client_of(sim, api).list_pages("video"))
        assert sum(len(page.items) for page in pages) == 900
        assert lengths(sim, api)[:3] == [1000, 500, 250]


def test_the_clients_of_a_process_share_what_they_learn():
    with Simulator(bulk_library(300, channels=0, bytes_per_video=300), refusing_more_than(100)) as sim:
        settings = load_settings(**settings_of(sim, "v2"))
        for _ in range(2):
            sim.forget_requests()
            reader = connect(settings)
            list(reader.list_pages("video"))
            reader.close()
        assert lengths(sim, "v2") == [100, 100, 100]


def keys(page, api):
    return [item["key" if api == "v1" else "id"] for item in page.items]

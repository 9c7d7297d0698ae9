"""Check items_play tries a few items over HTTP, names those that do not play, and never fails or delays a sync."""

import time

import pytest

from jwp_pipeline.simulator import Fault
from jwp_pipeline_tests.support import video


def play(site, **settings):
    """Sync, and return the result of the check; the sync itself must succeed."""
    site.settings = site.settings | settings
    result = site.run("sync")
    assert result.success
    (check,) = [check for check in result.get_asset_check_evaluations() if check.check_name == "items_play"]
    return check


def ready(key, sms_media_id, **fields):
    return video(key, sms_media_id, **{"date": 1_600_000_000, "duration": "60.0", "status": "ready", **fields})


def asked(site):
    return [request.route for request in site.simulator.requests if request.api == "delivery"]


@pytest.fixture
def library(site):
    site.library.replace_all([ready(f"v{number}", number) for number in range(1, 9)], [])
    return site.library


@pytest.mark.usefixtures("library")
def test_a_sample_of_the_items_plays(site):
    check = play(site)
    assert check.passed
    assert check.description == "Each of 5 items plays."
    assert sorted(asked(site)) == ["player"] * 5 + ["sources"] * 5
    assert {request.status for request in site.simulator.requests if request.api == "delivery"} == {200}


def test_the_sample_is_the_same_all_day(site, library):
    def sampled():
        site.simulator.forget_requests()
        play(site)
        return {request.path for request in site.simulator.requests if request.route == "sources"}

    assert sampled() == sampled()
    assert len(library.keys("video")) > 5


@pytest.mark.usefixtures("library")
def test_items_that_do_not_play_are_named_without_their_urls(site):
    site.simulator.faults.add(Fault.status(403), route="player", times=1)
    site.simulator.faults.add(Fault.status(404), route="sources", times=1)
    site.simulator.faults.add(Fault.status(503), route="sources", times=1, nth=2)
    check = play(site)
    assert not check.passed
    assert check.severity.value == "WARN"
    assert check.description.startswith("3 of 5 items do not play: ")
    assert "its player: JW Platform answers HTTP 403" in check.description
    assert "it has no sources, though JW Platform says that it is ready" in check.description
    assert "HTTP 503" in check.description
    assert "docs/runbook/delivery.md" in check.description
    assert len(check.metadata["unplayable"].value) == 3
    for secret in ("sig=", "token=", "exp=", "http://", site.simulator.api_secret):
        assert secret not in check.description


@pytest.mark.usefixtures("library")
def test_a_delivery_api_that_hangs_costs_no_more_than_the_time_allowed(site):
    site.simulator.faults.add(Fault.latency(30), api="delivery", times=None)
    started = time.monotonic()
    check = play(site, jwp_delivery_check_seconds="1")
    assert time.monotonic() - started < 8
    assert not check.passed
    assert "there was no answer within" in check.description


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    "settings", [{"jwp_delivery_check_items": "0"}, {"jwplatform_embed_player_key": ""}], ids=["off", "no player"]
)
def test_nothing_is_tried_when_it_is_off_or_there_is_no_player(site, settings):
    site.settings = site.settings | settings
    result = site.run("media_sync")
    (check,) = [check for check in result.get_asset_check_evaluations() if check.check_name == "items_play"]
    assert check.passed
    assert check.description.startswith("Nothing was tried")
    assert asked(site) == []


def test_items_that_nobody_may_view_are_not_tried(site):
    site.library.replace_all([ready("a", 1, acl=""), ready("b", 2, status="processing")], [])
    assert play(site).description == "Each of 0 items plays."
    assert asked(site) == []

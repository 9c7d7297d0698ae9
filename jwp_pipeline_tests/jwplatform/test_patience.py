"""A run without one usable answer ends in time, however much it asks; one that goes forward does not."""

import pytest

from jwp_pipeline.errors import MalformedAnswer, RateLimited
from jwp_pipeline.jwplatform.patience import LAST_CHANCE, Patience
from jwp_pipeline_tests.jwplatform.conftest import answer, v2_media

AWAY = answer(503, "")


def test_all_clients_of_a_run_give_up_together(script, make_v1, make_v2, clock):
    script.answers = [AWAY]
    patience, began = Patience(300), clock.now
    with pytest.raises(MalformedAnswer, match=r":\d+ has sent nothing usable .*JWP_DEADLINE_MINUTES.* is 5\.\)"):
        make_v1(patience=patience).probe("video")
    assert 200 < clock.now - began <= 300
    for make in (make_v1, make_v2):
        before = clock.now
        with pytest.raises(MalformedAnswer):
            list(make(patience=patience).list_pages("channel"))
        assert clock.now - before <= LAST_CHANCE


def test_a_usable_answer_begins_the_time_anew(script, make_v2, clock):
    patience, began = Patience(60), clock.now
    pages = [v2_media(f"{number}", total=20, page_length=1) for number in range(20)]
    script.answers = [each for page in pages for each in (answer(429, "", Retry_After=30), page)]
    client = make_v2(patience=patience, deadline=60)
    assert len(list(client.list_pages("video"))) == 20
    assert clock.now - began >= 20 * 30
    script.answers = [AWAY]
    before = clock.now
    with pytest.raises(MalformedAnswer):
        client.probe("video")
    assert clock.now - before > 20


def test_waiting_for_the_rate_limit_does_not_use_up_patience(script, make_v2, clock):
    script.answers = [v2_media("a")]
    client = make_v2(patience=Patience(5), requests_per_minute=1)
    for _ in range(3):
        client.probe("video")
    assert sum(clock.slept) >= 120


def test_a_wait_longer_than_the_patience_is_not_waited(script, make_v2, clock):
    script.answers = [answer(429, "", Retry_After=400)]
    patience = Patience(300)
    for _ in range(2):
        with pytest.raises(RateLimited, match=r"asks to wait 400 s more, and JWP_DEADLINE_MINUTES is 5\.\)"):
            make_v2(patience=patience).probe("video")
    assert clock.slept == []


def test_every_notice_names_the_host_and_how_long_it_goes_on(script, make_v2, clock):
    told = []
    script.answers = [AWAY]
    client = make_v2(patience=Patience(120), deadline=120, on_wait=told.append, requests_per_minute=2)
    with pytest.raises(MalformedAnswer):
        client.probe("video")
    assert len(told) > 3
    assert {notice.host for notice in told} == {script.url.removeprefix("http://")}
    left = [notice.seconds_left for notice in told]
    assert left == sorted(left, reverse=True)
    assert 100 < left[0] <= 120
    script.answers = [v2_media("a")]
    told.clear()
    client.probe("video")
    assert [notice.seconds_left for notice in told] == [None] * len(told)

import time

import pytest
import requests

from jwp_pipeline.simulator import Behaviour, Library, Simulator
from jwp_pipeline.simulator.v1_signature import signature
from jwp_pipeline_tests.simulator.wire import TIMEOUT, v1, v1_keys, v1_params
from jwp_pipeline_tests.support import channel, video


@pytest.fixture(scope="module")
def sim():
    videos = [
        video("aaaa", title="Physics, part 1", updated=300, mediatype="audio", duration="9.50", tags="x, y"),
        video("bbbb", title="Physics, part 2", updated=100, status="processing", duration="10.00", tags="y"),
        video("cccc", title="Chemistry", updated=300, custom={"sms_media_id": "media:12:"}, tags=None),
        video("dddd", title="Démo a~b*c", updated=200, custom={"sms_media_id": "media:112:"}),
    ]
    with Simulator(Library(videos, [channel("manu"), channel("dyna", type="dynamic")])) as simulator:
        yield simulator


def get(sim, params):
    return requests.get(f"{sim.url}/v1/videos/list", params=params, timeout=TIMEOUT)


def test_the_signature_of_a_known_text_is_as_expected():
    text = (
        "api_format=json&api_key=demoKey1&api_nonce=00012345&api_timestamp=1600000000&result_limit=2"
        "&search%3Acustom.sms_media_id=media%3A12%3A&text=d%C3%A9mo%20a~b%2Ac"
    )
    params = [tuple(map(requests.utils.unquote, pair.split("="))) for pair in reversed(text.split("&"))]
    assert signature(params, "demoSecret") == "1754500cd751a1711509cbf0ad030879601e74ce"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"api_key": None}, 400, "ApiKeyMissing"),
        ({"api_key": "other"}, 400, "ParameterInvalid"),
        ({"api_timestamp": None}, 400, "TimestampMissing"),
        ({"api_nonce": "12"}, 400, "NonceInvalid"),
        ({"api_signature": None}, 400, "SignatureMissing"),
        ({"result_limit": "3"}, 400, "SignatureInvalid"),
    ],
)
def test_a_changed_or_incomplete_request_is_refused(sim, change, status, code):
    params = {**v1_params(sim, {"result_limit": 2}), **change}
    answer = get(sim, {name: value for name, value in params.items() if value is not None})
    assert (answer.status_code, answer.json()["status"], answer.json()["code"]) == (status, "error", code)


def test_a_signed_request_is_accepted_once_and_not_an_hour_later(sim):
    params = v1_params(sim, {})
    assert get(sim, params).status_code == 200
    assert get(sim, params).json()["code"] == "NonceInvalid"
    old = {**params, "api_timestamp": int(time.time()) - 3600}
    del old["api_signature"]
    old["api_signature"] = signature([(name, str(value)) for name, value in old.items()], sim.api_secret)
    assert (get(sim, old).status_code, get(sim, old).json()["code"]) == (403, "TimestampExpired")


@pytest.mark.parametrize(
    ("params", "keys"),
    [
        ({}, "aaaa bbbb cccc dddd"),
        ({"order_by": "updated:desc,key:desc"}, "cccc aaaa dddd bbbb"),
        ({"order_by": "duration"}, "cccc dddd aaaa bbbb"),
        ({"updated_after": 200}, "aaaa cccc"),
        ({"mediatypes_filter": "audio"}, "aaaa"),
        ({"statuses_filter": "processing,failed"}, "bbbb"),
        ({"video_keys_filter": "dddd,aaaa"}, "aaaa dddd"),
        ({"search": "PHYSICS"}, "aaaa bbbb"),
        ({"text": "démo a~b*c"}, "dddd"),
        ({"search:custom.*": "media:12:"}, "cccc"),
        ({"search:custom.sms_media_id": "12:"}, "cccc dddd"),
        ({"search:title,key": "bbb"}, "bbbb"),
        ({"tags": "x,y"}, "aaaa"),
        ({"tags": "x,y", "tags_mode": "any"}, "aaaa bbbb"),
        ({"types_filter": "manual", "result_limit": 2, "result_offset": 1}, "bbbb cccc"),
    ],
)
def test_listing_parameters_select_and_sort(sim, params, keys):
    assert v1_keys(sim, **params) == keys.split()


def test_a_page_has_the_total_of_all_matches_and_its_own_bounds(sim):
    page = v1(sim, "/videos/list", result_limit=2, result_offset=3).json()
    assert (page["limit"], page["offset"], page["total"], len(page["videos"])) == (2, 3, 4, 1)
    assert v1(sim, "/videos/list", result_limit=5000).json()["limit"] == 1000
    assert v1(sim, "/videos/list").json()["limit"] == 50
    assert v1(sim, "/channels/list", types_filter="manual").json()["total"] == 1


@pytest.mark.parametrize(
    ("path", "params", "status", "code"),
    [
        ("/videos/list", {"result_limit": "many"}, 400, "ParameterInvalid"),
        ("/videos/list", {"order_by": "colour:asc"}, 400, "ParameterInvalid"),
        ("/videos/list", {"result_offset": ""}, 400, "ParameterEmpty"),
        ("/channels/show", {"channel_key": "zzzz"}, 404, "NotFound"),
        ("/videos/lst", {}, 404, "NotFound"),
    ],
)
def test_errors_have_v1s_shape(sim, path, params, status, code):
    answer = v1(sim, path, **params)
    assert answer.status_code == status
    assert answer.json().keys() == {"status", "code", "title", "message"}
    assert answer.json()["code"] == code


def test_v1_counts_in_the_body_and_answers_429_beyond_the_limit():
    behaviour = Behaviour(requests_per_minute=2, rate_window="sliding", retry_after=True)
    with Simulator(Library([video("aaaa")]), behaviour) as sim:
        bodies = [v1(sim, "/videos/list").json()["rate_limit"] for _ in range(2)]
        assert [(body["limit"], body["remaining"]) for body in bodies] == [(2, 1), (2, 0)]
        refused = v1(sim, "/videos/list")
        assert (refused.status_code, refused.json()["code"]) == (429, "RateLimitExceeded")
        assert 0 < int(refused.headers["Retry-After"]) <= 60


def test_the_log_shows_requests_without_their_signature(sim):
    sim.forget_requests()
    v1(sim, "/videos/list", result_limit=2, result_offset=2)
    (logged,) = sim.requests
    assert (logged.method, logged.path, logged.status, logged.page) == ("GET", "/v1/videos/list", 200, 2)
    assert logged.params["result_offset"] == "2"
    assert "api_signature" not in logged.params

"""The simulated JW Platform sends webhooks as documented, and as badly as it is told to."""

import hashlib
import hmac
import json

import pytest
import requests

from jwp_pipeline.simulator import Mishaps
from jwp_pipeline_tests.support import video, wait_until
from jwp_pipeline_tests.support.http import Script, answer, serve

EVENTS = ["media_created", "media_updated", "media_deleted"]


@pytest.fixture
def target():
    with serve(Script([answer(204)])) as script:
        yield script


def ask(simulator, method, path="", **metadata):
    return requests.request(
        method,
        f"{simulator.url}/v2/webhooks/{path}",
        json={"metadata": metadata} if metadata else None,
        headers={"Authorization": f"Bearer {simulator.v2_secret}"},
        timeout=10,
    )


def register(simulator, target, **metadata):
    metadata = {"webhook_url": f"{target.url}/hook", "events": EVENTS, "site_ids": [simulator.api_key], **metadata}
    return ask(simulator, "POST", **metadata)


def received(simulator, target):
    """Wait until everything is sent. Returns (event, key, site) of each event, in the order received."""
    wait_until(lambda: simulator.webhooks.idle)
    return [(body["event"], body["media_id"], body["site_id"]) for _, body in target.posted]


def test_a_webhook_is_registered_listed_and_removed_and_tells_its_secret_once(simulator, target):
    made = register(simulator, target, name="ours")
    assert (made.status_code, len(made.json()["secret"])) == (201, 40)
    webhook_id = made.json()["id"]
    listed = ask(simulator, "GET").json()
    assert (listed["total"], listed["webhooks"][0]["metadata"]["name"]) == (1, "ours")
    assert "secret" not in listed["webhooks"][0]
    assert "secret" not in ask(simulator, "GET", f"{webhook_id}/").json()
    assert register(simulator, target).status_code == 409
    assert ask(simulator, "DELETE", f"{webhook_id}/").status_code == 204
    assert ask(simulator, "DELETE", f"{webhook_id}/").status_code == 404
    assert ask(simulator, "PUT").status_code == 405
    assert requests.get(f"{simulator.url}/v2/webhooks/", timeout=10).status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook_url": "http://example.org/"},
        {"events": []},
        {"events": ["media_updated", "media_updated"]},
        {"events": ["playlist_updated"]},
        {"site_ids": ["OtherOne"]},
        {"name": "n" * 125},
    ],
)
def test_a_webhook_that_jwp_would_not_take_is_refused(simulator, target, wrong):
    assert register(simulator, target, **wrong).status_code == 400


def test_each_change_of_a_video_is_reported_with_a_signature_and_others_are_not(simulator, target):
    secret = register(simulator, target).json()["secret"]
    library, site = simulator.library, simulator.api_key
    library.put("video", video("aaaa0001"))
    library.edit("video", "aaaa0001", title="New")
    library.put("channel", {"key": "cccc0001", "type": "manual"})
    library.remove("video", "aaaa0001")
    library.restore("video", "aaaa0001")
    events = ["media_created", "media_updated", "media_deleted", "media_created"]
    assert received(simulator, target) == [(event, "aaaa0001", site) for event in events]
    head = target.headers[0]["Authorization"].removeprefix("Bearer ")
    signed, _, _ = head.rpartition(".")
    signature = hmac.digest(secret.encode(), signed.encode(), hashlib.sha256)
    import base64

    assert head == f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
    claims = signed.split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))) == target.posted[0][1]
    assert [delivery.status for delivery in simulator.webhooks.deliveries] == [204] * 4


def test_what_can_go_wrong_goes_wrong(simulator, target):
    register(simulator, target)
    library, site = simulator.library, simulator.api_key

    def sent(mishaps, *keys):
        target.posted.clear()
        simulator.webhooks.mishaps = mishaps
        for key in keys:
            library.put("video", video(key))
        return [(key, of) for _, key, of in received(simulator, target)]

    assert sent(Mishaps(twice=True), "a") == [("a", site)] * 2
    assert sent(Mishaps(reversed=3), "b", "c", "d") == [("d", site), ("c", site), ("b", site)]
    assert sent(Mishaps(lost=1), "e", "f") == []
    assert sent(Mishaps(forged=True), "g") == [("foRgeD00", site), ("g", site)]
    assert sent(Mishaps(foreign=True), "h") == [("h", "OtherOne"), ("h", site)]

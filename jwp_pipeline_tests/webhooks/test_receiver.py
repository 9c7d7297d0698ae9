"""The receiver over real HTTP: what it answers, what it stores, and what it never does (semantics §12)."""

import logging
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import requests
from fastapi import FastAPI
from fastapi.testclient import TestClient

from jwp_pipeline import webhooks
from jwp_pipeline.errors import SettingsError
from jwp_pipeline.settings import load_settings
from jwp_pipeline.webhooks import store
from jwp_pipeline.webhooks.receiver import MOST_BYTES
from jwp_pipeline_tests.webhooks.tokens import OTHER_SECRET, SECRET, bearer, event, token


def test_an_event_is_stored_once_however_often_it_is_delivered(receiver):
    body = event()
    assert [receiver.post(body).status_code for _ in range(3)] == [204] * 3
    (stored,) = receiver.stored()
    assert (stored.event, stored.type, stored.key) == ("media_updated", "video", "aB3dE5gH")
    assert (stored.webhook_id, stored.site_id) == ("hooK0001", body["site_id"])
    assert stored.event_time.isoformat() == body["event_time"]
    assert (stored.handled_at, stored.snapshot_id) == (None, None)
    for other in (event("zZzZzZzZ"), event(kind="media_deleted"), event(webhook_id="hooK0002"), event(age=60)):
        receiver.post(other)
    assert len(receiver.stored()) == 5


def test_a_hundred_equal_deliveries_at_once_store_one_event(receiver):
    body = event()
    with ThreadPoolExecutor(20) as senders:
        statuses = [*senders.map(lambda _: receiver.post(body).status_code, range(100))]
    assert statuses == [204] * 100
    assert len(receiver.stored()) == 1


def test_what_jwp_has_not_just_sent_is_refused_and_not_stored(receiver):
    body = event()
    old = event(age=2 * 86_400)
    for sent, headers in [
        (body, {}),
        (body, bearer(body, OTHER_SECRET)),
        (body, bearer(body, header={"alg": "none"})),
        (body, bearer(body, header={"alg": "HS512"}, digest="sha512")),
        (body, bearer(event("zZzZzZzZ"))),
        (b"{", bearer(body)),
        (old, bearer(old)),
    ]:
        answer = receiver.post(sent, headers)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert receiver.stored() == []


def test_events_of_other_sites_are_ignored(receiver):
    assert receiver.post(event(site_id="OtherOne")).status_code == 204
    assert receiver.stored() == []


def test_an_event_of_a_live_channel_is_kept_and_waits_for_nothing(receiver):
    body = event(kind="channel_created", channel_id="cHaNneL1")
    del body["media_id"]
    assert receiver.post(body).status_code == 204
    (stored,) = receiver.stored()
    assert stored.type == "channel"
    assert stored.handled_at is not None


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_are_not_allowed(receiver, method):
    answer = requests.request(method, receiver.url, headers=bearer(event()), json=event(), timeout=30)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert receiver.stored() == []


def chunks(size):
    yield from (b" " * 65_536 for _ in range(size // 65_536))


@pytest.mark.parametrize("size", [MOST_BYTES + 1, 10 * 2**20])
def test_a_body_that_is_too_large_is_refused_and_not_kept(receiver, size):
    assert receiver.post(b" " * size, bearer(event())).status_code == 413
    # Without a length, in chunks.
    answer = requests.post(receiver.url, data=chunks(max(size, 131_072)), headers=bearer(event()), timeout=30)
    assert answer.status_code == 413
    assert receiver.post(event()).status_code == 204


def test_a_body_in_chunks_without_a_length_is_read(receiver):
    body = event()
    answer = requests.post(receiver.url, data=iter([b"", *pieces(body)]), headers=bearer(body), timeout=30)
    assert answer.status_code == 204
    assert len(receiver.stored()) == 1


def pieces(body):
    import json

    text = json.dumps(body).encode()
    return [text[start : start + 7] for start in range(0, len(text), 7)]


def test_a_client_that_hangs_up_or_never_sends_its_body_is_let_go(receiver, monkeypatch, caplog):
    monkeypatch.setattr("jwp_pipeline.webhooks.receiver._BODY_SECONDS", 0.2)
    where = urlsplit(receiver.url)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
    with socket.create_connection((where.hostname, where.port)) as silent:
        silent.sendall(head)
        assert silent.recv(100).startswith(b"HTTP/1.1 408")
    with socket.create_connection((where.hostname, where.port)) as gone:
        gone.sendall(head)
    assert receiver.post(event()).status_code == 204
    assert not [record for record in caplog.records if record.exc_info]


def test_the_receiver_works_below_a_prefix_and_inside_another_application(serve, configured, engine):
    with serve() as receiver:
        assert receiver.post(event(), path="jwp/webhooks").status_code == 204
    whole = FastAPI()
    whole.mount("/hooks/jwp", webhooks.app(load_settings(**configured), engine=engine))
    client = TestClient(whole)
    body = event("zZzZzZzZ")
    assert client.post("/hooks/jwp/", json=body, headers=bearer(body)).status_code == 204
    assert client.get("/hooks/jwp/healthz").status_code == 200
    assert [row.key for row in receiver.stored()] == ["aB3dE5gH", "zZzZzZzZ"]


def test_jwp_is_asked_to_try_again_while_the_database_is_down(serve, caplog):
    with serve(jwp_database_url="postgresql://nobody:hidden@127.0.0.1:9/none") as receiver:
        answer = receiver.post(event())
        assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
        assert requests.get(f"{receiver.url}healthz", timeout=30).status_code == 503
        # What JWP did not sign does not reach the database.
        assert receiver.post(event(), {}).status_code == 401
    assert "database-down" in caplog.text
    assert "hidden" not in caplog.text


def test_jwp_is_asked_to_try_again_while_the_table_is_locked(receiver, monkeypatch):
    monkeypatch.setattr("jwp_pipeline.webhooks.receiver._STORING_SECONDS", 0.3)
    receiver.post(event(age=1))
    with receiver.engine.begin() as blocker:
        blocker.exec_driver_sql("LOCK TABLE jwp_events")
        started = time.monotonic()
        assert receiver.post(event()).status_code == 503
        assert time.monotonic() - started < 3
    assert receiver.post(event()).status_code == 204


def test_healthz_says_that_events_can_be_stored(receiver):
    answer = requests.get(f"{receiver.url}healthz", timeout=30)
    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_several_webhooks_have_secrets_of_their_own_and_new_ones_are_known_at_once(serve, tmp_path):
    """Rotation: the file is read again as soon as it changes, and neither secret is refused meanwhile."""
    path = tmp_path / "secrets"
    with serve(jwp_webhook_secrets=None, jwp_webhook_secrets_file=str(path)) as receiver:

        def status(secret):
            body = event()
            return receiver.post(body, bearer(body, secret)).status_code

        assert status(SECRET) == 401
        path.write_text(f"# hooK0001\n{SECRET}\n")
        assert (status(SECRET), status(OTHER_SECRET)) == (204, 401)
        path.write_text(f"# hooK0001\n{SECRET}\n\n# hooK0002\n  {OTHER_SECRET}\n")
        assert (status(SECRET), status(OTHER_SECRET)) == (204, 204)
        path.write_text(f"{OTHER_SECRET}\n")
        assert (status(SECRET), status(OTHER_SECRET)) == (401, 204)
        path.write_bytes(b"\xff")
        assert status(OTHER_SECRET) == 503
    with serve(jwp_webhook_secrets=f" {SECRET} ,{OTHER_SECRET}") as receiver:
        assert (status(SECRET), status(OTHER_SECRET)) == (204, 204)


@pytest.mark.parametrize("missing", ["jwp_webhook_secrets", "jwplatform_api_key"])
def test_a_receiver_without_a_secret_or_a_site_does_not_start(configured, missing):
    with pytest.raises(SettingsError, match=missing.upper()):
        webhooks.app(load_settings(**(configured | {missing: None})))


def test_no_secret_and_no_token_reaches_the_log(receiver, caplog):
    caplog.set_level(logging.DEBUG)
    body = event()
    forged = token(body, OTHER_SECRET)
    receiver.post(body)
    receiver.post(body, {"Authorization": f"Bearer {forged}"}, path="x?token=hidden")
    receiver.post(b"hidden", bearer(b"hidden"))
    said = "\n".join(
        record.getMessage() for record in caplog.records if not record.name.startswith(("urllib3", "asyncio"))
    )
    assert "media_updated of video aB3dE5gH: stored." in said
    assert "401" in said
    for secret in (SECRET, OTHER_SECRET, forged.split(".")[2], "hidden"):
        assert secret not in said


def test_events_are_kept_for_a_month_after_they_were_handled(receiver):
    for key in ("old", "recent", "waiting"):
        receiver.post(event(key))
    receiver.execute("UPDATE jwp_events SET handled_at = now() - interval '31 days' WHERE key = 'old'")
    receiver.execute("UPDATE jwp_events SET handled_at = now() - interval '29 days' WHERE key = 'recent'")
    receiver.execute("UPDATE jwp_events SET received_at = now() - interval '99 days' WHERE key = 'waiting'")
    with receiver.engine.begin() as connection:
        store.settle(connection, snapshot_id=0)
    assert [row.key for row in receiver.stored()] == ["recent", "waiting"]

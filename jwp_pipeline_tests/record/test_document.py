"""The code of docs/using-the-record.md runs, in FastAPI and in Django, with the rights that the document names.

Each user sees what they may see, and edits what they may edit.
"""

import re
import secrets
import sys
from types import ModuleType
from urllib.parse import urlsplit

import psycopg
import pytest
import requests

from jwp_pipeline.jwplatform.connect import connect_writing
from jwp_pipeline.outbox.push import PushOptions, push
from jwp_pipeline.simulator import Fault
from jwp_pipeline_tests.support import PROJECT, rows

DOCUMENT = PROJECT / "docs" / "using-the-record.md"


def blocks(language):
    """Return all code of a language in the document."""
    return "".join(re.findall(rf"```{language}\n(.*?)```", DOCUMENT.read_text(), flags=re.DOTALL))


@pytest.fixture(scope="module")
def django():
    """Django with as little as its views need; it can be configured only once in a process."""
    import django
    from django.conf import settings

    settings.configure(
        ALLOWED_HOSTS=["testserver"],
        ROOT_URLCONF="documented_application",
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
        SECRET_KEY="not-a-secret",
    )
    django.setup()
    return django


@pytest.fixture
def role_url(tables_url):
    """The URL with which a role connects that has the rights of the document, and no others."""
    role, password = f"portal_{secrets.token_hex(4)}", secrets.token_hex(8)
    with psycopg.connect(tables_url, autocommit=True) as server:
        server.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
        try:
            server.execute(re.sub(r"\bportal\b", role, blocks("sql")))
            place = urlsplit(tables_url)
            yield place._replace(netloc=f"{role}:{password}@{place.netloc.rpartition('@')[2]}").geturl()
        finally:
            server.execute(f"DROP OWNED BY {role}")
            server.execute(f"DROP ROLE {role}")


@pytest.fixture
def documented(jwp, django, role_url, monkeypatch):
    """The module that one gets by typing all code blocks of the document after each other."""
    monkeypatch.setenv("JWP_DATABASE_URL", role_url)
    module = ModuleType("documented_application")
    sys.modules[module.__name__] = module
    exec(compile(blocks("python"), str(DOCUMENT), "exec"), module.__dict__)
    yield module
    module.engine.dispose()
    del sys.modules[module.__name__]


def test_the_fastapi_application_shows_each_user_what_they_may_see(documented):
    from fastapi.testclient import TestClient

    client = TestClient(documented.app)

    def titles(query="", **headers):
        return [found["title"] for found in client.get(f"/items{query}", headers=headers).raise_for_status().json()]

    assert titles() == ["Public lecture"]
    assert sorted(titles(**{"X-Remote-User": "abc1"})) == ["Private lecture", "Public lecture"]
    assert titles("?q=private", **{"X-Remote-User": "abc1"}) == ["Private lecture"]
    assert titles("?q=private") == []
    [public] = client.get("/items").json()
    played = client.get(f"/items/{public['id']}").json()
    assert "/players/public01-" in played["page"]
    assert played["files"] == [], "it is not downloadable"
    everything = client.get("/items", headers={"X-Remote-User": "abc1"}).json()
    [private] = [found for found in everything if found["title"] == "Private lecture"]
    assert client.get(f"/items/{private['id']}").status_code == 404
    assert client.get("/items/no-such-item").status_code == 404


def test_the_django_views_show_each_user_what_they_may_see(documented):
    import json

    from django.contrib.auth.models import AnonymousUser, User
    from django.http import Http404
    from django.test import RequestFactory

    def titles(user, **query):
        request = RequestFactory().get("/items", query)
        request.user = user
        return sorted(found["title"] for found in json.loads(documented.item_list(request).content)["items"])

    class Member(User):
        class Meta:
            proxy = True
            app_label = "auth"

        def has_perm(self, permission, obj=None):
            return permission == "portal.view_mediaitem"

    assert titles(AnonymousUser()) == ["Public lecture"]
    assert titles(User(username="abc1", is_active=False)) == ["Private lecture", "Public lecture"]
    assert titles(User(username="abc1", is_active=False), q="private") == ["Private lecture"]
    everything = ["Future lecture", "Group lecture", "Private lecture", "Public lecture", "Waiting lecture"]
    assert titles(Member(username="xyz9")) == everything
    assert titles(User(username="xyz9", is_superuser=True, is_active=True)) == everything

    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    [public] = json.loads(documented.item_list(request).content)["items"]
    assert json.loads(documented.item_detail(request, public["id"]).content)["poster"].endswith("-720.jpg")
    with pytest.raises(Http404):
        documented.item_detail(request, "no-such-item")


CHANNEL = "ownChannel1"


@pytest.fixture
def channel_of_abc1(jwp):
    """A channel of the platform's own that abc1 may edit."""
    jwp.execute("INSERT INTO billing_accounts (id, description, lookup_instid) VALUES ('b1', '', 'ours')")
    jwp.execute(
        "INSERT INTO media_channels (id, title, description, billing_account_id, edit_crsids)"
        f" VALUES ('{CHANNEL}', '', '', 'b1', '{{abc1}}')"
    )


@pytest.fixture
def pushing(jwp, settings):
    """A function that pushes what waits, with the rights of the pipeline."""
    return lambda: push(jwp.engine, lambda: connect_writing(settings), options=PushOptions.from_settings(settings))


@pytest.fixture
def made(jwp, documented, channel_of_abc1, pushing):
    """The id of an item that abc1 has added through FastAPI, and whose file is at JW Platform; and its key there."""
    with fastapi_client(documented) as client:
        new = {"title": "New lecture", "mime_type": "video/mp4", "channel_id": CHANNEL}
        assert client.post("/items", json=new, headers={"X-Remote-User": "xyz9"}).status_code == 403
        item_id = client.post("/items", json=new).raise_for_status().json()["id"]
        assert client.post(f"/items/{item_id}/upload").status_code == 409
        pushing()
        link = client.post(f"/items/{item_id}/upload").raise_for_status().json()
        headers = {"Content-Type": link["content_type"]}
        assert requests.request(link["method"], link["url"], data=b"film", headers=headers, timeout=5).ok
    jwp.sync()
    [(key,)] = rows(jwp.engine, "SELECT key FROM videos WHERE media_item_id = :id", id=item_id)
    assert jwp.library.get("video", key)["size"] == "4"
    return item_id, key


def fastapi_client(documented, user="abc1"):
    from fastapi.testclient import TestClient

    return TestClient(documented.app, headers={"X-Remote-User": user})


def states(edits):
    return {edit["field"]: edit["state"] for edit in edits}


def test_an_edit_through_fastapi_reaches_jwp_and_nobody_else_can_make_it(documented, made, pushing, jwp):
    item_id, key = made
    with fastapi_client(documented) as client:
        edits = client.patch(f"/items/{item_id}", json={"title": "Better", "tags": ["One"]}).raise_for_status().json()
        assert states(edits) == {"title": "waiting", "tags": "waiting", "video": "pushed"}
        pushing()
        assert states(client.patch(f"/items/{item_id}", json={}).json()) == dict.fromkeys(states(edits), "pushed")
        assert client.patch(f"/items/{item_id}", json={"deleted_at": "2020-01-01"}).status_code == 422
    assert jwp.library.get("video", key)["title"] == "Better"
    with fastapi_client(documented, "xyz9") as client:
        answers = [client.patch(f"/items/{item_id}", json={"title": "Mine"}), client.post(f"/items/{item_id}/upload")]
        answers += [client.post(f"/items/{item_id}/decisions/title", params={"side": "ours"})]
    assert {answer.status_code for answer in answers} == {403}


@pytest.mark.parametrize(("side", "decided"), [("ours", "Ours"), ("theirs", "Theirs")])
def test_a_conflict_is_decided_through_fastapi(documented, made, pushing, jwp, side, decided):
    item_id, key = made
    newer = jwp.library.get("video", key)["updated"] + 10
    with fastapi_client(documented) as client:
        client.patch(f"/items/{item_id}", json={"title": "Ours"}).raise_for_status()
        jwp.library.edit("video", key, title="Theirs", updated=newer)
        pushing()
        [conflict] = [edit for edit in documented.edits_of(documented.Person("abc1"), item_id) if edit["problem"]]
        assert (conflict["state"], conflict["ours"], conflict["theirs"]) == ("conflict", "Ours", "Theirs")
        edits = client.post(f"/items/{item_id}/decisions/title", params={"side": side}).raise_for_status().json()
        assert states(edits).get("title") == ("waiting" if side == "ours" else None)
        assert client.post(f"/items/{item_id}/decisions/title", params={"side": side}).status_code == 409
    # Somebody changes it at JW Platform once more, which is no conflict with a decision for their side.
    if side == "theirs":
        jwp.library.edit("video", key, title="Theirs again", updated=newer + 10)
        decided = "Theirs again"
    pushing()
    jwp.sync()
    [(title,)] = rows(jwp.engine, "SELECT title FROM media_items WHERE id = :id", id=item_id)
    assert title == jwp.library.get("video", key)["title"] == decided


def test_a_new_item_whose_video_jwp_refuses_is_tried_again(documented, channel_of_abc1, pushing, jwp):
    jwp.simulator.faults.add(Fault.status(400), route="create", times=1)
    abc1 = documented.Person("abc1")
    item_id = documented.add(abc1, "New lecture", "video/mp4", CHANNEL)
    pushing()
    assert states(documented.edits_of(abc1, item_id)) == {"video": "refused"}
    assert documented.decide(abc1, item_id, "video", "ours")
    pushing()
    assert states(documented.edits_of(abc1, item_id)) == {"video": "pushed"}


def test_a_bulk_edit_changes_what_the_user_may_edit_and_reaches_jwp(documented, made, pushing, jwp):
    item_id, key = made
    assert documented.edit(documented.Person("abc1"), item_id, tags=["old", "other"])
    assert documented.retag(documented.Person("xyz9"), "old", "new") == 0
    assert documented.retag(documented.Person("abc1"), "old", "new") == 1
    pushing()
    assert jwp.library.get("video", key)["custom"]["sms_keywords"] == "keywords:new|other:"


def test_an_edit_through_django_is_recorded(documented, made):
    import json

    from django.contrib.auth.models import User
    from django.test import RequestFactory

    def sent(user):
        form = {"title": "By Django", "description": "Text", "tags": "one\r\n two \r\n"}
        request = RequestFactory().post("/", form)
        request.user = user
        return documented.item_edit(request, made[0])

    assert sent(User(username="xyz9", is_active=False)).status_code == 403
    edits = states(json.loads(sent(User(username="abc1", is_active=False)).content)["edits"])
    assert edits == {"title": "waiting", "description": "waiting", "tags": "waiting", "video": "pushed"}

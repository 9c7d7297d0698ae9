"""The code of docs/using-the-record.md runs, in FastAPI and in Django, and shows each user what they may see."""

import re
import sys
from types import ModuleType

import pytest

from jwp_pipeline_tests.support import PROJECT

DOCUMENT = PROJECT / "docs" / "using-the-record.md"


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
def documented(jwp, django):
    """The module that one gets by typing all code blocks of the document after each other."""
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), flags=re.DOTALL)
    module = ModuleType("documented_application")
    sys.modules[module.__name__] = module
    exec(compile("".join(blocks), str(DOCUMENT), "exec"), module.__dict__)
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

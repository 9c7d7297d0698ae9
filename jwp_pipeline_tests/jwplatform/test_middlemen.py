"""Proxies and gateways on the way to JW Platform: used, named when they answer for it, and never used for loopback."""

import pytest

from jwp_pipeline.errors import MiddlemanAnswered, Unreachable
from jwp_pipeline.jwplatform.management import ClientOptions
from jwp_pipeline.jwplatform.v1 import ManagementV1
from jwp_pipeline.jwplatform.v2 import ManagementV2
from jwp_pipeline_tests.jwplatform.conftest import KEY, SECRET, answer, v2_media
from jwp_pipeline_tests.support import DEAD_PROXY, closed_port

PAGE = answer(403, "<html><h1>Blocked</h1> by policy 7</html>", Content_Type="text/html", Via="1.1 gateway")


@pytest.fixture(autouse=True)
def _no_proxy_but_ours(monkeypatch):
    for name in ("no_proxy", "NO_PROXY", *DEAD_PROXY):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def through(script, clock, monkeypatch):
    """A client of a site elsewhere; the scripted server is the proxy on the way there."""

    def make(scheme, client=ManagementV2):
        monkeypatch.setenv(f"{scheme}_proxy", script.url.replace("//", "//someone:hidden@"))
        origin = f"{scheme}://api.example.com"
        return client(KEY, SECRET, origin=origin, options=ClientOptions(deadline=60), clock=clock)

    return make


def test_a_proxy_is_used_for_other_hosts(script, through):
    script.answers = [v2_media("a", total=1)]
    assert through("http").probe("video").total == 1
    assert script.requests[0].startswith(f"http://api.example.com/v2/sites/{KEY}/media/")


@pytest.mark.parametrize("client", [ManagementV1, ManagementV2])
def test_what_a_proxy_answers_is_not_blamed_on_the_credentials(script, through, clock, client):
    script.answers = [PAGE]
    with pytest.raises(MiddlemanAnswered) as raised:
        through("http", client).probe("video")
    told = str(raised.value)
    assert f"proxy {script.url} (named by http_proxy)" in told
    assert all(
        part in told for part in ("Probing", "HTTP 403", "Blocked by policy 7", "1.1 gateway", "api.example.com")
    )
    assert "hidden" not in told
    assert (len(script.requests), clock.slept) == (1, [])


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_login_says_so(script, through, scheme, clock):
    script.answers = [answer(407, "<html>Who are you?</html>", Proxy_Authenticate="Basic realm=x")]
    with pytest.raises(MiddlemanAnswered, match=rf"named by {scheme}_proxy.* asks for a login \(HTTP 407\)") as raised:
        through(scheme).probe("video")
    assert "hidden" not in str(raised.value)
    assert clock.slept == []


def test_a_proxy_that_refuses_the_host_is_told_from_one_that_is_in_trouble(script, through, clock):
    script.answers = [answer(403, "")]
    with pytest.raises(MiddlemanAnswered, match=r"makes no connection to api\.example\.com \(HTTP 403\)"):
        through("https").probe("video")
    assert clock.slept == []
    script.answers = [answer(503, "")]
    with pytest.raises(Unreachable, match=r"makes no connection to api\.example\.com \(HTTP 503\).*Tried"):
        through("https").probe("video")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_cannot_be_reached_is_named(script, through, scheme):
    with closed_port() as port:
        script.url = f"http://127.0.0.1:{port}"
        with pytest.raises(Unreachable) as raised:
            through(scheme).probe("video")
    assert f"no connection to proxy {script.url} (named by {scheme}_proxy): Connection refused" in str(raised.value)


def test_a_404_of_a_middleman_confirms_nothing(script, make_client):
    script.answers = [answer(404, '{"message": "no Route matched with those values"}')]
    with pytest.raises(MiddlemanAnswered, match="JWPLATFORM_MANAGEMENT_API_URL"):
        make_client().show("video", "AbCd1234")


def test_a_site_on_this_machine_is_asked_past_every_proxy(script, make_v2, monkeypatch):
    for name, value in DEAD_PROXY.items():
        monkeypatch.setenv(name, value)
    script.answers = [v2_media("a", total=1)]
    assert make_v2(deadline=1).probe("video").total == 1

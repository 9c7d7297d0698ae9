"""Nothing that stays on this machine goes through a proxy, and a proxy that is used is named without its login."""

import os

import pytest
import requests

from jwp_pipeline.proxies import exceptions_for, is_loopback, keep_loopback_off_proxies, proxy_for

NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "no_grpc_proxy")
LOOPBACK = "127.0.0.1,localhost,::1"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch):
    for name in NAMES:
        for spelling in (name, name.upper()):
            # Set the variable and unset it, so that a value that the tested code sets is undone, too.
            monkeypatch.setenv(spelling, "")
            monkeypatch.delenv(spelling)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"no_proxy": LOOPBACK, "NO_PROXY": LOOPBACK}),
        ({"NO_PROXY": "a.com"}, {"no_proxy": f"a.com,{LOOPBACK}", "NO_PROXY": f"a.com,{LOOPBACK}"}),
        (
            {"no_proxy": "a.com, localhost", "NO_PROXY": "b.com"},
            {"no_proxy": "a.com,localhost,127.0.0.1,::1", "NO_PROXY": f"b.com,{LOOPBACK}"},
        ),
        ({"no_proxy": "*"}, {"no_proxy": "*", "no_grpc_proxy": LOOPBACK}),
        ({"no_grpc_proxy": "a.com"}, {"no_grpc_proxy": f"a.com,{LOOPBACK}", "no_proxy": LOOPBACK}),
    ],
)
def test_exceptions_in_the_environment_are_kept(monkeypatch, before, after):
    for name, value in before.items():
        monkeypatch.setenv(name, value)
    for _ in range(2):
        keep_loopback_off_proxies()
        assert {name: os.environ.get(name) for name in after} == after


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/x", "http://127.3.2.1", "https://localhost:8080", "http://[::1]:9/"]
)
@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "HTTPS_PROXY"])
def test_loopback_never_uses_a_proxy_of_the_environment(monkeypatch, url, variable):
    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    assert is_loopback(url)
    assert proxy_for(url) is None
    merged = requests.Session().merge_environment_settings(url, exceptions_for(url), None, None, None)
    assert merged["proxies"].keys() <= {"no_proxy"}


@pytest.mark.parametrize(
    "url", ["https://api.jwplayer.com/v2", "http://localhost.example.com", "http://[::1", "nonsense"]
)
def test_for_other_hosts_the_environment_decides(url):
    assert not is_loopback(url)
    assert exceptions_for(url) is None
    assert proxy_for(url) is None


def test_a_proxy_is_named_with_its_variable_and_without_its_login(monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "socks5h://everything.example.com")
    monkeypatch.setenv("HTTPS_PROXY", "http://somebody:pass@word@gateway.example.com:3128")
    monkeypatch.setenv("NO_PROXY", "api.jwplatform.com")
    secure = proxy_for("https://api.jwplayer.com")
    assert str(secure) == "proxy http://gateway.example.com:3128 (named by HTTPS_PROXY)"
    assert str(proxy_for("http://api.jwplayer.com")) == "proxy socks5h://everything.example.com (named by ALL_PROXY)"
    assert proxy_for("https://api.jwplatform.com") is None
    monkeypatch.setenv("HTTPS_PROXY", "somebody:password@gateway:3128")
    assert proxy_for("https://api.jwplayer.com").address == "gateway:3128"

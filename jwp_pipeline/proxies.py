"""Finds the proxy that a request goes through, and keeps requests to this machine away from all proxies.

A proxy in the environment is there to reach JW Platform. It cannot reach the simulator, Dagster's servers or a tunnel
on our loopback interface, because the proxy's loopback interface is its own.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
# requests and urllib accept both spellings. gRPC reads its own variable first, then the lower-case one.
_EXCEPTIONS = ("no_proxy", "NO_PROXY")
_GRPC_EXCEPTIONS = "no_grpc_proxy"


@dataclass(frozen=True, slots=True)
class Proxy:
    """The proxy of a request."""

    address: str
    """The URL of the proxy, without user and password."""
    variable: str | None
    """The environment variable that sets it; None if the system's own settings do."""

    def __str__(self) -> str:
        return f"proxy {self.address} (named by {self.variable or 'the settings of this system'})"


def keep_loopback_off_proxies() -> None:
    """Make this process and its children connect to this machine directly, even if the environment names a proxy."""
    present = {name: value for name in (*_EXCEPTIONS, _GRPC_EXCEPTIONS) if (value := os.environ.get(name, "").strip())}
    # Both spellings mean the same setting: if only one is set, programs that read the other get its value.
    general = present.get("no_proxy") or present.get("NO_PROXY") or ""
    for name in _EXCEPTIONS:
        value = present.get(name, general)
        # A lone asterisk already excludes every host, and works only while it is the whole value.
        if value != "*":
            os.environ[name] = _extended(value)
    if _GRPC_EXCEPTIONS in present or general == "*":
        os.environ[_GRPC_EXCEPTIONS] = _extended(present.get(_GRPC_EXCEPTIONS, ""))


def is_loopback(url: str) -> bool:
    """Whether a URL points to this machine."""
    host = _host(url)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def exceptions_for(url: str) -> dict[str, str] | None:
    """Return the `proxies` argument that makes requests connect to loopback directly; None for any other host."""
    return {"no_proxy": _host(url)} if is_loopback(url) else None


def proxy_for(url: str) -> Proxy | None:
    """Return the proxy for a request to this URL, or None if the request goes directly to its server."""
    if is_loopback(url):
        return None
    # Every command keeps its own traffic off proxies, but few of them speak HTTP.
    from requests.utils import get_environ_proxies, select_proxy

    try:
        address = select_proxy(url, get_environ_proxies(url))
    except ValueError:
        # The URL is not valid. The request itself will fail and say so.
        return None
    if not address:
        return None
    wanted = (f"{urlsplit(url).scheme}_proxy", "all_proxy")
    named = [name for name, value in os.environ.items() if name.lower() in wanted and value == address]
    shown = re.sub(r"^(\w+://)?.*@", r"\1", address)
    return Proxy(shown, min(named, key=lambda name: wanted.index(name.lower()), default=None))


def _extended(exceptions: str) -> str:
    names = [name for part in exceptions.split(",") if (name := part.strip())]
    return ",".join([*names, *(name for name in _LOOPBACK if name not in names)])


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower().rstrip(".")
    except ValueError:
        return ""

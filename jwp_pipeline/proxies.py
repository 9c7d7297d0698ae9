"""Which proxy a request goes through, and keeping what we say to this very machine off all of them.

A proxy that the environment names is for the way to JW Platform. It cannot reach the simulator, Dagster's servers or a
tunnel on our own loopback interface: for it that is another machine.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies, select_proxy

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
# requests and urllib take either spelling, gRPC the lower-case one, and before it one of its own.
_EXCEPTIONS = ("no_proxy", "NO_PROXY")
_GRPC_EXCEPTIONS = "no_grpc_proxy"


@dataclass(frozen=True, slots=True)
class Proxy:
    """The proxy of a request."""

    address: str
    """Its URL, without user and password."""
    variable: str | None
    """The environment variable that names it; None where the system's own settings do."""

    def __str__(self) -> str:
        return f"proxy {self.address} (named by {self.variable or 'the settings of this system'})"


def keep_loopback_off_proxies() -> None:
    """Have this process and its children reach this machine directly, whatever proxy the environment names."""
    present = {name: value for name in (*_EXCEPTIONS, _GRPC_EXCEPTIONS) if (value := os.environ.get(name, "").strip())}
    # The two spellings are one setting: where only one is given, it holds for those who read the other.
    general = present.get("no_proxy") or present.get("NO_PROXY") or ""
    for name in _EXCEPTIONS:
        value = present.get(name, general)
        # An asterisk alone already excepts everything, and is understood only as long as it stands alone.
        if value != "*":
            os.environ[name] = _extended(value)
    if _GRPC_EXCEPTIONS in present or general == "*":
        os.environ[_GRPC_EXCEPTIONS] = _extended(present.get(_GRPC_EXCEPTIONS, ""))


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this very machine."""
    host = _host(url)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def exceptions_for(url: str) -> dict[str, str] | None:
    """What requests takes as `proxies` in order to ask loopback directly; None where the environment decides."""
    return {"no_proxy": _host(url)} if is_loopback(url) else None


def proxy_for(url: str) -> Proxy | None:
    """The proxy that a request to this URL goes through, or None when it goes straight to its server."""
    if is_loopback(url):
        return None
    try:
        address = select_proxy(url, get_environ_proxies(url))
    except ValueError:
        # Of an address that is none the request itself will tell.
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

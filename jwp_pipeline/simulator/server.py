"""Starts and stops a simulated JW Platform on a port of 127.0.0.1. app.py handles its requests."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from threading import Thread
from types import TracebackType
from typing import Any, Literal, Self

import uvicorn

from jwp_pipeline.simulator import lookup_api
from jwp_pipeline.simulator.app import Application, Control, LoggedRequest
from jwp_pipeline.simulator.directory import Member
from jwp_pipeline.simulator.faults import Faults
from jwp_pipeline.simulator.library import Library
from jwp_pipeline.simulator.site import SECRETS, SITE_KEY, Behaviour, Site
from jwp_pipeline.simulator.webhooks import Webhooks

HOST = "127.0.0.1"


class Simulator:
    """Serves a library over HTTP from its own thread, inside a `with` block.

    `library`, `behaviour` and `faults` may be changed while it runs. Each simulator has new credentials unless it is
    given the `secrets` of another; the site's key is always the same.
    """

    def __init__(
        self,
        library: Library | None = None,
        behaviour: Behaviour | None = None,
        *,
        port: int = 0,
        control: Control | None = None,
        api_key: str = SITE_KEY,
        faults: Faults | None = None,
        secrets: Mapping[str, str] | None = None,
    ) -> None:
        self.library = Library() if library is None else library
        self.behaviour = Behaviour() if behaviour is None else behaviour
        self.faults = Faults() if faults is None else faults
        self._site = Site(self.library, self.behaviour, api_key=api_key)
        for name, value in (secrets or {}).items():
            setattr(self._site, name, value)
        self._application = Application(self._site, self.faults, self._hang_up, control)
        self._port = port
        self._server: uvicorn.Server | None = None
        self._thread: Thread | None = None
        self._end: Callable[[], object] = lambda: None

    @property
    def url(self) -> str:
        """Origin of all APIs, without a slash at the end."""
        return f"http://{HOST}:{self._port}"

    @property
    def port(self) -> int:
        """The port listened on; 0 before the start when none was asked for."""
        return self._port

    @property
    def api_key(self) -> str:
        """v1's API key, which is v2's site id."""
        return self._site.api_key

    @property
    def api_secret(self) -> str:
        """v1's secret, which also signs delivery URLs."""
        return self._site.api_secret

    @property
    def v2_secret(self) -> str:
        """v2's secret."""
        return self._site.v2_secret

    @property
    def secrets(self) -> dict[str, str]:
        """All secrets of the site, by name."""
        return {name: getattr(self._site, name) for name in SECRETS}

    @property
    def player_key(self) -> str:
        """Key of the site's only player."""
        return self._site.player_key

    @property
    def lookup_root(self) -> str:
        """Root URL of the simulated Lookup, with a slash at the end."""
        return f"{self.url}/lookup/"

    @property
    def people(self) -> dict[str, Member]:
        """The people whom Lookup knows, by identifier; they may be changed while it runs."""
        return self._site.people

    @property
    def webhooks(self) -> Webhooks:
        """The webhooks of the account, and what goes wrong with their events."""
        return self._site.webhooks

    def forget_tokens(self) -> None:
        """Revoke all tokens for Lookup."""
        self._application.lookup.forget_tokens()

    @property
    def requests(self) -> list[LoggedRequest]:
        """All requests so far, in the order answered (the last 10,000)."""
        return list(self._application.log)

    def forget_requests(self) -> None:
        """Empty the log."""
        self._application.log.clear()

    def environment(self, api: Literal["v1", "v2", "auto"] = "auto") -> dict[str, str]:
        """Environment variables that configure the pipeline for this site; `v1`: as one without a v2 secret."""
        environment = {
            "JWPLATFORM_API_KEY": self.api_key,
            "JWPLATFORM_API_SECRET": self.api_secret,
            "JWPLATFORM_EMBED_PLAYER_KEY": self.player_key,
            "JWPLATFORM_MANAGEMENT_API": api,
            "JWPLATFORM_MANAGEMENT_API_URL": self.url,
            "JWPLATFORM_API_BASE_URL": f"{self.url}/",
            "JWPLATFORM_CONTENT_BASE_URL": f"{self.url}/",
            # This server has no TLS, so that its upload links must stay as they are.
            "JWP_FORCE_HTTPS_UPLOAD": "false",
            "JWP_SITE_DOMAIN": "media.example.org",
            "JWP_SITE_NAME": "Example Media",
            # Nothing is lost if edits reach this site without anybody having looked at them first.
            "JWP_SYNC_ITEMS": "true",
            "LOOKUP_ROOT": self.lookup_root,
            "LOOKUP_PEOPLE_ID_SCHEME": lookup_api.SCHEME,
            "OAUTH2_TOKEN_URL": f"{self.url}/oauth2/token",
            "OAUTH2_CLIENT_ID": self._site.client_id,
            "OAUTH2_CLIENT_SECRET": self._site.client_secret,
            "OAUTH2_LOOKUP_SCOPES": lookup_api.SCOPE,
        }
        if api != "v1":
            environment["JWPLATFORM_V2_API_SECRET"] = self.v2_secret
        return environment

    def start(self) -> None:
        """Start to listen. Requests are accepted once it returns. Raises OSError if the port is taken."""
        listener = socket.create_server((HOST, self._port), backlog=128)
        # Accepted connections inherit it. asyncio does not set it on those of a socket made elsewhere, and
        # without it the second segment of every answer waits 40 ms for the client's delayed acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._application.asgi(),
            access_log=False,
            lifespan="off",
            log_config=None,
            log_level="error",
            # Longer than a client's pauses between requests, lest it finds its connection closed.
            timeout_keep_alive=120,
        )
        self._server = uvicorn.Server(config)
        running: Future[Callable[[], object]] = Future()
        serving = _serve(self._server, listener, self._application, running)
        self._thread = Thread(target=asyncio.run, args=(serving,), name="jwp-simulator", daemon=True)
        self._thread.start()
        self._end = running.result()
        self.webhooks.start()

    def stop(self) -> None:
        """Stop listening and close all connections, at once."""
        self.webhooks.stop()
        self._end()
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _hang_up(self, client: Any) -> None:
        if self._server is None:
            return
        for connection in list(self._server.server_state.connections):
            transport = connection.transport
            if transport.get_extra_info("peername") == client:
                transport.close()


async def _serve(
    server: uvicorn.Server,
    listener: socket.socket,
    application: Application,
    running: Future[Callable[[], object]],
) -> None:
    """Serve until the function that `running` gets is called, from whatever thread."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    running.set_result(lambda: loop.is_closed() or loop.call_soon_threadsafe(stop.set))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await stop.wait()
    # uvicorn's own way to stop takes 0.2 s of waiting, which a thousand tests would feel.
    application.stopping = True
    for each in server.servers:
        each.close()
    for connection in list(server.server_state.connections):
        connection.transport.abort()
    if server.server_state.tasks:
        await asyncio.wait(server.server_state.tasks, timeout=1)
    serving.cancel()
    listener.close()

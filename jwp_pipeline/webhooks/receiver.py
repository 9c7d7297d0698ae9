"""Receives webhooks over HTTP: an ASGI application that verifies what it is sent and stores the events.

It accepts a POST at every path, so that it works below any prefix. It answers GET /healthz, and GET /metrics if it is
told to. What it answers, and to whom, is in docs/webhooks.md. The body is bounded in size and time, the database is
used only for what is signed, and no header or body reaches the log. Put here what concerns HTTP; events.py decides what
an event is.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import anyio
import anyio.to_thread
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest
from sqlalchemy import Engine, text
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from jwp_pipeline.database.connection import connect
from jwp_pipeline.database.locate import open_database
from jwp_pipeline.errors import EventRefused, PipelineError, SettingsError
from jwp_pipeline.runbook import error_text
from jwp_pipeline.settings import Settings, load_settings
from jwp_pipeline.webhooks import store
from jwp_pipeline.webhooks.events import Event, Ignored, authentic, read_event
from jwp_pipeline.webhooks.secrets import KnownSecrets

MOST_BYTES = 16_384
"""The largest body that is read. An event takes about 200 bytes."""

# A body that is too large is read to its end, because a client that is still sending would not see the answer; but it
# is not kept, and somebody who goes on sending is cut off.
_MOST_DISCARDED = 64 * 2**20
_BODY_SECONDS = 10.0
_STORING_SECONDS = 10.0
_CONNECTIONS = 4
_RETRY_AFTER = {"Retry-After": "30"}
_log = logging.getLogger("jwp_pipeline.webhooks")
_T = TypeVar("_T")


def app(
    settings: Settings | None = None, *, engine: Engine | None = None, metrics: CollectorRegistry | None = None
) -> Starlette:
    """Return the ASGI application that receives the webhooks of one site, to be served alone or mounted in another.

    `settings` are by default those of the environment and `.env`. `engine` is one for our tables that the caller has
    opened and will close; without it, the application opens one when it first needs it. With `metrics`, GET /metrics
    tells them to everybody who reaches the application. Raises SettingsError if the settings name no site or no secret
    of a webhook.
    """
    receiver = _Receiver(settings or load_settings(), engine, metrics)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        receiver.close()

    routes = [
        Route("/healthz", receiver.health, methods=["GET"]),
        Route("/{path:path}", receiver.receive, methods=["POST"]),
    ]
    if metrics is not None:
        routes.insert(0, Route("/metrics", receiver.metrics, methods=["GET"]))
    return Starlette(routes=routes, lifespan=lifespan)


class _Receiver:
    """What the requests of one application share."""

    def __init__(self, settings: Settings, engine: Engine | None, metrics: CollectorRegistry | None) -> None:
        if not settings.receives_webhooks:
            raise SettingsError(
                "No secret of a webhook is set, so no event could be accepted. Set JWP_WEBHOOK_SECRETS_FILE, and "
                "register a webhook with `jwp-pipeline webhooks register`; or set JWP_WEBHOOK_SECRETS."
            )
        if settings.jwplatform_api_key is None:
            raise SettingsError(
                f"JWPLATFORM_API_KEY is not set: {settings.missing_required()['JWPLATFORM_API_KEY']}. Events of other "
                "sites are ignored."
            )
        self._settings = settings
        self._site_id = settings.jwplatform_api_key
        self._max_age = timedelta(seconds=settings.jwp_webhook_max_age)
        self._secrets = KnownSecrets(settings)
        self._given = engine
        self._metrics = metrics
        self._opened: Engine | None = None
        self._opening = threading.Lock()
        self._connections = anyio.CapacityLimiter(_CONNECTIONS)

    def close(self) -> None:
        if self._opened is not None:
            self._opened.dispose()

    async def receive(self, request: Request) -> Response:
        """Answer one webhook: 204 for every event that JW Platform has just sent, and what went wrong otherwise."""
        try:
            body = await _body(request)
        except ClientDisconnect:
            return Response(status_code=400)
        except TimeoutError:
            return _refusal(408, f"the body did not end within {_BODY_SECONDS:g} s")
        if body is None:
            return _refusal(413, f"the body is larger than {MOST_BYTES} bytes")
        try:
            claims = authentic(body, request.headers.get("authorization"), self._secrets.now())
            event = read_event(claims, site_id=self._site_id, now=datetime.now(UTC), max_age=self._max_age)
        except EventRefused as refused:
            return _refusal(401, str(refused), {"WWW-Authenticate": "Bearer"})
        except SettingsError as error:
            return _not_stored(error)
        if isinstance(event, Ignored):
            _log.info("An event is ignored: %s.", event.why)
            return Response(status_code=204)
        try:
            is_new = await self._in_thread(lambda: self._store(event))
        except (PipelineError, TimeoutError) as error:
            return _not_stored(error)
        _log.info("%s of %s %s: %s.", event.event, event.type, event.key, "stored" if is_new else "known already")
        return Response(status_code=204)

    async def health(self, _: Request) -> Response:
        """Answer 200 if events can be stored at present, else 503."""
        try:
            await self._in_thread(self._look)
        except (PipelineError, TimeoutError) as error:
            _log.warning("Events cannot be stored at present: %s", _reason(error))
            return _unavailable()
        return PlainTextResponse("ok\n")

    async def metrics(self, _: Request) -> Response:
        """Answer with the metrics in Prometheus' text format."""
        registry = self._metrics
        assert registry is not None  # noqa: S101 - the route exists only then
        try:
            body = await self._in_thread(lambda: generate_latest(registry))
        except TimeoutError:
            return PlainTextResponse("The metrics could not be read in time.\n", 503)
        return Response(body, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    def _store(self, event: Event) -> bool:
        with connect(self._engine()) as connection, connection.begin():
            # JW Platform waits for the answer.
            for limit in ("lock_timeout", "statement_timeout"):
                connection.execute(text(f"SET LOCAL {limit} TO '5s'"))
            return store.store(connection, event)

    def _look(self) -> None:
        with connect(self._engine()) as connection:
            store.newest_waiting(connection)

    def _engine(self) -> Engine:
        with self._opening:
            if self._given is None and self._opened is None:
                self._opened = open_database(self._settings)
            engine = self._given or self._opened
        assert engine is not None  # noqa: S101 - one of the two is set by now
        return engine

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        """Run `work` in one of a few threads. Raises TimeoutError if that takes too long; the thread then goes on."""
        with anyio.fail_after(_STORING_SECONDS):
            return await anyio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._connections)


async def _body(request: Request) -> bytes | None:
    """Return the body, or None if it is too large. Raises ClientDisconnect, and TimeoutError if it comes too slowly."""
    body = bytearray()
    size = 0
    with anyio.fail_after(_BODY_SECONDS):
        async for chunk in request.stream():
            size += len(chunk)
            if size > _MOST_DISCARDED:
                break
            if size <= MOST_BYTES:
                body += chunk
    return bytes(body) if size <= MOST_BYTES else None


def _refusal(status: int, why: str, headers: dict[str, str] | None = None) -> Response:
    _log.warning("A request was refused (HTTP %d): %s.", status, why)
    return PlainTextResponse(f"{why}\n", status, headers)


def _not_stored(error: Exception) -> Response:
    _log.error("An event could not be stored, and JW Platform is asked to send it again later: %s", _reason(error))
    return _unavailable()


def _reason(error: Exception) -> str:
    return error_text(error) if isinstance(error, PipelineError) else "the database did not answer in time."


def _unavailable() -> Response:
    return PlainTextResponse("Events cannot be stored at present.\n", 503, _RETRY_AFTER)

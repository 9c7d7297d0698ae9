"""The ASGI application: it routes requests to the APIs, applies the planned faults, and logs the requests."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Protocol
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route as HttpRoute
from starlette.types import Receive, Scope, Send

from jwp_pipeline.simulator import delivery_api, lookup_api, uploads, v1_api, v2_api
from jwp_pipeline.simulator.exchange import Answer, Call, ListingPage, Refused, Route, Service
from jwp_pipeline.simulator.faults import Fault, Faults
from jwp_pipeline.simulator.records import Kind
from jwp_pipeline.simulator.site import Site
from jwp_pipeline.simulator.writes import VideoWrites

LOGGED_REQUESTS = 10_000
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
UNLOGGED = frozenset({"api_signature", "sig", "token", "Signature", "X-Amz-Signature"})
FORM_TYPE = "application/x-www-form-urlencoded"
ROUTES: tuple[tuple[str, Service, Route, Kind | None], ...] = (
    ("/v1/videos/list", "v1", "list", "video"),
    ("/v1/videos/show", "v1", "show", "video"),
    ("/v1/videos/update", "v1", "update", "video"),
    ("/v1/videos/create", "v1", "create", "video"),
    ("/v1/videos/delete", "v1", "delete", "video"),
    ("/v1/channels/list", "v1", "list", "channel"),
    ("/v1/channels/show", "v1", "show", "channel"),
    ("/v1/channels/videos/list", "v1", "members", "channel"),
    ("/v2/webhooks/", "v2", "webhooks", None),
    ("/v2/webhooks/{id}/", "v2", "webhooks", None),
    ("/v2/sites/{site}/media/", "v2", "list", "video"),
    ("/v2/sites/{site}/media/{id}/", "v2", "show", "video"),
    ("/v2/sites/{site}/media/{id}/reupload/", "v2", "reupload", "video"),
    ("/v2/sites/{site}/playlists/", "v2", "list", "channel"),
    ("/v2/sites/{site}/playlists/{id}/", "v2", "show", "channel"),
    ("/v2/sites/{site}/playlists/{id}/manual_playlist/", "v2", "members", "channel"),
    *uploads.ROUTES,
    *delivery_api.ROUTES,
    *lookup_api.ROUTES,
)

# v2 reads and writes on the same paths.
WRITING_METHODS: Mapping[tuple[Route | None, str], Route] = MappingProxyType(
    {("list", "POST"): "create", ("show", "PATCH"): "update", ("show", "DELETE"): "delete"}
)

# Before a page of another site may PUT a file, the browser asks the server whether that is allowed.
UPLOAD_MIDDLEWARE = [Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["PUT"], allow_headers=["*"])]

Hangup = Callable[[Any], None]
"""Closes the connection of a client, given by its ASGI address, after everything written has been sent."""


class Control(Protocol):
    """The library that the control routes drive."""

    def act(self, verb: str, options: Mapping[str, str]) -> dict[str, Any]:
        """Do what is asked for, and return what came of it. Raises LookupError and ValueError."""
        ...

    def state(self) -> dict[str, Any]:
        """Return the current state."""
        ...


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request and how it was answered. `status` is None if the connection was dropped before it was read."""

    method: str
    path: str
    params: dict[str, str]
    """Query and form parameters without signatures and tokens. For a repeated parameter, the first value is kept."""
    status: int | None
    api: Service | None
    route: Route | None
    resource: Kind | None
    page: int | None
    faults: tuple[str, ...]
    body: bytes
    """The body, except of a form or an upload."""
    at: float
    """When it arrived, in epoch seconds."""


@dataclass(slots=True)
class Application:
    """Serves one site over HTTP. It runs in one event loop; other threads may use `log` and `faults`."""

    site: Site
    faults: Faults
    hang_up: Hangup
    control: Control | None = None
    stopping: bool = False
    log: deque[LoggedRequest] = field(default_factory=lambda: deque(maxlen=LOGGED_REQUESTS))
    _v1: v1_api.V1Api = field(init=False)
    _v2: v2_api.V2Api = field(init=False)
    _uploads: uploads.UploadServer = field(init=False)
    _delivery: delivery_api.DeliveryApi = field(init=False)
    lookup: lookup_api.LookupApi = field(init=False)

    def __post_init__(self) -> None:
        writes = VideoWrites(self.site)
        self._v1 = v1_api.V1Api(self.site, writes)
        self._v2 = v2_api.V2Api(self.site, writes)
        self._uploads = uploads.UploadServer(writes)
        self._delivery = delivery_api.DeliveryApi(self.site)
        self.lookup = lookup_api.LookupApi(self.site)

    def asgi(self) -> Starlette:
        """Return the application to serve."""
        routes = [
            HttpRoute(
                path,
                self._endpoint(api, route, kind),
                methods=[*METHODS, "OPTIONS"] if api == "upload" else METHODS,
                middleware=UPLOAD_MIDDLEWARE if api == "upload" else None,
            )
            for path, api, route, kind in ROUTES
        ]
        if self.control is not None:
            control = self.control
            routes += [
                HttpRoute("/simulator/state", lambda _: JSONResponse(control.state())),
                HttpRoute("/simulator/{verb}", lambda request: _controlled(control, request), methods=["POST"]),
            ]
        routes.append(HttpRoute("/{path:path}", self._endpoint(None, None, None), methods=METHODS))
        return Starlette(routes=routes)

    def _endpoint(self, api: Service | None, route: Route | None, kind: Kind | None) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            # Lookup's identifiers may contain encoded slashes, which only the path as it was sent tells apart.
            path = request.scope["raw_path"].decode("latin-1") if api == "lookup" else request.url.path
            call = Call(
                request.method,
                path,
                authorization=request.headers.get("authorization"),
                api=api,
                route=WRITING_METHODS.get((route, request.method), route) if (api, kind) == ("v2", "video") else route,
                kind=kind,
                names=request.path_params,
                origin=str(request.base_url).rstrip("/"),
                byte_range=request.headers.get("range"),
                content_type=request.headers.get("content-type", ""),
                dry_run=request.headers.get("jw-dry-run") == "true",
            )
            return await self._respond(request, call)

        return endpoint

    async def _respond(self, request: Request, call: Call) -> Response:
        at = time.time()
        try:
            body = await request.body()
            is_form = call.content_type.startswith(FORM_TYPE)
            call = replace(call, params=_params(request, body if is_form else b""), body=b"" if is_form else body)
        except UnicodeDecodeError:
            refused = self._error(call, Refused(400, "ParameterEncodingError", "Parameters must be UTF-8."))
            self._note(call, refused, [], at)
            return _http(refused)
        self.site.library.catch_up()
        faults = self.faults.take(call)
        await self._pause(sum(fault.delay for fault in faults))
        dropped = any(fault.drops for fault in faults)
        answer = None if dropped else self._answer(call, faults)
        self._note(call, answer, faults, at)
        if answer is None or any(fault.loses for fault in faults):
            return _CutResponse(self.hang_up, b"", None)
        if answer.cut_at is not None:
            return _CutResponse(self.hang_up, answer.body[: answer.cut_at], _http(answer))
        return _http(answer)

    def _answer(self, call: Call, faults: list[Fault]) -> Answer:
        replacing = next((fault for fault in faults if fault.instead is not None), None)
        if replacing is None or replacing.instead is None:
            answer = self._asked(call, faults)
        else:
            if replacing.carried_out:
                self._asked(call, faults)
            answer = replacing.instead(call)
        for fault in faults:
            if fault.edits is not None:
                fault.edits(self.site.library)
            answer.drip_seconds += fault.drip_seconds
            if fault.cuts_at is not None:
                answer.cut_at = int(len(answer.body) * fault.cuts_at)
        return answer

    def _asked(self, call: Call, faults: list[Fault]) -> Answer:
        try:
            if call.api == "upload":
                return self._uploads.answer(call)
            if call.api == "delivery":
                return self._delivery.answer(call)
            if call.api == "lookup":
                return self.lookup.answer(call)
            if call.path.startswith("/v1/"):
                answer = self._v1.answer(call)
            elif call.path.startswith("/v2/"):
                answer = self._v2.answer(call)
            else:
                return Answer(404, b"Not Found", content_type="text/plain")
        except Refused as refused:
            return self._error(call, refused)
        if isinstance(answer, ListingPage):
            for fault in faults:
                if fault.bend is not None:
                    fault.bend(answer)
            return answer.answer()
        return answer

    def _error(self, call: Call, refused: Refused) -> Answer:
        if call.api == "lookup":
            return lookup_api.error_answer(refused.status, refused.code or "error", refused.message, refused.headers)
        if call.api == "delivery":
            return delivery_api.error_answer(refused.status, refused.message, refused.headers)
        if call.path.startswith("/v2/"):
            bare = self.site.behaviour.bare_error_array
            return v2_api.error_answer(refused.status, refused.code, refused.message, refused.headers, bare_array=bare)
        return v1_api.error_answer(refused.status, refused.code, refused.message, refused.headers)

    async def _pause(self, seconds: float) -> None:
        # The pause is in small steps, so that a server that stops does not wait for a slow answer.
        until = time.monotonic() + seconds
        while not self.stopping and (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(left, 0.05))

    def _note(self, call: Call, answer: Answer | None, faults: list[Fault], at: float) -> None:
        params = {name: value for name, value in reversed(call.params) if name not in UNLOGGED}
        names = tuple(fault.name for fault in faults)
        status = None if answer is None else answer.status
        self.log.append(
            LoggedRequest(
                *(call.method, call.path, params, status, call.api, call.route, call.kind, call.page, names),
                *(b"" if call.api == "upload" else call.body, at),
            )
        )


class _CutResponse(Response):
    """Sends the head of `whole`, if there is one, and `part` of its body, and then closes the connection."""

    def __init__(self, hang_up: Hangup, part: bytes, whole: Response | None) -> None:
        super().__init__()
        self._hang_up = hang_up
        self._part = part
        self._whole = whole

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._whole is not None:
            head = {"status": self._whole.status_code, "headers": self._whole.raw_headers}
            await send({"type": "http.response.start", **head})
            await send({"type": "http.response.body", "body": self._part, "more_body": True})
        self._hang_up(scope["client"])
        while (await receive())["type"] != "http.disconnect":
            pass


def _controlled(control: Control, request: Request) -> Response:
    try:
        return JSONResponse(control.act(request.path_params["verb"], request.query_params))
    except (LookupError, ValueError):
        return JSONResponse({"error": "The simulator cannot do that."}, 404)


def _http(answer: Answer) -> Response:
    if answer.drip_seconds:
        return StreamingResponse(_dripping(answer), answer.status, answer.headers, answer.content_type)
    return Response(answer.body, answer.status, answer.headers, answer.content_type)


async def _dripping(answer: Answer) -> AsyncIterator[bytes]:
    for position in range(len(answer.body)):
        await asyncio.sleep(answer.drip_seconds / len(answer.body))
        yield answer.body[position : position + 1]


def _params(request: Request, form: bytes) -> tuple[tuple[str, str], ...]:
    texts = (request.scope["query_string"], form)
    return tuple(
        pair for text in texts for pair in parse_qsl(text.decode("ascii"), keep_blank_values=True, errors="strict")
    )

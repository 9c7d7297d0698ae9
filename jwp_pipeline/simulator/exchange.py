"""Defines what passes between the HTTP server and the APIs: calls, and answers that faults can still change."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from jwp_pipeline.simulator.records import Api, Kind

Service = Literal[Api, "upload", "delivery", "lookup"]
"""Who answers a request: one of the Management APIs, the upload servers, delivery, or Lookup with its token server."""
WriteRoute = Literal["update", "create", "delete", "reupload"]
ManagementRoute = Literal["list", "show", "members", "webhooks", WriteRoute]
UploadRoute = Literal["file"]
DeliveryRoute = Literal["player", "library", "poster", "sources", "manifest", "rendition"]
LookupRoute = Literal["token", "person"]
Route = Literal[ManagementRoute, UploadRoute, DeliveryRoute, LookupRoute]
Shape = Literal["array", "array missing", "array null", "array object", "bare array", "total missing"]


@dataclass(frozen=True, slots=True)
class Call:
    """One request, decoded. `api`, `route` and `kind` are None on a path that no API knows."""

    method: str
    path: str
    params: tuple[tuple[str, str], ...] = ()
    """Query and form parameters in the order sent, including the signature's."""
    authorization: str | None = None
    api: Service | None = None
    route: Route | None = None
    kind: Kind | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    """Parameters of the path, such as `site` and `id`."""
    origin: str = ""
    """The scheme, host and port that the client used, without a slash at the end."""
    byte_range: str | None = None
    """The Range header."""
    body: bytes = field(default=b"", repr=False)
    """The body, except of a form, whose fields are in `params`."""
    content_type: str = ""
    dry_run: bool = False
    """v2: whether a write is only to be validated (`Jw-Dry-Run: true`)."""

    def param(self, name: str) -> str | None:
        """Return the first value of a parameter, or None if it is not given."""
        return next((value for key, value in self.params if key == name), None)

    @property
    def key(self) -> str | None:
        """Return the key of the video or channel that the call names, in its path or its parameters."""
        return self.names.get("id") or self.param("video_key") or self.param("channel_key")

    @property
    def page(self) -> int | None:
        """The number of the requested page, counted from 1; None if the call is not a valid list call."""
        try:
            if self.api == "v2":
                return int(self.param("page") or 1) if self.route == "list" else None
            if self.route == "list" or (self.route == "members" and self.api == "v1"):
                return int(self.param("result_offset") or 0) // int(self.param("result_limit") or 50) + 1
        except (ValueError, ZeroDivisionError):
            pass
        return None


@dataclass(slots=True)
class Answer:
    """A complete answer. If `cut_at` is set, the connection closes after so many bytes of the body."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"
    cut_at: int | None = None
    drip_seconds: float = 0.0
    """How long the body takes to be sent."""


@dataclass(slots=True)
class ListingPage:
    """A page of a listing before it becomes JSON."""

    array: str
    """Name of the array in the envelope: `videos`, `media`, …"""
    elements: list[bytes]
    """JSON of each element."""
    previous: Callable[[], list[bytes]]
    """Returns the elements of the page before this one, or of this one if it is the first."""
    envelope: dict[str, Any]
    """All other members, including `total`."""
    headers: dict[str, str] = field(default_factory=dict)
    shape: Shape = "array"

    def answer(self) -> Answer:
        """Return the page as it is sent."""
        array = b"[%s]" % b",".join(self.elements)
        envelope = dict(self.envelope)
        match self.shape:
            case "bare array":
                return Answer(200, array, self.headers)
            case "array missing":
                return Answer(200, json.dumps(envelope).encode(), self.headers)
            case "array null":
                array = b"null"
            case "array object":
                members = (b'"%d":%s' % (number, element) for number, element in enumerate(self.elements))
                array = b"{%s}" % b",".join(members)
            case "total missing":
                envelope.pop("total", None)
        head = json.dumps(envelope).encode()
        return Answer(200, b'%s, "%s": %s}' % (head[:-1], self.array.encode(), array), self.headers)


class Refused(Exception):
    """An error answer with its HTTP status, JWP's code for it and a text. Each API writes it in its own format."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}

"""Faults to inject: what goes wrong, for which requests, and how often.

    sim.faults.add(Fault.status(503), path="/v1/videos/list", times=2)
    sim.faults.add(Fault.short_page(), api="v2", resource="video", page=3)
    sim.faults.add(Fault.edit(lambda library: library.remove("video", "aB3dE5gH")), page=1)
    sim.faults.add(Fault.lost_answer(), route="update")
    sim.faults.add(Fault.status(400), route="update", key="aB3dE5gH", times=None)

All faults that match a request are applied, in the order in which they were added. If several of them replace the
answer, the first one wins. app.py applies them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from threading import Lock
from typing import Literal

from jwp_pipeline.simulator import delivery_api, lookup_api, v1_api, v2_api
from jwp_pipeline.simulator.exchange import Answer, Call, ListingPage, Route, Service, Shape
from jwp_pipeline.simulator.library import Library
from jwp_pipeline.simulator.records import Kind

Body = Literal["json", "html", "empty"]

_HTML = b"<html><head><title>Gateway</title></head><body><h1>Something is wrong here</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong; make it with one of the class methods."""

    name: str
    delay: float = 0.0
    drip_seconds: float = 0.0
    drops: bool = False
    cuts_at: float | None = None
    loses: bool = False
    instead: Callable[[Call], Answer] | None = None
    carried_out: bool = False
    bend: Callable[[ListingPage], None] | None = None
    edits: Callable[[Library], None] | None = None

    @classmethod
    def status(
        cls, status: int, body: Body = "json", *, retry_after: int | str | None = None, carried_out: bool = False
    ) -> Fault:
        """Answer with this HTTP status. The JSON body is an error in the format of the API, even with status 200.

        The request has no effect unless it is `carried_out` before.
        """
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}

        def answer(call: Call) -> Answer:
            if body != "json":
                return Answer(status, _HTML if body == "html" else b"", headers, "text/html")
            if call.api == "lookup":
                return lookup_api.error_answer(status, headers=headers)
            if call.api == "delivery":
                return delivery_api.error_answer(status, headers=headers)
            if call.path.startswith("/v2/"):
                return v2_api.error_answer(status, "server_error" if status == 200 else None, headers=headers)
            return v1_api.error_answer(status, "InternalError" if status == 200 else None, headers=headers)

        return cls(f"status {status} ({body})", instead=answer, carried_out=carried_out)

    @classmethod
    def error_with_200(cls) -> Fault:
        """Answer with an error body and HTTP 200."""
        return cls.status(200)

    @classmethod
    def html_with_200(cls) -> Fault:
        """Answer with an HTML page and HTTP 200."""
        return cls.status(200, "html")

    @classmethod
    def latency(cls, seconds: float) -> Fault:
        """Answer late."""
        return cls("latency", delay=seconds)

    @classmethod
    def drip(cls, seconds: float) -> Fault:
        """Send the body in small pieces, so that it takes so long."""
        return cls("drip", drip_seconds=seconds)

    @classmethod
    def drop(cls) -> Fault:
        """Close the connection without an answer; the API never sees the request."""
        return cls("drop", drops=True)

    @classmethod
    def lost_answer(cls) -> Fault:
        """Carry out the request, and close the connection without an answer."""
        return cls("lost answer", loses=True)

    @classmethod
    def truncate(cls, fraction: float = 0.5) -> Fault:
        """Send only this part of the body that Content-Length announces, and then close the connection."""
        return cls("truncate", cuts_at=fraction)

    @classmethod
    def wrong_shape(cls, shape: Shape) -> Fault:
        """A listing whose array or `total` is missing or of the wrong type; `bare array`: no envelope."""

        def bend(page: ListingPage) -> None:
            page.shape = shape

        return cls(shape, bend=bend)

    @classmethod
    def empty_page(cls) -> Fault:
        """A page without elements; the totals stay."""
        return cls("empty page", bend=lambda page: page.elements.clear())

    @classmethod
    def short_page(cls, missing: int = 1) -> Fault:
        """A page that lacks its last elements; the totals stay."""

        def bend(page: ListingPage) -> None:
            del page.elements[-missing:]

        return cls("short page", bend=bend)

    @classmethod
    def repeated_page(cls) -> Fault:
        """A page with the elements of the page before, but its own page number."""

        def bend(page: ListingPage) -> None:
            page.elements = page.previous()

        return cls("repeated page", bend=bend)

    @classmethod
    def wrong_total(cls, difference: int) -> Fault:
        """A `total` that is off by so much."""

        def bend(page: ListingPage) -> None:
            page.envelope["total"] += difference

        return cls("wrong total", bend=bend)

    @classmethod
    def edit(cls, edit: Callable[[Library], None]) -> Fault:
        """Change the library after the page is made and before it is sent, so that the next page sees the change."""
        return cls("edit", edits=edit)


@dataclass(slots=True)
class PlannedFault:
    """A fault and the requests it is meant for. `hits` counts how often it acted."""

    fault: Fault
    path: str | None
    api: Service | None
    route: Route | None
    resource: Kind | None
    key: str | None
    page: int | None
    nth: int
    times: int | None
    matches: int = 0
    hits: int = 0

    def fits(self, call: Call) -> bool:
        """Whether the fault is meant for this request, regardless of earlier ones."""
        if self.path is not None and not fnmatchcase(call.path, self.path):
            return False
        if self.fault.bend is not None and call.page is None:
            return False
        wanted = (
            *((self.api, call.api), (self.route, call.route), (self.resource, call.kind)),
            *((self.key, call.key), (self.page, call.page)),
        )
        return all(value is None or value == of_call for value, of_call in wanted)


class Faults:
    """The faults planned for one simulator. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._planned: list[PlannedFault] = []

    def add(
        self,
        fault: Fault,
        *,
        path: str | None = None,
        api: Service | None = None,
        route: Route | None = None,
        resource: Kind | None = None,
        key: str | None = None,
        page: int | None = None,
        nth: int = 1,
        times: int | None = 1,
    ) -> PlannedFault:
        """Plan a fault for the requests that match all given conditions. `path` may contain `*`; pages count from 1.

        `key` is that of the video or channel that the request names.
        It acts `times` times, beginning with the `nth` matching request; None means without end.
        """
        planned = PlannedFault(fault, path, api, route, resource, key, page, nth, times)
        with self._lock:
            self._planned.append(planned)
        return planned

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._planned.clear()

    def take(self, call: Call) -> list[Fault]:
        """Count this request and return the faults that act on it."""
        acting = []
        with self._lock:
            for planned in self._planned:
                if not planned.fits(call):
                    continue
                planned.matches += 1
                if planned.matches >= planned.nth and (planned.times is None or planned.hits < planned.times):
                    planned.hits += 1
                    acting.append(planned.fault)
        return acting

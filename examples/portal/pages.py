"""What all pages of the portal have in common: who the visitor is, the template around a page, and forms that are sent.

An application needs one engine and one `Access` for the whole process, and a session for each request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from sqlalchemy import Engine
from sqlalchemy.orm import Session, joinedload
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.templating import Jinja2Templates

from jwp_pipeline.record import ANONYMOUS, Access, MediaChannel, MediaItem, Person, Settings, Video

COOKIE = "portal_user"
_LARGEST_FORM = 1_000_000
_templates = Jinja2Templates(Path(__file__).with_name("templates"))

Form = dict[str, str]
"""The fields of a form that was sent, by name; of a repeated field the last one."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody whom the portal offers to be."""

    username: str
    description: str
    is_superuser: bool = False


class Pages:
    """The base class of the portal's pages. `visitors` are the people whom one can choose to be."""

    def __init__(self, engine: Engine, settings: Settings, access: Access, visitors: tuple[Visitor, ...]) -> None:
        self.engine = engine
        self.settings = settings
        self.access = access
        self.visitors = visitors

    def user(self, request: Request) -> Person:
        """Return who sent a request. A real application has a login."""
        username = request.cookies.get(COOKIE, "")
        superusers = {visitor.username for visitor in self.visitors if visitor.is_superuser}
        return Person(username, is_superuser=username in superusers) if username else ANONYMOUS

    def page(self, request: Request, template: str, *, status: int = 200, **values: object) -> Response:
        """Return a page. Templates escape every value that they show."""
        values |= {"user": self.user(request), "visitors": self.visitors}
        return _templates.TemplateResponse(request, template, values, status_code=status)

    def viewable_item(self, session: Session, request: Request) -> tuple[MediaItem, tuple[str, ...]]:
        """Return the item that the path names, and why the user may see it. Raises HTTPException."""
        with_video = MediaItem.live.options(joinedload(MediaItem.video).joinedload(Video.resource))
        item = session.scalars(with_video.where(MediaItem.id == request.path_params["item_id"])).one_or_none()
        reasons = self.access.reasons_to_view(item, self.user(request)) if item is not None else ()
        # An item that may not be seen looks like one that does not exist.
        if item is None or not reasons:
            raise HTTPException(404, "There is no such item, or you may not see it.")
        return item, reasons

    def editable_item(self, session: Session, request: Request) -> MediaItem:
        """Return the item that the path names. Raises HTTPException if the user may not edit it."""
        item, _ = self.viewable_item(session, request)
        if not self.access.may_edit(item, self.user(request)):
            raise HTTPException(403, "You may not edit this item.")
        return item

    def own_channels(self, session: Session, request: Request) -> Sequence[MediaChannel]:
        """Return the channels that the user may add videos to. JW Platform decides what is in its own channels."""
        own = MediaChannel.live.where(
            self.access.channel_editable_by(self.user(request)), ~MediaChannel.jwp_channel.has()
        )
        return session.scalars(own.order_by(MediaChannel.title, MediaChannel.id)).all()

    def may_add(self, session: Session, request: Request) -> bool:
        """Whether the user may add videos: to a channel, or to none, which is for superusers."""
        return self.user(request).is_superuser or bool(self.own_channels(session, request))


def sent(handler: Callable[[Request, Form], Response]) -> Callable[[Request], Awaitable[Response]]:
    """Make an endpoint from a function that handles a form, which then runs in a thread of its own."""

    async def endpoint(request: Request) -> Response:
        if _comes_from_another_site(request):
            raise HTTPException(403, "This form was not sent from a page of the portal.")
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > _LARGEST_FORM:
                raise HTTPException(413, "This form is too long.")
        # PostgreSQL stores no NUL character.
        text = body.decode(errors="replace")
        pairs = parse_qsl(text, keep_blank_values=True, errors="replace")
        return await run_in_threadpool(handler, request, {name: value.replace("\0", "") for name, value in pairs})

    return endpoint


def see(request: Request, item_id: str) -> Response:
    """Return the answer to a form that leads to the page of an item."""
    return RedirectResponse(request.url_for("item", item_id=item_id).path, status_code=303)


def _comes_from_another_site(request: Request) -> bool:
    """Whether the browser says that a page of another site has sent this, with the visitor's cookie."""
    if fetched := request.headers.get("sec-fetch-site"):
        return fetched not in ("same-origin", "none")
    # Browsers send that header only to https and to this machine, but Origin always. Other programs need send neither.
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")

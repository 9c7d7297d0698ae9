"""The portal's pages: channels, items, a search, and one item with its player and why you may see it.

An application needs one engine and one `Access` for the whole process, and a session for each request. Everything else
is queries over the models of `jwp_pipeline.record`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, joinedload
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from jwp_pipeline.record import (
    ANONYMOUS,
    Access,
    DeliveryError,
    MediaChannel,
    MediaItem,
    Person,
    Settings,
    Video,
    load_settings,
    open_engine,
)

PAGE_LENGTH = 24
_COOKIE = "portal_user"
_templates = Jinja2Templates(Path(__file__).with_name("templates"))


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody whom the portal offers to be."""

    username: str
    description: str


class Portal:
    """The pages of one portal. `visitors` are the people whom one can choose to be."""

    def __init__(self, engine: Engine, settings: Settings, visitors: tuple[Visitor, ...] = ()) -> None:
        self.engine = engine
        self.access = Access(settings)
        self.visitors = visitors

    def application(self) -> Starlette:
        """Return the ASGI application."""
        return Starlette(
            routes=[
                Route("/", self.home),
                Route("/channels/{channel_id}", self.channel),
                Route("/items/{item_id}", self.item),
                Route("/user", self.change_user, methods=["POST"]),
            ]
        )

    def home(self, request: Request) -> Response:
        """Show the channels and the newest items that the user may see, or those that match a search."""
        words = request.query_params.get("q", "").strip()
        viewable = self.access.viewable_by(_user(request))
        query = (
            select(MediaItem).where(viewable).order_by(MediaItem.published_at.desc(), MediaItem.id).limit(PAGE_LENGTH)
        )
        of_channel = select(MediaItem.media_channel_id, func.count().label("viewable")).where(viewable)
        counts = of_channel.group_by(MediaItem.media_channel_id).subquery()
        channels = select(MediaChannel, counts.c.viewable).join(counts, counts.c.media_channel_id == MediaChannel.id)
        with Session(self.engine) as session:
            items = session.scalars(query.where(MediaItem.matches(words)) if words else query).all()
            found = [] if words else session.execute(channels.order_by(MediaChannel.title).limit(100)).all()
            return self._page(request, "home.html", items=items, channels=found, words=words)

    def channel(self, request: Request) -> Response:
        """Show a channel, and those of its items that the user may see, in the order of its playlist."""
        viewable = self.access.viewable_by(_user(request))
        with Session(self.engine) as session:
            channel = session.scalars(MediaChannel.live.where(MediaChannel.id == request.path_params["channel_id"]))
            if (found := channel.one_or_none()) is None:
                raise HTTPException(404, "There is no such channel.")
            in_channel = (
                select(MediaItem).where(MediaItem.media_channel_id == found.id).order_by(MediaItem.published_at)
            )
            query = in_channel if found.playlist is None else found.playlist.items()
            return self._page(
                request, "channel.html", channel=found, items=session.scalars(query.where(viewable)).all()
            )

    def item(self, request: Request) -> Response:
        """Show one item with its player, and why the user may see it."""
        user = _user(request)
        with Session(self.engine) as session:
            with_video = MediaItem.live.options(joinedload(MediaItem.video).joinedload(Video.resource))
            item = session.scalars(with_video.where(MediaItem.id == request.path_params["item_id"])).one_or_none()
            reasons = self.access.reasons_to_view(item, user) if item is not None else ()
            # An item that may not be seen looks like one that does not exist.
            if item is None or not reasons:
                raise HTTPException(404, "There is no such item, or you may not see it.")
            sources, problem = [], None
            if self.access.may_download(item, user):
                try:
                    sources = item.sources
                except DeliveryError as error:
                    problem = str(error)
            return self._page(request, "item.html", item=item, reasons=reasons, sources=sources, problem=problem)

    async def change_user(self, request: Request) -> Response:
        """Become somebody else. A real application has a login here."""
        form = dict(parse_qsl((await request.body()).decode()))
        response = RedirectResponse("/", status_code=303)
        response.set_cookie(_COOKIE, form.get("username", "").strip(), httponly=True, samesite="lax")
        return response

    def _page(self, request: Request, template: str, **values: object) -> Response:
        values |= {"user": _user(request), "visitors": self.visitors}
        return _templates.TemplateResponse(request, template, values)


def _user(request: Request) -> Person:
    username = request.cookies.get(_COOKIE, "")
    return Person(username) if username else ANONYMOUS


def create_app() -> Starlette:
    """Return the portal of the site that the environment names, for the demo's visitors."""
    settings = load_settings()
    visitors = json.loads(Path(__file__).with_name("visitors.json").read_text())
    return Portal(open_engine(settings), settings, tuple(Visitor(**each) for each in visitors)).application()

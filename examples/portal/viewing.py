"""The pages that show things: channels, items, a search, and one item with its player and why you may see it."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from examples.portal.pages import COOKIE, Form, Pages, sent
from jwp_pipeline.outbox import updates_of
from jwp_pipeline.record import DeliveryError, MediaChannel, MediaItem

PAGE_LENGTH = 24


class Viewing(Pages):
    """Pages for everybody. Each shows what its user may see."""

    def routes(self) -> list[Route]:
        """Return the routes of these pages."""
        return [
            Route("/", self.home),
            Route("/channels/{channel_id}", self.channel),
            Route("/items/{item_id}", self.item, name="item"),
            Route("/user", sent(self.change_user), methods=["POST"]),
        ]

    def home(self, request: Request) -> Response:
        """Show the channels and the newest items that the user may see, or those that match a search."""
        words = request.query_params.get("q", "").strip()
        viewable = self.access.viewable_by(self.user(request))
        query = (
            select(MediaItem).where(viewable).order_by(MediaItem.published_at.desc(), MediaItem.id).limit(PAGE_LENGTH)
        )
        of_channel = select(MediaItem.media_channel_id, func.count().label("viewable")).where(viewable)
        counts = of_channel.group_by(MediaItem.media_channel_id).subquery()
        channels = select(MediaChannel, counts.c.viewable).join(counts, counts.c.media_channel_id == MediaChannel.id)
        with Session(self.engine) as session:
            items = session.scalars(query.where(MediaItem.matches(words)) if words else query).all()
            found = [] if words else session.execute(channels.order_by(MediaChannel.title).limit(100)).all()
            may_add = not words and self.may_add(session, request)
            return self.page(request, "home.html", items=items, channels=found, words=words, may_add=may_add)

    def channel(self, request: Request) -> Response:
        """Show a channel, and those of its items that the user may see, in the order of its playlist."""
        viewable = self.access.viewable_by(self.user(request))
        with Session(self.engine) as session:
            channel = session.scalars(MediaChannel.live.where(MediaChannel.id == request.path_params["channel_id"]))
            if (found := channel.one_or_none()) is None:
                raise HTTPException(404, "There is no such channel.")
            in_channel = (
                select(MediaItem).where(MediaItem.media_channel_id == found.id).order_by(MediaItem.published_at)
            )
            query = in_channel if found.playlist is None else found.playlist.items()
            return self.page(request, "channel.html", channel=found, items=session.scalars(query.where(viewable)).all())

    def item(self, request: Request) -> Response:
        """Show one item with its player, why the user may see it, and to its editors what became of their edits."""
        user = self.user(request)
        with Session(self.engine) as session:
            item, reasons = self.viewable_item(session, request)
            may_edit = self.access.may_edit(item, user)
            sources, problem = [], None
            if self.access.may_download(item, user):
                try:
                    sources = item.sources
                except DeliveryError as error:
                    problem = str(error)
            return self.page(
                request,
                "item.html",
                item=item,
                reasons=reasons,
                sources=sources,
                problem=problem,
                may_edit=may_edit,
                updates=updates_of(session, [item.id]).get(item.id, []) if may_edit else [],
            )

    def change_user(self, request: Request, form: Form) -> Response:
        """Become somebody else. A real application has a login here."""
        response = RedirectResponse("/", status_code=303)
        response.set_cookie(COOKIE, form.get("username", "").strip(), httponly=True, samesite="lax")
        return response

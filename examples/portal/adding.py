"""The pages on which a video is added and its file is uploaded.

A new item is a row of the record. The next push makes its video at JW Platform, and after that the browser sends the
file there itself, so that no large file passes through this application.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.portal.pages import Form, Pages, see, sent
from jwp_pipeline.outbox import JWPlatformError, NoVideoYet, create_item, upload_endpoint
from jwp_pipeline.record import MediaChannel

FILE_TYPES = {
    "video/mp4": "MP4 video",
    "video/quicktime": "QuickTime video (MOV)",
    "video/webm": "WebM video",
    "audio/mpeg": "MP3 audio",
    "audio/mp4": "M4A audio",
}


class Adding(Pages):
    """Pages for those who may add a video: to a channel that they may edit, and superusers also to none."""

    def routes(self) -> list[Route]:
        """Return the routes of these pages."""
        return [
            Route("/add", self.form),
            Route("/add", sent(self.add), methods=["POST"]),
            Route("/items/{item_id}/upload", sent(self.upload), methods=["POST"]),
        ]

    def form(self, request: Request) -> Response:
        """Show the form for a new item."""
        with Session(self.engine) as session:
            return self._form(request, self._channels(session, request), {})

    def add(self, request: Request, form: Form) -> Response:
        """Make the item."""
        user = self.user(request)
        with Session(self.engine) as session, session.begin():
            channels = self._channels(session, request)
            title, chosen = " ".join(form.get("title", "").split()), form.get("channel", "")
            mime_type = form.get("mime_type", "")
            if not title or mime_type not in FILE_TYPES:
                return self._form(request, channels, form, problem="A title and a type of file are needed.", status=422)
            if chosen not in {channel.id for channel in channels} and (chosen or not user.is_superuser):
                raise HTTPException(403, "You may not add videos to this channel.")
            made = create_item(
                session, title=title, created_by=user, mime_type=mime_type, media_channel_id=chosen or None
            )
            return see(request, made.id)

    def upload(self, request: Request, form: Form) -> Response:
        """Show a form that sends a file to JW Platform. Its link is a secret, so this is no page to be bookmarked."""
        with Session(self.engine) as session, session.begin():
            item = self.editable_item(session, request)
            try:
                link, problem = upload_endpoint(session, item), None
            except (NoVideoYet, JWPlatformError) as error:
                link, problem = None, str(error)
            status = 200 if link else 503
            response = self.page(request, "upload.html", status=status, item=item, link=link, problem=problem)
        response.headers.update({"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
        return response

    def _channels(self, session: Session, request: Request) -> Sequence[MediaChannel]:
        """Return the channels that the user may add to. Raises HTTPException if they may add nothing at all."""
        if not self.may_add(session, request):
            raise HTTPException(403, "You may not add videos, because there is no channel that you may add them to.")
        return self.own_channels(session, request)

    def _form(
        self,
        request: Request,
        channels: Sequence[MediaChannel],
        typed: Form,
        *,
        problem: str | None = None,
        status: int = 200,
    ) -> Response:
        values = {"channels": channels, "typed": typed, "problem": problem, "types": FILE_TYPES}
        return self.page(request, "add.html", status=status, **values)

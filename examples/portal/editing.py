"""The pages on which an item is edited, and on which somebody decides between our value and JW Platform's.

An edit is an ordinary UPDATE of the record. It reaches JW Platform with the next push, which no page waits for.
"""

from __future__ import annotations

import json
from contextlib import suppress

from sqlalchemy import func
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.portal import fields
from examples.portal.pages import Form, Pages, see, sent
from jwp_pipeline.outbox import NothingToResolve, resolve
from jwp_pipeline.record import MediaItem


class Editing(Pages):
    """Pages for those who may edit an item."""

    def routes(self) -> list[Route]:
        """Return the routes of these pages."""
        return [
            Route("/items/{item_id}/edit", self.form),
            Route("/items/{item_id}/edit", sent(self.save), methods=["POST"]),
            Route("/items/{item_id}/decide", sent(self.decide), methods=["POST"]),
        ]

    def form(self, request: Request) -> Response:
        """Show the form with what the item has now."""
        with Session(self.engine) as session:
            item = self.editable_item(session, request)
            now = fields.shown(item)
            return self._form(request, item, now, now)

    def save(self, request: Request, form: Form) -> Response:
        """Write what was changed in the form. If the item has changed since it was opened, show both instead."""
        with Session(self.engine) as session, session.begin():
            item = self.editable_item(session, request)
            # Nobody else can change the item between the comparison and our change.
            session.refresh(item, with_for_update={"key_share": True, "of": MediaItem})
            if item.deleted_at is not None:
                raise HTTPException(404, "Somebody has deleted this item.")
            now, begun, typed = fields.shown(item), fields.opened(form), fields.typed(form)
            if begun != now:
                meanwhile = [name for name in now if now[name] != begun.get(name)]
                typed = fields.merged(begun, typed, now)
                return self._form(request, item, typed, now, meanwhile=meanwhile, status=409)
            if not typed["title"].strip():
                return self._form(request, item, typed, now, problem="An item needs a title.", status=422)
            for name, value in (changes := fields.changes(begun, typed)).items():
                setattr(item, name, value)
            if changes:
                item.updated_at = func.now()
            return see(request, item.id)

    def decide(self, request: Request, form: Form) -> Response:
        """Keep our value of a field that is stuck, or take JW Platform's."""
        side = form.get("side")
        if side not in ("ours", "theirs"):
            raise HTTPException(422, "Decide for `ours` or for `theirs`.")
        with Session(self.engine) as session, session.begin():
            item = self.editable_item(session, request)
            # If somebody else was faster, the page of the item shows what they decided.
            with suppress(NothingToResolve):
                resolve(session, item.id, form.get("field", ""), side)
            return see(request, item.id)

    def _form(
        self,
        request: Request,
        item: MediaItem,
        typed: dict[str, str],
        now: dict[str, str],
        *,
        meanwhile: list[str] | None = None,
        problem: str | None = None,
        status: int = 200,
    ) -> Response:
        return self.page(
            request,
            "edit.html",
            status=status,
            item=item,
            typed=typed,
            now=now,
            opened=json.dumps(now),
            meanwhile=meanwhile or [],
            problem=problem,
            is_pushed=self.settings.jwp_sync_items,
        )

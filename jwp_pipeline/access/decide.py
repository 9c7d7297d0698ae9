"""Decides who may view, edit and download, as SQL conditions for a caller's query and in Python for one object.

Both forms decide alike (semantics §9). Put here what a caller asks; conditions.py and reasons.py hold the rules.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement

from jwp_pipeline.access import conditions, reasons
from jwp_pipeline.access.lookup import Lookup
from jwp_pipeline.access.people import People
from jwp_pipeline.access.standing import Standing
from jwp_pipeline.access.users import User
from jwp_pipeline.settings import Settings


class Access:
    """Decides for one site, from its settings or with a Lookup of your own. It can be shared by all threads.

    The SQL conditions are for queries over `MediaItem` or `MediaChannel`, and can be combined with any others:
    `session.scalars(select(MediaItem).where(access.viewable_by(user)).limit(50))`. They cost no query of their own and
    at most one request to Lookup, whatever the permissions are. A decision raises no exception because of Lookup:
    while Lookup does not answer, groups and institutions grant nothing.
    """

    def __init__(self, people: People | Settings) -> None:
        self._people = Lookup(people) if isinstance(people, Settings) else people

    def viewable_by(self, user: User | None, *, now: datetime | None = None) -> ColumnElement[bool]:
        """Return the condition that `user` may view a media item, at `now` or else at the time of the query."""
        return conditions.viewable(self._standing(user), now)

    def editable_by(self, user: User | None) -> ColumnElement[bool]:
        """Return the condition that `user` may edit a media item."""
        return conditions.editable(self._standing(user))

    def downloadable_by(self, user: User | None) -> ColumnElement[bool]:
        """Return the condition that `user` may download a media item; combine it with `viewable_by`.

        It says nothing about viewing, as in the reference: an item may be downloadable for those who may view it.
        """
        return conditions.downloadable(self._standing(user))

    def channel_editable_by(self, user: User | None) -> ColumnElement[bool]:
        """Return the condition that `user` may edit a media channel."""
        return conditions.editable_channel(self._standing(user))

    def may_view(self, item: Any, user: User | None, *, now: datetime | None = None) -> bool:
        """Whether `user` may view this MediaItem, at `now` or else at present."""
        return bool(self.reasons_to_view(item, user, now=now))

    def may_edit(self, item: Any, user: User | None) -> bool:
        """Whether `user` may edit this MediaItem."""
        return any(reasons.to_edit_item(item, self._standing(user)))

    def may_edit_channel(self, channel: Any, user: User | None) -> bool:
        """Whether `user` may edit this MediaChannel."""
        return any(reasons.to_edit_channel(channel, self._standing(user)))

    def may_download(self, item: Any, user: User | None) -> bool:
        """Whether `user` may download this MediaItem, provided that they may view it."""
        return bool(item.downloadable) or self._standing(user).downloads_all

    def reasons_to_view(self, item: Any, user: User | None, *, now: datetime | None = None) -> tuple[str, ...]:
        """Return why `user` may view this MediaItem, as sentences to show to them; empty if they may not."""
        return tuple(reasons.to_view(item, self._standing(user), now or datetime.now(UTC)))

    def _standing(self, user: User | None) -> Standing:
        return Standing(user, self._people)

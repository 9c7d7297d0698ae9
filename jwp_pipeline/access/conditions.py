"""The decisions as SQL conditions over the columns of the record. reasons.py makes the same decisions in Python."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Table, and_, any_, exists, false, func, or_, select, true

from jwp_pipeline.access.standing import Standing
from jwp_pipeline.database.media_tables import media_channels, media_items, sms_collections, sms_media_items, videos
from jwp_pipeline.database.tables import CachedResource
from jwp_pipeline.storable import can_be_stored

READY = "ready"
"""The status of a video at JW Platform that can be played."""


def viewable(who: Standing, now: datetime | None) -> ColumnElement[bool]:
    """Return the condition that a media item may be viewed."""
    live = media_items.c.deleted_at.is_(None)
    if who.views_all:
        return live
    return and_(live, or_(and_(_holds(media_items, "view", who), _is_published(now)), _is_editable(who)))


def viewable_by_somebody() -> ColumnElement[bool]:
    """Return the condition that a media item is live and published, and that its permission names somebody."""
    columns = media_items.c
    names = (columns.view_crsids, columns.view_lookup_groups, columns.view_lookup_insts)
    named = [_is_list(column) for column in names]
    somebody = or_(columns.view_is_public.is_(True), columns.view_is_signed_in.is_(True), *named)
    return and_(columns.deleted_at.is_(None), somebody, _is_published(None))


def editable(who: Standing) -> ColumnElement[bool]:
    """Return the condition that a media item may be edited."""
    return and_(media_items.c.deleted_at.is_(None), _is_editable(who))


def downloadable(who: Standing) -> ColumnElement[bool]:
    """Return the condition that a media item may be downloaded by somebody who may view it."""
    return true() if who.downloads_all else media_items.c.downloadable.is_(True)


def editable_channel(who: Standing) -> ColumnElement[bool]:
    """Return the condition that a media channel may be edited."""
    if not who.is_signed_in:
        return false()
    channels = media_channels.c
    granted = true() if who.is_superuser else _holds(media_channels, "edit", who)
    in_sms = exists().where(sms_collections.c.media_channel_id == channels.id)
    return and_(channels.deleted_at.is_(None), granted, ~in_sms)


def _is_published(now: datetime | None) -> ColumnElement[bool]:
    return and_(media_items.c.published_at <= (func.now() if now is None else now), _may_be_played())


def _is_editable(who: Standing) -> ColumnElement[bool]:
    if not who.is_signed_in:
        return false()
    items = media_items.c
    # An array of all channels is computed once for the whole query, and can be looked up in the index of the items.
    channels = func.array(select(media_channels.c.id).where(editable_channel(who)).scalar_subquery())
    in_channel: ColumnElement[bool] = items.media_channel_id == any_(channels)
    if who.is_superuser:
        in_channel = or_(items.media_channel_id.is_(None), in_channel)
    sms_row = select(true()).where(sms_media_items.c.media_item_id == items.id).limit(1).scalar_subquery()
    return and_(in_channel, sms_row.is_(None))


def _may_be_played() -> ColumnElement[bool]:
    """Return the condition that an item has no video, or that JW Platform has its video ready to be played."""
    # Scalar subqueries, because the planner may answer EXISTS for the whole library at once by reading every resource;
    # a page of items needs only a few of them.
    status = CachedResource.data["status"].astext
    is_video = and_(CachedResource.type == "video", CachedResource.key == videos.c.key)
    ready = select(status == READY).where(is_video, CachedResource.deleted_at.is_(None)).scalar_subquery()
    of_video = select(func.coalesce(ready, false())).where(videos.c.media_item_id == media_items.c.id)
    return func.coalesce(of_video.scalar_subquery(), true())


def _holds(table: Table, action: Literal["view", "edit"], who: Standing) -> ColumnElement[bool]:
    """Return the condition that the permission in the columns `<action>_…` of a table grants something to a user."""
    columns = table.c
    granted: list[ColumnElement[bool]] = [columns[f"{action}_is_public"].is_(True)]
    if who.is_signed_in:
        granted.append(columns[f"{action}_is_signed_in"].is_(True))
    if who.username is not None:
        for names, of_user in (
            ("crsids", [who.username]),
            ("lookup_groups", who.membership.groups),
            ("lookup_insts", who.membership.institutions),
        ):
            if matchable := [name for name in of_user if name and can_be_stored(name)]:
                column = columns[f"{action}_{names}"]
                granted.append(and_(column.overlap(matchable), _is_list(column)))
    return or_(*granted)


def _is_list(names: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the condition that an array is a list with names in it.

    PostgreSQL lets somebody write arrays of more dimensions, and its operators look into them. They grant nothing.
    """
    # PostgreSQL knows up to six dimensions. Not `= 1`, which the planner takes for rare: it would expect a few items
    # where there are many, and read all of them for one page.
    return func.array_ndims(names).not_in([2, 3, 4, 5, 6])

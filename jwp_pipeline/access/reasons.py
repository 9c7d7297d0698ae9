"""The decisions in Python, for one object of the record, with the reasons. conditions.py makes the same ones in SQL.

Objects are rows of the models in record/: their columns and relationships are read as attributes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Literal

from jwp_pipeline.access.standing import Standing

READY = "ready"
"""The status of a video at JW Platform that can be played."""


def to_view(item: Any, who: Standing, now: datetime) -> Iterator[str]:
    """Yield a sentence for each reason why a media item may be viewed; none if it may not be."""
    if item.deleted_at is not None:
        return
    if item.published_at <= now and not _has_unready_video(item):
        yield from _granted(item, "view", who)
    yield from to_edit_item(item, who)
    if who.is_superuser:
        yield "You are a superuser."
    elif who.views_all:
        yield "You have the permission to view every item."


def to_edit_item(item: Any, who: Standing) -> Iterator[str]:
    """Yield a sentence for each reason why a media item may be edited; none if it may not be."""
    if item.deleted_at is not None or item.sms is not None:
        return
    if item.channel is not None:
        yield from to_edit_channel(item.channel, who)
    elif who.is_superuser:
        yield "You may edit it as a superuser."


def to_edit_channel(channel: Any, who: Standing) -> Iterator[str]:
    """Yield a sentence for each reason why a media channel, and the items in it, may be edited; none if not."""
    if not who.is_signed_in or channel.deleted_at is not None or channel.sms is not None:
        return
    for reason in _granted(channel, "edit", who):
        yield f"You may edit its channel. {reason}"
    if who.is_superuser:
        yield "You may edit its channel as a superuser."


def _has_unready_video(item: Any) -> bool:
    if item.video is None:
        return False
    resource = item.video.resource
    is_ready = (
        resource is not None
        and resource.deleted_at is None
        and isinstance(resource.data, dict)
        and resource.data.get("status") == READY
    )
    return not is_ready


def _granted(row: Any, action: Literal["view", "edit"], who: Standing) -> Iterator[str]:
    """Yield why the permission in the attributes `<action>_…` of a row grants something to a user."""
    if getattr(row, f"{action}_is_public"):
        yield "It is public."
    if who.is_signed_in and getattr(row, f"{action}_is_signed_in"):
        yield "It is for everybody who is signed in."
    if who.username is None:
        return
    if who.username in getattr(row, f"{action}_crsids"):
        yield f"It is for you ({who.username})."
    groups, institutions = getattr(row, f"{action}_lookup_groups"), getattr(row, f"{action}_lookup_insts")
    # Only a permission that names a group or an institution is worth a request to Lookup.
    if groups and (common := _in_common(groups, who.membership.groups)):
        yield f"It is for members of a group that you belong to ({common})."
    if institutions and (common := _in_common(institutions, who.membership.institutions)):
        yield f"It is for members of an institution that you belong to ({common})."


def _in_common(names: Iterable[Any], of_user: frozenset[str]) -> str:
    # An array of more dimensions, which somebody may have written, has lists in place of names, and grants nothing.
    return ", ".join(dict.fromkeys(name for name in names if name and isinstance(name, str) and name in of_user))

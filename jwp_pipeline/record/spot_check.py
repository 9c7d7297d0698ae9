"""Tries whether items really play: fetches the player of a few items, and asks for their sources.

The sample is the same all day and another one tomorrow, so that a problem that one sync reports can be looked at, and
that in time every item is tried.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import requests
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, joinedload

from jwp_pipeline import bounded_http
from jwp_pipeline.access.conditions import viewable_by_somebody
from jwp_pipeline.delivery import get_sources
from jwp_pipeline.delivery.sources import MOST_BYTES, SECONDS
from jwp_pipeline.errors import DeliveryError
from jwp_pipeline.record.models import MediaItem
from jwp_pipeline.settings import Settings

# A request that would have less time than this is not made, because its failure would say nothing.
_LEAST_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Unplayable:
    """An item that did not play, and why, without any URL."""

    item_id: str
    title: str
    why: str


@dataclass(frozen=True, slots=True)
class SpotCheck:
    """The result of one spot check."""

    tried: int
    """Items that were tried; fewer than were asked for if the time ran out or there are no more."""
    unplayable: tuple[Unplayable, ...]


def spot_check(engine: Engine, settings: Settings, *, day: date, items: int, seconds: float) -> SpotCheck:
    """Try up to `items` items that somebody may view, within `seconds` in all. Raises SettingsError, DatabaseError.

    No connection to the database is held while JW Platform is asked.
    """
    with Session(engine) as session:
        found = _sample(session, day, items)
        session.expunge_all()
    deadline = time.monotonic() + seconds
    tried, unplayable = 0, []
    with requests.Session() as connections:
        for item in found:
            if deadline - time.monotonic() < _LEAST_SECONDS:
                break
            tried += 1
            if why := _why_unplayable(item, settings, connections, deadline):
                unplayable.append(Unplayable(item.id, item.title, why))
    return SpotCheck(tried, tuple(unplayable))


def _sample(session: Session, day: date, items: int) -> Sequence[MediaItem]:
    """Return the items that follow a place in the order of ids that depends on the day, beginning anew at the end.

    Ids are random, so these items are, too; and only they are read, however many there are.
    """
    place = hashlib.sha256(day.isoformat().encode()).digest()
    start = base64.urlsafe_b64encode(place).decode()[:11]
    viewable = (
        select(MediaItem).where(viewable_by_somebody()).order_by(MediaItem.id).options(joinedload(MediaItem.video))
    )
    found = session.scalars(viewable.where(MediaItem.id >= start).limit(items)).all()
    rest = viewable.where(MediaItem.id < start).limit(items - len(found))
    return [*found, *(session.scalars(rest) if len(found) < items else ())]


def _why_unplayable(item: MediaItem, settings: Settings, connections: requests.Session, deadline: float) -> str | None:
    if item.video is None:
        return None
    url = item.video.embed_url(settings=settings)
    try:
        answer = bounded_http.get_in_time(connections, url, seconds=_left(deadline), most_bytes=MOST_BYTES)
    except bounded_http.NoResponse as reason:
        return f"its player: {reason}"
    if answer.status >= 400:
        return f"its player: JW Platform answers HTTP {answer.status}"
    try:
        sources = get_sources(item.video.key, settings=settings, session=connections, seconds=_left(deadline))
    except DeliveryError as error:
        return str(error)
    return None if sources else "it has no sources, though JW Platform says that it is ready"


def _left(deadline: float) -> float:
    return min(SECONDS, max(_LEAST_SECONDS, deadline - time.monotonic()))

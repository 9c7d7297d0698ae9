"""The content of the simulated site: ordered videos and channels, which may be changed while they are served.

Objects have the format of v1. A library may be used from several threads; hold `lock` to make several changes at once.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from threading import RLock
from typing import Any, Literal

from jwp_pipeline.simulator.records import (
    APIS,
    KINDS,
    Api,
    Kind,
    Record,
    channel_record,
    encode,
    sent_instead,
    video_record,
)
from jwp_pipeline.simulator.shelf import Shelf

Change = Literal["created", "updated", "deleted"]
Watcher = Callable[[Kind, str, Change], None]
"""Is told the kind and key of everything that changes, while the library is locked."""


class Library:
    """Videos and channels in order, and the last state of those that were removed.

    A key may occur more than once, because JWP has been seen to list a key twice; a lookup then finds the last
    occurrence. `version` grows with every change.
    """

    def __init__(
        self,
        videos: Iterable[dict[str, Any]] = (),
        channels: Iterable[dict[str, Any]] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.lock = RLock()
        self.version = 0
        self._clock = clock
        self._slots = itertools.count()
        self._records: dict[Kind, dict[int, Record]] = {kind: {} for kind in KINDS}
        self._slots_of: dict[Kind, dict[str, list[int]]] = {kind: {} for kind in KINDS}
        self._removed: dict[Kind, dict[str, Record]] = {kind: {} for kind in KINDS}
        self._hidden: dict[Kind, set[str]] = {kind: set() for kind in KINDS}
        # What listings still show for a key while the index lags: an earlier state, or None for nothing.
        self._indexed: dict[Kind, dict[str, Record | None]] = {kind: {} for kind in KINDS}
        self._planned: list[tuple[float, Callable[[], None]]] = []
        self._watchers: list[Watcher] = []
        self.replace_all(videos, channels)

    # --- Reading -----------------------------------------------------------------------------------------

    def records(self, kind: Kind) -> list[Record]:
        """All records in library order."""
        with self.lock:
            return list(self._records[kind].values())

    def listed(self, kind: Kind) -> list[Record]:
        """The records that listings show, in library order: all but the hidden ones, as the index knows them."""
        with self.lock:
            hidden, indexed = self._hidden[kind], self._indexed[kind]
            records = [record for record in self.records(kind) if record.key not in hidden]
            shown = (indexed.get(record.key, record) if record.key else record for record in records)
            return [record for record in shown if record is not None]

    def shelf(self, kind: Kind, api: Api) -> Shelf:
        """The records that the listings of an API show. It is out of date as soon as `version` grows."""
        return Shelf([record for record in self.listed(kind) if api in record.apis])

    def record(self, kind: Kind, key: str) -> Record | None:
        """The record of a key, the last one if there are several."""
        with self.lock:
            slots = self._slots_of[kind].get(key)
            return self._records[kind][slots[-1]] if slots else None

    def keys(self, kind: Kind) -> list[str]:
        """Keys in library order; elements without a key are left out."""
        return [record.key for record in self.records(kind) if record.key is not None]

    def get(self, kind: Kind, key: str) -> dict[str, Any]:
        """A copy of the v1 object. Raises KeyError."""
        copied: dict[str, Any] = _copied(self._existing(kind, key).source)
        return copied

    def members(self, channel_key: str) -> list[str]:
        """Video keys of a channel in its order; none when they were never set. Raises KeyError."""
        return list(self._existing("channel", channel_key).members or ())

    def removed_keys(self, kind: Kind) -> list[str]:
        """Keys that were removed and are not back, in the order of removal."""
        with self.lock:
            return list(self._removed[kind])

    def removed(self, kind: Kind) -> list[Record]:
        """The same objects, in their last state."""
        with self.lock:
            return list(self._removed[kind].values())

    def now(self) -> int:
        """The time by the library's clock, in epoch seconds."""
        return int(self._clock())

    # --- Changing ----------------------------------------------------------------------------------------

    def watch(self, watcher: Watcher) -> None:
        """Tell somebody about every change from now on. What `load` brings is not told."""
        self._watchers.append(watcher)

    def put(self, kind: Kind, obj: dict[str, Any], *, created: int | None = None, modified: int | None = None) -> None:
        """Add an object, or put it in the place of the one with its key.

        `created` and `modified` (epoch seconds) are a channel's stamps in v2, for v1 has none; left out, they
        follow the library's clock.
        """
        with self.lock:
            self._put(kind, self._made(kind, obj, created, modified))

    def edit(self, kind: Kind, key: str, **fields: Any) -> None:
        """Set top-level fields of an object, nothing else: not even `updated`. Raises KeyError."""
        with self.lock:
            self.put(kind, {**self.get(kind, key), **fields})

    def remove(self, kind: Kind, *keys: str) -> None:
        """Take objects out of the library. Raises KeyError.

        Channels keep the keys of removed videos among their members.
        """
        with self.lock:
            for key in keys:
                self._removed[kind][key] = self._existing(kind, key)
                for slot in self._slots_of[kind].pop(key):
                    del self._records[kind][slot]
                self._tell(kind, key, "deleted")
            self._changed()

    def hide(self, kind: Kind, *keys: str) -> None:
        """Leave these keys out of listings and totals, as a lagging index does. They can still be requested by key."""
        with self.lock:
            self._hidden[kind].update(keys)
            self._changed()

    def unhide(self, kind: Kind) -> None:
        """Let listings show everything again."""
        with self.lock:
            self._hidden[kind].clear()
            self._changed()

    def lag(self, kind: Kind, key: str, seconds: float) -> None:
        """Let listings show a key as it is now for so many seconds, or not at all if it does not exist yet."""
        with self.lock:
            if seconds > 0 and key not in self._indexed[kind]:
                self._indexed[kind][key] = self.record(kind, key)
                self.later(seconds, partial(self._catch_up_with, kind, key))

    def later(self, seconds: float, change: Callable[[], None]) -> None:
        """Plan a change for so many seconds from now; the first `catch_up` after that makes it."""
        with self.lock:
            self._planned.append((self._clock() + seconds, change))

    def catch_up(self) -> None:
        """Make the planned changes that are due."""
        with self.lock:
            now = self._clock()
            due = [change for at, change in self._planned if at <= now]
            self._planned = [(at, change) for at, change in self._planned if at > now]
            for change in due:
                change()

    def restore(self, kind: Kind, *keys: str) -> None:
        """Bring removed objects back as they were, at the end of the library order. Raises KeyError."""
        with self.lock:
            for key in keys:
                self._put(kind, self._removed[kind][key])

    def replace_all(self, videos: Iterable[dict[str, Any]], channels: Iterable[dict[str, Any]]) -> None:
        """Make the library exactly these objects, in this order. A channel that stays keeps its members.

        Overrides and raw elements are removed.
        """
        with self.lock:
            made: dict[Kind, list[Record]] = {
                "video": [self._made("video", video) for video in videos],
                "channel": [self._made("channel", channel) for channel in channels],
            }
            for kind, records in made.items():
                present = {record.key for record in records}
                before = {record.key: record for record in self._records[kind].values() if record.key is not None}
                gone = {key: record for key, record in before.items() if key not in present}
                self._removed[kind].update(gone)
                self.load(kind, records)
                for key in gone:
                    self._tell(kind, key, "deleted")
                for record in records:
                    known = before.get(record.key or "")
                    if record.key is not None and (known is None or known.source != record.source):
                        self._tell(kind, record.key, "created" if known is None else "updated")

    def load(self, kind: Kind, records: Iterable[Record]) -> None:
        """Make the library of this kind exactly these ready-made records."""
        with self.lock:
            self._records[kind] = {}
            self._slots_of[kind] = {}
            for record in records:
                self._append(kind, record)
            self._changed()

    def set_members(self, channel_key: str, keys: Sequence[str], *, modified: int | None = None) -> None:
        """Set a channel's videos in order, duplicates and unknown keys allowed. Raises KeyError."""
        with self.lock:
            record = self._existing("channel", channel_key)
            stamp = int(self._clock()) if modified is None else modified
            self._put("channel", channel_record(record.source, record.created, stamp, tuple(keys)))

    # --- Malformed content -------------------------------------------------------------------------------

    def override(self, kind: Kind, key: str, value: Any, api: Api | None = None) -> None:
        """Send `value` (any JSON value, or RawJson) instead of an object, in one API or in both.

        The object is still found, ordered and counted by its original content. Raises KeyError.
        """
        with self.lock:
            record = self._existing(kind, key)
            self._put(kind, sent_instead(record, _raw(value, [api] if api else APIS)))

    def append(self, kind: Kind, value: Any, api: Api | None = None, like: dict[str, Any] | None = None) -> None:
        """Add an element of any shape (any JSON value, or RawJson) to the end of one API's listing or of both.

        It is found and ordered as the v1 object `like` would be; left out, as the value itself when that is
        a v1 object, else as a manual channel or a video without fields. With a key that is listed already it
        becomes the second occurrence.
        """
        if like is None:
            like = value if isinstance(value, dict) and api != "v2" else {"type": "manual"}
        apis = (api,) if api else APIS
        with self.lock:
            record = self._made(kind, like)
            self._append(kind, record if value == like else sent_instead(record, _raw(value, apis), apis))
            self._changed()

    # --- Inside ------------------------------------------------------------------------------------------

    def _existing(self, kind: Kind, key: str) -> Record:
        record = self.record(kind, key)
        if record is None:
            raise KeyError(f"The simulated library has no {kind} {key!r}.")
        return record

    def _made(self, kind: Kind, obj: dict[str, Any], created: int | None = None, modified: int | None = None) -> Record:
        obj = _copied(obj)
        if kind == "video":
            return video_record(obj)
        now = int(self._clock())
        key = obj.get("key")
        known = self.record(kind, key) if isinstance(key, str) else None
        if known is None:
            modified = now if modified is None else modified
            return channel_record(obj, min(now, modified) if created is None else created, modified, None)
        created = known.created if created is None else created
        record = channel_record(obj, created, now if modified is None else modified, known.members)
        if modified is None and known.modified is not None and record.source == known.source:
            return channel_record(obj, created, known.modified, known.members)
        return record

    def _put(self, kind: Kind, record: Record) -> None:
        slots = self._slots_of[kind].get(record.key) if record.key is not None else None
        if slots:
            self._records[kind][slots[-1]] = record
        else:
            self._append(kind, record)
        if record.key is not None:
            self._tell(kind, record.key, "updated" if slots else "created")
        self._changed()

    def _append(self, kind: Kind, record: Record) -> None:
        slot = next(self._slots)
        self._records[kind][slot] = record
        if record.key is not None:
            self._slots_of[kind].setdefault(record.key, []).append(slot)
            self._removed[kind].pop(record.key, None)

    def _catch_up_with(self, kind: Kind, key: str) -> None:
        del self._indexed[kind][key]
        self._changed()

    def _tell(self, kind: Kind, key: str, change: Change) -> None:
        for watcher in self._watchers:
            watcher(kind, key, change)

    def _changed(self) -> None:
        self.version += 1


def _raw(value: Any, apis: Iterable[Api]) -> dict[Api, bytes]:
    return dict.fromkeys(apis, encode(value))


def _copied(value: Any) -> Any:
    # JSON values only, which copy.deepcopy takes twenty times as long for.
    if isinstance(value, dict):
        return {name: _copied(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_copied(member) for member in value]
    return value

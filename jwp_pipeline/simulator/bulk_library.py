"""Makes big libraries for benchmarks at once. A million videos need a few megabytes, and a page of them no search."""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import overload

from jwp_pipeline.simulator.bulk import VIDEOS_PER_CHANNEL, BulkChannel, BulkVideos, created_of, modified_of
from jwp_pipeline.simulator.demo import DEMO_SEED
from jwp_pipeline.simulator.library import Library
from jwp_pipeline.simulator.records import Api, Kind, Record
from jwp_pipeline.simulator.shelf import Order, Shelf

_BY_CREATION = frozenset({"created", "date", "publish_start_date"})
_BY_CHANGE = frozenset({"last_modified", "updated"})


def bulk_library(
    videos: int, channels: int | None = None, bytes_per_video: int = 1500, seed: int = DEMO_SEED
) -> Library:
    """Make a library of videos of about `bytes_per_video` (v1 JSON), newest first, with 50 in each manual channel.

    By default there are as many channels as the videos fill; further channels are empty.
    """
    library = _BulkLibrary(BulkVideos(videos, bytes_per_video, seed))
    count = -(-videos // VIDEOS_PER_CHANNEL) if channels is None else channels
    library.load("channel", (BulkChannel(number, videos, seed) for number in range(count)))
    return library


class _BulkLibrary(Library):
    """A library whose videos are made when they are requested, except those that were edited since.

    Once a video is added or removed, it holds them all, as any library does.
    """

    def __init__(self, videos: BulkVideos) -> None:
        self._bulk: BulkVideos | None = None
        self._edited: dict[int, Record] = {}
        super().__init__()
        self._bulk = videos

    def shelf(self, kind: Kind, api: Api) -> Shelf:
        """See Library."""
        with self.lock:
            if kind != "video" or self._bulk is None or self._hidden["video"] or self._indexed["video"]:
                return super().shelf(kind, api)
            return _BulkShelf(_Edited(self._bulk, dict(self._edited)))

    def records(self, kind: Kind) -> list[Record]:
        """See Library."""
        with self.lock:
            if kind != "video" or self._bulk is None:
                return super().records(kind)
            return list(_Edited(self._bulk, self._edited))

    def record(self, kind: Kind, key: str) -> Record | None:
        """See Library."""
        with self.lock:
            if kind != "video" or self._bulk is None:
                return super().record(kind, key)
            number = self._bulk.number_of(key)
            return None if number is None else self._edited.get(number) or self._bulk[number]

    def keys(self, kind: Kind) -> list[str]:
        """See Library."""
        with self.lock:
            if kind != "video" or self._bulk is None:
                return super().keys(kind)
            return self._bulk.keys()

    def remove(self, kind: Kind, *keys: str) -> None:
        """See Library."""
        with self.lock:
            if kind == "video":
                self._hold_all()
            super().remove(kind, *keys)

    def load(self, kind: Kind, records: Iterable[Record]) -> None:
        """See Library."""
        with self.lock:
            if kind == "video":
                self._bulk = None
            super().load(kind, records)

    def _put(self, kind: Kind, record: Record) -> None:
        number = self._bulk.number_of(record.key or "") if kind == "video" and self._bulk is not None else None
        # A video that was made at another time would stand elsewhere in the order.
        if number is None or record.created != created_of(number):
            if kind == "video":
                self._hold_all()
            super()._put(kind, record)
            return
        self._edited[number] = record
        self._tell(kind, record.key or "", "updated")
        self._changed()

    def _append(self, kind: Kind, record: Record) -> None:
        if kind == "video":
            self._hold_all()
        super()._append(kind, record)

    def _hold_all(self) -> None:
        if self._bulk is not None:
            self.load("video", self.records("video"))


class _Edited(Sequence[Record]):
    """The videos by number, with those in the place of others that were edited."""

    def __init__(self, bulk: BulkVideos, edited: Mapping[int, Record]) -> None:
        self.bulk = bulk
        self.edited = edited

    def __len__(self) -> int:
        return len(self.bulk)

    @overload
    def __getitem__(self, number: int) -> Record: ...

    @overload
    def __getitem__(self, number: slice) -> list[Record]: ...

    def __getitem__(self, number: int | slice) -> Record | list[Record]:
        if isinstance(number, slice):
            return [self[each] for each in range(len(self))[number]]
        return self.edited.get(number) or self.bulk[number]

    def __iter__(self) -> Iterator[Record]:
        return (self[number] for number in range(len(self)))


class _BulkShelf(Shelf):
    """The videos by number. The orders by time follow from the number."""

    def __init__(self, records: _Edited) -> None:
        super().__init__(records)
        self._videos = records

    def between(self, first: str | None, last: str | None) -> Sequence[int]:
        """See Shelf."""
        return self._videos.bulk.between(first, last)

    def in_order(
        self, places: Sequence[int], api: Api, order: Order
    ) -> tuple[Sequence[int], Sequence[Hashable] | None]:
        """See Shelf. Places come in ascending order, which is that of the newest first."""
        names = {field.name for field in order}
        if len(order) == 1 and names <= _BY_CREATION:
            return places if order[0].descending else places[::-1], None
        if len(order) == 1 and names <= _BY_CHANGE:
            stamps = [self._stamp_of(place) for place in places]
            ranks = sorted(range(len(stamps)), key=stamps.__getitem__, reverse=order[0].descending)
            return array("L", (places[rank] for rank in ranks)), None
        return super().in_order(places, api, order)

    def _stamp_of(self, number: int) -> int:
        edited = self._videos.edited.get(number)
        return modified_of(number) if edited is None else edited.modified or 0

"""The videos and channels of bulk libraries, which are made when they are requested, so that a million need no memory.

The videos differ in key, ids, stamps and text, and have all custom properties. bulk_library.py makes a library of them.
"""

from __future__ import annotations

import json
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property
from typing import Any, overload

from jwp_pipeline.simulator.bulk_json import FIRST_NUMBER, Template
from jwp_pipeline.simulator.demo import BASE62, START
from jwp_pipeline.simulator.records import APIS, Api, Record, encode

VIDEOS_PER_CHANNEL = 50

_FIRST_CHANNEL = 50_000_000
_KEY_LENGTH = 8
_KEYS: int = len(BASE62) ** _KEY_LENGTH
_SPREAD = 130_899_112_345_679
_BACK = pow(_SPREAD, -1, _KEYS)
_NOTHING_RAW: dict[Api, bytes] = {}


class BulkVideos(Sequence[Record]):
    """The videos of a bulk library by number, newest first."""

    def __init__(self, count: int, bytes_per_video: int, seed: int) -> None:
        self._count = count
        self._seed = seed
        self._template = Template(bytes_per_video, seed)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, number: int) -> Record: ...

    @overload
    def __getitem__(self, number: slice) -> list[Record]: ...

    def __getitem__(self, number: int | slice) -> Record | list[Record]:
        numbers = range(self._count)[number]
        if isinstance(numbers, range):
            return [_BulkVideo(self._template, each) for each in numbers]
        return _BulkVideo(self._template, numbers)

    def keys(self) -> list[str]:
        """Return all keys, by number."""
        return [bulk_key(number, self._seed) for number in range(self._count)]

    def number_of(self, key: str) -> int | None:
        """Return the number of the video with this key, or None."""
        if len(key) != _KEY_LENGTH or not set(key) <= _DIGITS.keys():
            return None
        place = 0
        for digit in key:
            place = place * len(BASE62) + _DIGITS[digit]
        number = self._number_at(place)
        return number if number < self._count else None

    def between(self, first: str | None, last: str | None) -> list[int]:
        """Return the numbers of the videos with keys from `first` to `last`, both included, in ascending order."""
        places = self._places
        start = 0 if first is None else bisect_left(places, first, key=_key_at)
        end = len(places) if last is None else bisect_right(places, last, key=_key_at)
        return sorted(map(self._number_at, places[start:end]))

    def _number_at(self, place: int) -> int:
        return (place - self._seed) * _BACK % _KEYS

    @cached_property
    def _places(self) -> Sequence[int]:
        """The places of all keys among all possible ones, in their order."""
        return array("Q", sorted((number * _SPREAD + self._seed) % _KEYS for number in range(self._count)))


class _BulkVideo(Record):
    """A video that is only a number until it is requested."""

    __slots__ = ("_number", "_template")

    def __init__(self, template: Template, number: int) -> None:
        # Record.__init__ is not called, because it stores the object that should not exist yet.
        self._template = template
        self._number = number
        self.kind = "video"
        self.key = bulk_key(number, template.seed)
        self.created = created_of(number)
        self.modified = modified_of(number)
        self.members = None
        self.raw = _NOTHING_RAW
        self.apis = APIS

    @property
    def source(self) -> dict[str, Any]:
        video: dict[str, Any] = json.loads(self.json("v1"))
        return video

    def json(self, api: Api) -> bytes:
        return self._template.json(api, self._number, self.key or "", self.created, self.modified or 0)


class BulkChannel(Record):
    """A manual channel that holds 50 videos in their order, or fewer if there are no more."""

    __slots__ = ("_number", "_seed", "_videos")

    def __init__(self, number: int, videos: int, seed: int) -> None:
        """`videos` is how many videos the library has."""
        self._number = number
        self._videos = videos
        self._seed = seed
        self.kind = "channel"
        self.key = bulk_key(_FIRST_CHANNEL + number, seed)
        self.created = self.modified = START
        self.raw = _NOTHING_RAW
        self.apis = APIS

    @property
    def members(self) -> tuple[str, ...]:  # type: ignore[override] # it is never set
        """See Record."""
        return tuple(bulk_key(number, self._seed) for number in self._numbers)

    @property
    def source(self) -> dict[str, Any]:
        """See Record."""
        ids = ",".join(str(FIRST_NUMBER + number) for number in self._numbers)
        return {
            "key": self.key,
            "title": f"Course {self._number}",
            "description": f"All lectures of course {self._number}",
            "link": None,
            "author": None,
            "type": "manual",
            "default": False,
            "views": 0,
            "custom": {
                "sms_collection_id": f"collection:{self._number + 1}:",
                "sms_instid": "instid:UIS:",
                "sms_groupid": "groupid:101888:",
                "sms_created_by": "created_by:abc123:",
                "sms_acl": "acl:['']:",
                "sms_collection_media_ids": f"collection_media_ids:{ids}:",
            },
            "videos": {"total": len(self._numbers)},
        }

    def json(self, api: Api) -> bytes:
        """See Record."""
        return encode(self.object(api))

    @property
    def _numbers(self) -> range:
        first = self._number * VIDEOS_PER_CHANNEL
        return range(min(first, self._videos), min(first + VIDEOS_PER_CHANNEL, self._videos))


def created_of(number: int) -> int:
    """Return when a video was made, in epoch seconds: one in each minute."""
    return START - 60 * number


def modified_of(number: int) -> int:
    """Return the stamp of a video. Two share each stamp, like records made by a script."""
    return created_of(number) // 120 * 120 + 3600


def bulk_key(number: int, seed: int) -> str:
    """Return the key of a number. All keys are distinct, and spread over the alphabet."""
    return _key_at((number * _SPREAD + seed) % _KEYS)


def _key_at(place: int) -> str:
    place, last = divmod(place, len(_PAIRS))
    place, third = divmod(place, len(_PAIRS))
    first, second = divmod(place, len(_PAIRS))
    return _PAIRS[first] + _PAIRS[second] + _PAIRS[third] + _PAIRS[last]


# Two digits at a time, because a page needs a thousand keys.
_PAIRS = [first + second for first in BASE62 for second in BASE62]
_DIGITS = {digit: value for value, digit in enumerate(BASE62)}

"""Makes big libraries for benchmarks in seconds. They need little memory, because a video is written when it is sent.

The videos differ in key, ids, stamps and text, and have all custom properties.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

from jwp_pipeline.simulator.demo import BASE62, DEMO_SEED, START
from jwp_pipeline.simulator.library import Library
from jwp_pipeline.simulator.records import APIS, Api, Record, channel_record, encode
from jwp_pipeline.simulator.translation import iso, media

VIDEOS_PER_CHANNEL = 50
FIRST_NUMBER = 10_000_000
_FIRST_CHANNEL = 50_000_000
_SPREAD = 130_899_112_345_679
_SAMPLE_DATE = 1_111_111_111
_SAMPLE_UPDATED = 1_222_222_222
_FILLER_LENGTH = 1 << 16


class _Template:
    """The JSON of all bulk videos in both APIs, as a sample whose variable parts are filled in for each video."""

    def __init__(self, bytes_per_video: int, seed: int) -> None:
        chance = Random(seed)  # noqa: S311 - reproducible on purpose
        words = ("lecture", "of", "the", "history", "quantum", "seminar", "in", "recorded", "analysis", "and", "music")
        text = " ".join(chance.choices(words, k=_FILLER_LENGTH // 3))
        self.seed = seed
        self._filler = text[:_FILLER_LENGTH]
        short = len(encode(_sample("")))
        self._text_length = max(bytes_per_video - short, 0)
        sample = _sample("TEXT")
        self._texts: dict[Api, str] = {"v1": _slots(encode(sample)), "v2": _slots(encode(media(sample)))}

    def json(self, api: Api, number: int, key: str, date: int, updated: int) -> bytes:
        start = number * 131 % (_FILLER_LENGTH - self._text_length)
        values = {
            "key": key,
            "number": FIRST_NUMBER + number,
            "date": date,
            "updated": updated,
            "acl": _acl(number),
            "text": self._filler[start : start + self._text_length],
        }
        if api == "v2":
            values |= {"iso_date": iso(date), "iso_updated": iso(updated)}
        return (self._texts[api] % values).encode()


def _acl(number: int) -> str:
    """Return an ACL: half of the videos are public, a fifth is for everybody signed in, the rest for a few people."""
    share = number % 10
    if share < 7:
        return "WORLD" if share < 5 else "CAM"
    return (f"GROUP_{100_000 + number % 5_000}", f"INST_I{number % 300}", f"USER_abc{number % 20_000}")[share - 7]


def _sample(text: str) -> dict[str, Any]:
    return {
        "key": "KEYKEYKE",
        "title": "Lecture 98765432",
        "description": text,
        "author": None,
        "date": _SAMPLE_DATE,
        "updated": _SAMPLE_UPDATED,
        "expires_date": None,
        "tags": "lecture, bulk",
        "mediatype": "video",
        "duration": "1834.06",
        "status": "ready",
        "views": 5,
        "size": "64034290",
        "md5": "000000000000000000000000" + "98765432",
        "sourceformat": "mp4",
        "sourceurl": None,
        "sourcetype": "file",
        "link": "",
        "custom": {
            "sms_media_id": "media:98765432:",
            "sms_clip_id": "clip:98765432:",
            "sms_collection_id": "collection:1:",
            "sms_created_at": "created_at:2018-03-01T10:00:00+00:00:",
            "sms_last_updated_at": "last_updated_at:2018-03-01 10:00:00+00:00:",
            "sms_instid": "instid:UIS:",
            "sms_copyright": "copyright:University of Example:",
            "sms_created_by": "created_by:abc123:",
            "sms_language": "language:eng:",
            "sms_keywords": "keywords:bulk|lecture:",
            "sms_acl": "acl:ENTRIES:",
            "sms_downloadable": "downloadable:True:",
        },
        "error": None,
        "upload_session_id": None,
    }


def _slots(sample: bytes) -> str:
    text = sample.decode().replace("%", "%%")
    for found, slot in (
        ("KEYKEYKE", "%(key)s"),
        ("98765432", "%(number)s"),
        ("TEXT", "%(text)s"),
        ("ENTRIES", "%(acl)s"),
        (str(_SAMPLE_DATE), "%(date)s"),
        (str(_SAMPLE_UPDATED), "%(updated)s"),
        (iso(_SAMPLE_DATE), "%(iso_date)s"),
        (iso(_SAMPLE_UPDATED), "%(iso_updated)s"),
    ):
        text = text.replace(found, slot)
    return text


class _BulkVideo(Record):
    """A video that is only a number until it is requested."""

    __slots__ = ("_number", "_template")

    def __init__(self, template: _Template, number: int) -> None:
        # Record.__init__ is not called, because it stores the object that should not exist yet.
        self._template = template
        self._number = number
        self.kind = "video"
        self.key = _key(template.seed, number)
        self.created = START - 60 * number
        # Two videos share each stamp, like records made by a script.
        self.modified = self.created // 120 * 120 + 3600
        self.members = None
        self.raw = {}
        self.apis = APIS

    @property
    def source(self) -> dict[str, Any]:
        video: dict[str, Any] = json.loads(self.json("v1"))
        return video

    def json(self, api: Api) -> bytes:
        return self._template.json(api, self._number, self.key or "", self.created, self.modified or 0)


def bulk_library(
    videos: int, channels: int | None = None, bytes_per_video: int = 1500, seed: int = DEMO_SEED
) -> Library:
    """Make a library of videos of about `bytes_per_video` (v1 JSON), newest first, with 50 in each manual channel.

    By default there are as many channels as the videos fill; further channels are empty.
    """
    template = _Template(bytes_per_video, seed)
    library = Library()
    records = [_BulkVideo(template, number) for number in range(videos)]
    library.load("video", records)
    count = -(-videos // VIDEOS_PER_CHANNEL) if channels is None else channels
    library.load("channel", (_channel(seed, number, records) for number in range(count)))
    return library


def _channel(seed: int, number: int, videos: list[_BulkVideo]) -> Record:
    first = number * VIDEOS_PER_CHANNEL
    mine = videos[first : first + VIDEOS_PER_CHANNEL]
    ids = ",".join(str(FIRST_NUMBER + first + place) for place in range(len(mine)))
    channel = {
        "key": _key(seed, _FIRST_CHANNEL + number),
        "title": f"Course {number}",
        "description": f"All lectures of course {number}",
        "link": None,
        "author": None,
        "type": "manual",
        "default": False,
        "views": 0,
        "custom": {
            "sms_collection_id": f"collection:{number + 1}:",
            "sms_instid": "instid:UIS:",
            "sms_groupid": "groupid:101888:",
            "sms_created_by": "created_by:abc123:",
            "sms_acl": "acl:['']:",
            "sms_collection_media_ids": f"collection_media_ids:{ids}:",
        },
        "videos": {"total": len(mine)},
    }
    return channel_record(channel, START, START, tuple(video.key for video in mine if video.key))


def _key(seed: int, number: int) -> str:
    # A permutation of all 8-character keys, so that keys are distinct and spread over the alphabet.
    place = (number * _SPREAD + seed) % 62**8
    digits = []
    for _ in range(8):
        place, digit = divmod(place, 62)
        digits.append(BASE62[digit])
    return "".join(reversed(digits))

"""The JSON of the videos of bulk libraries. It is made by filling in a sample, which is much faster than encoding."""

from __future__ import annotations

from random import Random
from typing import Any

from jwp_pipeline.simulator.records import Api, encode
from jwp_pipeline.simulator.translation import iso, media

FIRST_NUMBER = 10_000_000
"""The SMS id of the first video."""

_SAMPLE_DATE = 1_111_111_111
_SAMPLE_UPDATED = 1_222_222_222
_FILLER_LENGTH = 1 << 16


class Template:
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
        """Return the JSON of a video; `date` and `updated` are in epoch seconds."""
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

"""Makes the demo library: lectures and courses of an invented university, which depend only on the seed.

Each video has a unique number, which decides its key, its SMS id and all its texts. Custom properties are written as
the university's own tools write them. evolution.py changes the library from day to day.
"""

from __future__ import annotations

import hashlib
import string
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

from jwp_pipeline.simulator.demo_words import (
    COPYRIGHTS,
    ENDINGS,
    FORMATS,
    KEYWORDS,
    LANGUAGES,
    LECTURERS,
    MIDDLES,
    OPENINGS,
    SUBJECTS,
)
from jwp_pipeline.simulator.library import Library
from jwp_pipeline.simulator.records import Record, channel_record, video_record
from jwp_pipeline.simulator.translation import iso

DEMO_SEED = 2025
DAY = 86_400
START = int(datetime(2025, 10, 1, 6, tzinfo=UTC).timestamp())
"""The time of generation 0 unless another is given, in epoch seconds. Everything in the library is older."""
MASS_UPDATE_DAYS = 200
"""How many days before generation 0 a script updated many videos within one second."""
YEARS_BACK = 8
FIRST_SMS_ID = 1_000_000
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


@dataclass(frozen=True, slots=True)
class Course:
    """What the videos of one channel have in common."""

    number: int
    instid: str
    subject: str
    title: str
    lecturer: str
    year: int


def demo_library(videos: int = 2000, channels: int = 60, seed: int = DEMO_SEED, start: int = START) -> Library:
    """Make a library of so many videos and manual channels, as it is in generation 0 at `start` (epoch seconds).

    It also has the two playlists that every site has: the default feed and a dynamic one.
    """
    courses = [course(seed, number, start) for number in range(1, channels + 1)]
    lectures: dict[int, list[int]] = {each.number: [] for each in courses}
    records: list[Record] = []
    for number in range(1, videos + 1):
        chance = dice(seed, "course of", number)
        # One video in ten belongs to no course.
        taken = courses[chance.randrange(channels)] if channels and chance.random() < 0.9 else None
        if taken is not None:
            lectures[taken.number].append(number)
        part = len(lectures[taken.number]) if taken else 1
        records.append(video_record(lecture(seed, number, taken, part, start=start)))
    library = Library()
    library.load("video", records)
    # An SMS collection holds SMS items only.
    in_sms = {number for number, record in enumerate(records, 1) if record.source["custom"]}
    library.load(
        "channel",
        [
            *_standing_channels(seed, start),
            *(
                course_record(seed, each, [number for number in lectures[each.number] if number in in_sms], start=start)
                for each in courses
            ),
        ],
    )
    return library


def dice(seed: int, *what: object) -> Random:
    """Return a random generator that depends only on the seed and on its purpose."""
    return Random(":".join(map(str, (seed, *what))))  # noqa: S311 - reproducible on purpose


def resource_key(seed: int, kind: str, number: int) -> str:
    """Return an 8-character JWP key."""
    digest = int.from_bytes(hashlib.blake2b(f"{seed}:{kind}:{number}".encode(), digest_size=8).digest())
    return "".join(BASE62[digest // 62**place % 62] for place in range(8))


def course(seed: int, number: int, start: int = START) -> Course:
    """Return the course with this number. It was given in a year before that of `start`."""
    chance = dice(seed, "course", number)
    instid = chance.choice(list(SUBJECTS))
    subject, topics = SUBJECTS[instid]
    year = datetime.fromtimestamp(start, UTC).year - 1 - chance.randrange(YEARS_BACK)
    title = chance.choice(
        (
            f"{subject}: {chance.choice(topics)} {year}-{(year + 1) % 100:02}",
            f"{subject} public lectures {year}",
            f"{chance.choice(topics)} (Part {chance.choice(('IA', 'IB', 'II', 'III'))})",
        )
    )
    return Course(number, instid, subject, title, chance.choice(LECTURERS), year)


def lecture(
    seed: int, number: int, taken: Course | None, part: int, published: int | None = None, start: int = START
) -> dict[str, Any]:
    """Return the v1 object of video `number`, part `part` of its course.

    It was published at `published`, in epoch seconds, or else at some time before `start`.
    """
    chance = dice(seed, "video", number)
    instid = taken.instid if taken else chance.choice(list(SUBJECTS))
    subject, topics = SUBJECTS[instid]
    topic = chance.choice(topics)
    lecturer = taken.lecturer if taken and chance.random() < 0.8 else chance.choice(LECTURERS)
    kind = chance.choice(FORMATS)
    title = f"{topic}: {kind} {part}" if taken else f"{topic}: {kind} by {lecturer}"
    texts = [chance.choice(OPENINGS), *chance.sample(MIDDLES, chance.randint(1, 2)), chance.choice(ENDINGS)]
    words = {"topic": topic, "lecturer": lecturer, "subject": subject, "part": part}
    date = _recorded(chance, taken, part, start) if published is None else published
    updated = date + chance.randrange(DAY) if published is None else date
    mass_update = start - MASS_UPDATE_DAYS * DAY
    if published is None and date < mass_update and chance.random() < 0.12:
        updated = mass_update
    status = "ready" if chance.random() < 0.992 else "failed"
    audio = chance.random() < 0.15
    seconds = chance.uniform(300, 5400) if status == "ready" else 0.0
    separator = "," if chance.random() < 0.1 else ", "
    return {
        "key": resource_key(seed, "video", number),
        "title": title,
        "description": None if chance.random() < 0.02 else " ".join(texts).format(**words),
        "author": lecturer if chance.random() < 0.3 else None,
        "date": date,
        "updated": updated,
        "expires_date": None,
        "tags": separator.join(["lecture", subject.lower(), *chance.sample(KEYWORDS, 1)]),
        "mediatype": "audio" if audio else "video",
        "duration": f"{seconds:.2f}",
        "status": status,
        "views": int(chance.paretovariate(0.7)) % 50_000,
        "size": str(int(seconds * (16_000 if audio else 310_000))),
        "md5": f"{chance.getrandbits(128):032x}",
        "sourceformat": "mp3" if audio else "mp4",
        "sourceurl": None,
        "sourcetype": "file",
        "link": "",
        "custom": _properties(chance, number, instid, taken, date, updated),
        "error": None if status == "ready" else {"message": "The file could not be decoded."},
        "upload_session_id": None,
    }


def _recorded(chance: Random, taken: Course | None, part: int, start: int) -> int:
    """Return when a part of a course was recorded: one part every second day, and all before `start`."""
    if taken is None:
        return start - chance.randrange(DAY, YEARS_BACK * 365 * DAY)
    term = int(datetime(taken.year, 10, 4, 9, tzinfo=UTC).timestamp())
    return min(term + 2 * part * DAY + chance.randrange(DAY // 4), start - chance.randrange(DAY, 30 * DAY))


def _properties(
    chance: Random, number: int, instid: str, taken: Course | None, date: int, updated: int
) -> dict[str, str]:
    # A few videos were uploaded by hand and never seen by the SMS.
    if chance.random() < 0.04:
        return {}
    sms_id = FIRST_SMS_ID + number
    user = crsid(chance)
    properties = {
        "sms_media_id": f"media:{sms_id}:",
        "sms_clip_id": f"clip:{sms_id * 3 + 1}:",
        "sms_collection_id": f"collection:{taken.number if taken else 90_000}:",
        "sms_created_at": f"created_at:{iso(date)}:",
        "sms_last_updated_at": f"last_updated_at:{iso(updated).replace('T', ' ')}:",
        "sms_instid": f"instid:{instid}:",
        "sms_aspect_ratio": "aspect_ratio:16x9:",
        "sms_publisher": "publisher:University of Example:",
        "sms_copyright": f"copyright:{chance.choice(COPYRIGHTS)}:",
        "sms_created_by": f"created_by:{user}:",
        "sms_updated_by": f"updated_by:{user if chance.random() < 0.7 else crsid(chance)}:",
        "sms_language": f"language:{chance.choice(LANGUAGES)}:",
        "sms_keywords": f"keywords:{'|'.join(chance.sample(KEYWORDS, chance.randint(0, 4)))}:",
        "sms_acl": f"acl:{acl(chance)}:",
        "sms_screencast": f"screencast:{chance.random() < 0.1}:",
        "sms_featured": f"featured:{chance.random() < 0.03}:",
        "sms_downloadable": f"downloadable:{chance.random() < 0.4}:",
        "sms_branding": "branding:True:",
        "sms_withdrawn": "withdrawn:f:",
        "sms_image_id": f"image_id:{chance.choice((None, sms_id * 5))}:",
        "sms_image_status": "image_status:loaded:",
    }
    # A video without sms_acl is public, and some old videos have none.
    if chance.random() < 0.03:
        del properties["sms_acl"]
    return properties


def acl(chance: Random) -> str:
    """Return an ACL of any kind: public, signed-in users, institutions, groups, people, a mixture, or nobody."""
    entries = (
        f"INST_{chance.choice(list(SUBJECTS))}",
        f"GROUP_{chance.randrange(100_000, 105_000)}",
        f"USER_{crsid(chance)}",
    )
    kind = chance.random()
    if kind < 0.5:
        return "WORLD"
    if kind < 0.7:
        return "CAM"
    return "" if kind < 0.74 else ",".join(chance.sample(entries, chance.choice((1, 1, 2, 3))))


def crsid(chance: Random) -> str:
    """Return a person's identifier."""
    return "".join(chance.choices(string.ascii_lowercase, k=chance.randint(2, 3))) + str(chance.randrange(1, 999))


def course_record(seed: int, each: Course, numbers: list[int], edited: int | None = None, start: int = START) -> Record:
    """Return the record of a course's channel with these videos.

    It was edited at `edited`, in epoch seconds, or else at some time before `start`.
    """
    chance = dice(seed, "channel", each.number)
    made = _recorded(chance, each, -14, start) if edited is None else edited
    edited = min(made + chance.randrange(400 * DAY), start - DAY) if edited is None else edited
    ids = ",".join(str(FIRST_SMS_ID + number) for number in numbers)
    # Records made before March 2018 have another type word here.
    creator = "creator" if each.number % 9 == 1 else "created_by"
    user = crsid(chance)
    channel = {
        "key": resource_key(seed, "channel", each.number),
        "title": each.title,
        "description": f"Recordings of {each.title}, {each.lecturer}." if each.number % 7 else "",
        "link": None,
        "author": None,
        "type": "manual",
        "default": False,
        "views": chance.randrange(3000),
        "custom": {
            "sms_collection_id": f"collection:{each.number}:",
            "sms_website_url": f"website_url:https://www.{each.instid.lower()}.example.org/{each.year}:",
            "sms_instid": f"instid:{each.instid}:",
            "sms_groupid": f"groupid:{chance.randrange(100_000, 105_000) if each.number % 3 else ''}:",
            "sms_created_by": f"{creator}:{user}:",
            "sms_updated_by": f"updated_by:{user}:",
            "sms_image_id": "image:None:",
            "sms_acl": "acl:['']:",
            "sms_created_at": f"created_at:{iso(made)}:",
            "sms_last_updated_at": f"last_updated_at:{iso(edited)}:",
            "sms_collection_media_ids": f"collection_media_ids:{ids}:",
            "sms_media_ids": f"media_ids:{ids}:",
            "sms_failed_media_ids": "failed_media_ids::",
        },
        "videos": {"total": len(numbers)},
    }
    return channel_record(channel, made, edited, tuple(resource_key(seed, "video", number) for number in numbers))


def _standing_channels(seed: int, start: int) -> list[Record]:
    made = start - YEARS_BACK * 365 * DAY
    common: dict[str, Any] = {"description": None, "link": None, "author": None, "views": 0, "custom": {}}
    feed = {"key": resource_key(seed, "channel", -1), "title": "Default Recommendations Feed", **common}
    newest = {"key": resource_key(seed, "channel", -2), "title": "Newest lectures", **common}
    return [
        channel_record({**feed, "type": "feed", "default": True, "videos": {"max": 16}}, made, made, None),
        channel_record(
            {**newest, "type": "dynamic", "default": False, "videos": {"max": 10, "total": 10}}, made, made, None
        ),
    ]

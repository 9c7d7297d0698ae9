"""Changes the demo library from generation to generation; each generation is a day at the university.

The same seed and generation change the same library in the same way. moves.py makes the small changes in between.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from jwp_pipeline.simulator.demo import (
    DAY,
    DEMO_SEED,
    FIRST_SMS_ID,
    START,
    acl,
    course,
    course_record,
    dice,
    lecture,
    resource_key,
)
from jwp_pipeline.simulator.demo_words import KEYWORDS
from jwp_pipeline.simulator.library import Library
from jwp_pipeline.simulator.translation import iso

NUMBERS_A_DAY = 10_000
"""How many numbers of videos and courses are reserved for each generation, so that none is used twice."""
FIRST_DAY_NUMBER = 1_000_000
_ADDED = (0.003, 0.006)
_CHANGED = (0.011, 0.018)
_DELETED = 0.0015
_WATCHED = 0.05


@dataclass(frozen=True, slots=True)
class Evolution:
    """The keys of what one generation changed. Watched videos have more views and are otherwise unchanged."""

    generation: int
    videos_added: list[str] = field(default_factory=list)
    videos_changed: list[str] = field(default_factory=list)
    videos_deleted: list[str] = field(default_factory=list)
    videos_restored: list[str] = field(default_factory=list)
    videos_watched: list[str] = field(default_factory=list)
    channels_added: list[str] = field(default_factory=list)
    channels_changed: list[str] = field(default_factory=list)
    channels_deleted: list[str] = field(default_factory=list)
    channels_restored: list[str] = field(default_factory=list)


def evolve(
    library: Library,
    generation: int,
    seed: int = DEMO_SEED,
    *,
    start: int = START,
    now: int | None = None,
    spread: int = DAY // 2,
) -> Evolution:
    """Change a demo library from the previous generation to this one (1, 2, …).

    `seed` and `start` are those that it was made from. The changes have stamps of the last `spread` seconds up to
    `now` (epoch seconds), by default so many days after `start`.
    """
    chance = dice(seed, "generation", generation)
    now = start + generation * DAY if now is None else now
    with library.lock:
        live = library.keys("video")
        back = library.removed_keys("video")
        chosen = chance.sample(live, len(live))
        deleted = chosen[: max(2, round(len(live) * _DELETED))] if len(live) > 20 else []
        changed = chosen[len(deleted) :][: max(2, round(len(live) * chance.uniform(*_CHANGED)))]
        watched = chosen[len(deleted) + len(changed) :][: round(len(live) * _WATCHED)]
        restored = chance.sample(back, min(len(back), chance.choice((1, 1, 2))))
        result = Evolution(
            generation,
            videos_changed=changed,
            videos_deleted=deleted,
            videos_restored=restored,
            videos_watched=watched,
        )
        for key in changed:
            _change(library, key, now - chance.randrange(spread), chance)
        for key in watched:
            library.edit("video", key, views=library.get("video", key)["views"] + chance.randint(1, 40))
        library.remove("video", *deleted)
        library.restore("video", *restored)
        _change_channels(library, result, seed, start, now, chance)
        count = max(2, round(len(live) * chance.uniform(*_ADDED)))
        stamps = [now - chance.randrange(spread) for _ in range(count)]
        _add_videos(library, result, seed, start, stamps, chance)
    return result


def _change(library: Library, key: str, now: int, chance: Random) -> None:
    video = library.get("video", key)
    custom = video["custom"]
    if custom:
        custom["sms_last_updated_at"] = f"last_updated_at:{iso(now).replace('T', ' ')}:"
    match chance.randrange(5 if custom else 2):
        case 0:
            video["title"] = f"{video['title'].removesuffix(' (revised)')} (revised)"
        case 1:
            video["description"] = f"{video['description'] or ''} Corrected on {iso(now)[:10]}.".strip()
        case 2:
            custom["sms_acl"] = f"acl:{acl(chance)}:"
        case 3:
            custom["sms_keywords"] = f"keywords:{'|'.join(chance.sample(KEYWORDS, 3))}:"
        case 4:
            was = custom.get("sms_downloadable") == "downloadable:True:"
            custom["sms_downloadable"] = f"downloadable:{not was}:"
    library.put("video", {**video, "updated": now})


def _change_channels(library: Library, result: Evolution, seed: int, start: int, now: int, chance: Random) -> None:
    courses = manual_channels(library)
    if not courses:
        return
    edited = chance.choice(courses)
    channel = library.get("channel", edited)
    channel["description"] = f"Term of {iso(now)[:7]}. {channel['title']}."
    channel["custom"]["sms_last_updated_at"] = f"last_updated_at:{iso(now)}:"
    library.put("channel", channel, modified=now)
    result.channels_changed.append(edited)
    if result.generation % 7 == 0 and len(courses) > 3:
        gone = next(key for key in courses if key != edited)
        library.remove("channel", gone)
        result.channels_deleted.append(gone)
    elif library.removed_keys("channel"):
        back = library.removed_keys("channel")[0]
        library.restore("channel", back)
        result.channels_restored.append(back)
    if result.generation % 5 == 0:
        new = course_record(seed, course(seed, NUMBERS_A_DAY + result.generation, start), [], edited=now)
        library.put("channel", new.source, created=now, modified=now)
        result.channels_added.append(resource_key(seed, "channel", NUMBERS_A_DAY + result.generation))


def _add_videos(library: Library, result: Evolution, seed: int, start: int, stamps: list[int], chance: Random) -> None:
    first = FIRST_DAY_NUMBER + result.generation * NUMBERS_A_DAY
    into = chance.sample(courses, min(2, len(courses))) if (courses := manual_channels(library)) else []
    gained: dict[str, list[int]] = {key: [] for key in into}
    for number, published in enumerate(stamps, first):
        target = chance.choice(into) if into else None
        video = new_lecture(library, target, number, published, len(gained[target]) if target else 0, seed, start)
        library.put("video", video)
        result.videos_added.append(video["key"])
        if target is not None and video["custom"]:
            gained[target].append(number)
    for key, numbers in gained.items():
        if numbers:
            extend(library, key, numbers, seed, max(stamps))
            if key not in result.channels_changed + result.channels_added:
                result.channels_changed.append(key)


def new_lecture(
    library: Library, channel: str | None, number: int, published: int, waiting: int, seed: int, start: int
) -> dict[str, Any]:
    """Return the v1 object of a new video: the next part of a channel's course, after `waiting` other new ones."""
    if channel is None:
        return lecture(seed, number, None, 1, published=published)
    collection = library.get("channel", channel)["custom"]["sms_collection_id"]
    taken = course(seed, int(collection.split(":")[1]), start)
    return lecture(seed, number, taken, len(library.members(channel)) + waiting + 1, published=published)


def extend(library: Library, key: str, numbers: list[int], seed: int, now: int) -> None:
    """Add the videos with these numbers to a channel."""
    channel = library.get("channel", key)
    for name in ("collection_media_ids", "media_ids"):
        listed = channel["custom"][f"sms_{name}"].split(":")[1]
        ids = [*filter(None, listed.split(",")), *(str(FIRST_SMS_ID + number) for number in numbers)]
        channel["custom"][f"sms_{name}"] = f"{name}:{','.join(ids)}:"
    members = [*library.members(key), *(resource_key(seed, "video", number) for number in numbers)]
    library.put("channel", channel, modified=now)
    library.set_members(key, members, modified=now)


def manual_channels(library: Library) -> list[str]:
    """Return the keys of the manual channels, in library order. Each of them is a course."""
    return [
        record.key
        for record in library.records("channel")
        if record.key is not None and record.source["type"] == "manual"
    ]

"""Changes the demo library from generation to generation; each generation is a day at the university.

The same seed and generation always give the same library, so a long-lived demo needs to remember only one number.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from random import Random
from threading import Lock
from typing import Any

from jwp_pipeline.simulator.demo import (
    DAY,
    DEMO_SEED,
    FIRST_SMS_ID,
    START,
    acl,
    course,
    course_record,
    demo_library,
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


def evolve(library: Library, generation: int, seed: int = DEMO_SEED) -> Evolution:
    """Change a demo library from the previous generation to this one (1, 2, …), with the seed that it was made from."""
    chance = dice(seed, "generation", generation)
    now = START + generation * DAY
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
            _change(library, key, now + chance.randrange(DAY // 2), chance)
        for key in watched:
            library.edit("video", key, views=library.get("video", key)["views"] + chance.randint(1, 40))
        library.remove("video", *deleted)
        library.restore("video", *restored)
        _change_channels(library, result, seed, now, chance)
        _add_videos(library, result, seed, now, chance, max(2, round(len(live) * chance.uniform(*_ADDED))))
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
            was = custom["sms_downloadable"] == "downloadable:True:"
            custom["sms_downloadable"] = f"downloadable:{not was}:"
    library.put("video", {**video, "updated": now})


def _change_channels(library: Library, result: Evolution, seed: int, now: int, chance: Random) -> None:
    courses = _courses(library)
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
        new = course_record(seed, course(seed, NUMBERS_A_DAY + result.generation), [], edited=now)
        library.put("channel", new.source, created=now, modified=now)
        result.channels_added.append(resource_key(seed, "channel", NUMBERS_A_DAY + result.generation))


def _add_videos(library: Library, result: Evolution, seed: int, now: int, chance: Random, count: int) -> None:
    first = FIRST_DAY_NUMBER + result.generation * NUMBERS_A_DAY
    into = chance.sample(courses, min(2, len(courses))) if (courses := _courses(library)) else []
    gained: dict[str, list[int]] = {key: [] for key in into}
    for number in range(first, first + count):
        target = chance.choice(into) if into else None
        taken = None
        part = 1
        if target is not None:
            collection = library.get("channel", target)["custom"]["sms_collection_id"]
            taken = course(seed, int(collection.split(":")[1]))
            part = len(library.members(target)) + len(gained[target]) + 1
        video = lecture(seed, number, taken, part, published=now + chance.randrange(DAY // 2))
        library.put("video", video)
        result.videos_added.append(video["key"])
        if target is not None and video["custom"]:
            gained[target].append(number)
    for key, numbers in gained.items():
        if numbers:
            _extend(library, key, numbers, seed, now)
            if key not in result.channels_changed + result.channels_added:
                result.channels_changed.append(key)


def _extend(library: Library, key: str, numbers: list[int], seed: int, now: int) -> None:
    channel = library.get("channel", key)
    for name in ("collection_media_ids", "media_ids"):
        listed = channel["custom"][f"sms_{name}"].split(":")[1]
        ids = [*filter(None, listed.split(",")), *(str(FIRST_SMS_ID + number) for number in numbers)]
        channel["custom"][f"sms_{name}"] = f"{name}:{','.join(ids)}:"
    members = [*library.members(key), *(resource_key(seed, "video", number) for number in numbers)]
    library.put("channel", channel, modified=now)
    library.set_members(key, members, modified=now)


def _courses(library: Library) -> list[str]:
    return [
        record.key
        for record in library.records("channel")
        if record.key is not None and record.source["type"] == "manual"
    ]


class Demo:
    """A demo library that remembers its generation. Safe to use from several threads."""

    def __init__(self, videos: int = 2000, channels: int = 60, seed: int = DEMO_SEED, generation: int = 0) -> None:
        self.library = demo_library(videos, channels, seed)
        self._seed = seed
        self._generation = 0
        self._lock = Lock()
        for _ in range(generation):
            self.evolve()

    def evolve(self) -> dict[str, Any]:
        """Go to the next generation, and return its number and the keys of what changed."""
        with self._lock:
            evolution = evolve(self.library, self._generation + 1, self._seed)
            self._generation = evolution.generation
            return asdict(evolution)

    def state(self) -> dict[str, Any]:
        """Return the generation, the seed, and the numbers of videos and manual channels."""
        with self._lock:
            return {
                "generation": self._generation,
                "seed": self._seed,
                "videos": len(self.library.records("video")),
                "channels": len(_courses(self.library)),
            }

"""The small changes that a living demo library makes by itself: a corrected title now and then, seldom a whole series.

A move depends only on the seed, on its number, and on the library that it finds. living.py says when moves are made;
put here what they do. Each returns a sentence about it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from jwp_pipeline.simulator.demo import acl, course, course_record, dice, lecture
from jwp_pipeline.simulator.demo_words import ENDINGS, KEYWORDS, SUBJECTS
from jwp_pipeline.simulator.evolution import extend, manual_channels, new_lecture
from jwp_pipeline.simulator.library import Library
from jwp_pipeline.simulator.translation import iso

FIRST_NUMBER = 100_000_000
"""The first number of a video that a move adds; a move has so many numbers for itself as a series has parts at most."""
FIRST_COURSE = 1_000_000
_PARTS = (4, 7)
_NUMBERS = 10
# A library, and a course, that are smaller lose nothing more.
_SMALLEST = 20


@dataclass(frozen=True, slots=True)
class _Move:
    """What a move works with. `now` is in epoch seconds."""

    library: Library
    number: int
    seed: int
    start: int
    now: int
    chance: Random

    def video(self, *, in_sms: bool = False) -> dict[str, Any] | None:
        """A video by chance, with or without properties; None if there is none."""
        keys = self.library.keys("video")
        for key in self.chance.sample(keys, min(len(keys), 50)):
            video = self.library.get("video", key)
            if not in_sms or "sms_acl" in video["custom"]:
                return video
        return None

    def put(self, video: dict[str, Any]) -> None:
        """Store a video that was changed now."""
        if "sms_last_updated_at" in video["custom"]:
            video["custom"]["sms_last_updated_at"] = f"last_updated_at:{iso(self.now).replace('T', ' ')}:"
        self.library.put("video", {**video, "updated": self.now})


def move(library: Library, number: int, seed: int, start: int, now: int) -> str:
    """Make move `number` (0, 1, …) at `now`, and return a sentence about it.

    `seed` and `start` are those that the library was made from. A move for which the library has nothing corrects a
    title instead, and if there are no videos at all, nothing happens.
    """
    chance = dice(seed, "move", number)
    made = _Move(library, number, seed, start, now, chance)
    [kind] = chance.choices(list(_KINDS), weights=list(_KINDS.values()))
    with library.lock:
        return kind(made) or _title_corrected(made) or "There is nothing that could change."


def _title_corrected(made: _Move) -> str | None:
    video = made.video()
    if video is None:
        return None
    before = video["title"] or ""
    video["title"] = before.removesuffix(" (corrected)") if before.endswith(" (corrected)") else f"{before} (corrected)"
    made.put(video)
    return f"The title of {video['key']} is now {video['title']!r}."


def _description_corrected(made: _Move) -> str | None:
    video = made.video()
    if video is None:
        return None
    texts = [text for text in ENDINGS if text not in (video["description"] or "")]
    if not texts:
        return None
    video["description"] = f"{video['description'] or ''} {made.chance.choice(texts)}".strip()
    made.put(video)
    return f"The description of {video['key']} has one more sentence."


def _keywords_changed(made: _Move) -> str | None:
    video = made.video(in_sms=True)
    if video is None:
        return None
    video["custom"]["sms_keywords"] = f"keywords:{'|'.join(made.chance.sample(KEYWORDS, 3))}:"
    made.put(video)
    return f"{video['key']} has other keywords."


def _acl_narrows(made: _Move) -> str | None:
    for _ in range(20):
        video = made.video(in_sms=True)
        entries = video["custom"]["sms_acl"][len("acl:") : -1].split(",") if video else []
        if video is None or entries == [""]:
            continue
        match entries:
            case ["WORLD"]:
                left = ["CAM"]
            case ["CAM"]:
                left = [f"INST_{made.chance.choice(list(SUBJECTS))}"]
            case _:
                left = entries[1:]
        video["custom"]["sms_acl"] = f"acl:{','.join(left)}:"
        made.put(video)
        return f"Fewer people may see {video['key']}: {','.join(entries)} became {','.join(left) or 'nobody'}."
    return None


def _acl_changes(made: _Move) -> str | None:
    video = made.video(in_sms=True)
    if video is None:
        return None
    video["custom"]["sms_acl"] = f"acl:{acl(made.chance)}:"
    made.put(video)
    return f"Other people may see {video['key']}: its ACL is now {video['custom']['sms_acl'][4:-1] or 'empty'}."


def _lecture_added(made: _Move) -> str | None:
    channels = manual_channels(made.library)
    if not channels:
        return None
    channel, number = made.chance.choice(channels), FIRST_NUMBER + made.number * _NUMBERS
    video = new_lecture(made.library, channel, number, made.now, 0, made.seed, made.start)
    made.library.put("video", video)
    if video["custom"]:
        extend(made.library, channel, [number], made.seed, made.now)
    return f"{video['title']!r} ({video['key']}) was published."


def _lecture_withdrawn(made: _Move) -> str | None:
    video = made.video()
    if video is None or len(made.library.keys("video")) <= _SMALLEST:
        return None
    made.library.remove("video", video["key"])
    return f"{video['title']!r} ({video['key']}) was withdrawn."


def _lecture_back(made: _Move) -> str | None:
    removed = made.library.removed_keys("video")
    if not removed:
        return None
    key = made.chance.choice(removed)
    made.library.restore("video", key)
    return f"{made.library.get('video', key)['title']!r} ({key}) is back."


def _series_appears(made: _Move) -> str:
    first = FIRST_NUMBER + made.number * _NUMBERS
    numbers = list(range(first, first + made.chance.randint(*_PARTS)))
    each = course(made.seed, FIRST_COURSE + made.number, made.start)
    videos = [lecture(made.seed, number, each, part, made.now) for part, number in enumerate(numbers, 1)]
    for video in videos:
        made.library.put("video", video)
    listed = [number for number, video in zip(numbers, videos, strict=True) if video["custom"]]
    channel = course_record(made.seed, each, listed, edited=made.now)
    made.library.put("channel", channel.source, created=made.now, modified=made.now)
    made.library.set_members(channel.source["key"], channel.members or (), modified=made.now)
    return f"A series of {len(videos)} lectures has appeared: {each.title!r}."


def _series_withdrawn(made: _Move) -> str | None:
    channels = manual_channels(made.library)
    videos = set(made.library.keys("video"))
    if len(channels) <= 3 or len(videos) <= _SMALLEST:
        return None
    # A course of the library's beginning has a tenth of a small library; the guard must not stop what is only a move.
    channel = min(made.chance.sample(channels, 3), key=lambda key: len(made.library.members(key)))
    gone = sorted(videos.intersection(made.library.members(channel)))[: len(videos) // 10]
    title = made.library.get("channel", channel)["title"]
    made.library.remove("video", *gone)
    made.library.remove("channel", channel)
    return f"The series {title!r} was withdrawn, with {len(gone)} lectures."


_KINDS: dict[Callable[[_Move], str | None], int] = {
    _title_corrected: 38,
    _description_corrected: 14,
    _keywords_changed: 10,
    _acl_narrows: 12,
    _acl_changes: 8,
    _lecture_added: 7,
    _lecture_withdrawn: 4,
    _lecture_back: 2,
    _series_appears: 3,
    _series_withdrawn: 2,
}
"""What may happen, and how often among a hundred moves."""

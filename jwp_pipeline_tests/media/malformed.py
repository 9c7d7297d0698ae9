"""Malformed and good values for every field.

A `Shape` is a field with a value that cannot be read. A `Good` is a field in three good versions, which show the sync
that an item's value comes from.
"""

import json
from typing import Any, NamedTuple

from jwp_pipeline_tests.media.values import permission

WORDS = {
    "video": {
        "sms_media_id": "media",
        "sms_acl": "acl",
        "sms_downloadable": "downloadable",
        "sms_language": "language",
        "sms_copyright": "copyright",
        "sms_keywords": "keywords",
        "sms_last_updated_at": "last_updated_at",
    },
    "channel": {
        "sms_collection_id": "collection",
        "sms_collection_media_ids": "collection_media_ids",
        "sms_instid": "instid",
        "sms_created_by": "created_by",
        "sms_groupid": "groupid",
        "sms_last_updated_at": "last_updated_at",
    },
}
"""The custom properties, and the word that the value of each begins with."""

HUGE_TEXT = "x" * 20_000
NO_TEXTS = (7, 2.5, True, False, [], ["x"], {}, {"a": {"b": None}}, -(10**30))


class Shape(NamedTuple):
    kind: str
    field: str
    raw: Any


def _of_any_property(word):
    yield from (None, *NO_TEXTS, "", "x", word, f"{word}:", f"{word}:x", f"other:{word}:x:", ":x:", f" {word}:x:")
    yield from (f"{word.upper()}:x:", f"{word}:a\nb:", f"\n{word}:x:", f"{word} :x:", HUGE_TEXT, f"{word}:{HUGE_TEXT}")


_NO_IDS = ("one", "", "1.5", "0x1", "1 2", "9" * 20, "-" + "9" * 20, "9" * 5000, "\N{SUPERSCRIPT TWO}", "1e3", "nan")
_NO_TIMES = (
    "soon",
    "2018-13-45",
    "99999-01-01",
    "0000-01-01",
    "10:30",
    "2018",
    "July",
    "9" * 1000,
    "1" * 19,
    "2018-06",
)
_NO_ACLS = ("MARTIAN", "world", "WORLDS", "WORLD CAM", "[]", "['WORLD']", "WORLD;CAM", "USER", "*", HUGE_TEXT)
_NO_NUMBERS = (True, [], {}, "", "long", "NaN", "Infinity", "-inf", 10**400)
SHAPES = (
    *(
        Shape(kind, name, raw)
        for kind, words in WORDS.items()
        for name, word in words.items()
        for raw in _of_any_property(word)
        # A null id is the same as no id, which is not malformed.
        if not (raw is None and name in ("sms_media_id", "sms_collection_id"))
    ),
    *(Shape("video", "sms_acl", f"acl:{text}:") for text in _NO_ACLS),
    *(Shape("video", "sms_media_id", f"media:{text}:") for text in _NO_IDS),
    *(Shape("channel", "sms_collection_id", f"collection:{text}:") for text in _NO_IDS),
    *(Shape("channel", "sms_collection_media_ids", f"collection_media_ids:1,{text},:") for text in _NO_IDS if text),
    *(Shape(kind, "sms_last_updated_at", f"last_updated_at:{text}:") for kind in WORDS for text in _NO_TIMES),
    *(Shape(kind, name, raw) for kind in WORDS for name in ("title", "description") for raw in NO_TEXTS),
    *(Shape("video", "mediatype", raw) for raw in (*NO_TEXTS, "", "Video", "film", "video ", HUGE_TEXT)),
    *(Shape("video", "duration", raw) for raw in (*_NO_NUMBERS, "1:30", HUGE_TEXT)),
    *(Shape("video", "date", raw) for raw in (*_NO_NUMBERS, 10**15, -(10**15), HUGE_TEXT)),
    *(Shape("video", "updated", raw) for raw in (*_NO_NUMBERS, 1.5, "1.5", "-1", 10**30, HUGE_TEXT)),
    *(Shape(kind, "custom", raw) for kind in WORDS for raw in (None, 7, True, "text", "{}", [], [{}], 2.5)),
)
"""None of these can be read, no matter which API sends it."""


class Good(NamedTuple):
    """A field's raw value in three versions, the item's value for each, and the value of an item without the field."""

    raw: tuple[Any, Any, Any]
    means: tuple[Any, Any, Any]
    default: Any


def _property(word, *texts):
    return tuple(f"{word}:{text}:" for text in texts)


_TIMES = tuple(f"2018-07-0{day}T00:00:00+00:00" for day in (1, 2, 3))
_SMS_TIME = Good(_property("last_updated_at", *_TIMES), _TIMES, None)
_TEXTS = {name: Good(("One", "Two", "Three"), ("One", "Two", "Three"), "") for name in ("title", "description")}


def good_video(sms_id, new_sms_id):
    """Return Field → Good for a video whose SMS id changes with the second version."""
    ids = (sms_id, new_sms_id, new_sms_id)
    return {
        **_TEXTS,
        "mediatype": Good(("video", "audio", "video"), ("video", "audio", "video"), "unknown"),
        "duration": Good((1, "2.5", 3), (1.0, 2.5, 3.0), 0.0),
        "date": Good(
            (1_500_000_001, 1_500_000_002, 1_500_000_003),
            tuple(f"2017-07-14T02:40:0{second}+00:00" for second in (1, 2, 3)),
            "NOW",
        ),
        "updated": Good((10, 20, 30), (10, 20, 30), 0),
        "sms_media_id": Good(_property("media", *ids), ids, None),
        "sms_acl": Good(
            _property("acl", "USER_a", "GROUP_b", "INST_c"),
            (permission(crsids=["a"]), permission(lookup_groups=["b"]), permission(lookup_insts=["c"])),
            permission(),
        ),
        "sms_downloadable": Good(_property("downloadable", "True", "False", "True"), (True, False, True), False),
        "sms_language": Good(_property("language", "eng", "deu", "fra"), ("eng", "deu", "fra"), ""),
        "sms_copyright": Good(_property("copyright", "1", "2", "3"), ("1", "2", "3"), ""),
        "sms_keywords": Good(_property("keywords", "a", "b|c", "d"), (["a"], ["b", "c"], ["d"]), []),
        "sms_last_updated_at": _SMS_TIME,
    }


def good_channel(collection_id, new_collection_id, item_id):
    """Return Field → Good for a channel that shows one item once, twice or three times, by version."""
    ids = (collection_id, new_collection_id, new_collection_id)
    return {
        **_TEXTS,
        "sms_collection_id": Good(_property("collection", *ids), ids, None),
        "sms_collection_media_ids": Good(
            _property("collection_media_ids", *(",".join([str(item_id)] * times) for times in (1, 2, 3))),
            (1, 2, 3),
            0,
        ),
        "sms_instid": Good(_property("instid", "UIS", "UIS", "UIS"), ("UIS", "UIS", "UIS"), ""),
        "sms_created_by": Good(_property("created_by", "x", "y", "z"), (["x"], ["y"], ["z"]), []),
        "sms_groupid": Good(_property("groupid", "1", "2", "3"), (["1"], ["2"], ["3"]), []),
        "sms_last_updated_at": _SMS_TIME,
    }


def as_v1(key, good, version, shape=None):
    """Return the v1 object of a version, 0 to 2. With `shape`, one field is malformed; otherwise all are good."""
    sent = {name: value.raw[version] for name, value in good.items()}
    if shape:
        sent[shape.field] = shape.raw
    custom = {name: sent.pop(name) for name in list(sent) if name.startswith("sms_")}
    return {"key": key, "type": "manual", "custom": custom, **sent}


def as_text(raw):
    """Return a value as a problem shows it."""
    text = json.dumps(raw, separators=(",", ":")) if isinstance(raw, dict | list) else str(raw)
    return text[:500]

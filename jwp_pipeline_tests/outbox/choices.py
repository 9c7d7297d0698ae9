"""Values that somebody may write here or at JW Platform, and how each reads back. test_model.py draws from them."""

from dataclasses import dataclass
from typing import Any

UNSENDABLE = object()
"""Instead of a value that reads back: it is not pushed, or JW Platform refuses it."""


@dataclass(frozen=True)
class Choice:
    """A value of one field."""

    columns: dict[str, Any]
    """What an application writes, by column."""
    here: Any
    """The value in JSON, as it is here once it is written."""
    sent: Any
    """The value in JSON, as it reads back from JW Platform; or UNSENDABLE."""


def _plain(column, *written):
    return [Choice({column: value}, value, value) for value in written]


def _other(column, written, here, sent):
    return Choice({column: written}, here, sent)


def view(is_public=False, is_signed_in=False, crsids=(), lookup_groups=(), lookup_insts=()):
    return {
        "is_public": is_public,
        "is_signed_in": is_signed_in,
        "crsids": list(crsids),
        "lookup_groups": list(lookup_groups),
        "lookup_insts": list(lookup_insts),
    }


def _view(written, sent=None):
    here = {name: [each or "" for each in it] if isinstance(it, list) else it for name, it in written.items()}
    return Choice({f"view_{name}": value for name, value in written.items()}, here, sent or written)


HERE = {
    "title": _plain("title", "One", "Two | of: a, b", "Emoji 🎬 and\na line", "t" * 4000),
    "description": [
        *_plain("description", "", "Words: of, two|three\nlines", "d" * 7500),
        _other("description", "   ", "", ""),
        _other("description", "\n\t", "\n\t", ""),
    ],
    "downloadable": _plain("downloadable", True, False),
    "language": [
        *_plain("language", "eng", "", "a:b"),
        _other("language", "deutsch", "deu", "deu"),
        _other("language", "a\nb", "a\nb", UNSENDABLE),
    ],
    "copyright": [
        *_plain("copyright", "© a:b, c|d", "", " blanks "),
        _other("copyright", "two\nlines", "two\nlines", UNSENDABLE),
        _other("copyright", "c" * 7500, "c" * 7500, UNSENDABLE),
    ],
    "tags": [
        *_plain("tags", ["one", "two, three"], [], ["v", "video", "love v"]),
        _other("tags", ["One", " two ", "", None, "one"], ["one", "two", "one"], ["one", "two", "one"]),
        _other("tags", ["\x0bkept\x0b", "\v"], ["kept"], ["kept"]),
        _other("tags", ["x" * 255 + " Y"], ["x" * 255], ["x" * 255]),
        _other("tags", ["a|b"], ["a|b"], UNSENDABLE),
    ],
    "published_at": [
        _other("published_at", "2024-02-03 04:05:06.7+00", "2024-02-03T04:05:06+00:00", "2024-02-03T04:05:06+00:00"),
        _other("published_at", "1969-12-31 23:59:59.5+00", "1969-12-31T23:59:59+00:00", "1969-12-31T23:59:59+00:00"),
        _other("published_at", "9999-12-31 23:59:59+00", "9999-12-31T23:59:59+00:00", "9999-12-31T23:59:59+00:00"),
        _other("published_at", "infinity", "infinity", UNSENDABLE),
    ],
    "view_permission": [
        _view(view()),
        _view(view(is_public=True)),
        _view(view(is_signed_in=True, crsids=["abc"])),
        _view(view(crsids=["abc", "def"], lookup_groups=["101"])),
        _view(view(crsids=["def"], lookup_insts=["UIS"])),
        _view(view(crsids=["abc", "WORLD,CAM", " ", "", None, "x\ny"]), view(crsids=["abc"])),
    ],
}
"""Field → what may be written to it here."""

THERE = {
    "title": [{"title": "There"}, {"title": "There, too"}],
    "description": [{"description": "There"}, {"description": None}],
    "published_at": [{"date": 1_500_000_000}, {"date": None}, {"date": 1_500_000_000.5}],
    "downloadable": [{"sms_downloadable": "downloadable:True:"}, {"sms_downloadable": None}],
    "language": [{"sms_language": "language:fra:"}],
    "copyright": [{"sms_copyright": "copyright:there:"}, {"sms_copyright": "unreadable"}, {"sms_copyright": None}],
    "tags": [{"sms_keywords": "keywords:there|too:"}, {"sms_keywords": None}],
    "view_permission": [
        {"sms_acl": "acl:WORLD:"},
        {"sms_acl": "acl:CAM:"},
        {"sms_acl": "acl:USER_abc,USER_ghi:"},
        {"sms_acl": "acl::"},
        {"sms_acl": "acl:WORLD"},
        {"sms_acl": None},
    ],
    "others": [{"other": "changed"}, {"tags": "gamma, delta"}, {"author": "Somebody"}],
}
"""Field → what may become of it at JW Platform: v1 fields and custom properties, absent where None."""

PEOPLE = {"abc", "def", "ghi", "group 101", "inst UIS", "signed in", "anonymous"}


def audience(permission):
    """Return those of PEOPLE who may view an item with this permission, given in JSON."""
    if permission["is_public"]:
        return PEOPLE
    if permission["is_signed_in"]:
        return PEOPLE - {"anonymous"}
    named = {*permission["crsids"]}
    named |= {f"group {name}" for name in permission["lookup_groups"]}
    named |= {f"inst {name}" for name in permission["lookup_insts"]}
    return named & PEOPLE

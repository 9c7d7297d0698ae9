"""Says which fields of an item are pushed, and how the value of each is stored at JW Platform so that it reads back.

A value has one form in Python (a Permission, a datetime, a tuple of tags, a text or a bool) and one in JSON, as the SQL
function `pushed_fields` gives it. Put here what is known of one field; merge.py compares values, and bodies.py puts
them together. The functions are pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from jwp_pipeline.access.acl import Permission, format_acl, parse_acl
from jwp_pipeline.jwplatform.properties import Unreadable, property_value
from jwp_pipeline.media.mapping import KEEP, VideoFields
from jwp_pipeline.media.mapping.fields import is_true, keywords, language

Value = Any
"""A value of a field in Python; None if it cannot be read."""


class Unsendable(ValueError):
    """Raised if a value cannot be stored at JW Platform so that it reads back. The message says what to change."""


@dataclass(frozen=True, slots=True)
class PushedField:
    """One field of an item that is pushed."""

    name: str
    columns: Mapping[str, str]
    """The columns of media_items that hold the field, and their keys in its JSON value; a single column has no key."""
    decode: Callable[[Any], Value]
    """Makes the value from its JSON form. Raises Unsendable if Python cannot hold it."""
    encode: Callable[[Value], Any]
    """Makes the JSON form of a value."""
    as_sent: Callable[[Value], Value]
    """Returns the value as it will be read back once it is stored at JW Platform. Raises Unsendable."""
    property: tuple[str, Callable[[Value], str]] | None = None
    """The custom property that holds it, and how it is written; None if JW Platform has a field of its own for it."""
    empty: Value = None
    """What a new video gets if the item's value cannot be stored; None if no video is made then."""


def _text(value: Any) -> str:
    return str(value)


def _same(value: Value) -> Value:
    return value


def _description(value: str) -> str:
    # JW Platform holds every blank description as a single space, which is read back as an empty one.
    return value if value.strip() else ""


def _moment(value: Any) -> datetime:
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise Unsendable(f"{value} is not a time between the years 1 and 9999") from None


def _whole_second(value: datetime) -> datetime:
    return value.replace(microsecond=0)


def _tags(value: tuple[str, ...]) -> tuple[str, ...]:
    for tag in value:
        if "|" in tag or "\n" in tag:
            raise Unsendable(
                f"the tag {tag!r} holds a | or a line feed, and would be read back as several tags or none"
            )
    # Twice, because a tag that is cut may end in a blank, which is then stripped.
    return keywords(_join(_read_back("keywords", _join(value), keywords)))


def _tags_of(value: Any) -> tuple[str, ...]:
    return tuple(tag for tag in _texts(value) if tag is not None)


def _permission(value: Any) -> Permission:
    crsids, groups, insts = (
        tuple(name or "" for name in _texts(value[names] or ()))
        for names in ("crsids", "lookup_groups", "lookup_insts")
    )
    return Permission(bool(value["is_public"]), bool(value["is_signed_in"]), crsids, groups, insts)


def _texts(values: Any) -> list[str | None]:
    if any(isinstance(value, list) for value in values):
        raise Unsendable("it is an array of more than one dimension")
    return list(values)


def _permission_as_sent(value: Permission) -> Permission:
    permission, _ = parse_acl(format_acl(value))
    return permission


def _property(word: str, write: Callable[[Value], str]) -> Callable[[Value], str]:
    return lambda value: f"{word}:{write(value)}:"


def _read_back(word: str, text: str, read: Callable[[str], Value]) -> Value:
    """Return what a sync reads from the property, once it is stored as `text`. Raises Unsendable."""
    try:
        return read(property_value(f"{word}:{text}:", (word,)))
    except Unreadable:
        raise Unsendable("it holds a line feed, and a property of JW Platform with one cannot be read back") from None


def _join(tags: tuple[str, ...]) -> str:
    return "|".join(tags)


def _itself(column: str) -> dict[str, str]:
    return {column: ""}


FIELDS: Mapping[str, PushedField] = {
    field.name: field
    for field in (
        PushedField("title", _itself("title"), _text, _same, _same),
        PushedField("description", _itself("description"), _text, _same, _description),
        PushedField("published_at", _itself("published_at"), _moment, datetime.isoformat, _whole_second),
        PushedField(
            "downloadable",
            _itself("downloadable"),
            bool,
            _same,
            lambda value: _read_back("downloadable", str(value), is_true),
            ("sms_downloadable", _property("downloadable", str)),
        ),
        PushedField(
            "language",
            _itself("language"),
            _text,
            _same,
            lambda value: _read_back("language", value, language),
            ("sms_language", _property("language", str)),
            empty="",
        ),
        PushedField(
            "copyright",
            _itself("copyright"),
            _text,
            _same,
            lambda value: _read_back("copyright", value, str),
            ("sms_copyright", _property("copyright", str)),
            empty="",
        ),
        PushedField(
            "tags",
            _itself("tags"),
            _tags_of,
            list,
            _tags,
            ("sms_keywords", _property("keywords", _join)),
            empty=(),
        ),
        PushedField(
            "view_permission",
            {f"view_{name}": name for name in ("is_public", "is_signed_in", "crsids", "lookup_groups", "lookup_insts")},
            _permission,
            lambda value: {
                name: list(part) if isinstance(part, tuple) else part for name, part in asdict(value).items()
            },
            _permission_as_sent,
            ("sms_acl", _property("acl", format_acl)),
        ),
    )
}
"""The fields that are pushed, by name."""


def listed_value(name: str, fields: VideoFields) -> Value:
    """Return a field's value as a sync reads it from the video; None if it cannot be read."""
    if name != "view_permission":
        value = fields.item[name]
        return None if value is KEEP else value
    return None if fields.acl_state == "unreadable" else fields.permission


def says_nothing(name: str, fields: VideoFields) -> bool:
    """Whether the video has no value for the field, so that the item keeps its own: a video without a date."""
    return (
        name == "published_at"
        and fields.item[name] is KEEP
        and not any(problem.field in ("date", "metadata", "data") for problem in fields.problems)
    )


def decoded(name: str, value: Any) -> Value:
    """Return a field's value from its JSON form; None if Python cannot hold it."""
    try:
        return None if value is None else FIELDS[name].decode(value)
    except Unsendable:
        return None


def sendable(present: Mapping[str, Any]) -> dict[str, Value]:
    """Return all values of a new item, given in JSON, as its video will have them.

    A value that cannot be stored is left empty. Raises Unsendable, naming the field, if that would show the video to
    people or at a time that nobody chose.
    """
    values = {}
    for name, value in present.items():
        try:
            values[name] = FIELDS[name].as_sent(FIELDS[name].decode(value))
        except Unsendable as flaw:
            if FIELDS[name].empty is None:
                raise Unsendable(f"No video was created, because of {name}: {flaw}") from None
            values[name] = FIELDS[name].empty
    return values


def column_values(name: str, value: Value) -> dict[str, Any]:
    """Return the values of the columns of media_items that hold the field's value."""
    field = FIELDS[name]
    if isinstance(value, Permission):
        parts = field.encode(value)
        return {column: parts[part] for column, part in field.columns.items()}
    return dict.fromkeys(field.columns, list(value) if isinstance(value, tuple) else value)


def in_words(name: str, value: Value) -> str:
    """Return a value for people to read."""
    if value is None:
        return "(cannot be read)"
    if isinstance(value, Permission):
        return format_acl(value) or "nobody"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, tuple):
        return " | ".join(value) or "(none)"
    return str(value) if value != "" else "(empty)"

"""Turns the listing parameters of a v1 call into a predicate and an order. The functions are pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from jwp_pipeline.simulator.conditions import Predicate
from jwp_pipeline.simulator.exchange import Call, Refused
from jwp_pipeline.simulator.properties import flat_properties
from jwp_pipeline.simulator.records import Kind, Record
from jwp_pipeline.simulator.shelf import Order, SortField

SORT_FIELDS = frozenset(
    {
        *("author", "date", "description", "duration", "expires_date", "key", "link", "md5", "mediatype"),
        *("size", "sourcetype", "status", "tags", "title", "type", "updated", "views"),
    }
)
SEARCHED_BY_DEFAULT = ("author", "description", "tags", "title", "video_key")
_SEARCH_NAMES = {"video_key": "key", "channel_key": "key"}
_CHOICES = {
    "mediatypes_filter": ("mediatype", {"unknown", "audio", "video"}),
    "statuses_filter": ("status", {"created", "processing", "ready", "updating", "failed"}),
    "types_filter": ("type", None),
}


def condition(call: Call, kind: Kind) -> tuple[Hashable, Predicate | None]:
    """The records that a listing call selects: a name for them, and the test; (…, None) for all.

    Raises Refused for a filter that cannot be read. Parameters that do not belong to the listing are ignored,
    as JWP ignores `types_filter` on videos.
    """
    tests: list[Predicate] = []
    used: list[tuple[str, str]] = []
    for name, value in call.params:
        test = _test(call, kind, name, value)
        if test is not None:
            used.append((name, value))
            tests.append(test)
    if not tests:
        return (), None
    # tags_mode changes what `tags` means without being a test of its own.
    return (*used, call.param("tags_mode")), lambda record: all(test(record) for test in tests)


def order(call: Call) -> Order:
    """`order_by` as an order. Raises Refused for a field or direction that v1 does not know."""
    value = call.param("order_by")
    if value is None:
        return ()
    fields = []
    for part in value.split(","):
        name, _, direction = part.strip().partition(":")
        if name not in SORT_FIELDS or direction not in {"", "asc", "desc"}:
            raise Refused(400, "ParameterInvalid", f"order_by: `{part}` is invalid.")
        fields.append(SortField(name, direction == "desc"))
    return tuple(fields)


def whole_number(call: Call, name: str, default: int) -> int:
    """A parameter that counts something. Raises Refused when it is empty, negative or no integer."""
    value = call.param(name)
    return default if value is None else _whole(name, value)


def _whole(name: str, value: str) -> int:
    if not value:
        raise Refused(400, "ParameterEmpty", f"{name}: this parameter must not be empty.")
    if not value.isascii() or not value.isdigit():
        raise Refused(400, "ParameterInvalid", f"{name}: `{value}` is not a whole number.")
    return int(value)


def _test(call: Call, kind: Kind, name: str, value: str) -> Predicate | None:
    if name == "search" or name.startswith("search:"):
        return _search(name.removeprefix("search").removeprefix(":"), value)
    if name in _CHOICES and (name == "types_filter") == (kind == "channel"):
        return _choice(name, value)
    if kind != "video":
        return None
    match name:
        case "tags":
            return _tags(value, call.param("tags_mode") or "all")
        case "updated_after":
            bound = _whole(name, value)
            return lambda record: record.modified is not None and record.modified > bound
        case "start_date":
            bound = _whole(name, value)
            return _compares("date", lambda stamp: stamp >= bound)
        case "end_date":
            bound = _whole(name, value)
            return _compares("date", lambda stamp: stamp <= bound)
        case "video_keys_filter":
            keys = frozenset(value.split(","))
            return lambda record: record.key in keys
        case "text":
            return _search("", value)
        case "author":
            return _search("author", value)
    return None


def _choice(name: str, value: str) -> Predicate:
    field, allowed = _CHOICES[name]
    wanted = frozenset(part.strip() for part in value.split(","))
    if allowed is not None and not wanted <= allowed:
        raise Refused(400, "ParameterInvalid", f"{name}: `{value}` is invalid.")
    return lambda record: record.source.get(field) in wanted


def _compares(field: str, test: Callable[[float], bool]) -> Predicate:
    def compares(record: Record) -> bool:
        stamp = record.source.get(field)
        return isinstance(stamp, int | float) and test(stamp)

    return compares


def _tags(value: str, mode: str) -> Predicate:
    if mode not in {"all", "any"}:
        raise Refused(400, "ParameterInvalid", f"tags_mode: `{mode}` is invalid.")
    wanted = _split(value)
    if mode == "all":
        return lambda record: wanted <= _split(record.source.get("tags"))
    return lambda record: bool(wanted & _split(record.source.get("tags")))


def _split(tags: Any) -> frozenset[str]:
    return frozenset(part.strip() for part in tags.split(",") if part.strip()) if isinstance(tags, str) else frozenset()


def _search(fields: str, value: str) -> Predicate:
    names = SEARCHED_BY_DEFAULT if fields in {"", "*"} else tuple(part.strip() for part in fields.split(","))
    wanted = value.lower()
    return lambda record: any(
        wanted in text.lower() for name in names for text in _texts(record, name) if isinstance(text, str)
    )


def _texts(record: Record, name: str) -> list[Any]:
    if not name.startswith("custom."):
        return [record.source.get(_SEARCH_NAMES.get(name, name))]
    custom = flat_properties(record.source.get("custom"))
    name = name.removeprefix("custom.")
    return list(custom.values()) if name == "*" else [custom.get(name)]

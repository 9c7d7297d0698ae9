"""Parses the subset of v2's `q` that is known to work, and turns it into a predicate over records.

    field:value   field:several words   field:"a phrase"   field:[a TO b]   (… AND …) OR …
    custom_params: ( name: "abc" AND value: "123" )                 on media, both in one property

Ranges include their ends, and `*` is an open end. comparison.py compares the values.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jwp_pipeline.simulator.comparison import QueryError, ValueTest, range_test, value_test
from jwp_pipeline.simulator.conditions import All, KeyRange, Predicate
from jwp_pipeline.simulator.properties import flat_properties
from jwp_pipeline.simulator.records import Kind, Record

_METADATA_TEXT = dict.fromkeys(("author", "description", "title"), "text")
ATTRIBUTES: dict[Kind, dict[str, str]] = {
    "video": {
        **_METADATA_TEXT,
        **dict.fromkeys(("category", "error_message", "external_id", "hosting_type", "id"), "keyword"),
        **dict.fromkeys(("media_type", "permalink", "protection_rule_key", "source_format"), "keyword"),
        **dict.fromkeys(("source_url", "status", "tags", "trim_in_point", "trim_out_point"), "keyword"),
        **dict.fromkeys(("created", "last_modified", "publish_end_date", "publish_start_date"), "instant"),
        "custom_params": "properties",
        "drm": "boolean",
        "duration": "number",
    },
    "channel": {
        **_METADATA_TEXT,
        **dict.fromkeys(("id", "link", "playlist_type"), "keyword"),
        **dict.fromkeys(("custom_params.name", "custom_params.value"), "keyword"),
    },
}
"""Attributes that `q` knows, as JWP's definition of its API lists them, and how each is compared."""

_TOKEN = re.compile(
    r"""\s*(?: (?P<open>\() | (?P<close>\)) | \[(?P<range>[^\]]*)\] | "(?P<quoted>(?:\\.|[^"\\])*)"
        | (?P<field>[A-Za-z_][\w.]*)\s*: | (?P<word>[^\s()\[\]"]+) )""",
    re.VERBOSE,
)
_RANGE = re.compile(r'\s*(?:"([^"]*)"|(\S+))\s+TO\s+(?:"([^"]*)"|(\S+))\s*')
_END = ("end", "")


def parse(text: str, kind: Kind) -> Predicate:
    """The predicate that `text` stands for. Raises QueryError."""
    parser = _Parser(_tokens(text))
    predicate = parser.alternatives(lambda field: _field_condition(parser, field, kind))
    if parser.next() != _END:
        raise QueryError("unbalanced or misplaced element")
    return predicate


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise QueryError(f"cannot be read from character {position + 1} on")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return tokens


@dataclass
class _Parser:
    tokens: list[tuple[str, str]]
    position: int = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.position] if self.position < len(self.tokens) else _END

    def next(self) -> tuple[str, str]:
        token = self.peek()
        self.position += 1
        return token

    def take(self, token: tuple[str, str]) -> bool:
        if self.peek() == token:
            self.position += 1
            return True
        return False

    def alternatives(self, condition: Callable[[str], Callable[[Any], bool]]) -> Callable[[Any], bool]:
        """Conditions OR conditions …, each read by `condition` once its attribute's name is read."""
        parts = [self._conjunction(condition)]
        while self.take(("word", "OR")):
            parts.append(self._conjunction(condition))
        return parts[0] if len(parts) == 1 else lambda value: any(part(value) for part in parts)

    def _conjunction(self, condition: Callable[[str], Callable[[Any], bool]]) -> Callable[[Any], bool]:
        parts = [self._unit(condition)]
        while self.take(("word", "AND")):
            parts.append(self._unit(condition))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _unit(self, condition: Callable[[str], Callable[[Any], bool]]) -> Callable[[Any], bool]:
        kind, text = self.next()
        if kind == "open":
            inner = self.alternatives(condition)
            if self.next()[0] != "close":
                raise QueryError("a parenthesis is not closed")
            return inner
        if kind != "field":
            raise QueryError("a condition must be of the form attribute:value")
        return condition(text)

    def key_range(self) -> KeyRange | None:
        """The value after an attribute's name, if it is a range of texts."""
        kind, text = self.peek()
        match = _RANGE.fullmatch(text) if kind == "range" else None
        if match is None:
            return None
        self.next()
        first, last = (None if end == "*" else end for end in (match[1] or match[2], match[3] or match[4]))
        return KeyRange(first, last)

    def test(self, field_type: str) -> ValueTest:
        """The value after an attribute's name, as a test."""
        kind, text = self.next()
        if kind == "range":
            match = _RANGE.fullmatch(text)
            if match is None:
                raise QueryError("a range must be of the form [a TO b]")
            return range_test(field_type, match[1] or match[2], match[3] or match[4])
        if kind == "quoted":
            return value_test(field_type, re.sub(r"\\(.)", r"\1", text), phrase=True)
        if kind != "word":
            raise QueryError("an attribute lacks its value")
        words = [text]
        while self.peek()[0] == "word" and self.peek()[1] not in {"AND", "OR"}:
            words.append(self.next()[1])
        return value_test(field_type, " ".join(words).removeprefix("+"), phrase=False)


def _field_condition(parser: _Parser, field: str, kind: Kind) -> Predicate:
    field_type = ATTRIBUTES[kind].get(field)
    if field_type is None:
        raise QueryError(f"`{field}` is not an attribute that can be searched here")
    if field_type == "properties":
        return _properties_condition(parser)
    if field == "id" and (keys := parser.key_range()) is not None:
        return keys
    test = parser.test(field_type)
    if field == "id":
        return lambda record: record.key is not None and test(record.key)
    if field == "created":
        return lambda record: test(record.created)
    if field == "last_modified":
        return lambda record: record.modified is not None and test(record.modified)
    return lambda record: any(test(value) for value in _values(record, field))


def _properties_condition(parser: _Parser) -> Predicate:
    if parser.peek() != ("open", "("):
        raise QueryError('custom_params needs a group: custom_params: ( name: "…" AND value: "…" )')
    parser.next()

    def condition(part: str) -> Callable[[tuple[str, Any]], bool]:
        if part not in {"name", "value"}:
            raise QueryError(f"custom_params has no `{part}`")
        test = parser.test("keyword")
        return lambda item: test(item[0] if part == "name" else item[1])

    test = parser.alternatives(condition)
    if parser.next()[0] != "close":
        raise QueryError("a parenthesis is not closed")
    return lambda record: any(test(item) for item in _properties(record).items())


def _properties(record: Record) -> dict[str, Any]:
    """Return the properties as they are searched: nested ones under the last part of their name alone."""
    params = record.object("v2")["metadata"].get("custom_params")
    if not isinstance(params, dict):
        return {}
    nested = {name: value for name, value in params.items() if isinstance(value, dict)}
    leaves = {name.rpartition(".")[2]: value for name, value in flat_properties(nested).items()}
    return {**leaves, **{name: value for name, value in params.items() if name not in nested}}


def _values(record: Record, field: str) -> list[Any]:
    if field.startswith("custom_params."):
        params = _properties(record)
        return list(params) if field.endswith(".name") else list(params.values())
    obj = record.object("v2")
    value = obj[field] if field in obj else obj["metadata"].get(field)
    return value if isinstance(value, list) else [value]

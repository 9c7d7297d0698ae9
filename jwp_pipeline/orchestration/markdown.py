"""Writes Markdown tables, which Dagster shows in metadata. Put here what makes a text safe in them."""

from collections.abc import Iterable, Sequence

_MOST_CHARACTERS = 120


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table. Its texts are Markdown; `cell` makes one of what somebody else has written."""
    head = [_line(columns), f"|{'---|' * len(columns)}"]
    return "\n".join([*head, *map(_line, rows)])


def cell(text: str, most: int = _MOST_CHARACTERS) -> str:
    """Return a text that stays in its cell, shortened to `most` characters."""
    return text.replace("|", "\\|").replace("\n", " ").replace("`", "'")[:most]


def _line(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"

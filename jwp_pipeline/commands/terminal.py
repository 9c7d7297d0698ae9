"""Where a command prints: results on standard output, warnings and failures on standard error.

Put here what all commands have in common when they speak to a person or to a program.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from rich.console import Console, RenderableType
from rich.table import Table

Detail = Literal["quiet", "normal", "verbose"]

FORMAT = 1
"""The version of all JSON documents that commands print. It grows when a name is taken away or changes its meaning."""

# Control characters, which could tell a terminal to do something, and those that change the direction of writing.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_WIDTH = 140


@dataclass(frozen=True, slots=True)
class Terminal:
    """Prints for people, or one JSON document for a program."""

    out: Console
    err: Console
    detail: Detail = "normal"
    as_json: bool = False

    @property
    def is_silent(self) -> bool:
        """Whether only warnings, failures and a JSON document are printed."""
        return self.as_json or self.detail == "quiet"

    def silenced(self) -> Terminal:
        """Return a terminal for a command whose output is for a program, so that nothing else may be among it."""
        return replace(self, detail="quiet")

    def say(self, text: str, style: str | None = None) -> None:
        """Print a sentence on standard output, unless the command is silent."""
        if not self.is_silent:
            self.out.print(printable(text), style=style, highlight=False, soft_wrap=True)

    def show(self, table: RenderableType) -> None:
        """Print a table on standard output, unless the command is silent."""
        if not self.is_silent:
            self.out.print(table)

    def warn(self, text: str) -> None:
        """Print a sentence in yellow on standard error."""
        self.err.print(printable(text), style="yellow", highlight=False, soft_wrap=True)

    def fail(self, text: str) -> None:
        """Print a failure in red on standard error."""
        self.err.print(printable(text), style="bold red", highlight=False, soft_wrap=True)

    def document(self, kind: str, content: dict[str, Any]) -> None:
        """Print a JSON document on standard output, if the user has asked for one."""
        if self.as_json:
            document = {"format": FORMAT, "kind": kind, **content}
            sys.stdout.write(json.dumps(document, indent=1, ensure_ascii=False, default=str) + "\n")


def terminal(detail: Detail = "normal", *, as_json: bool = False) -> Terminal:
    """Return this process's terminal. Where output is no terminal, it is wide enough for our tables."""
    out = Console(width=None if sys.stdout.isatty() else _WIDTH, markup=False, emoji=False)
    return Terminal(out, Console(stderr=True, markup=False, emoji=False), detail, as_json)


def printable(text: str) -> str:
    """Return a text that a terminal only shows: line feeds stay, and other control characters are written as escapes.

    Titles come from outside, and a terminal obeys some characters.
    """
    return _UNSAFE.sub(lambda found: found[0] if found[0] == "\n" else _escape(found[0]), text)


def on_one_line(text: str) -> str:
    """Return the same on one line: line feeds are written as escapes as well."""
    return _UNSAFE.sub(lambda found: _escape(found[0]), text)


def plain_table(title: str) -> Table:
    """Return an empty table without lines, with its title on the left."""
    return Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)


def with_columns(table: Table, names: Sequence[str]) -> None:
    """Add columns of numbers to a table; one without a name, and `status`, hold words."""
    for name in names:
        table.add_column(name, justify="left" if name in ("", "status") else "right")


def numbers(*values: int) -> list[str]:
    """Return numbers as texts with separators."""
    return [f"{value:,}" for value in values]


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()

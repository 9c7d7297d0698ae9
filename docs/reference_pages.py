"""Writes the pages of the reference that say what the code says: settings, commands, tables, errors.

They are made when the site is built, and are in no commit, so that they cannot be wrong. Put here one function for each
page; conf.py puts its text where a document says `{generated}` and the function's name.
"""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Iterator

from pydantic import SecretStr
from sqlalchemy import Column
from sqlalchemy.dialects import postgresql

from jwp_pipeline.commands.cli import jwpfetch_parser, pipeline_parser
from jwp_pipeline.database.descriptions import MODELS
from jwp_pipeline.database.tables import Base
from jwp_pipeline.errors import PipelineError
from jwp_pipeline.settings import Settings, plain

_COLUMNS_OF_HELP = 88


def settings() -> str:
    """Return every setting with its default and what it does."""
    lines = []
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        said = [_line(field.description or "")]
        said += [f"Default: `{plain(default)}`."] if default not in (None, ()) else []
        said += ["It is never shown."] if SecretStr.__name__ in str(field.annotation) else []
        lines.append(f"`{name.upper()}`\n: {' '.join(said)}\n")
    return "\n".join(lines)


def commands() -> str:
    """Return what `--help` prints, for both commands and every verb."""
    texts = []
    for parser in _all_parsers(jwpfetch_parser(), pipeline_parser()):
        parser.formatter_class = lambda prog: argparse.HelpFormatter(prog, width=_COLUMNS_OF_HELP)
        texts.append(f"## {parser.prog}\n\n```text\n{parser.format_help().strip()}\n```")
    return "\n\n".join(texts)


def tables() -> str:
    """Return every table with what it holds and its columns."""
    return "\n\n".join(_table(model) for model in _models())


def errors() -> str:
    """Return the tree of exceptions, with the page of the runbook that belongs to each."""
    lines = ["| exception | is raised when | page |", "|---|---|---|"]
    for depth, error in _tree(PipelineError):
        meaning = _cell((error.__doc__ or "").strip().partition("\n\n")[0])
        lines.append(
            f"| {'· ' * depth}`{error.__name__}` | {meaning} | [{error.runbook}](/runbook/{error.runbook}.md) |"
        )
    return "\n".join(lines)


def _tree(error: type[PipelineError], depth: int = 0) -> Iterator[tuple[int, type[PipelineError]]]:
    yield depth, error
    for below in error.__subclasses__():
        yield from _tree(below, depth + 1)


def _all_parsers(*parsers: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    for parser in parsers:
        yield parser
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                yield from _all_parsers(*action.choices.values())


def _models() -> list[type]:
    ours = {module.__name__ for module in MODELS}
    found = [mapper.class_ for mapper in Base.registry.mappers if mapper.class_.__module__ in ours]
    return sorted(found, key=lambda model: model.__tablename__)


def _table(model: type) -> str:
    columns = model.__table__.columns
    head = [f"## {model.__tablename__}", "", inspect.getdoc(model) or "", ""]
    return "\n".join([*head, "| column | type | |", "|---|---|---|", *map(_column, columns)])


def _column(column: Column[object]) -> str:
    kind = f"`{column.type.compile(dialect=postgresql.dialect()).lower()}`{'' if column.nullable else ', not null'}"
    return f"| `{column.name}`{' (key)' if column.primary_key else ''} | {kind} | {_cell(column.comment or '')} |"


def _cell(text: str) -> str:
    """Return a text that stays in its cell of a Markdown table."""
    return _line(text).replace("|", "\\|")


def _line(text: str) -> str:
    """Return a text of ours in one line. An asterisk in it is one."""
    return " ".join(text.split()).replace("*", "\\*")

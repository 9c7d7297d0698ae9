"""Handles settings as environment variables: for child processes, in `.env.example`, and in warnings about mistakes.

Put here what concerns names and texts; settings.py defines the settings and reads them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr

from jwp_pipeline import env_file
from jwp_pipeline.env_file import EnvFile
from jwp_pipeline.settings import NEVER_BLANK, Settings, plain

NOT_SETTINGS = (env_file.VARIABLE, env_file.SETTLED_VARIABLE, "JWP_POSTGRES_BIN", "JWP_TEST_DATABASE_URL")
"""Our variables that are not settings; they are read from the environment only."""

_PREFIXES = ("JWP", "JWPLATFORM", "LOOKUP", "OAUTH2")


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the settings as environment variables for a child process, with secrets in clear and absolute paths."""
    environment: dict[str, str] = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        if isinstance(value, Path):
            value = value.resolve()
        if value is not None:
            environment[name.upper()] = str(plain(value))
    return environment


def child_environment(settings: Settings) -> dict[str, str]:
    """Return the whole environment for a child process that uses exactly these settings, wherever it is started."""
    inherited = {name: value for name, value in os.environ.items() if name != env_file.VARIABLE}
    # The child reads no `.env`; its path is passed on for messages only.
    return {**inherited, **environment_of(settings), env_file.SETTLED_VARIABLE: str(env_file.env_file().path)}


def oddities() -> list[str]:
    """Return a warning for each variable that may not have the effect that the user expects.

    Such variables are unknown names, values that `.env` overrides, and lines without a value. The warnings contain no
    values, which may be secret. Raises SettingsError.
    """
    file = env_file.env_file()
    return [*_without_effect_in(file), *_unknown(os.environ, "the environment"), *_shadowed_by(file)]


def _without_effect_in(file: EnvFile) -> Iterator[str]:
    lines = file.lines()
    yield from _unknown(lines, str(file.path))
    for name, value in lines.items():
        if name.upper() in NOT_SETTINGS:
            yield f"{name} in {file.path} is ignored: it has to be set in the environment."
        elif value is None and _is_setting(name):
            yield f"{name} in {file.path} is ignored: there is no = after it."


def _unknown(names: Iterable[str], where: str) -> Iterator[str]:
    """Yield a warning for each name that looks like one of our settings but is not."""
    known = [name.upper() for name in Settings.model_fields]
    for name in sorted(names):
        if not _is_setting(name) and name.upper() not in NOT_SETTINGS and _looks_like_ours(name.upper()):
            nearest = get_close_matches(name.upper(), known, n=1, cutoff=0.7)
            hint = f"did you mean {nearest[0]}?" if nearest else ".env.example lists all that there are."
            yield f"{name} in {where} is ignored, because no setting has this name: {hint}"


def _looks_like_ours(name: str) -> bool:
    prefix, _, rest = name.partition("_")
    if prefix in _PREFIXES or name.startswith("JWP"):
        return True
    of_settings = {field.upper().partition("_")[2] for field in Settings.model_fields}
    return rest in of_settings and bool(get_close_matches(prefix, _PREFIXES, cutoff=0.65))


def _shadowed_by(file: EnvFile) -> Iterator[str]:
    """Yield a warning for each name that has different values in the environment and in the file, which wins."""
    for name, value in sorted(file.lines().items()):
        differs = value and value.strip() and os.environ.get(name, value) != value
        if differs and _is_setting(name) and not file.settled:
            yield f"{name} is set in {file.path} and, differently, in the environment; the file wins."


def _is_setting(name: str) -> bool:
    return name.lower() in Settings.model_fields


def example_env() -> str:
    """Return the text of `.env.example`, with every setting's type, default and effect. A test compares the file."""
    lines = [
        "# Copy to .env and set what you need; everything has a default but what is marked Required.",
        "# .env is looked for in the folder where a command is started; --env-file or JWP_ENV_FILE name another file.",
        "# .env wins over the environment, as in Dagster's own commands. An empty or blank value counts as not set.",
    ]
    for name, field in Settings.model_fields.items():
        default = plain(field.default)
        shown = "none" if default is None else str(default).lower() if isinstance(default, bool) else default
        lines += [
            "",
            f"# {field.description}",
            f"# {_type_name(field.annotation)}; default: {shown}",
            # Whoever removes the # changes nothing.
            f"#{name.upper()}={default if name in NEVER_BLANK else ''}",
        ]
    return "\n".join(lines) + "\n"


def _type_name(annotation: Any) -> str:
    parts = [part for part in get_args(annotation) if part is not type(None)] if annotation else []
    if get_origin(annotation) is Literal:
        return " | ".join(parts)
    if get_origin(annotation) is tuple:
        return "comma list"
    names = {SecretStr: "secret", str: "text", int: "number", float: "number", bool: "true | false", Path: "path"}
    return names.get(annotation, "") or _type_name(parts[0])

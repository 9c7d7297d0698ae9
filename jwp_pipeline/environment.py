"""Settings as environment variables: for a child process, as `.env.example`, and where `.env` hides one.

Not here: what settings there are, and reading them (settings.py).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from dotenv import dotenv_values
from pydantic import SecretStr

from jwp_pipeline.settings import ENV_FILE, Settings, plain, reading_env_file


def environment_of(settings: Settings) -> dict[str, str]:
    """The settings as environment variables, for a child process; secrets in clear, paths absolute."""
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


def shadowed_by_env_file() -> list[str]:
    """Names that the shell and `.env` set differently: there `.env` wins, which may surprise. Raises SettingsError."""
    with reading_env_file():
        in_file = dotenv_values(ENV_FILE)
    return sorted(
        name
        for name, value in in_file.items()
        if value and name.lower() in Settings.model_fields and os.environ.get(name, value) != value
    )


def example_env() -> str:
    """Text of `.env.example`: every setting with its type, default and effect. A test keeps the file equal to it."""
    lines = [
        "# Copy to .env and set what you need; everything has a default but what is marked Required.",
        "# .env wins over the environment, as in Dagster's own commands. An empty or blank value counts as not set.",
    ]
    for name, field in Settings.model_fields.items():
        default = plain(field.default)
        shown = "none" if default is None else str(default).lower() if isinstance(default, bool) else default
        lines += [
            "",
            f"# {field.description}",
            f"# {_type_name(field.annotation)}; default: {shown}",
            f"#{name.upper()}=",
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

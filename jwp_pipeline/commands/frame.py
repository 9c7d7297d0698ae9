"""What every command does around its work: it reads the settings, and turns errors into one line and an exit code.

Put here what commands have in common, except what they print (terminal.py).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jwp_pipeline.commands.terminal import Terminal, terminal
from jwp_pipeline.database import embedded
from jwp_pipeline.env_file import reading_from
from jwp_pipeline.environment import oddities
from jwp_pipeline.errors import INTERRUPTED, NothingToRelease, NothingToResolve, PipelineError, SettingsError
from jwp_pipeline.proxies import keep_loopback_off_proxies
from jwp_pipeline.runbook import error_text
from jwp_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

SUCCEEDED, FAILED, USAGE, REFUSED = 0, 1, 2, 3


def guarded(verb: Callable[[Terminal], int], options: argparse.Namespace) -> int:
    """Run a verb with the settings that `options` name, and return its exit code.

    An error of ours is printed in one line, without a traceback.
    """
    from jwp_pipeline.database.translation import clear_errors

    screen = terminal(getattr(options, "detail", None) or "normal", as_json=getattr(options, "json", False))
    keep_loopback_off_proxies()
    try:
        with reading_from(options.env_file), clear_errors():
            return verb(screen)
    except PipelineError as error:
        screen.fail(error_text(error))
        code = USAGE if isinstance(error, SettingsError | NothingToRelease | NothingToResolve) else FAILED
        screen.document("error", {"error": type(error).__name__, "message": str(error), "exit_code": code})
        return code
    except KeyboardInterrupt:
        screen.warn(INTERRUPTED)
        return FAILED


def configured(screen: Terminal) -> Settings:
    """Read the settings, once for the whole command. Prints warnings about them, and where an embedded database is."""
    settings = load_settings()
    for oddity in oddities():
        screen.warn(oddity)
    if settings.jwp_database_url is None:
        place = embedded.place(settings.jwp_home)
        what = "is used" if (place / "data").exists() else "is new and empty"
        screen.say(f"JWP_DATABASE_URL is not set: the embedded PostgreSQL in {place} {what}.")
    return settings


@contextmanager
def database(settings: Settings) -> Iterator[Engine]:
    """Yield an engine for our tables, which are brought up to date first, and close its connections at the end."""
    from jwp_pipeline.database.locate import open_database

    engine = open_database(settings)
    try:
        yield engine
    finally:
        engine.dispose()

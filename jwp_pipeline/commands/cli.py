"""The command lines `jwpfetch` and `jwp-pipeline`, whose verbs `make` calls.

Put here arguments and exit codes; launch.py, stack.py and demo.py do the work. A command imports what it needs when it
runs, so that one that only answers a question does so at once.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from jwp_pipeline import __version__
from jwp_pipeline.commands import webhooks
from jwp_pipeline.commands.loading import loading
from jwp_pipeline.env_file import VARIABLE, reading_from
from jwp_pipeline.errors import NothingToRelease, NothingToResolve, PipelineError, SettingsError

if TYPE_CHECKING:
    from rich.console import Console
    from sqlalchemy import Engine

    from jwp_pipeline.commands.launch import SyncRequest
    from jwp_pipeline.settings import Settings

SUCCEEDED, FAILED, USAGE, REFUSED = 0, 1, 2, 3


def jwpfetch(arguments: Sequence[str] | None = None) -> int:
    """Run one sync in Dagster. Returns exit code 0 for done, 1 failed, 2 usage or settings, 3 stopped by the guard."""
    parser = argparse.ArgumentParser(
        prog="jwpfetch",
        description="Bring the database in step with JW Platform, once.",
        epilog="Exit codes: 0 done, 1 failed, 2 usage or settings, 3 refused or withheld by the guard.",
        parents=[_env_file_option()],
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument("--sync-all", action="store_true", help="synchronise every resource, changed or not")
    parser.add_argument(
        "--skip-fetch", action="store_true", help="send no requests to JW Platform; apply listings not applied yet"
    )
    parser.add_argument("--skip-video-fetch", action="store_true", help="leave the cached videos as they are")
    parser.add_argument("--skip-channel-fetch", action="store_true", help="leave the cached channels as they are")
    parser.add_argument("--dry-run", action="store_true", help="show the plan without applying it")
    parser.add_argument(
        "--push",
        action="store_true",
        help="push edits and new items to JW Platform instead; with --dry-run, only show what would be pushed",
    )
    parser.add_argument(
        "--release",
        type=_snapshot_id,
        metavar="SNAPSHOT_ID",
        help="apply a snapshot that the guard refused, or the deletions that it withheld, this once",
    )
    parser.add_argument("--status", action="store_true", help="print whether all is in step, and do nothing else")
    options = parser.parse_args(arguments)
    if options.push:
        if any((options.sync_all, options.skip_fetch, options.skip_video_fetch, options.skip_channel_fetch)):
            parser.error("--push reads no listing; leave out --sync-all and --skip-…")
        if options.release is not None or options.status:
            parser.error("--push does nothing else; leave out --release and --status")
        return _guarded(lambda console: _push(console, dry_run=options.dry_run), options.env_file)
    if options.status:
        return _guarded(_status, options.env_file)
    if options.release is not None and options.skip_fetch:
        parser.error("--release sends no requests to JW Platform; leave out --skip-fetch")
    return _guarded(lambda console: _sync(options, console), options.env_file)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb of `jwp-pipeline`, such as `run` or `up`, and return its exit code."""
    parser = argparse.ArgumentParser(prog="jwp-pipeline", description=__doc__.splitlines()[0])
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True)
    parents = [_env_file_option()]
    verbs.add_parser(
        "run",
        help="run one sync with the configured site, or with a simulated one and an embedded database",
        parents=parents,
    )
    up = verbs.add_parser("up", help="serve the Dagster UI for the same site", parents=parents)
    up.add_argument("--port", type=int, default=3000, help="port of the UI on 127.0.0.1 (default 3000)")
    verbs.add_parser("migrate", help="create or upgrade the tables; every run does it by itself", parents=parents)
    adopt = "let the schema mirror the site of JWPLATFORM_API_KEY from now on"
    verbs.add_parser("adopt-site", help=adopt, parents=parents)
    with_site = verbs.add_parser(
        "with-site",
        help="run a program of yours with the settings of the site; the simulator's if none is configured",
        parents=parents,
    )
    verbs.add_parser("edits", help="list edits on their way to JW Platform, conflicts and refusals", parents=parents)
    decide = verbs.add_parser("resolve", help="decide about an edit in conflict, or refused", parents=parents)
    decide.add_argument("item", metavar="ITEM", help="id of the media item, or key of its video")
    decide.add_argument("field", metavar="FIELD", help="field as `jwp-pipeline edits` names it")
    decide.add_argument("side", choices=("ours", "theirs"), help="whose value to keep: that here, or JW Platform's")
    with_site.add_argument("command", nargs="+", metavar="COMMAND", help="the program and its arguments, after --")
    webhooks.add_verb(verbs, parents, [_env_file_option(argparse.SUPPRESS)])
    options = parser.parse_args(_with_ids_last(sys.argv[1:] if arguments is None else arguments))
    verb: Callable[[Console], int] = {
        "run": _run,
        "up": lambda console: _up(console, options.port),
        "migrate": _migrate,
        "adopt-site": _adopt_site,
        "with-site": lambda console: _with_site(console, options.command),
        "edits": _edits,
        "resolve": lambda console: _resolve(console, options.item, options.field, options.side),
        "webhooks": lambda console: webhooks.run(options, _configured(console), console),
    }[options.verb]
    return _guarded(verb, options.env_file)


def _with_ids_last(arguments: Sequence[str]) -> list[str]:
    """Return the arguments of `resolve` with its options first, because the id of an item may begin with a dash."""
    if not arguments or arguments[0] != "resolve" or "--" in arguments:
        return list(arguments)
    given, options = list(arguments[1:]), []
    while given and re.match("--env-file|--?h(elp)?$", given[0]):
        options += given[: 2 if given[0] == "--env-file" else 1]
        del given[: 2 if given[0] == "--env-file" else 1]
    return ["resolve", *options, "--", *given]


def _env_file_option(default: Any = None) -> argparse.ArgumentParser:
    """Return a parser with the option. Below a verb that has it already, the default must leave its value alone."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--env-file",
        type=Path,
        metavar="PATH",
        default=default,
        help=f"file to read settings from (default: {VARIABLE}, else ./.env); JWP_HOME is relative to its folder",
    )
    return parser


def _snapshot_id(text: str) -> int:
    if not re.fullmatch("[0-9]{1,19}", text) or not 0 < int(text) < 2**63:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not the id of a snapshot; table raw_snapshots has them")
    return int(text)


def _sync(options: argparse.Namespace, console: Console) -> int:
    with loading():
        from jwp_pipeline.commands.launch import SyncRequest
    from jwp_pipeline.jwplatform.management import RESOURCE_TYPES
    from jwp_pipeline.orchestration.checks.settings import unusable_settings

    settings = _configured(console)
    skipped = {"video": options.skip_video_fetch, "channel": options.skip_channel_fetch}
    request = SyncRequest(
        fetch=frozenset(kind for kind in RESOURCE_TYPES if not (skipped[kind] or options.skip_fetch)),
        sync_all=options.sync_all,
        dry_run=options.dry_run,
        release=options.release,
    )
    code = _launch(settings, request, console)
    return USAGE if code == FAILED and request.asks_jwp and unusable_settings(settings) else code


def _push(console: Console, *, dry_run: bool) -> int:
    with loading():
        from jwp_pipeline.commands.launch import run_push
    from jwp_pipeline.commands.console import watching
    from jwp_pipeline.commands.edits import print_push

    settings = _configured(console)
    with watching(console) as (_, on_wait):
        outcome = run_push(settings, dry_run=dry_run, on_wait=on_wait)
    print_push(outcome, console)
    return SUCCEEDED if outcome.success else FAILED


def _edits(console: Console) -> int:
    from jwp_pipeline.commands.edits import print_edits

    settings = _configured(console)
    with _database(settings) as engine:
        return SUCCEEDED if print_edits(engine, settings, console) else FAILED


def _resolve(console: Console, item: str, field: str, side: Literal["ours", "theirs"]) -> int:
    from jwp_pipeline.commands.edits import decide

    settings = _configured(console)
    with _database(settings) as engine:
        console.print(decide(engine, item, field, side), highlight=False, soft_wrap=True)
    return SUCCEEDED


def _status(console: Console) -> int:
    from jwp_pipeline.commands.console import print_status
    from jwp_pipeline.database.connection import connect
    from jwp_pipeline.database.status import read_status
    from jwp_pipeline.outbox.report import read_outbox
    from jwp_pipeline.webhooks.store import backlog

    settings = _configured(console)
    with _database(settings) as engine, connect(engine) as connection:
        statuses, waiting, outbox = read_status(connection), backlog(connection), read_outbox(connection)
    max_age = timedelta(hours=settings.jwp_max_listing_age_hours)
    print_status(statuses, console, max_age)
    if waiting.events:
        since = f"{waiting.oldest:%Y-%m-%d %H:%M:%S} UTC"
        console.print(
            f"{waiting.events} events of JW Platform wait for a look at their keys, the oldest since {since}."
        )
    if outbox.waiting or outbox.conflicts or outbox.refused:
        console.print(f"Edits: {outbox.in_words}. `jwp-pipeline edits` shows them.", highlight=False, soft_wrap=True)
    return FAILED if any(status.trouble(max_age) for status in statuses) else SUCCEEDED


def _run(console: Console) -> int:
    with loading():
        from jwp_pipeline.commands.launch import SyncRequest
    from jwp_pipeline.commands.demo import simulator_if_unconfigured

    settings = _configured(console)
    with simulator_if_unconfigured(settings, advance=True) as demo:
        if demo:
            console.print(demo.announcement, highlight=False, soft_wrap=True)
        return _launch(demo.settings if demo else settings, SyncRequest(), console)


def _up(console: Console, port: int) -> int:
    from jwp_pipeline.commands.demo import simulator_if_unconfigured
    from jwp_pipeline.commands.stack import serve

    settings = _configured(console)
    with simulator_if_unconfigured(settings, advance=False) as demo:
        if demo:
            console.print(demo.announcement, highlight=False, soft_wrap=True)
        return serve(demo.settings if demo else settings, console, port=port)


def _migrate(console: Console) -> int:
    settings = _configured(console)
    with _database(settings):
        console.print(f"Schema {settings.jwp_database_schema} is up to date.")
    return SUCCEEDED


def _adopt_site(console: Console) -> int:
    from jwp_pipeline.identity import current_user
    from jwp_pipeline.mirror.site import adopt_site

    settings = _configured(console)
    site_id = settings.jwplatform_api_key
    if site_id is None:
        raise SettingsError(f"JWPLATFORM_API_KEY is not set: {settings.missing_required()['JWPLATFORM_API_KEY']}.")
    with _database(settings) as engine:
        before = adopt_site(engine, site_id, by=current_user())
    instead = f", and no longer {before}" if before not in (None, site_id) else ""
    console.print(f"Schema {settings.jwp_database_schema} mirrors the site {site_id} from now on{instead}.")
    return SUCCEEDED


def _with_site(console: Console, command: Sequence[str]) -> int:
    from jwp_pipeline.commands.demo import simulator_if_unconfigured
    from jwp_pipeline.commands.with_site import run_with_site

    settings = _configured(console)
    with simulator_if_unconfigured(settings, advance=False) as demo:
        if demo:
            console.print(demo.announcement, highlight=False, soft_wrap=True)
            if not _has_been_synced(settings):
                from jwp_pipeline.commands.launch import SyncRequest

                code = _launch(demo.settings, SyncRequest(), console)
                if code != SUCCEEDED:
                    return code
        return run_with_site(demo.settings if demo else settings, command)


def _has_been_synced(settings: Settings) -> bool:
    from jwp_pipeline.database.connection import connect
    from jwp_pipeline.database.locate import open_database
    from jwp_pipeline.database.status import read_status

    engine = open_database(settings)
    with connect(engine) as connection:
        statuses = read_status(connection)
    engine.dispose()
    return all(status.in_step_as_of is not None for status in statuses)


def _configured(console: Console) -> Settings:
    """Read the settings, once for the whole command. Prints warnings about them, and where an embedded database is."""
    from rich.console import Console

    from jwp_pipeline.database import embedded
    from jwp_pipeline.environment import oddities
    from jwp_pipeline.settings import load_settings

    settings = load_settings()
    for oddity in oddities():
        Console(stderr=True).print(oddity, style="yellow", highlight=False, markup=False, emoji=False, soft_wrap=True)
    if settings.jwp_database_url is None:
        place = embedded.place(settings.jwp_home)
        what = "is used" if (place / "data").exists() else "is new and empty"
        console.print(
            f"JWP_DATABASE_URL is not set: the embedded PostgreSQL in {place} {what}.", highlight=False, soft_wrap=True
        )
    return settings


@contextmanager
def _database(settings: Settings) -> Iterator[Engine]:
    """Yield an engine for our tables, which are brought up to date first, and close its connections at the end."""
    from jwp_pipeline.database.locate import open_database

    engine = open_database(settings)
    try:
        yield engine
    finally:
        engine.dispose()


def _launch(settings: Settings, request: SyncRequest, console: Console) -> int:
    from jwp_pipeline.commands.console import print_outcome, watching
    from jwp_pipeline.commands.launch import run_sync

    with watching(console) as (observe, on_wait):
        outcome = run_sync(settings, request, observe=observe, on_wait=on_wait)
    print_outcome(outcome, console, where=f"tables in schema {settings.jwp_database_schema}")
    if outcome.snapshot_to_release is not None:
        return REFUSED
    return SUCCEEDED if outcome.success else FAILED


def _guarded(verb: Callable[[Console], int], env_file: Path | None) -> int:
    """Run a verb with the settings in `env_file`. An error of ours is printed in one line, without a traceback."""
    from rich.console import Console

    from jwp_pipeline.commands.console import terminal
    from jwp_pipeline.database.translation import clear_errors
    from jwp_pipeline.proxies import keep_loopback_off_proxies
    from jwp_pipeline.runbook import error_text

    console = terminal()
    keep_loopback_off_proxies()
    try:
        with reading_from(env_file), clear_errors():
            return verb(console)
    except PipelineError as error:
        Console(stderr=True).print(
            error_text(error), style="bold red", highlight=False, markup=False, emoji=False, soft_wrap=True
        )
        return USAGE if isinstance(error, SettingsError | NothingToRelease | NothingToResolve) else FAILED
    except KeyboardInterrupt:
        Console(stderr=True).print("Interrupted; the next run goes on from what is stored.", style="yellow")
        return FAILED


if __name__ == "__main__":
    sys.exit(main())

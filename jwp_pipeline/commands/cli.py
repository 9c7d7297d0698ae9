"""The command lines `jwpfetch` and `jwp-pipeline`, whose verbs `make` calls.

Put here arguments, and what they may be combined with; verbs.py does the work. Importing this module must stay cheap,
so that a command that only answers a question does so at once.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jwp_pipeline import __version__
from jwp_pipeline.commands import demo_view, import_webapp, metrics, roles, webhooks
from jwp_pipeline.commands.arguments import port_number, snapshot_id
from jwp_pipeline.env_file import VARIABLE

_FETCHING = ("sync_all", "skip_fetch", "skip_video_fetch", "skip_channel_fetch")


def jwpfetch(arguments: Sequence[str] | None = None) -> int:
    """Run one sync in Dagster. Returns exit code 0 for done, 1 failed, 2 usage or settings, 3 stopped by the guard."""
    parser = jwpfetch_parser()
    options = parser.parse_args(arguments)
    if conflict := _conflict(options):
        parser.error(conflict)
    return _run(options, "status" if options.status else "push" if options.push else "sync")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb of `jwp-pipeline`, such as `run` or `up`, and return its exit code."""
    options = pipeline_parser().parse_args(_with_ids_last(sys.argv[1:] if arguments is None else arguments))
    return _run(options, options.verb)


def _run(options: argparse.Namespace, verb: str) -> int:
    # Loaded only now, so that `--help` and `--version` answer at once.
    from jwp_pipeline.commands.frame import guarded
    from jwp_pipeline.commands.verbs import VERBS

    return guarded(lambda screen: VERBS[verb](screen, options), options)


def jwpfetch_parser() -> argparse.ArgumentParser:
    """Return the parser of `jwpfetch`."""
    parser = argparse.ArgumentParser(
        prog="jwpfetch",
        description="Bring the database in step with JW Platform, once.",
        epilog="Exit codes: 0 done (with --status: in step), 1 failed (not in step), 2 usage or settings, 3 refused or "
        "withheld by the guard. Failures and warnings are printed on standard error.",
        parents=[_env_file_option(), _output_options()],
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
        "--all", action="store_true", help="show every change of the plan, and long values in full, not only the first"
    )
    parser.add_argument(
        "--push",
        action="store_true",
        help="push edits and new items to JW Platform instead; with --dry-run, only show what would be pushed",
    )
    parser.add_argument(
        "--release",
        type=snapshot_id,
        metavar="SNAPSHOT_ID",
        help="apply a snapshot that the guard refused, or the deletions that it withheld, this once",
    )
    parser.add_argument("--status", action="store_true", help="print whether all is in step, and do nothing else")
    return parser


def pipeline_parser() -> argparse.ArgumentParser:
    """Return the parser of `jwp-pipeline`."""
    parser = argparse.ArgumentParser(
        prog="jwp-pipeline", description="Run, serve and look after the pipeline. `jwpfetch` runs a single sync."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    added = parser.add_subparsers(dest="verb", required=True)
    parents = [_env_file_option()]
    run = "run one sync with the configured site, or with a simulated one and an embedded database"
    added.add_parser("run", help=run, parents=[*parents, _history_option(), _output_options()])
    up = added.add_parser("up", help="serve the Dagster UI for the same site", parents=[*parents, _history_option()])
    up.add_argument("--port", type=port_number, default=3000, help="port of the UI on 127.0.0.1 (default 3000)")
    added.add_parser("migrate", help="create or upgrade the tables; every run does it by itself", parents=parents)
    roles.add_verb(added, parents)
    adopt = "let the schema mirror the site of JWPLATFORM_API_KEY from now on"
    added.add_parser("adopt-site", help=adopt, parents=parents)
    with_site = added.add_parser(
        "with-site",
        help="run a program of yours with the settings of the site; the simulator's if none is configured",
        parents=parents,
    )
    with_site.add_argument("command", nargs="+", metavar="COMMAND", help="the program and its arguments, after --")
    demo_view.add_verb(added, [_env_file_option(argparse.SUPPRESS)])
    psql = added.add_parser("psql", help="open the database, the embedded one included, in psql", parents=parents)
    psql.add_argument("arguments", nargs="*", metavar="ARGUMENT", help="arguments of psql, after --")
    added.add_parser(
        "edits", help="show how many edits wait for JW Platform, and list conflicts and refusals", parents=parents
    )
    decide = added.add_parser("resolve", help="decide about an edit in conflict, or refused", parents=parents)
    decide.add_argument("item", metavar="ITEM", help="id of the media item, or key of its video")
    decide.add_argument("field", metavar="FIELD", help="field as `jwp-pipeline edits` names it")
    decide.add_argument("side", choices=("ours", "theirs"), help="whose value to keep: that here, or JW Platform's")
    webhooks.add_verb(added, parents, [_env_file_option(argparse.SUPPRESS)])
    metrics.add_verb(added, parents)
    import_webapp.add_verb(added, [*parents, _output_options()])
    worker = "execute the site's runs that Dagster hands to Celery workers, until interrupted (docs/deploy.md)"
    celery = added.add_parser("worker", help=worker, parents=parents)
    celery.add_argument("--queue", help="name of the site's code location (default: JWP_ASSET_PREFIX)")
    runbook = added.add_parser("runbook", help="print a page of the runbook, which messages name", parents=parents)
    runbook.add_argument("page", nargs="?", metavar="PAGE", help="name of the page; without one, print the list")
    completion = added.add_parser("completion", help="print a shell's completions of both commands", parents=parents)
    completion.add_argument("shell", choices=("bash", "zsh", "tcsh"))
    return parser


def _conflict(options: argparse.Namespace) -> str | None:
    """Return which options of `jwpfetch` exclude each other, and what to do about it; None if none do."""
    given = {name for name in (*_FETCHING, "push", "status", "dry_run", "all") if getattr(options, name)}
    given |= {"release"} if options.release is not None else set()
    fetching = given & set(_FETCHING)
    if "status" in given and given != {"status"}:
        return f"--status does nothing else; leave out {_flags(given - {'status'})}"
    if "push" in given and fetching:
        return f"--push reads no listing; leave out {_flags(fetching)}"
    if "push" in given and given & {"release", "all"}:
        return f"--push does nothing else; leave out {_flags(given & {'release', 'all'})}"
    if "release" in given and fetching - {"sync_all"}:
        return f"--release sends no requests to JW Platform; leave out {_flags(fetching - {'sync_all'})}"
    if {"dry_run", "sync_all"} <= given:
        return "--dry-run shows what changes in the cache, and --sync-all is about what follows it; leave out one"
    return None


def _flags(names: set[str]) -> str:
    return " and ".join(sorted(f"--{name.replace('_', '-')}" for name in names))


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


def _history_option() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--no-history",
        action="store_true",
        help="begin a new demo without two weeks of history; they take about twenty seconds",
    )
    return parser


def _output_options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="print one JSON document on standard output instead of text")
    how.add_argument(
        "--quiet", dest="detail", action="store_const", const="quiet", help="print warnings and failures only"
    )
    how.add_argument(
        "--verbose",
        dest="detail",
        action="store_const",
        const="verbose",
        help="print each page and what Dagster logs as well",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())

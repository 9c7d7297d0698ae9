"""What the verbs of `jwpfetch` and `jwp-pipeline` do. cli.py reads their arguments.

Put here a verb of a few lines; one that is longer has a module of its own, such as stack.py or webhooks.py. What
imports Dagster is imported where it is used, because that takes seconds and most verbs do without it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from jwp_pipeline.commands.frame import FAILED, REFUSED, SUCCEEDED, USAGE, configured, database
from jwp_pipeline.commands.loading import loading
from jwp_pipeline.commands.site import configured_or_demo, site
from jwp_pipeline.commands.terminal import Terminal
from jwp_pipeline.errors import SettingsError
from jwp_pipeline.settings import Settings

if TYPE_CHECKING:
    from jwp_pipeline.commands.launch import SyncRequest


def sync(screen: Terminal, options: argparse.Namespace) -> int:
    """Run one sync, as the options of `jwpfetch` say."""
    with loading():
        from jwp_pipeline.commands.launch import SyncRequest
    from jwp_pipeline.jwplatform.management import RESOURCE_TYPES
    from jwp_pipeline.mirror.plan import HEAD_ROWS, MOST_ROWS
    from jwp_pipeline.orchestration.checks.settings import unusable_settings

    skipped = {"video": options.skip_video_fetch, "channel": options.skip_channel_fetch}
    request = SyncRequest(
        types=frozenset(kind for kind in RESOURCE_TYPES if not skipped[kind]),
        fetch=not options.skip_fetch,
        sync_all=options.sync_all,
        dry_run=options.dry_run,
        release=options.release,
        shown=MOST_ROWS if options.all else HEAD_ROWS,
    )
    with site(screen) as (settings, _):
        code = _launch(settings, request, screen, whole_plan=options.all)
        return USAGE if code == FAILED and request.asks_jwp and unusable_settings(settings) else code


def push(screen: Terminal, options: argparse.Namespace) -> int:
    """Push the edits that wait, or show what would be pushed."""
    with loading():
        from jwp_pipeline.commands.launch import run_push
    from jwp_pipeline.commands.edits import print_push
    from jwp_pipeline.commands.sync_view import watching

    with site(screen) as (settings, _):
        with watching(screen) as (_, on_wait):
            outcome = run_push(settings, dry_run=options.dry_run, on_wait=on_wait, detail=screen.detail)
        code = SUCCEEDED if outcome.success else FAILED
        print_push(outcome, screen, exit_code=code)
        return code


def status(screen: Terminal, options: argparse.Namespace) -> int:
    """Print whether everything is in step. Returns SUCCEEDED if it is, else FAILED."""
    from jwp_pipeline.commands.status_view import print_status
    from jwp_pipeline.status.read import read

    settings = configured_or_demo(screen)
    with database(settings) as engine:
        found = read(engine, settings)
    print_status(found, screen)
    return FAILED if found.troubles else SUCCEEDED


def edits(screen: Terminal, options: argparse.Namespace) -> int:
    """List what is on its way to JW Platform."""
    from jwp_pipeline.commands.edits import print_edits

    settings = configured_or_demo(screen)
    with database(settings) as engine:
        return SUCCEEDED if print_edits(engine, settings, screen) else FAILED


def resolve(screen: Terminal, options: argparse.Namespace) -> int:
    """Decide about an edit in conflict, or refused."""
    from jwp_pipeline.commands.edits import decide

    settings = configured_or_demo(screen)
    with database(settings) as engine:
        screen.say(decide(engine, options.item, options.field, options.side))
    return SUCCEEDED


def run(screen: Terminal, options: argparse.Namespace) -> int:
    """Run one sync with what is configured; the demo's library is a day older than the last time."""
    with loading():
        from jwp_pipeline.commands.launch import SyncRequest

    with site(screen, history=not options.no_history, advance=True) as (settings, _):
        return _launch(settings, SyncRequest(), screen)


def up(screen: Terminal, options: argparse.Namespace) -> int:
    """Serve the Dagster UI until interrupted. A demo that gets its history now is first brought up to today."""
    from jwp_pipeline.commands.stack import require_free, serve

    require_free(options.port)
    with site(screen, history=not options.no_history) as (settings, demo):
        if demo is not None and demo.is_new and not options.no_history:
            from jwp_pipeline.commands.launch import SyncRequest

            _launch(settings, SyncRequest(), screen)
        return serve(settings, screen.out, port=options.port)


def migrate(screen: Terminal, options: argparse.Namespace) -> int:
    """Bring the tables up to date."""
    settings = configured(screen)
    with database(settings):
        screen.say(f"Schema {settings.jwp_database_schema} is up to date.")
    return SUCCEEDED


def roles(screen: Terminal, options: argparse.Namespace) -> int:
    """Print the SQL that separates the roles of the database, or run it."""
    from jwp_pipeline.commands.roles import run as run_roles

    return run_roles(options, configured(screen if options.apply else screen.silenced()), screen)


def adopt_site(screen: Terminal, options: argparse.Namespace) -> int:
    """Let the schema mirror the configured site."""
    from jwp_pipeline.identity import current_user
    from jwp_pipeline.mirror import site as mirrored

    settings = configured(screen)
    site_id = settings.jwplatform_api_key
    if site_id is None:
        raise SettingsError(f"JWPLATFORM_API_KEY is not set: {settings.missing_required()['JWPLATFORM_API_KEY']}.")
    with database(settings) as engine:
        before = mirrored.adopt_site(engine, site_id, by=current_user())
    instead = f", and no longer {before}" if before not in (None, site_id) else ""
    screen.say(f"Schema {settings.jwp_database_schema} mirrors the site {site_id} from now on{instead}.")
    return SUCCEEDED


def with_site(screen: Terminal, options: argparse.Namespace) -> int:
    """Run a program with the settings of the site. The simulator's record is filled first if it is empty."""
    from jwp_pipeline.commands.with_site import run_with_site

    with site(screen) as (settings, demo):
        if demo is not None and not _has_been_synced(settings):
            from jwp_pipeline.commands.launch import SyncRequest

            code = _launch(settings, SyncRequest(), screen)
            if code != SUCCEEDED:
                return code
        return run_with_site(settings, options.command)


def _has_been_synced(settings: Settings) -> bool:
    from jwp_pipeline.database.connection import connect
    from jwp_pipeline.database.status import read_status

    with database(settings) as engine, connect(engine) as connection:
        return all(status.in_step_as_of is not None for status in read_status(connection))


def _launch(settings: Settings, request: SyncRequest, screen: Terminal, *, whole_plan: bool = False) -> int:
    from jwp_pipeline.commands.launch import run_sync
    from jwp_pipeline.commands.sync_view import print_sync, watching

    with watching(screen) as (observe, on_wait):
        outcome = run_sync(settings, request, observe=observe, on_wait=on_wait, detail=screen.detail)
    code = SUCCEEDED if outcome.success else FAILED
    if outcome.snapshot_to_release is not None:
        code = REFUSED
    where = f"tables in schema {settings.jwp_database_schema}"
    print_sync(outcome, screen, where=where, whole_plan=whole_plan, exit_code=code)
    return code


def demo(screen: Terminal, options: argparse.Namespace) -> int:
    """Show the demo site, or let something happen to it."""
    from jwp_pipeline.commands.demo_view import run as run_demo

    return run_demo(options, configured(screen), screen)


def psql(screen: Terminal, options: argparse.Namespace) -> int:
    """Run psql on our database."""
    from jwp_pipeline.commands.psql import run_psql

    said = screen if screen.out.is_terminal else screen.silenced()
    return run_psql(configured(said), options.arguments, said)


def runbook(screen: Terminal, options: argparse.Namespace) -> int:
    """Print a page of the runbook, or the list of all pages."""
    from jwp_pipeline.runbook import read_page

    screen.out.print(read_page(options.page or "README"), soft_wrap=True, highlight=False)
    return SUCCEEDED


def webhooks(screen: Terminal, options: argparse.Namespace) -> int:
    """Receive webhooks, or register, list or unregister them."""
    from jwp_pipeline.commands.webhooks import run as run_webhooks

    return run_webhooks(options, configured(screen), screen.out)


def metrics(screen: Terminal, options: argparse.Namespace) -> int:
    """Print or serve the metrics."""
    from jwp_pipeline.commands.metrics import run as run_metrics

    run_metrics(options, configured(screen.silenced() if options.port is None else screen), screen)
    return SUCCEEDED


def import_media_webapp(screen: Terminal, options: argparse.Namespace) -> int:
    """Fill the record from a database of media-webapp."""
    from jwp_pipeline.commands.import_webapp import run as run_import

    return SUCCEEDED if run_import(options, configured(screen), screen) else FAILED


def worker(screen: Terminal, options: argparse.Namespace) -> int:
    """Become a Celery worker of the site."""
    from jwp_pipeline.commands.worker import become_worker

    become_worker(configured(screen), options.queue)


def completion(screen: Terminal, options: argparse.Namespace) -> int:
    """Print the completions of both commands for a shell."""
    import shtab

    from jwp_pipeline.commands.cli import jwpfetch_parser, pipeline_parser

    for parser in (jwpfetch_parser(), pipeline_parser()):
        screen.out.print(shtab.complete(parser, shell=options.shell), soft_wrap=True, highlight=False)
    return SUCCEEDED


VERBS: Mapping[str, Callable[[Terminal, argparse.Namespace], int]] = {
    "sync": sync,
    "push": push,
    "status": status,
    "run": run,
    "up": up,
    "migrate": migrate,
    "roles": roles,
    "adopt-site": adopt_site,
    "with-site": with_site,
    "demo": demo,
    "psql": psql,
    "edits": edits,
    "resolve": resolve,
    "webhooks": webhooks,
    "metrics": metrics,
    "import-media-webapp": import_media_webapp,
    "worker": worker,
    "runbook": runbook,
    "completion": completion,
}
"""What each verb runs; the first three are options of `jwpfetch`."""

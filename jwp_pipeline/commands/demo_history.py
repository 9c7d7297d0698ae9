"""Gives a new demo two weeks of history: its library lives through them, and the real pipeline mirrors each day.

Only clocks are deceived. Dagster, which has runs of the last few days, dates its events by this process's clock, which
is put back for a day's sync; what the database has dated is moved afterwards. Put here how the days are made; demo.py
runs the site.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import dagster as dg
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from sqlalchemy import Engine

from jwp_pipeline.commands import backdating
from jwp_pipeline.commands.demo import Demo
from jwp_pipeline.commands.frame import database
from jwp_pipeline.commands.launch import opened
from jwp_pipeline.commands.terminal import Terminal
from jwp_pipeline.errors import PipelineError
from jwp_pipeline.jwplatform.management import RESOURCE_TYPES
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.media.report import MEDIA_ASSETS
from jwp_pipeline.media.sync import sync_media
from jwp_pipeline.mirror.apply import apply_newest
from jwp_pipeline.mirror.landing import read_listing
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.orchestration import jobs
from jwp_pipeline.orchestration.failures import failures
from jwp_pipeline.orchestration.runtime import Runtime
from jwp_pipeline.settings import Settings

DAYS = 14
"""How many days of history a new demo has, before today."""

_RECORDED = 3
"""How many of them Dagster has runs of, unless told otherwise. Recording a run takes it longer than the sync itself."""

_HOUR = 3

_SILENTLY = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def beginning() -> datetime:
    """Return when the history of a demo that is new now begins."""
    return _moment(DAYS)


def make_history(demo: Demo, screen: Terminal, *, recorded: int = _RECORDED) -> None:
    """Live through the days up to yesterday, and compute `library_history`. Takes about twenty seconds.

    Dagster has runs of the last `recorded` days. The database has to be the embedded one of an empty home: nobody else
    may write there meanwhile, because everything that is written counts as the demo's. Raises PipelineError.
    """
    settings, started = demo.settings, time.monotonic()
    runtime = Runtime(settings=lambda: settings)
    # Nobody misses a few days of a demo's past after a crash, so that no commit need wait for the disk.
    hurried = mock.patch.dict(os.environ, PGOPTIONS="-c synchronous_commit=off")
    with hurried, _progress(screen) as advance, database(settings) as engine:
        for days_ago in range(DAYS, recorded, -1):
            if days_ago < DAYS:
                demo.act("evolve", now=int(_moment(days_ago).timestamp()))
            with _at(engine, settings, _moment(days_ago)):
                _mirror(engine, settings)
            advance()
        with opened(settings, runtime) as (instance, definitions):
            sync = _without_checks(definitions)
            for days_ago in range(recorded, 0, -1):
                demo.act("evolve", now=int(_moment(days_ago).timestamp()))
                with _at(engine, settings, _moment(days_ago)):
                    _execute(sync, instance)
                advance()
            _execute(definitions.resolve_job_def(jobs.HISTORY), instance, tags=_days())
            advance()
    screen.say(f"The demo has {DAYS} days of history now ({time.monotonic() - started:.1f} s).")


def _moment(days_ago: int) -> datetime:
    """Return the moment of a day's sync."""
    today = datetime.now(UTC).replace(hour=_HOUR, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days_ago)


def _days() -> Mapping[str, str]:
    """Return the tags that name the partitions from the first day to today."""
    return {
        "dagster/asset_partition_range_start": _moment(DAYS).date().isoformat(),
        "dagster/asset_partition_range_end": _moment(0).date().isoformat(),
    }


def _mirror(engine: Engine, settings: Settings) -> None:
    """Sync as a run does, unknown to Dagster: beside the first thousands of items, all that follows would look flat."""
    with Runtime(settings=lambda: settings) as runtime, runtime.jwplatform() as client:
        for resource_type in RESOURCE_TYPES:
            read_listing(engine, client, resource_type)
            apply_newest(engine, resource_type, options=MirrorOptions.from_settings(settings), client=client)
        sync_media(engine, MEDIA_ASSETS, options=MediaOptions.from_settings(settings), client=client)


def _without_checks(definitions: dg.Definitions) -> dg.JobDefinition:
    """Return job `sync` without the checks that it can do without: they are half of Dagster's work.

    Only those of the present matter, and today's sync evaluates all of them.
    """
    keys = jobs.EVERYTHING.resolve(definitions.resolve_asset_graph())
    checks = {
        check
        for asset in definitions.assets or ()
        if isinstance(asset, dg.AssetsDefinition) and not asset.can_subset and asset.keys & keys
        for check in asset.check_keys
    }
    return definitions.resolve_job_def(jobs.SYNC).get_subset(asset_selection=keys, asset_check_selection=checks)


def _execute(job: dg.JobDefinition, instance: dg.DagsterInstance, **how: Any) -> None:
    result = job.execute_in_process(instance=instance, run_config=_SILENTLY, raise_on_error=False, **how)
    failure = next(iter(failures(result.all_events)), None)
    if failure is not None or not result.success:
        reason = failure.reason if failure else f"run {result.run_id} failed"
        raise PipelineError(f"The demo's history could not be made: {reason}. `--no-history` does without it.")


@contextmanager
def _at(engine: Engine, settings: Settings, moment: datetime) -> Iterator[None]:
    """Let everything that is recorded in the block be recorded as of `moment`, by Dagster and in the database."""
    right, by = time.time, datetime.now(UTC) - moment
    began = backdating.clock(engine)

    def slow() -> float:
        return right() - by.total_seconds()

    with mock.patch("time.time", slow):
        yield
    backdating.move_back(engine, settings.jwp_database_schema, since=began, by=by)


@contextmanager
def _progress(screen: Terminal) -> Iterator[Callable[[], None]]:
    """Yield a function to call after each step: it moves a bar on a terminal. Elsewhere one line says what happens."""
    if screen.is_silent or not screen.out.is_terminal:
        screen.say(f"The demo gets {DAYS} days of history first, each mirrored once (--no-history does without) …")
        yield lambda: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=screen.out, transient=True) as bars:
        task = bars.add_task(f"{DAYS} days of history for the demo", total=DAYS + 1)
        yield lambda: bars.advance(task)

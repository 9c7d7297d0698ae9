"""Runs a sync or a push as a Dagster run in this process, recorded in the instance, for jwpfetch and `make run`.

Put here what happens around such a run. The command lines are in cli.py, and sync_view.py prints the results.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from jwp_pipeline.commands.loading import loading
from jwp_pipeline.commands.terminal import Detail
from jwp_pipeline.database.connection import connect
from jwp_pipeline.definitions import build_definitions
from jwp_pipeline.errors import PipelineError
from jwp_pipeline.home import keep_in_home
from jwp_pipeline.jwplatform import transport
from jwp_pipeline.jwplatform.management import RESOURCE_TYPES, ResourceType, WaitObserver
from jwp_pipeline.media.report import MEDIA_ASSETS
from jwp_pipeline.mirror import releases
from jwp_pipeline.mirror.landing import Observer
from jwp_pipeline.mirror.plan import HEAD_ROWS
from jwp_pipeline.mirror.site import require_site
from jwp_pipeline.orchestration import jobs
from jwp_pipeline.orchestration.checks.delivery import ITEMS_PLAY
from jwp_pipeline.orchestration.checks.settings import unusable_settings
from jwp_pipeline.orchestration.dagster_private import NO_COMPUTE_LOGS, InstanceRef
from jwp_pipeline.orchestration.failures import as_database_error, broken_off, failures
from jwp_pipeline.orchestration.location import record_in_location
from jwp_pipeline.orchestration.runs import end_abandoned_runs
from jwp_pipeline.orchestration.runtime import Runtime
from jwp_pipeline.orchestration.status_page import status_materialization
from jwp_pipeline.settings import Settings

# What Dagster itself prints on standard error.
_LEVELS: Mapping[Detail, str] = {"quiet": "CRITICAL", "normal": "CRITICAL", "verbose": "INFO"}


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """What one sync should do."""

    types: frozenset[ResourceType] = frozenset(RESOURCE_TYPES)
    """The types to bring in step. The rows of other types stay as they are, even if a listing of such a type waits."""
    fetch: bool = True
    """Whether to read new listings. If not, listings that were read earlier and still wait are applied."""
    sync_all: bool = False
    dry_run: bool = False
    release: int | None = None
    """The id of a snapshot that may pass the guard once. Nothing is fetched then."""
    shown: int = HEAD_ROWS
    """How many changes of each plan to show."""

    @property
    def asks_jwp(self) -> bool:
        """Whether the sync may send requests to JW Platform."""
        return self.fetch and bool(self.types) and self.release is None


@dataclass(frozen=True, slots=True)
class SyncOutcome:
    """How one sync ended."""

    run_id: str
    success: bool
    seconds: float
    """The wall-clock time of the whole run, including Dagster's own."""
    reports: tuple[Any, ...]
    """The domain reports (Listing, Applied, …), in the order in which they were made."""
    seconds_waiting: float = 0.0
    """Seconds of it in which a request to JW Platform had to wait, because of a rate limit or after a failure."""
    dry_run: bool = False
    failure: str | None = None
    snapshot_to_release: int | None = None
    """The id of a snapshot that the guard refused, or whose deletions it withheld."""


def dagster_home(settings: Settings) -> Path:
    """Create Dagster's home under JWP_HOME with our dagster.yaml in it, and return its path. Raises SettingsError."""
    home = settings.jwp_home.resolve() / "dagster_home"
    keep_in_home(home / "dagster.yaml", configuration("dagster.yaml").read_bytes())
    return home


def configuration(name: str) -> Path:
    """Return the path of `dagster.yaml` or `workspace.yaml`, in the checkout or in the installed package."""
    package = Path(__file__).parents[1]
    for path in (package.parent / name, package / name):
        if path.exists():
            return path
    raise PipelineError(
        f"{name} is neither in {package.parent} nor in {package}: this installation of jwp-pipeline is incomplete. "
        "Install it again, or run it from a checkout."
    )


def run_sync(
    settings: Settings,
    request: SyncRequest,
    *,
    observe: Observer | None = None,
    on_wait: WaitObserver | None = None,
    detail: Detail = "normal",
) -> SyncOutcome:
    """Run job `sync` as `request` says, and wait for it. Raises PipelineError if the run cannot start."""
    with Runtime(settings=lambda: settings) as before:
        _require_sensible(before, request)
    return _run(
        settings,
        jobs.SYNC,
        _run_config(request),
        select=lambda loaded: _selection(loaded, request),
        observe=observe,
        on_wait=on_wait,
        detail=detail,
        dry_run=request.dry_run,
    )


def run_push(
    settings: Settings, *, dry_run: bool, on_wait: WaitObserver | None = None, detail: Detail = "normal"
) -> SyncOutcome:
    """Run job `push`, and wait for it. With `dry_run`, it only shows what would be pushed. Raises PipelineError."""
    ops = {"jwp_updates": {"config": {"dry_run": dry_run}}}
    return _run(settings, jobs.PUSH, {"ops": ops}, on_wait=on_wait, detail=detail, dry_run=dry_run)


def _run(
    settings: Settings,
    job: str,
    run_config: Mapping[str, Any],
    *,
    select: Callable[[dg.Definitions], list[dg.AssetKey]] | None = None,
    observe: Observer | None = None,
    on_wait: WaitObserver | None = None,
    detail: Detail = "normal",
    dry_run: bool = False,
) -> SyncOutcome:
    """Run a job in this process, and wait for it. `select` narrows the assets of the job."""
    reports: list[Any] = []
    waits: list[float] = []
    runtime = Runtime(
        settings=lambda: settings, observe=observe, on_wait=on_wait, report=reports.append, waited=waits.append
    )
    if on_wait is not None:
        # The caller tells the user about each retry, so that the log, which would print it again, must not.
        logging.getLogger(transport.__name__).addHandler(logging.NullHandler())
    with opened(settings, runtime) as (instance, definitions):
        started = time.monotonic()
        result = definitions.resolve_job_def(job).execute_in_process(
            instance=instance,
            asset_selection=select(definitions) if select else None,
            run_config={**run_config, "loggers": {"console": {"config": {"log_level": _LEVELS[detail]}}}},
            raise_on_error=False,
        )
        failure = next(iter(failures(result.all_events)), None)
        if failure is None and not result.success:
            failure = broken_off(result.all_events)
        # Without its settings, a run has not used the database, and so it must not be migrated now. A database that is
        # down has been reported already, by the run itself.
        if failure is None or failure.kind != "required_settings":
            with suppress(PipelineError), runtime.anew(run_id=None) as after:
                instance.report_runless_asset_event(status_materialization(instance, after))
    return SyncOutcome(
        run_id=result.run_id,
        success=result.success,
        seconds=time.monotonic() - started,
        reports=tuple(reports),
        seconds_waiting=sum(waits),
        dry_run=dry_run,
        failure=failure.reason if failure else None,
        snapshot_to_release=failure.snapshot_to_release if failure else None,
    )


@contextmanager
def opened(settings: Settings, runtime: Runtime) -> Iterator[tuple[dg.DagsterInstance, dg.Definitions]]:
    """Yield the instance, without the runs that somebody abandoned in it, and definitions whose runs use `runtime`.

    Raises DatabaseError, also for what Dagster raises in the block.
    """
    # Output is not captured: in this process it belongs to the terminal, and the run's own log has everything anyway.
    overrides = {"compute_logs": NO_COMPUTE_LOGS}
    home = str(dagster_home(settings))
    with as_database_error(), ExitStack() as stack:
        with loading():
            instance = stack.enter_context(dg.DagsterInstance.from_ref(InstanceRef.from_dir(home, overrides=overrides)))
            # Keep one connection for each storage, instead of opening one for each of some 250 event writes.
            instance.optimize_for_webserver(statement_timeout=60_000, pool_recycle=3600, max_overflow=5)
            record_in_location(instance, settings)
            with runtime.anew(run_id=None) as before:
                end_abandoned_runs(instance, before)
            definitions = build_definitions(runtime, settings=settings)
        yield instance, definitions


def _selection(definitions: dg.Definitions, request: SyncRequest) -> list[dg.AssetKey]:
    skipped = {
        f"raw_{resource_type}s"
        for resource_type in RESOURCE_TYPES
        if not request.asks_jwp or resource_type not in request.types
    }
    if not request.asks_jwp:
        # A sync that does not ask JW Platform works without its settings, so it must not stop at their check.
        skipped.add("settings")
    if request.dry_run:
        skipped |= set(MEDIA_ASSETS)
    keys = jobs.EVERYTHING.resolve(definitions.resolve_asset_graph())
    return sorted(key for key in keys if key.path[-1] not in skipped)


def _run_config(request: SyncRequest) -> Mapping[str, Any]:
    media = {"sync_all": request.sync_all, "ask_jwp": request.asks_jwp}
    play = {"ask_jwp": request.asks_jwp}
    cache: dict[str, Any] = {"dry_run": request.dry_run, "ask_jwp": request.asks_jwp, "shown": request.shown}
    if request.release is not None:
        cache["release"] = request.release
    else:
        cache |= {f"{resource_type}s": resource_type in request.types for resource_type in RESOURCE_TYPES}
    return {
        "ops": {
            "cached_resources": {"config": cache},
            **({} if request.dry_run else {"media": {"config": media}, ITEMS_PLAY: {"config": play}}),
        }
    }


def _require_sensible(runtime: Runtime, request: SyncRequest) -> None:
    """Raise NothingToRelease, OtherSite or DatabaseError now, if the request would only make a run fail."""
    # Check `required_settings` reports what is wrong with the settings.
    asks_site = request.asks_jwp and not unusable_settings(runtime.settings())
    if request.release is None and not asks_site:
        return
    with runtime.database() as engine:
        if request.release is not None:
            with connect(engine) as connection:
                releases.releasable(connection, request.release)
        if asks_site:
            require_site(engine, runtime.settings().jwplatform_api_key or "")

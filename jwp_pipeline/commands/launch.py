"""One sync as a Dagster run in this process, recorded in the Dagster instance: what jwpfetch and `make run` do.

Put here what happens around such a run; command lines are in cli.py, and what is printed in console.py.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from jwp_pipeline.database.connection import connect
from jwp_pipeline.definitions import build_definitions
from jwp_pipeline.errors import PipelineError
from jwp_pipeline.home import keep_in_home
from jwp_pipeline.jwplatform.management import RESOURCE_TYPES, ResourceType, WaitObserver
from jwp_pipeline.media.report import MEDIA_ASSETS
from jwp_pipeline.mirror import releases
from jwp_pipeline.mirror.landing import Observer
from jwp_pipeline.mirror.site import require_site
from jwp_pipeline.orchestration import jobs
from jwp_pipeline.orchestration.checks.delivery import ITEMS_PLAY
from jwp_pipeline.orchestration.checks.settings import unusable_settings
from jwp_pipeline.orchestration.dagster_private import NO_COMPUTE_LOGS, InstanceRef
from jwp_pipeline.orchestration.failures import as_database_error, failures
from jwp_pipeline.orchestration.runs import end_abandoned_runs
from jwp_pipeline.orchestration.runtime import Runtime
from jwp_pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """What one sync is asked to do."""

    fetch: frozenset[ResourceType] = frozenset(RESOURCE_TYPES)
    sync_all: bool = False
    dry_run: bool = False
    release: int | None = None
    """Snapshot to let past the guard, once; implies fetching nothing."""

    @property
    def asks_jwp(self) -> bool:
        """Whether JW Platform is asked anything."""
        return bool(self.fetch) and self.release is None


@dataclass(frozen=True, slots=True)
class SyncOutcome:
    """How one sync ended."""

    run_id: str
    success: bool
    seconds: float
    """Wall-clock of the whole run, Dagster's share included."""
    reports: tuple[Any, ...]
    """Domain reports (Listing, Applied, …) in the order they came."""
    failure: str | None = None
    snapshot_to_release: int | None = None
    """Snapshot that the guard refused, or whose deletions it withheld."""


def dagster_home(settings: Settings) -> Path:
    """Dagster's home under JWP_HOME, made if need be, with our dagster.yaml in it. Raises SettingsError."""
    home = settings.jwp_home.resolve() / "dagster_home"
    keep_in_home(home / "dagster.yaml", configuration("dagster.yaml").read_bytes())
    return home


def configuration(name: str) -> Path:
    """`dagster.yaml` or `workspace.yaml`: of the checkout, or as the installed package carries it."""
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
) -> SyncOutcome:
    """Run job `sync` on what `request` selects, and wait for it. Raises PipelineError before the run starts."""
    reports: list[Any] = []
    runtime = Runtime(settings=lambda: settings, observe=observe, on_wait=on_wait, report=reports.append)
    with runtime.anew(run_id=None) as before:
        _require_sensible(before, request)
    # No capture of output: in this process it is the terminal's, and the run's own log has everything anyway.
    overrides = {"compute_logs": NO_COMPUTE_LOGS}
    home = str(dagster_home(settings))
    with (
        as_database_error(),
        dg.DagsterInstance.from_ref(InstanceRef.from_dir(home, overrides=overrides)) as instance,
    ):
        # Hold one connection a storage instead of opening one for each of some 250 event writes.
        instance.optimize_for_webserver(statement_timeout=60_000, pool_recycle=3600, max_overflow=5)
        with runtime.anew(run_id=None) as before:
            end_abandoned_runs(instance, before)
        definitions = build_definitions(runtime, settings=settings)
        # What Dagster has loaded lives to the end. Looking for garbage in it again and again took a fifth of mapping.
        gc.freeze()
        started = time.monotonic()
        result = definitions.resolve_job_def("sync").execute_in_process(
            instance=instance,
            asset_selection=_selection(definitions, request),
            run_config=_run_config(request),
            raise_on_error=False,
        )
    failure = next(iter(failures(result.all_events)), None)
    return SyncOutcome(
        run_id=result.run_id,
        success=result.success,
        seconds=time.monotonic() - started,
        reports=tuple(reports),
        failure=failure.reason if failure else None,
        snapshot_to_release=failure.snapshot_to_release if failure else None,
    )


def _selection(definitions: dg.Definitions, request: SyncRequest) -> list[dg.AssetKey]:
    skipped = {
        f"raw_{resource_type}s"
        for resource_type in RESOURCE_TYPES
        if not request.asks_jwp or resource_type not in request.fetch
    }
    if not request.asks_jwp:
        # Without JW Platform there is nothing that its settings could stop.
        skipped.add("settings")
    if request.dry_run:
        skipped |= set(MEDIA_ASSETS)
    keys = jobs.EVERYTHING.resolve(definitions.resolve_asset_graph())
    return sorted(key for key in keys if key.path[-1] not in skipped)


def _run_config(request: SyncRequest) -> Mapping[str, Any]:
    media = {"sync_all": request.sync_all, "ask_jwp": request.asks_jwp}
    play = {"ask_jwp": request.asks_jwp}
    cache: dict[str, Any] = {"dry_run": request.dry_run, "ask_jwp": request.asks_jwp}
    if request.release is not None:
        cache["release"] = request.release
    elif request.fetch:
        # A type that is not fetched stays as it is, even if an earlier listing of it waits. Fetching nothing is
        # asking for what waits.
        cache |= {f"{resource_type}s": resource_type in request.fetch for resource_type in RESOURCE_TYPES}
    return {
        "ops": {
            "cached_resources": {"config": cache},
            **({} if request.dry_run else {"media": {"config": media}, ITEMS_PLAY: {"config": play}}),
        },
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }


def _require_sensible(runtime: Runtime, request: SyncRequest) -> None:
    """Raise what is wrong with a request before there is a run to fail: NothingToRelease, OtherSite, DatabaseError."""
    # What the settings lack is for the check `required_settings` to say.
    asks_site = request.asks_jwp and not unusable_settings(runtime.settings())
    if request.release is None and not asks_site:
        return
    with runtime.database() as engine:
        if request.release is not None:
            with connect(engine) as connection:
                releases.releasable(connection, request.release)
        if asks_site:
            require_site(engine, runtime.settings().jwplatform_api_key or "")

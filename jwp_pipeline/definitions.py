"""Everything that Dagster loads, on one screen. `build_definitions` serves the UI, jwpfetch, the tests and the demo.

Loading works without any settings: it reads them only for names and times (asset prefix, schedules, freshness). `defs`,
which workspace.yaml names, asks the database for the day on which the library begins, if it is there, and connects to
nothing else. Importing this module does nothing.
"""

from __future__ import annotations

from datetime import date

import dagster as dg

from jwp_pipeline.errors import SettingsError
from jwp_pipeline.history.beginning import first_day_of_log
from jwp_pipeline.orchestration import jobs
from jwp_pipeline.orchestration.assets import history, media, mirror, outbox, status
from jwp_pipeline.orchestration.assets import settings as settings_assets
from jwp_pipeline.orchestration.automation.alerts import alert_on_failed_run, alert_on_guard
from jwp_pipeline.orchestration.automation.events import events_waiting
from jwp_pipeline.orchestration.automation.freshness import with_freshness
from jwp_pipeline.orchestration.automation.schedules import build_schedules
from jwp_pipeline.orchestration.automation.sensors import SENSORS
from jwp_pipeline.orchestration.checks import delivery as delivery_checks
from jwp_pipeline.orchestration.checks import mirror as mirror_checks
from jwp_pipeline.orchestration.checks import outbox as outbox_checks
from jwp_pipeline.orchestration.runs import site_of
from jwp_pipeline.orchestration.runtime import Runtime, as_resource
from jwp_pipeline.settings import Settings, load_settings


def build_definitions(
    runtime: Runtime | None = None, *, settings: Settings | None = None, first_day: date | None = None
) -> dg.Definitions:
    """Return a new set of definitions.

    Each run and tick gets a new runtime like `runtime`. `settings` provide the asset prefix, the schema's name, the
    times of the schedules and the freshness windows; without them, all have their defaults. The partitions of
    library_history begin on `first_day`.
    """
    settings = settings or Settings.model_construct()
    loaded = dg.load_assets_from_modules(
        [status, settings_assets, mirror, media, outbox, history], key_prefix=settings.asset_key_prefix or None
    )
    assets = [asset for asset in loaded if isinstance(asset, dg.AssetsDefinition)]
    if first_day is not None:
        assets = list(dg.map_asset_specs(history.beginning_on(first_day), assets))
    checks = dg.load_asset_checks_from_modules(
        [mirror_checks, delivery_checks, outbox_checks], asset_key_prefix=settings.asset_key_prefix or None
    )
    return dg.Definitions(
        asset_checks=checks,
        assets=dg.map_asset_specs(with_freshness(settings), assets),
        jobs=jobs.build_jobs(site_of(settings), settings.jwp_database_schema, settings.asset_key_prefix),
        schedules=build_schedules(settings),
        sensors=[*SENSORS, events_waiting, alert_on_failed_run, alert_on_guard],
        resources={"runtime": as_resource(runtime or Runtime())},
        # All steps of a run share one process, because a process for each step would take two seconds to start.
        executor=dg.in_process_executor,
    )


def defs() -> dg.Definitions:
    """Return the definitions for workspace.yaml. Check `required_settings` reports settings that cannot be read."""
    try:
        settings = load_settings()
    except SettingsError:
        return build_definitions(settings=_asset_prefix_alone())
    return build_definitions(settings=settings, first_day=first_day_of_log(settings))


def _asset_prefix_alone() -> Settings | None:
    """Return the defaults with the configured asset prefix, so that the check is on the assets that people look at."""
    others = {name: field.default for name, field in Settings.model_fields.items() if name != "jwp_asset_prefix"}
    try:
        return load_settings(**others)
    except SettingsError:
        return None

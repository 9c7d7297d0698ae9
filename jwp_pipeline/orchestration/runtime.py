"""What assets need of the outside: settings, database, JW Platform; opened when first asked for, in the run.

A plain object given as a Dagster resource, so that a missing setting is reported by the `required_settings`
check instead of failing the run before it (an EnvVar in a resource would). Not here: any domain logic.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
from sqlalchemy import Engine

from jwp_pipeline.database.locate import open_database
from jwp_pipeline.jwplatform.connect import connect, patience_of
from jwp_pipeline.jwplatform.management import ManagementClient, WaitObserver
from jwp_pipeline.jwplatform.patience import Patience
from jwp_pipeline.mirror.landing import Observer
from jwp_pipeline.orchestration.runs import PROCESS_TAG, this_place
from jwp_pipeline.settings import Settings, load_settings


class Runtime:
    """The outside of one process. `report` gets every domain report, for whoever prints a summary."""

    def __init__(
        self,
        *,
        settings: Callable[[], Settings] = load_settings,
        observe: Observer | None = None,
        on_wait: WaitObserver | None = None,
        report: Callable[[Any], None] = lambda report: None,
    ) -> None:
        self.settings = settings
        self.observe = observe
        self.on_wait = on_wait
        self.report = report
        self.patience: Patience | None = None

    @contextmanager
    def database(self) -> Iterator[Engine]:
        """Our tables, up to date. Raises DatabaseError."""
        engine = open_database(self.settings())
        try:
            yield engine
        finally:
            engine.dispose()

    @contextmanager
    def jwplatform(self, *, hurried: bool = False) -> Iterator[ManagementClient]:
        """A client of the configured Management API; a hurried one gives up after seconds. Raises SettingsError."""
        settings = self.settings()
        self.patience = self.patience or patience_of(settings)
        client = connect(settings, self.on_wait, patience=self.patience, hurried=hurried)
        try:
            yield client
        finally:
            client.close()


def as_resource(runtime: Runtime) -> dg.ResourceDefinition:
    """The runtime as Dagster hands it to assets, schedules and sensors; of a run it notes which process executes it."""

    @dg.resource(description="Settings, database and JW Platform, opened when first asked for.")
    def of_run(context: dg.InitResourceContext) -> Runtime:
        if context.run is not None and context.instance is not None:
            process = f"{this_place()}:{os.getpid()}"
            context.instance.add_run_tags(context.run.run_id, {PROCESS_TAG: process})
        return runtime

    return of_run

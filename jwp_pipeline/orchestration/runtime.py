"""What assets need of the outside: settings, database, JW Platform; opened when first asked for, in the run.

A plain object given as a Dagster resource, so that a missing setting is reported by the `required_settings`
check instead of failing the run before it (an EnvVar in a resource would). Not here: any domain logic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
from sqlalchemy import Engine

from jwp_pipeline.database.locate import open_database
from jwp_pipeline.errors import PipelineError, SnapshotQuarantined, TransientError
from jwp_pipeline.jwplatform.connect import connect
from jwp_pipeline.jwplatform.management import ManagementClient, WaitObserver
from jwp_pipeline.mirror.landing import Observer
from jwp_pipeline.settings import Settings, load_settings

QUARANTINED = "quarantined_snapshot"
"""Metadata entry of the failure of a run that the guard stopped: the snapshot's id."""


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
        client = connect(self.settings(), on_wait=self.on_wait, hurried=hurried)
        try:
            yield client
        finally:
            client.close()


@contextmanager
def failing_clearly() -> Iterator[None]:
    """Turn our errors into Dagster failures that say what to do, retried only where that can help."""
    try:
        yield
    except SnapshotQuarantined as error:
        raise dg.Failure(str(error), metadata={QUARANTINED: error.snapshot_id}, allow_retries=False) from None
    except PipelineError as error:
        raise dg.Failure(str(error), allow_retries=isinstance(error, TransientError)) from None

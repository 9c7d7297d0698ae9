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
from sqlalchemy.exc import OperationalError

from jwp_pipeline.database.locate import open_database
from jwp_pipeline.errors import DatabaseError, PipelineError, SnapshotQuarantined, SyncInProgress, TransientError
from jwp_pipeline.jwplatform.connect import connect
from jwp_pipeline.jwplatform.management import ManagementClient, WaitObserver
from jwp_pipeline.mirror.landing import Observer
from jwp_pipeline.runbook import path, told
from jwp_pipeline.settings import Settings, load_settings

QUARANTINED = "quarantined_snapshot"
"""Metadata entry of the failure of a run that the guard stopped: the snapshot's id."""

RUNBOOK = "runbook"
"""Metadata entry of every failure that is an error of ours: where its page of the runbook stands."""


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
        with database_failing_clearly():
            yield
    except PipelineError as error:
        metadata: dict[str, Any] = {RUNBOOK: path(error.runbook)}
        if isinstance(error, SnapshotQuarantined):
            metadata[QUARANTINED] = error.snapshot_id
        retriable = isinstance(error, TransientError | SyncInProgress)
        raise dg.Failure(told(error), metadata=metadata, allow_retries=retriable) from None


@contextmanager
def database_failing_clearly() -> Iterator[None]:
    """Turn the loss of a database that could be reached before, or its lack of space, into a DatabaseError."""
    try:
        yield
    except OperationalError as error:
        raise DatabaseError(
            f"The database failed in the middle of the work: {str(error.orig).splitlines()[0]}. What was not committed "
            "is undone. See to the server; the next run goes on from what is stored."
        ) from None

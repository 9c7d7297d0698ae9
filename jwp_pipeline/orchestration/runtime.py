"""What a run needs of the outside: settings, database, JW Platform, and its lease; opened when first asked for.

A plain object given as a Dagster resource, so that a missing setting is reported by the `required_settings`
check instead of failing the run before it (an EnvVar in a resource would). Each run, and each tick of a sensor or
schedule, gets a new one: it reads the settings once, opens one engine and one client, and is closed at the end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from types import TracebackType
from typing import Any, Self

import dagster as dg
import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from jwp_pipeline.database.leases import TOLERANCE, Lease, Tolerance
from jwp_pipeline.database.locate import open_database
from jwp_pipeline.errors import DatabaseError
from jwp_pipeline.jwplatform.connect import connect, patience_of
from jwp_pipeline.jwplatform.management import ManagementClient, WaitObserver
from jwp_pipeline.jwplatform.patience import Patience
from jwp_pipeline.mirror.landing import Observer
from jwp_pipeline.settings import Settings, load_settings


class Runtime:
    """The outside of one run or tick; as a context manager it closes at the end whatever was opened.

    `settings` reads the settings, `report` gets every domain report, for whoever prints a summary. With a `run_id`
    the database is used under a lease for that run. `tolerance` says how long other runs may be silent. What could
    not be opened is tried again when next asked for.
    """

    def __init__(
        self,
        *,
        settings: Callable[[], Settings] = load_settings,
        observe: Observer | None = None,
        on_wait: WaitObserver | None = None,
        report: Callable[[Any], None] = lambda report: None,
        run_id: str | None = None,
        tolerance: Tolerance = TOLERANCE,
    ) -> None:
        self.observe = observe
        self.on_wait = on_wait
        self.report = report
        self.run_id = run_id
        self.tolerance = tolerance
        self._read_settings = settings
        self._opened = ExitStack()
        self._clients: dict[bool, ManagementClient] = {}
        self._asking = threading.RLock()

    def anew(self, run_id: str | None) -> Runtime:
        """Another one like this, of which nothing has been read or opened, for a run (or, with None, a tick)."""
        return Runtime(
            settings=self._read_settings,
            observe=self.observe,
            on_wait=self.on_wait,
            report=self.report,
            run_id=run_id,
            tolerance=self.tolerance,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._opened.close()

    def settings(self) -> Settings:
        """The settings, as they were when they were first asked for. Raises SettingsError."""
        return self._settings

    @contextmanager
    def database(self) -> Iterator[Engine]:
        """The engine on our tables, which are up to date.

        Raises DatabaseError; and LeaseLost, also in place of any error that the block meets because of that loss.
        """
        engine, lease = self._engine, self.lease
        try:
            yield engine
        except (SQLAlchemyError, psycopg.Error, DatabaseError):
            # Whoever takes a lease over ends the run's sessions: what fails then is only the statement they were at.
            if lease is not None:
                lease.check()
            raise

    @contextmanager
    def jwplatform(self, *, hurried: bool = False) -> Iterator[ManagementClient]:
        """The client of the configured Management API, for one thread at a time. Raises SettingsError.

        A hurried one gives up after seconds.
        """
        with self._asking:
            if hurried not in self._clients:
                client = connect(self.settings(), self.on_wait, patience=self._patience, hurried=hurried)
                self._opened.callback(client.close)
                self._clients[hurried] = client
            yield self._clients[hurried]

    @cached_property
    def lease(self) -> Lease | None:
        """The lease of the run, from the first use of the database on; None for what is no run."""
        if self.run_id is None:
            return None
        lease = Lease.begin(self._engine, self.run_id)
        self._opened.callback(lease.end)
        return lease

    @cached_property
    def _patience(self) -> Patience:
        return patience_of(self.settings())

    @cached_property
    def _settings(self) -> Settings:
        return self._read_settings()

    @cached_property
    def _engine(self) -> Engine:
        engine = open_database(self.settings())
        self._opened.callback(engine.dispose)
        return engine


def as_resource(runtime: Runtime) -> dg.ResourceDefinition:
    """Gives each run and each tick a runtime like this one, and closes it afterwards."""

    @dg.resource(description="Settings, database and JW Platform, opened when first asked for.")
    def of_run(context: dg.InitResourceContext) -> Iterator[Runtime]:
        with runtime.anew(context.run.run_id if context.run else None) as opened:
            yield opened

    return of_run

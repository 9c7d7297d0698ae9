"""Gives a run what it needs from outside: settings, database, JW Platform and its lease, each opened at its first use.

It is a plain object that is given as a Dagster resource, so that check `required_settings` reports a missing setting;
an EnvVar in a resource would fail the run before the check. Each run, and each tick of a sensor or schedule, gets a
new one, which reads the settings once, opens one engine and one client, and is closed at the end.
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
from jwp_pipeline.database.request_budget import RequestBudget
from jwp_pipeline.errors import DatabaseError
from jwp_pipeline.jwplatform.connect import account_of, connect, connect_writing, patience_of
from jwp_pipeline.jwplatform.management import ManagementClient, WaitObserver
from jwp_pipeline.jwplatform.patience import Patience
from jwp_pipeline.jwplatform.writing import WritingClient
from jwp_pipeline.mirror.landing import Observer
from jwp_pipeline.rate_limit import Lane
from jwp_pipeline.settings import Settings, load_settings


class Runtime:
    """What one run or tick needs from outside. As a context manager it closes everything that it has opened.

    `settings` reads the settings, and `report` receives every domain report, for a summary. `waited` receives, at the
    end, the seconds in which requests to JW Platform had to wait. With a `run_id`, the
    database is used under a lease for that run. `tolerance` says how long other runs may be silent. If something could
    not be opened, the next use tries again.
    """

    def __init__(
        self,
        *,
        settings: Callable[[], Settings] = load_settings,
        observe: Observer | None = None,
        on_wait: WaitObserver | None = None,
        report: Callable[[Any], None] = lambda report: None,
        waited: Callable[[float], None] = lambda seconds: None,
        run_id: str | None = None,
        tolerance: Tolerance = TOLERANCE,
    ) -> None:
        self.observe = observe
        self.on_wait = on_wait
        self.report = report
        self.waited = waited
        self.run_id = run_id
        self.tolerance = tolerance
        self._read_settings = settings
        self._opened = ExitStack()
        self._clients: dict[tuple[Lane, bool], ManagementClient] = {}
        self._asking = threading.RLock()

    def anew(self, run_id: str | None) -> Runtime:
        """Return a new one like this, which has not read or opened anything yet, for a run (or, with None, a tick)."""
        return Runtime(
            settings=self._read_settings,
            observe=self.observe,
            on_wait=self.on_wait,
            report=self.report,
            waited=self.waited,
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
        """Return the settings, as they were at the first call. Raises SettingsError."""
        return self._settings

    @contextmanager
    def database(self) -> Iterator[Engine]:
        """Yield an engine for our tables, which have been migrated.

        Raises DatabaseError. If the block fails because the lease was lost, LeaseLost is raised instead.
        """
        engine, lease = self._engine, self.lease
        try:
            yield engine
        except (SQLAlchemyError, psycopg.Error, DatabaseError):
            # A process that takes the lease over ends this run's sessions, and then whatever statement runs here fails.
            if lease is not None:
                lease.check()
            raise

    @contextmanager
    def jwplatform(self, lane: Lane = Lane.LISTINGS, *, hurried: bool = False) -> Iterator[ManagementClient]:
        """Yield the client for the configured Management API, to one thread at a time. Raises SettingsError.

        `lane` says whose requests go first. A hurried client gives up after a few seconds.
        """
        with self._asking:
            kind = lane, hurried
            if kind not in self._clients:
                client = connect(
                    self.settings(),
                    self.on_wait,
                    patience=self._patience,
                    budget=self._budget,
                    lane=lane,
                    hurried=hurried,
                )
                self._opened.callback(client.close)
                self._opened.callback(lambda: self.waited(client.stats.seconds_waiting))
                self._clients[kind] = client
            yield self._clients[kind]

    def writing_client(self) -> WritingClient:
        """Make another client that writes, for one thread. Whoever asks for it closes it. Raises SettingsError."""
        return connect_writing(self.settings(), self.on_wait, patience=self._patience, budget=self._budget)

    @cached_property
    def lease(self) -> Lease | None:
        """The lease of the run, which begins with the first use of the database; None outside a run."""
        if self.run_id is None:
            return None
        lease = Lease.begin(self._engine, self.run_id)
        self._opened.callback(lease.end)
        return lease

    @cached_property
    def _budget(self) -> RequestBudget:
        def engine() -> Engine:
            with self.database() as opened:
                return opened

        budget = RequestBudget(engine, account_of(self.settings()))
        self._opened.callback(budget.close)
        return budget

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
    """Return a resource that gives each run and each tick a runtime like this one, and closes it afterwards."""

    @dg.resource(description="Settings, database and JW Platform, opened when first asked for.")
    def of_run(context: dg.InitResourceContext) -> Iterator[Runtime]:
        with runtime.anew(context.run.run_id if context.run else None) as opened:
            yield opened

    return of_run

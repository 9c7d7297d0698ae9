"""Tells the status as metrics for Prometheus: a collector that reads the tables anew each time it is asked.

The registry holds this collector alone, and nothing is counted in the process, so that any process tells the same. Put
here new metrics; docs/metrics.md describes them, and the dashboard in deploy/grafana/ shows them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import product
from typing import NamedTuple, get_args

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Engine, text

from jwp_pipeline.database.connection import connect
from jwp_pipeline.database.problems import Stage
from jwp_pipeline.database.sql import statement
from jwp_pipeline.database.status import TypeStatus
from jwp_pipeline.errors import PipelineError
from jwp_pipeline.jwplatform.management import RESOURCE_TYPES
from jwp_pipeline.runbook import error_text
from jwp_pipeline.settings import Settings
from jwp_pipeline.status.page import RunLine
from jwp_pipeline.status.read import Status, read

_PREFIX = "jwp_pipeline"
_PACKAGE = "jwp_pipeline.status"
_SECONDS = 5
_log = logging.getLogger(__name__)

LastRuns = Callable[[], Sequence[RunLine]]
"""Returns the last runs, the newest first. Raises PipelineError."""


class Reading(NamedTuple):
    """Everything that metrics tell, read at one moment."""

    status: Status
    live: dict[str, int]
    """Live rows of each table of the record."""
    requests: int
    """Requests to JW Platform that were begun since the counting began."""
    problems: dict[tuple[str, str], int]
    """Open problems by stage and type."""
    runs: Sequence[RunLine]


def registry(engine: Callable[[], Engine], settings: Settings, last_runs: LastRuns) -> CollectorRegistry:
    """Return a registry of its own with all metrics. `engine` is called at each scrape, and may raise PipelineError."""
    made = CollectorRegistry()
    made.register(_StatusCollector(engine, settings, last_runs))
    return made


class _StatusCollector(Collector):
    def __init__(self, engine: Callable[[], Engine], settings: Settings, last_runs: LastRuns) -> None:
        self._engine = engine
        self._settings = settings
        self._last_runs = last_runs

    def describe(self) -> Iterable[Metric]:
        """Return no names, so that registering the collector does not read the database."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics as of now. If the database cannot be read, `jwp_pipeline_up` is 0 and the only one."""
        try:
            found = _read(self._engine(), self._settings, self._last_runs)
        except PipelineError as error:
            _log.warning("Metrics cannot be read: %s", error_text(error))
            found = None
        yield _gauge("up", "Whether the record's database could be read (1) or not (0).", found is not None)
        if found is not None:
            yield from metrics_of(found)


def _read(engine: Engine, settings: Settings, last_runs: LastRuns) -> Reading:
    status = read(engine, settings)
    with connect(engine) as connection, connection.begin():
        for limit in ("lock_timeout", "statement_timeout"):
            connection.execute(text(f"SET LOCAL {limit} TO '{_SECONDS}s'"))
        measures = connection.execute(statement(_PACKAGE, "measures")).one()
        problems = connection.execute(statement(_PACKAGE, "problems")).all()
    try:
        runs = last_runs()
    except PipelineError as error:
        _log.warning("The last runs cannot be read, and are left out of the metrics: %s", error_text(error))
        runs = ()
    tables = ("media_items", "media_channels", "playlists")
    return Reading(
        status,
        {table: getattr(measures, table) for table in tables},
        measures.requests,
        {(row.stage, row.type): row.problems for row in problems},
        runs,
    )


def metrics_of(found: Reading) -> Iterator[Metric]:
    """Yield all metrics of a reading. Pure. What is not known, such as a time before the first sync, is left out."""
    status = found.status
    changes = [each.changes_seen_until for each in status.types]
    as_of = None if None in changes else min(moment for moment in changes if moment is not None)
    yield _gauge("in_step", "Whether the record is in step with JW Platform (1) or not (0).", not status.troubles)
    yield _gauge("in_step_as_of_timestamp_seconds", "Up to when changes of all types are known.", _epoch(as_of))
    yield from _of_types(status)
    yield _by("record_rows", "Live rows of the record.", ("table",), [((name,), n) for name, n in found.live.items()])
    yield _by(
        "open_problems",
        "Problems with what JW Platform sent or refused that are still open.",
        ("stage", "type"),
        # A series that only exists while something is wrong would be "no data" on a dashboard, and not zero.
        (dict.fromkeys(product(get_args(Stage), RESOURCE_TYPES), 0) | found.problems).items(),
    )
    outbox, events = status.outbox, status.events
    yield _gauge(
        "edits_waiting", "Items with edits, or without a video, that JW Platform does not have yet.", outbox.waiting
    )
    yield _gauge(
        "edits_in_conflict", "Fields that were changed on both sides, and wait for a decision.", outbox.conflicts
    )
    yield _gauge("edits_refused", "Fields and new items that JW Platform does not take as they are.", outbox.refused)
    yield _gauge(
        "oldest_edit_seconds", "How long the oldest edit has waited; 0 if none does.", outbox.oldest_seconds or 0
    )
    yield _gauge("events_waiting", "Events of JW Platform that wait for a look.", events.events)
    yield _gauge("oldest_event_seconds", "How long the oldest event has waited; 0 if none does.", events.seconds)
    requests = CounterMetricFamily(f"{_PREFIX}_requests", "Requests to JW Platform that were begun.")
    requests.add_metric((), found.requests)
    yield requests
    yield from _of_runs(found.runs)


def _of_types(status: Status) -> Iterator[Metric]:
    def gauge(name: str, help_text: str, value: Callable[[TypeStatus], float | None]) -> Metric:
        return _by(name, help_text, ("type",), [((each.resource_type,), value(each)) for each in status.types])

    def age(moment: datetime | None) -> float | None:
        return None if moment is None else max(0.0, (status.at - moment).total_seconds())

    yield gauge(
        "full_listing_timestamp_seconds",
        "The start of the last complete listing that was applied; it shows deletions as well.",
        lambda each: _epoch(each.in_step_as_of),
    )
    yield gauge(
        "full_listing_lag_seconds", "The age of the last complete listing.", lambda each: age(each.in_step_as_of)
    )
    yield gauge(
        "changes_lag_seconds", "The age of the last read of any kind.", lambda each: age(each.changes_seen_until)
    )
    yield gauge("listed_resources", "Resources in the last complete listing.", lambda each: each.listed)
    yield gauge("live_resources", "Live resources in the cache.", lambda each: each.live)
    yield gauge("followed_resources", "Resources with a live row in the record.", lambda each: each.live_in_platform)
    yield gauge("behind_resources", "Resources that the record has not followed yet.", lambda each: each.behind)
    yield gauge(
        "unconfirmed_resources",
        "Resources that listings miss, and that JW Platform has not confirmed to be gone.",
        lambda each: each.unconfirmed,
    )
    yield gauge("withheld_resources", "Resources whose deletion the guard withholds.", lambda each: each.withheld)
    yield gauge(
        "refused_snapshot",
        "Whether the guard refuses the newest snapshot (1) or not (0).",
        lambda each: each.quarantined_snapshot is not None,
    )


def _of_runs(runs: Sequence[RunLine]) -> Iterator[Metric]:
    ended: dict[str, RunLine] = {}
    for run in runs:
        if run.seconds is not None and run.started is not None:
            ended.setdefault(run.job, run)
    lines = [((job,), run) for job, run in ended.items()]
    yield _by(
        "last_run_timestamp_seconds",
        "When the last run of the job that has ended began.",
        ("run",),
        [(labels, _epoch(run.started)) for labels, run in lines],
    )
    yield _by(
        "last_run_duration_seconds", "How long it took.", ("run",), [(labels, run.seconds) for labels, run in lines]
    )
    yield _by(
        "last_run_success",
        "Whether it succeeded (1) or not (0).",
        ("run",),
        [(labels, run.status == "SUCCESS") for labels, run in lines],
    )


def _gauge(name: str, help_text: str, value: float | None) -> Metric:
    return _by(name, help_text, (), [((), value)])


def _by(
    name: str, help_text: str, labels: Sequence[str], values: Iterable[tuple[Sequence[str], float | None]]
) -> Metric:
    family = GaugeMetricFamily(f"{_PREFIX}_{name}", help_text, labels=labels)
    for label_values, value in values:
        if value is not None:
            family.add_metric(label_values, float(value))
    return family


def _epoch(moment: datetime | None) -> float | None:
    return None if moment is None else moment.astimezone(UTC).timestamp()

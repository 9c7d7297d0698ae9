"""Turns our errors into Dagster failures, and reads from the events of a run why it failed, in the words of our errors.

Put here what translates between the two.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import dagster as dg

from jwp_pipeline.database.translation import clear_error, clear_errors
from jwp_pipeline.errors import (
    INTERRUPTED,
    DatabaseBlocked,
    GuardTripped,
    PipelineError,
    RunBrokenOff,
    SyncInProgress,
    TransientError,
)
from jwp_pipeline.orchestration.dagster_private import SerializableErrorInfo
from jwp_pipeline.runbook import error_text, path

SNAPSHOT_TO_RELEASE = "snapshot_to_release"
"""The metadata entry that holds the snapshot's id, in the failure of a run that the guard stopped."""

RUNBOOK = "runbook"
"""The metadata entry that holds the path of the runbook page, in every failure that is an error of ours."""

EVENT_TYPES = frozenset({dg.DagsterEventType.ASSET_CHECK_EVALUATION, dg.DagsterEventType.STEP_FAILURE})
"""The types of events that `failures` looks at."""

_OUTSIDE = frozenset({dg.DagsterEventType.RUN_START, dg.DagsterEventType.ENGINE_EVENT, dg.DagsterEventType.RUN_FAILURE})
# Dagster's message of a failure that somebody else has reported. It says nothing about the cause.
_NO_REASON = "This run has been marked as failed from outside the execution context."
_MOST_CHARACTERS = 300


@contextmanager
def as_dagster_failure() -> Iterator[None]:
    """Turn our errors into Dagster failures that say what to do, and are retried only if that can help."""
    try:
        with as_database_error():
            yield
    except PipelineError as error:
        metadata: dict[str, Any] = {RUNBOOK: path(error.runbook)}
        if isinstance(error, GuardTripped):
            metadata[SNAPSHOT_TO_RELEASE] = error.snapshot_id
        retriable = isinstance(error, TransientError | SyncInProgress | DatabaseBlocked)
        raise dg.Failure(error_text(error), metadata=metadata, allow_retries=retriable) from None


@contextmanager
def as_database_error() -> Iterator[None]:
    """Turn errors of SQLAlchemy, of our driver and of Dagster's storage into DatabaseErrors."""
    try:
        with clear_errors():
            yield
    except Exception as error:
        if not _comes_from_dagsters_storage(error):
            raise
        # Dagster's own message says only that it tried several times.
        cause = error.__cause__ or error
        raise clear_error(cause, "The database of Dagster", setting="JWP_DAGSTER_DATABASE_URL") from None


def _comes_from_dagsters_storage(error: Exception) -> bool:
    # Importing the module takes seconds. If this is its exception, it has been imported already.
    module = sys.modules.get("dagster_postgres.utils")
    return module is not None and isinstance(error, module.DagsterPostgresException)


@dataclass(frozen=True, slots=True)
class StepFailure:
    """One reason for a run's failure."""

    reason: str
    kind: str
    """The kind of failure: the name of the check, the path of the error's runbook page, or any other error's class."""
    snapshot_to_release: int | None = None
    """The id of a snapshot that the guard refused, or whose deletions it withheld."""


def failures(events: Iterable[dg.DagsterEvent]) -> list[StepFailure]:
    """Return what made a run fail: blocking checks that did not pass, and steps that failed for another reason."""
    found: list[StepFailure] = []
    explained: set[str | None] = set()
    for event in events:
        if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            check = event.asset_check_evaluation_data
            if check.blocking and not check.passed:
                found.append(StepFailure(check.description or check.check_name, check.check_name))
                explained.add(event.step_key)
        elif event.is_step_failure and event.step_key not in explained:
            data = event.step_failure_data
            user = data.user_failure_data
            metadata = user.metadata if user else {}
            guarded, page = metadata.get(SNAPSHOT_TO_RELEASE), metadata.get(RUNBOOK)
            found.append(
                StepFailure(
                    user.description if user and user.description else _innermost(data.error),
                    str(page.value) if page else _class_of(data.error),
                    int(str(guarded.value)) if guarded else None,
                )
            )
    return found


def failures_of(instance: dg.DagsterInstance, run_id: str) -> list[StepFailure]:
    """Return the same for a run that the instance has recorded, or else why Dagster did not let it work."""
    return failures(_events(instance, run_id, EVENT_TYPES)) or [broken_off(_events(instance, run_id, _OUTSIDE))]


def _events(instance: dg.DagsterInstance, run_id: str, types: Collection[dg.DagsterEventType]) -> list[dg.DagsterEvent]:
    return [entry.dagster_event for entry in instance.all_logs(run_id, of_type=set(types)) if entry.dagster_event]


def broken_off(events: Sequence[dg.DagsterEvent]) -> StepFailure:
    """Return why a run failed without a step of it having failed, in Dagster's words, with what that means."""
    reasons = []
    for event in (event for event in events if event.event_type in _OUTSIDE):
        error = getattr(event.event_specific_data, "error", None)
        is_end = event.event_type == dg.DagsterEventType.RUN_FAILURE
        if error is not None:
            reasons.append(_innermost(error))
        elif is_end and event.message and event.message != _NO_REASON:
            reasons.append(event.message)
    # The last words are about the end, and they are what Dagster repeats of earlier ones.
    said = " ".join(reasons[-1].split())[:_MOST_CHARACTERS].rstrip(".") if reasons else "its log does not say why"
    if any(event.event_type == dg.DagsterEventType.RUN_START for event in events):
        error = RunBrokenOff(
            f"Dagster ended this run before its work was done: {said}. What it had not committed is undone, and the "
            "next run goes on from what is stored."
        )
    else:
        error = RunBrokenOff(
            f"Dagster could not start this run, so it has read and changed nothing: {said}. Schedules and sensors try "
            "again by themselves; see that the process that serves the code is running."
        )
    return StepFailure(error_text(error), path(error.runbook))


def _class_of(error: SerializableErrorInfo | None) -> str:
    bottom = _bottom_of(error)
    return (bottom.cls_name if bottom else None) or "unknown"


def _innermost(error: SerializableErrorInfo | None) -> str:
    """Return the message at the end of a chain of causes, which says what really happened."""
    bottom = _bottom_of(error)
    if bottom is not None and bottom.cls_name == dg.DagsterExecutionInterruptedError.__name__:
        return INTERRUPTED
    return bottom.message.strip() if bottom else "no reason was recorded"


def _bottom_of(error: SerializableErrorInfo | None) -> SerializableErrorInfo | None:
    while error is not None and error.cause is not None:
        error = error.cause
    return error

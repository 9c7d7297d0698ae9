"""Imports every name that we use from Dagster's private modules, so that they are easy to find at an upgrade.

Each is here because the public API of Dagster 1.13 has no equivalent. The comment above it says what it is for.
"""

# The name of the only repository of a code location, which is one set of definitions.
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME

# What a run queue takes for "try again later", when a launcher raises it.
from dagster._core.errors import DagsterUserCodeUnreachableError

# Why a run failed, which Dagster keeps in a tag.
from dagster._core.events import RunFailureReason

# Makes an instance from a folder with some of dagster.yaml's entries overridden.
from dagster._core.instance.ref import InstanceRef

# What a launcher says about the health of a run.
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus

# Where a run belongs in the UI: the names of its code location and of its repository.
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin

# The tags by which a run request asks for a range of partitions, and the tag with the reason of a failure.
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    RUN_FAILURE_REASON_TAG,
)

# The type of an argument with which Dagster constructs a storage class of dagster.yaml.
from dagster._serdes import ConfigurableClassData

# Whether Dagster's scheduler can follow a cron expression, and when it would next run.
from dagster._utils.schedules import cron_string_iterator, is_valid_cron_string

# How a step failure records its chain of exceptions.
from dagster_shared.error import SerializableErrorInfo

# The entry `compute_logs` of an instance that captures no output.
NO_COMPUTE_LOGS = {"module": "dagster._core.storage.noop_compute_log_manager", "class": "NoOpComputeLogManager"}

__all__ = [
    "ASSET_PARTITION_RANGE_END_TAG",
    "ASSET_PARTITION_RANGE_START_TAG",
    "NO_COMPUTE_LOGS",
    "RUN_FAILURE_REASON_TAG",
    "SINGLETON_REPOSITORY_NAME",
    "CheckRunHealthResult",
    "ConfigurableClassData",
    "DagsterUserCodeUnreachableError",
    "InstanceRef",
    "RegisteredCodeLocationOrigin",
    "RemoteRepositoryOrigin",
    "RunFailureReason",
    "SerializableErrorInfo",
    "WorkerStatus",
    "cron_string_iterator",
    "is_valid_cron_string",
]

"""Helpers that tests in several folders share. Helpers for a single folder are in its conftest.py."""

from jwp_pipeline_tests.support.processes import DEAD_PROXY, PROJECT, bare_environment, python, wait_until
from jwp_pipeline_tests.support.resources import channel, video, videos
from jwp_pipeline_tests.support.syncing import ImpatientClock, jwplatform, sync
from jwp_pipeline_tests.support.tables import SCHEMA, cache, empty, live, rows, touched

__all__ = [
    "DEAD_PROXY",
    "PROJECT",
    "SCHEMA",
    "ImpatientClock",
    "bare_environment",
    "cache",
    "channel",
    "empty",
    "jwplatform",
    "live",
    "python",
    "rows",
    "sync",
    "touched",
    "video",
    "videos",
    "wait_until",
]

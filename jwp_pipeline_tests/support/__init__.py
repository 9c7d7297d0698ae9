"""Helpers that tests in several folders share. Helpers for a single folder are in its conftest.py."""

from jwp_pipeline_tests.support.configuration import settings_of, unset_all_settings
from jwp_pipeline_tests.support.processes import DEAD_PROXY, PROJECT, bare_environment, python, wait_until
from jwp_pipeline_tests.support.recorded import RECORDED, needs_recorded
from jwp_pipeline_tests.support.resources import channel, video, videos
from jwp_pipeline_tests.support.syncing import (
    client_of,
    jwplatform,
    pages_of_at_most,
    sync,
    sync_changes,
    writing_client_of,
)
from jwp_pipeline_tests.support.tables import SCHEMA, cache, contents, empty, live, rows, touched, waits_for_lock

__all__ = [
    "DEAD_PROXY",
    "PROJECT",
    "RECORDED",
    "SCHEMA",
    "bare_environment",
    "cache",
    "channel",
    "client_of",
    "contents",
    "empty",
    "jwplatform",
    "live",
    "needs_recorded",
    "pages_of_at_most",
    "python",
    "rows",
    "settings_of",
    "sync",
    "sync_changes",
    "touched",
    "unset_all_settings",
    "video",
    "videos",
    "wait_until",
    "waits_for_lock",
    "writing_client_of",
]

"""Helpers that tests in several folders share. Helpers for a single folder are in its conftest.py."""

from jwp_pipeline_tests.support.configuration import set_only, settings_of, unset_all_settings
from jwp_pipeline_tests.support.databases import fresh_database, set_for_the_database
from jwp_pipeline_tests.support.examples import fewer_if_quick
from jwp_pipeline_tests.support.processes import (
    DEAD_PROXY,
    PROJECT,
    bare_environment,
    closed_port,
    free_port,
    python,
    wait_until,
)
from jwp_pipeline_tests.support.recorded import RECORDED, needs_recorded
from jwp_pipeline_tests.support.resources import channel, of_v2, video, videos
from jwp_pipeline_tests.support.site import Site
from jwp_pipeline_tests.support.syncing import (
    client_of,
    follow,
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
    "Site",
    "bare_environment",
    "cache",
    "channel",
    "client_of",
    "closed_port",
    "contents",
    "empty",
    "fewer_if_quick",
    "follow",
    "free_port",
    "fresh_database",
    "jwplatform",
    "live",
    "needs_recorded",
    "of_v2",
    "pages_of_at_most",
    "python",
    "rows",
    "set_for_the_database",
    "set_only",
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

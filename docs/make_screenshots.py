"""`make screenshots`: the pictures of the Dagster UI in the README, taken anew with a real browser.

The demo library lives through some days, each mirrored by one jwpfetch; then the stack of `make up` is started on what
that left, and photographed. Needs Chromium; takes about two minutes; touches nothing but the pictures beside it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import chdir
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import dagster as dg
from PIL import Image
from playwright.sync_api import Page
from sqlalchemy import text

from jwp_pipeline import cli
from jwp_pipeline.database.locate import open_database
from jwp_pipeline.orchestration.launch import dagster_home
from jwp_pipeline.settings import Settings, load_settings
from jwp_pipeline.simulator import Demo, Simulator
from jwp_pipeline_tests.end_to_end.ui import CHROMIUM, RUN_SECONDS, Stack, Ui, browser, eventually, stack

FOLDER = Path(__file__).parent
DAYS = 14
WIDTH = 1400


def live_through_days(demo: Demo) -> None:
    """Mirror the library once a day, as far as the change log can tell."""
    sync()
    # Thousands of additions at first: beside them the plots of the days that follow would look flat.
    with dg.DagsterInstance.from_config(str(dagster_home(load_settings()))) as instance:
        instance.wipe_assets(instance.all_asset_keys())
    engine = open_database(load_settings())
    for _ in range(DAYS):
        with engine.begin() as connection:
            for table, column in (("resource_changes", "changed_at"), ("raw_snapshots", "applied_at")):
                connection.execute(text(f"UPDATE {table} SET {column} = {column} - interval '1 day'"))
        demo.evolve()
        sync()
    engine.dispose()


def sync() -> None:
    if cli.jwpfetch([]) != cli.SUCCEEDED:
        sys.exit("A sync of the demo library failed; see above.")

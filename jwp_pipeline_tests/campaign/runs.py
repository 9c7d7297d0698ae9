"""The runs of a campaign, by name: what the assets call, in the same order, or the jobs and commands themselves.

`functions` calls what the bodies of the assets call. `dagster` executes the jobs in this process, recorded in the real
instance. `jwpfetch`, a real process, is started by life.py.
"""

import os
import uuid
from datetime import timedelta
from functools import partial

from jwp_pipeline.commands import launch
from jwp_pipeline.database.connection import connect
from jwp_pipeline.jwplatform import pacing, transport
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.media.report import MEDIA_ASSETS
from jwp_pipeline.media.sync import sync_media
from jwp_pipeline.mirror.apply import apply_newest
from jwp_pipeline.mirror.changes import read_changes
from jwp_pipeline.mirror.landing import read_listing
from jwp_pipeline.mirror.looks import read_keys
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.mirror.site import require_site
from jwp_pipeline.orchestration import jobs
from jwp_pipeline.orchestration.failures import as_database_error
from jwp_pipeline.orchestration.runtime import Runtime
from jwp_pipeline.outbox.push import PushOptions, push
from jwp_pipeline.webhooks import store

RUNS = ("sync", "frequent", "sync_all", "events", "push")
_JOBS = {"sync": jobs.SYNC, "sync_all": jobs.SYNC, "frequent": jobs.FREQUENT_SYNC, "events": jobs.ON_EVENTS}


def hurry():
    """Let clients back off for hundredths of a second."""
    transport.backoff = partial(pacing.backoff, first=0.01, most=0.1)


def run_functions(name, settings):
    """Make one run. Returns 0. Raises PipelineError."""
    run_id = str(uuid.uuid4())
    with as_database_error(), Runtime(settings=lambda: settings, run_id=run_id) as runtime:
        if name == "push":
            _push(runtime)
        else:
            for resource_type in ("video",) if name == "events" else ("video", "channel"):
                _read(runtime, name, resource_type, run_id)
            for resource_type in ("video",) if name == "events" else ("video", "channel"):
                _apply(runtime, resource_type, run_id)
            with runtime.database() as engine, runtime.jwplatform() as client:
                options = MediaOptions.from_settings(settings, sync_all=name == "sync_all")
                sync_media(engine, MEDIA_ASSETS, options=options, client=client, lease=runtime.lease)
    return 0


def _read(runtime, name, resource_type, run_id):
    with runtime.database() as engine, runtime.jwplatform() as client:
        require_site(engine, runtime.settings().jwplatform_api_key or "")
        overlap = timedelta(minutes=runtime.settings().jwp_overlap_minutes)
        # As in the asset, the run has its lease from its first use of the database on.
        if name == "frequent":
            read_changes(engine, client, resource_type, overlap=overlap, run_id=run_id)
        elif name == "events":
            with connect(engine) as connection:
                waiting = store.waiting(connection, resource_type)
            listing = read_keys(engine, client, resource_type, waiting.keys, overlap=overlap, run_id=run_id)
            with connect(engine) as connection, connection.begin():
                store.attach(connection, waiting.ids, listing.snapshot_id)
        else:
            read_listing(engine, client, resource_type, run_id=run_id)


def _apply(runtime, resource_type, run_id):
    with runtime.database() as engine, runtime.jwplatform() as client:
        apply_newest(
            engine,
            resource_type,
            options=MirrorOptions.from_settings(runtime.settings()),
            client=client,
            lease=runtime.lease,
            run_id=run_id,
            also=store.settle,
        )


def _push(runtime):
    with runtime.database() as engine:
        settings = runtime.settings()
        require_site(engine, settings.jwplatform_api_key or "")
        push(engine, runtime.writing_client, options=PushOptions.from_settings(settings), lease=runtime.lease)


def run_dagster(name, settings):
    """Execute a job in this process. Returns 0, or 1 if it failed for a reason of ours, and 70 otherwise."""
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"
    if name == "push":
        outcome = launch.run_push(settings, dry_run=False)
    elif name in ("sync", "sync_all"):
        outcome = launch.run_sync(settings, launch.SyncRequest(sync_all=name == "sync_all"))
    else:
        outcome = launch._run(settings, _JOBS[name], {})
    if outcome.failure:
        print(outcome.failure)
    return 0 if outcome.success else 1


HOW = {"functions": run_functions, "dagster": run_dagster}

"""The Celery application that a worker runs; `jwp-pipeline worker` starts it for a site.

One task is one whole run of Dagster, in a process that has everything imported already.
"""

from __future__ import annotations

from celery import Celery
from dagster_celery.tasks import create_execute_job_task

from jwp_pipeline.orchestration.workers.broker import worker_options
from jwp_pipeline.settings import load_settings

app = Celery("jwp_pipeline")
# Celery calls this when it first needs an option, so that importing this module reads no settings.
app.add_defaults(lambda: worker_options(load_settings()))
create_execute_job_task(app)

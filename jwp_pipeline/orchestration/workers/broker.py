"""Options of Celery that the launcher and the workers share, made from our settings.

Put here what the launcher and the workers must agree on.
"""

from __future__ import annotations

import ssl
from typing import Any

from jwp_pipeline.errors import SettingsError
from jwp_pipeline.settings import Settings


def broker_url(settings: Settings) -> str:
    """Return the URL of the Redis between Dagster and the workers. Raises SettingsError if there is none."""
    if settings.jwp_celery_url is None:
        raise SettingsError(
            "JWP_CELERY_URL is not set: set it to the URL of the Redis that Dagster and the workers share, such as "
            "rediss://user:password@host:6379/0 (docs/deploy.md)."
        )
    return settings.jwp_celery_url.get_secret_value()


def options(settings: Settings) -> dict[str, Any]:
    """Return what the launcher and the workers have in common. Raises SettingsError."""
    url = broker_url(settings)
    verified = {"ssl_cert_reqs": ssl.CERT_REQUIRED} if url.startswith("rediss:") else None
    return {
        "broker_url": url,
        "result_backend": url,
        "broker_use_ssl": verified,
        "redis_backend_use_ssl": verified,
        # Dagster asks often, and asks again: it must not hang while Redis is away.
        "broker_transport_options": {
            "max_retries": 3,
            "interval_start": 0,
            "interval_step": 0.2,
            "interval_max": 0.5,
            "socket_connect_timeout": 5,
            "socket_timeout": 30,
        },
        "redis_socket_connect_timeout": 5,
        "redis_socket_timeout": 30,
        "result_backend_transport_options": {"retry_policy": {"timeout": 5.0}},
    }


def worker_options(settings: Settings) -> dict[str, Any]:
    """Return the options of a worker. Raises SettingsError."""
    return {
        **options(settings),
        # A worker waits for as long as Redis is away.
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # A run that has been fetched early would be lost with the worker, although another one has time for it.
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": True,
        "worker_concurrency": 1,
        # A process that has executed many runs is replaced, so that what they leave in memory cannot add up.
        "worker_max_tasks_per_child": 100,
        "worker_send_task_events": False,
    }

"""JW Platform's own events: received, verified and stored, so that a sync looks at just those keys (semantics §12).

`app` makes the ASGI application; receiver.py is its HTTP side, events.py decides what an event is, and store.py keeps
events until a sync has handled them. What a sync does with their keys is in mirror/looks.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from sqlalchemy import Engine
    from starlette.applications import Starlette

    from jwp_pipeline.settings import Settings

__all__ = ["app"]


def app(
    settings: Settings | None = None, *, engine: Engine | None = None, metrics: CollectorRegistry | None = None
) -> Starlette:
    """Return the ASGI application that receives the webhooks of one site, to be served alone or mounted in another.

    `settings` are by default those of the environment and `.env`. `engine` is one for our tables that the caller has
    opened and will close; without it, the application opens one when it first needs it. With `metrics`, GET /metrics
    tells them to everybody who reaches the application. Raises SettingsError if the settings name no site or no secret
    of a webhook.
    """
    # Every sync imports store.py from here, and needs no HTTP server.
    from jwp_pipeline.webhooks import receiver

    return receiver.app(settings, engine=engine, metrics=metrics)

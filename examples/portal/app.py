"""Puts the pages of the portal together as an ASGI application."""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from examples.portal.adding import Adding
from examples.portal.editing import Editing
from examples.portal.pages import Visitor
from examples.portal.viewing import Viewing
from jwp_pipeline.record import Access, Settings, load_settings, open_engine

# Everybody who reaches the portal can choose who they are, so it is for the browser on this machine only. Another site
# whose name leads here must not pass for it.
_HOSTS = ["127.0.0.1", "localhost"]


def application(engine: Engine, settings: Settings, visitors: tuple[Visitor, ...] = ()) -> Starlette:
    """Return the portal of a site."""
    access = Access(settings)
    routes = [
        route for pages in (Viewing, Editing, Adding) for route in pages(engine, settings, access, visitors).routes()
    ]
    return Starlette(routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=_HOSTS)])


def create_app() -> Starlette:
    """Return the portal of the site that the environment names, for the demo's visitors."""
    settings = load_settings()
    visitors = json.loads(Path(__file__).with_name("visitors.json").read_text())
    return application(open_engine(settings), settings, tuple(Visitor(**each) for each in visitors))

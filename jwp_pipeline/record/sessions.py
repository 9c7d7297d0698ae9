"""Opens the record, and tells its rows which settings they play with.

Signing a URL needs settings, and one process may read several sites, so there is no global: each session carries the
settings of its site, or the engine that it is bound to does.
"""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session, object_session, sessionmaker

from jwp_pipeline.database.connection import open_engine as _open_engine
from jwp_pipeline.database.locate import database_url
from jwp_pipeline.errors import SettingsError
from jwp_pipeline.settings import Settings, load_settings

_Carrier = TypeVar("_Carrier", Session, "sessionmaker[Any]", Engine)
_SETTINGS = "jwp_settings"


def open_engine(settings: Settings | None = None) -> Engine:
    """Return an engine for the record of one site, whose sessions know the site's settings: `Session(open_engine())`.

    The settings are those of the environment unless given. Nothing is migrated or written: the pipeline does that.
    Raises SettingsError and DatabaseError.
    """
    settings = settings or load_settings()
    return attach_settings(_open_engine(database_url(settings), settings.jwp_database_schema), settings)


def attach_settings(carrier: _Carrier, settings: Settings) -> _Carrier:
    """Let the rows that are read with an engine, a session or a sessionmaker of your own use these settings.

    Settings of a session take precedence over those of its engine. Returns the carrier.
    """
    if isinstance(carrier, Engine):
        carrier.update_execution_options(**{_SETTINGS: settings})
    elif isinstance(carrier, Session):
        carrier.info[_SETTINGS] = settings
    else:
        carrier.configure(info={**carrier.kw.get("info", {}), _SETTINGS: settings})
    return carrier


def settings_of(row: object) -> Settings:
    """Return the settings of the session that a row belongs to, or of its engine. Raises SettingsError."""
    session = object_session(row)
    if session is None:
        raise SettingsError(
            f"This {type(row).__name__} belongs to no session, so its settings are not known. "
            "Pass settings=..., or ask before the session is closed."
        )
    bind: Engine | Connection = session.get_bind(type(row))
    settings = session.info.get(_SETTINGS) or bind.get_execution_options().get(_SETTINGS)
    if not isinstance(settings, Settings):
        raise SettingsError(
            f"The session of this {type(row).__name__} knows no settings. Make its engine with "
            "jwp_pipeline.record.open_engine(), or call jwp_pipeline.record.attach_settings(engine, settings) once."
        )
    return settings

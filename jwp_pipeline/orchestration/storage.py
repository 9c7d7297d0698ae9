"""Dagster's own storage, on the database that our settings name: what `dagster.yaml` points to.

dagster.yaml can neither say "this variable or else that server" nor prepare a connection; with this class plain
`dagster dev` works from a fresh checkout, on the embedded PostgreSQL, and Dagster's sessions begin as ours do. Put here
what fits dagster-postgres to our database.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dagster_postgres import DagsterPostgresStorage, event_log, run_storage, schedule_storage
from dagster_postgres.utils import pg_alembic_config
from sqlalchemy import URL, Engine
from sqlalchemy.dialects import plugins
from sqlalchemy.engine import CreateEnginePlugin

from jwp_pipeline.database.locate import dagster_database
from jwp_pipeline.database.session import Database, Preparation
from jwp_pipeline.orchestration.dagster_private import ConfigurableClassData
from jwp_pipeline.orchestration.failures import as_database_error
from jwp_pipeline.settings import load_settings

_PLUGIN = "jwp_pipeline"


class ConfiguredPostgresStorage(DagsterPostgresStorage):
    """dagster-postgres on JWP_DAGSTER_DATABASE_URL, else on the server of our tables, in schema `dagster`."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """No configuration of its own: settings say it all."""
        return {}

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: ConfigurableClassData | None, config_value: dict[str, Any]
    ) -> ConfiguredPostgresStorage:
        """Made by Dagster when it loads dagster.yaml. Raises SettingsError, DatabaseError."""
        _allow_percent_signs_in_paths()
        with as_database_error():
            return cls(postgres_url=storage_url(dagster_database(load_settings())), inst_data=inst_data)


def storage_url(database: Database) -> str:
    """A URL from which SQLAlchemy makes engines that connect as ours do, wherever in Dagster it is used.

    All that it says stands where SQLAlchemy has the password, and so never shows it. psycopg2 is spelt out, since
    psycopg 3 breaks Dagster's webserver (dagster#33958).
    """
    url = URL.create(
        "postgresql+psycopg2", username=_PLUGIN, password=json.dumps(asdict(database)), query={"plugin": _PLUGIN}
    )
    return url.render_as_string(hide_password=False)


class PreparedSessions(CreateEnginePlugin):
    """Has an engine connect as our own do; SQLAlchemy calls it for every URL that `storage_url` made."""

    def __init__(self, url: URL, kwargs: dict[str, Any]) -> None:
        # Whether a pooler is in the way was found out before, by `dagster_database`.
        self._preparation = Preparation(Database(**json.loads(url.password or "{}")), is_pooling_checked=True)

    def update_url(self, url: URL) -> URL:
        """What is left for SQLAlchemy to read: which driver."""
        return URL.create(url.drivername)

    def engine_created(self, engine: Engine) -> None:
        """Prepare every connection of the engine."""
        self._preparation.attach(engine)


plugins.register(_PLUGIN, __name__, PreparedSessions.__name__)


def _allow_percent_signs_in_paths() -> None:
    """Escape the path of dagster-postgres in its Alembic configuration, which reads a % as the start of a name.

    Dagster keeps one configuration for each of its storages, so what is mended in it here is what it uses.
    """
    for storage in (event_log.event_log, run_storage.run_storage, schedule_storage.schedule_storage):
        configuration = pg_alembic_config(str(storage.__file__)).file_config
        configuration.set("DEFAULT", "here", str(Path(str(storage.__file__)).parent).replace("%", "%%"))

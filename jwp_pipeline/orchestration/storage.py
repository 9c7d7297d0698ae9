"""Keeps Dagster's own storage in the database that our settings name. `dagster.yaml` names the class in this module.

dagster.yaml itself can neither say "this variable or else that server" nor prepare a connection. With this class, plain
`dagster dev` works from a fresh checkout, on the embedded PostgreSQL, and Dagster's sessions are prepared like ours.
Put here what adapts dagster-postgres to our database.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dagster_postgres import DagsterPostgresStorage, event_log, run_storage, schedule_storage
from dagster_postgres.utils import pg_alembic_config
from sqlalchemy import URL, Engine, NullPool, create_engine, text
from sqlalchemy.dialects import plugins
from sqlalchemy.engine import CreateEnginePlugin

from jwp_pipeline.database.connection import transaction_lock
from jwp_pipeline.database.locate import dagster_database
from jwp_pipeline.database.session import Database, Preparation
from jwp_pipeline.orchestration.dagster_private import ConfigurableClassData
from jwp_pipeline.orchestration.failures import as_database_error
from jwp_pipeline.settings import load_settings

_PLUGIN = "jwp_pipeline"


class ConfiguredPostgresStorage(DagsterPostgresStorage):
    """A dagster-postgres storage on JWP_DAGSTER_DATABASE_URL, or else on our tables' server, in schema `dagster`."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return an empty configuration schema, because our settings hold everything."""
        return {}

    @classmethod
    def from_config_value(  # type: ignore[override]
        cls, inst_data: ConfigurableClassData | None, config_value: dict[str, Any]
    ) -> ConfiguredPostgresStorage:
        """Make the storage when Dagster loads dagster.yaml. Raises SettingsError, DatabaseError."""
        _allow_percent_signs_in_paths()
        with as_database_error():
            url = storage_url(dagster_database(load_settings()))
            with _taking_turns(url):
                return cls(postgres_url=url, inst_data=inst_data)


def storage_url(database: Database) -> str:
    """Return a URL from which SQLAlchemy makes engines that connect as ours do, wherever Dagster uses it.

    The whole database is encoded in the place of the password, which SQLAlchemy never shows. The URL names psycopg2,
    because psycopg 3 breaks Dagster's webserver (dagster#33958).
    """
    url = URL.create(
        "postgresql+psycopg2", username=_PLUGIN, password=json.dumps(asdict(database)), query={"plugin": _PLUGIN}
    )
    return url.render_as_string(hide_password=False)


@contextmanager
def _taking_turns(url: str) -> Iterator[None]:
    """Let one process at a time create Dagster's tables, because dagster-postgres fails if several do so at once."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        # These are the tables that dagster-postgres creates last.
        if connection.scalar(text("SELECT to_regclass('jobs')")) is None:
            transaction_lock(connection, "Dagster's tables")
        yield


class PreparedSessions(CreateEnginePlugin):
    """Makes an engine connect as our own do. SQLAlchemy uses this plugin for every URL that `storage_url` made."""

    def __init__(self, url: URL, kwargs: dict[str, Any]) -> None:
        # `dagster_database` has checked already whether there is a pooler.
        self._preparation = Preparation(Database(**json.loads(url.password or "{}")), is_pooling_checked=True)

    def update_url(self, url: URL) -> URL:
        """Return a URL that names only the driver, which is all that SQLAlchemy still has to read."""
        return URL.create(url.drivername)

    def engine_created(self, engine: Engine) -> None:
        """Prepare every connection of the engine."""
        self._preparation.attach(engine)


plugins.register(_PLUGIN, __name__, PreparedSessions.__name__)


def _allow_percent_signs_in_paths() -> None:
    """Escape the path of dagster-postgres in its Alembic configuration, which reads a % as the start of a name.

    Dagster keeps one configuration for each of its storages, so it uses the one that is changed here.
    """
    for storage in (event_log.event_log, run_storage.run_storage, schedule_storage.schedule_storage):
        configuration = pg_alembic_config(str(storage.__file__)).file_config
        configuration.set("DEFAULT", "here", str(Path(str(storage.__file__)).parent).replace("%", "%%"))

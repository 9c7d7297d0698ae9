"""Dagster's own storage, on the database that our settings name: what `dagster.yaml` points to.

dagster.yaml can neither say "this variable or else that server" nor spell the driver; with this class plain
`dagster dev` works from a fresh checkout, on the embedded PostgreSQL. Not here: our own tables.
"""

from __future__ import annotations

from typing import Any

from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import DagsterPostgresException
from sqlalchemy.exc import SQLAlchemyError

from jwp_pipeline.database.locate import dagster_storage_url
from jwp_pipeline.errors import DatabaseError
from jwp_pipeline.orchestration.dagster_private import ConfigurableClassData
from jwp_pipeline.settings import load_settings


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
        try:
            return cls(postgres_url=dagster_storage_url(load_settings()), inst_data=inst_data)
        except (DagsterPostgresException, SQLAlchemyError) as error:
            cause = error.__cause__ if isinstance(error, DagsterPostgresException) else error
            reason = str(getattr(cause, "orig", None) or error).splitlines()[0]
            raise DatabaseError(
                f"Dagster's own storage cannot be used: {reason}. Check JWP_DAGSTER_DATABASE_URL and that the server "
                "is up, or unset it to keep Dagster's records on the server of our tables."
            ) from None

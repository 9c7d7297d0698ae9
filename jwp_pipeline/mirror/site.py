"""The one site that a schema mirrors: remembered at the first sync, and insisted upon ever after.

Settings that name another site, or another site's schema, would make one library's listing delete the other's rows.
Put here what a schema remembers of its site.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.dialects.postgresql import insert

from jwp_pipeline.database.connection import connect
from jwp_pipeline.database.tables import MirroredSite
from jwp_pipeline.errors import OtherSite


def require_site(engine: Engine, site_id: str) -> None:
    """See that the schema mirrors the site `site_id`; a schema that mirrors none yet mirrors this one from now on.

    Raises OtherSite, and DatabaseError.
    """
    with connect(engine) as connection:
        known = mirrored_site(connection)
        connection.rollback()
        if known is None:
            with connection.begin():
                connection.execute(insert(MirroredSite).values(site_id=site_id).on_conflict_do_nothing())
                known = mirrored_site(connection)
    if known != site_id:
        raise OtherSite(
            f"This schema mirrors the site {known}, and JWPLATFORM_API_KEY names the site {site_id}. Nothing was asked "
            "or changed. Name another schema in JWP_DATABASE_SCHEMA (or, with the embedded database, another JWP_HOME) "
            "for the other site; if this schema is to follow the other site from now on, run `jwp-pipeline adopt-site`."
        )


def mirrored_site(connection: Connection) -> str | None:
    """The site that the schema mirrors; None before its first sync."""
    found: str | None = connection.scalar(select(MirroredSite.site_id))
    return found


def adopt_site(engine: Engine, site_id: str, *, by: str) -> str | None:
    """Let the schema mirror `site_id` from now on, whatever it mirrored before; returns that.

    No row is touched: the next sync compares the new site's listing with the old one's rows, and the guard judges it.
    """
    with connect(engine) as connection, connection.begin():
        before = mirrored_site(connection)
        if before != site_id:
            values = {"site_id": site_id, "since": func.now(), "adopted_by": by}
            connection.execute(
                insert(MirroredSite)
                .values(**values)
                .on_conflict_do_update(index_elements=[MirroredSite.singleton], set_=values)
            )
    return before

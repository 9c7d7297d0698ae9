"""Remembers the one site that a schema mirrors, and refuses any other site after the first sync.

Otherwise settings that name the wrong site or schema would let one library's listing delete the rows of another. Put
here what a schema remembers about its site.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.dialects.postgresql import insert

from jwp_pipeline.database.connection import connect
from jwp_pipeline.database.tables import MirroredSite
from jwp_pipeline.errors import OtherSite


def require_site(engine: Engine, site_id: str) -> None:
    """Check that the schema mirrors the site `site_id`. A schema without a site is assigned this one.

    Raises OtherSite and DatabaseError.
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
    """Return the site that the schema mirrors; None before its first sync."""
    found: str | None = connection.scalar(select(MirroredSite.site_id))
    return found


def adopt_site(engine: Engine, site_id: str, *, by: str) -> str | None:
    """Make the schema mirror `site_id` from now on, and return the site that it mirrored before.

    No resource is changed. The next sync compares the new site's listing with the old site's rows, and the guard judges
    the result.
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

"""Takes out of a snapshot's pages what differs from the cache, and enters it in the plan.

The pages go through this process, one at a time, because msgspec finds an element in a fraction of the time that the
server would need to parse the page. Only the elements that differ reach the server again. Put here how elements get
from raw_pages into the plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Row, text

from jwp_pipeline.database.sql import statement
from jwp_pipeline.database.translation import ERRORS
from jwp_pipeline.mirror.digests import split
from jwp_pipeline.mirror.mending import mended
from jwp_pipeline.mirror.storing import is_refused, mend_landed_page

_Planned = tuple[str, str, str, str | None]
"""A row for the plan: key, change, data and digest."""

_PACKAGE = "jwp_pipeline.mirror"
# What stands in a mended page in the place of an element that cannot be stored.
_SET_ASIDE = "null"
# The planner knows nothing about the ledgers of new pages, and would look up each key by itself.
_OTHER_JOINS = ("enable_nestloop", "enable_mergejoin")


def plan_differing(connection: Connection, parameters: Mapping[str, Any]) -> None:
    """Enter in the plan what must be added, changed, restored or noted.

    `parameters` are those of the statements, and `array_field`. An unchanged listing reads no bodies, takes no row
    locks, and writes nothing.
    """
    found = statement(_PACKAGE, "find_differing")
    with hash_joins_only(connection):
        pages = connection.execute(found, dict(parameters), execution_options={"yield_per": 1})
    differing = 0
    for page in pages:
        differing += len(page.keys)
        _enter(connection, page, parameters)
    if differing:
        connection.execute(statement(_PACKAGE, "compare_differing"), dict(parameters))
        # Without a digest there is nothing to note.
        connection.execute(text("DELETE FROM plan WHERE change = 'reformatted' AND digest IS NULL"))


@contextmanager
def hash_joins_only(connection: Connection) -> Iterator[None]:
    """Let the planner join with hash tables alone, for statements that join a whole listing with the cache."""
    _set(connection, "off")
    yield
    _set(connection, "DEFAULT")


def _set(connection: Connection, value: str) -> None:
    for setting in _OTHER_JOINS:
        connection.execute(text(f"SET LOCAL {setting} TO {value}"))


def _enter(connection: Connection, page: Row[Any], parameters: Mapping[str, Any]) -> None:
    field = parameters["array_field"]
    try:
        with connection.begin_nested():
            _copy(connection, _rows(page, page.body, field))
    except ERRORS as error:
        if not is_refused(error):
            raise
        body = mend_landed_page(connection, parameters["snapshot_id"], page.page_number, page.body, field)
        _copy(connection, ((*row[:3], None) for row in _rows(page, body, field)))


def _rows(page: Row[Any], body: str, field: str) -> Iterator[_Planned]:
    elements = split(body, field)
    if elements is None:
        elements = [element.encode() for element in mended(body, field).elements]
    for position, key, digest, change in zip(page.positions, page.keys, page.digests, page.changes, strict=True):
        element = elements[position - 1].decode()
        if element != _SET_ASIDE:
            yield key, change, element, digest


def _copy(connection: Connection, rows: Iterator[_Planned]) -> None:
    driver_connection: Any = connection.connection.driver_connection
    with (
        driver_connection.cursor() as cursor,
        cursor.copy("COPY plan (key, change, data, digest) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)

"""Stores the pages of a snapshot to the letter, with what was noted about them.

A page is stored as text. Nobody parses it on the server, except the elements that differ from the cache. If PostgreSQL
cannot store all elements of a page as `jsonb`, a mended text is stored beside the page. What jsonb is known to refuse
is found at once: characters, and what is not JSON at all. Other limits, such as the depth of a value, depend on the
server; it refuses an element later, when the plan is made. Put here how a page gets into raw_pages.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from jwp_pipeline.database.sql import statement
from jwp_pipeline.database.translation import ERRORS, sqlstate
from jwp_pipeline.jwplatform.shapes import Origin
from jwp_pipeline.mirror import pages
from jwp_pipeline.mirror.digests import digests, split
from jwp_pipeline.mirror.mending import MendedPage, has_unstorable_escape, mended


def land_page(
    connection: Connection,
    snapshot_id: int,
    number: int,
    *,
    body: str,
    field: str,
    elements: list[Any],
    keys: list[str] | None = None,
    origin: Origin | None,
) -> pages.Ledger:
    """Store one page in the caller's transaction. Values that `jsonb` refuses are replaced or set aside.

    `elements` is the parsed content of `field` in `body`. `keys` gives the keys of the elements, if the elements do not
    contain them. Without an `origin` there will be no digests, so that the elements are always compared.
    """
    entry = pages.ledger(elements, number, keys)
    sent = split(body, field)
    mended_text: str | None = None
    if sent is None or has_unstorable_escape(body):
        page = mended(body, field)
        sent = [element.encode() for element in page.sent]
        mended_text, entry = _mend(connection, page, number, entry)
    connection.execute(
        statement("jwp_pipeline.mirror", "land_page"),
        {
            "snapshot_id": snapshot_id,
            "page_number": number,
            "body": body,
            "mended": mended_text,
            "resource_count": len(entry.keys),
            "keys": entry.keys,
            "digests": _as_array(digests(sent, origin)) if origin and len(sent) == len(entry.keys) else None,
            "problems": _as_json(entry.problems),
        },
    )
    return entry


def mend_landed_page(connection: Connection, snapshot_id: int, number: int, body: str, field: str) -> str:
    """Mend a page after PostgreSQL has refused one of its elements. Returns the text without what it refuses.

    That text is stored beside the page, with its problems. The page loses its digests, so that its elements get none in
    the cache and are read again by the next sync, which finds the problems only by reading them.
    """
    keys = connection.scalar(
        text("SELECT keys FROM raw_pages WHERE snapshot_id = :id AND page_number = :number"),
        {"id": snapshot_id, "number": number},
    )
    mended_text, entry = _mend(connection, mended(body, field), number, pages.Ledger(list(keys or ()), []))
    connection.execute(
        text(
            "UPDATE raw_pages SET mended = :mended, digests = NULL, problems = problems || CAST(:problems AS jsonb)"
            " WHERE snapshot_id = :id AND page_number = :number"
        ),
        {"mended": mended_text, "problems": _as_json(entry.problems), "id": snapshot_id, "number": number},
    )
    return body if mended_text is None else mended_text


def is_refused(error: BaseException) -> bool:
    """Whether the server refused the value itself: class 22 (data) or 54 (too complex or too large)."""
    return isinstance(error, ERRORS) and sqlstate(error).startswith(("22", "54"))


def _mend(
    connection: Connection, page: MendedPage, number: int, entry: pages.Ledger
) -> tuple[str | None, pages.Ledger]:
    """Return the mended text, or None if there is nothing to mend, and the ledger with all problems of the page."""
    refused = {index: why for index, element in enumerate(page.elements) if (why := _refusal(connection, element))}
    if not (refused or page.replacements):
        return None, entry
    return page.text(without=refused), pages.after_mending(entry, page, number, refused)


def _refusal(connection: Connection, element: str) -> str | None:
    """Return why PostgreSQL refuses the text of an element, or None if it does not."""
    try:
        with connection.begin_nested():
            connection.execute(text("SELECT CAST(:element AS jsonb) IS NULL"), {"element": element})
    except DBAPIError as error:
        if not is_refused(error):
            raise
        return str(error.orig).splitlines()[0]
    return None


def _as_array(hexadecimal: list[str]) -> str:
    """Write an array in PostgreSQL's own syntax. The driver would take much longer to convert the list."""
    return f"{{{','.join(hexadecimal)}}}"


def _as_json(problems: list[pages.Problem]) -> str:
    return json.dumps([problem._asdict() for problem in problems])

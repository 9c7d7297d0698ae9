"""Measures a page of the 50 newest items that somebody may view, and the count of all of them, on the synced record.

Prints, for each kind of user, the milliseconds (the median of several repetitions, in one connection), and how
PostgreSQL reads `media_items` for the page. Lookup is not asked: the groups are given.
"""

import json
import time
from dataclasses import dataclass
from statistics import median

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from jwp_pipeline.access import Access, Membership, Person
from jwp_pipeline.record import MediaItem, open_engine

REPETITIONS = 9
PAGE = 50
GROUPS = 200


@dataclass
class Members:
    """Says of everybody that they belong to the same groups."""

    known: Membership

    def membership(self, user):
        return self.known


def main():
    with open_engine().connect() as connection, Session(connection) as session:
        groups = session.scalars(
            text("SELECT DISTINCT unnest(view_lookup_groups) FROM media_items ORDER BY 1 LIMIT :most"), {"most": GROUPS}
        ).all()
        member = Membership(frozenset(), frozenset(groups))
        users = {
            "anonymous": (None, Membership()),
            "signed in": (Person("nobody1"), Membership()),
            f"with {len(groups)} groups": (Person("nobody1"), member),
            "superuser": (Person("nobody1", is_superuser=True), Membership()),
        }
        return [_measured(session, name, user, Members(known)) for name, (user, known) in users.items()]


def _measured(session, name, user, people):
    viewable = Access(people).viewable_by(user)
    newest = MediaItem.published_at.desc(), MediaItem.id.desc()
    page = select(MediaItem).where(viewable).order_by(*newest).limit(PAGE)
    count = select(func.count()).select_from(MediaItem).where(viewable)
    seconds = {"page": [], "count": []}
    for _ in range(REPETITIONS):
        started = time.perf_counter()
        session.scalars(page).all()
        seconds["page"].append(time.perf_counter() - started)
        session.expunge_all()
        started = time.perf_counter()
        items = session.scalar(count)
        seconds["count"].append(time.perf_counter() - started)
    figures = {f"{what}_ms": 1000 * median(values) for what, values in seconds.items()}
    return {"user": name, "items": items, **figures, "plan": _plan(session, page)}


def _plan(session, query):
    """Return how the plan reads `media_items`, such as `Index Scan using media_items_published_at`."""
    compiled = query.compile(session.get_bind(), compile_kwargs={"render_postcompile": True})
    explained = session.connection().exec_driver_sql(f"EXPLAIN (FORMAT JSON) {compiled}", compiled.params).scalar()
    [node] = [node for node in _nodes(explained[0]["Plan"]) if node.get("Relation Name") == "media_items"]
    return f"{node['Node Type']} using {node['Index Name']}" if "Index Name" in node else node["Node Type"]


def _nodes(plan):
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


if __name__ == "__main__":
    print(json.dumps(main()))

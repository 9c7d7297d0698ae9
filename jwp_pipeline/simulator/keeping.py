"""Turns a demo site into a JSON document and back, so that it outlives the process that serves it.

The functions are pure. Put here what of a site is kept: its library with what was removed from it, its day, its trouble
and its secrets. Uploaded files, webhooks and malformed elements are not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jwp_pipeline.simulator.living import Demo
from jwp_pipeline.simulator.records import KINDS, Kind, Record, channel_record, video_record

FORMAT = 1


def kept(demo: Demo, secrets: Mapping[str, str]) -> dict[str, Any]:
    """Return a demo and the secrets of its site as a document."""
    library = demo.library
    with library.lock:
        return {
            "format": FORMAT,
            "seed": demo.seed,
            "start": demo.start,
            "generation": demo.generation,
            "trouble": demo.trouble,
            "taken": list(demo.taken),
            "secrets": dict(secrets),
            "present": {kind: [_document(record) for record in library.records(kind)] for kind in KINDS},
            "removed": {kind: [_document(record) for record in library.removed(kind)] for kind in KINDS},
        }


def restored(document: Any, clock: Callable[[], float] | None = None) -> tuple[Demo, Mapping[str, str]]:
    """Return the demo of a document, and the secrets of its site.

    Raises ValueError, TypeError or LookupError if the document is damaged or of another format.
    """
    if document["format"] != FORMAT:
        raise ValueError("The document has another format.")
    demo = Demo(0, 0, document["seed"], start=document["start"], clock=clock)
    for kind in KINDS:
        present = [_record(kind, each) for each in document["present"][kind]]
        removed = [_record(kind, each) for each in document["removed"][kind]]
        demo.library.load(kind, [*present, *removed])
        demo.library.remove(kind, *(str(record.key) for record in removed))
    demo.generation = document["generation"]
    demo.lives_in_the_past = False
    demo.taken = list(document["taken"])
    if document["trouble"] is not None:
        demo.resume_trouble(document["trouble"])
    return demo, dict(document["secrets"])


def _document(record: Record) -> list[Any]:
    members = None if record.members is None else list(record.members)
    return [record.source, record.created, record.modified, members]


def _record(kind: Kind, document: list[Any]) -> Record:
    source, created, modified, members = document
    if kind == "video":
        return video_record(source)
    return channel_record(source, created, modified, None if members is None else tuple(members))

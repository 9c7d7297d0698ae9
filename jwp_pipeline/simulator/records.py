"""One element of a listing: a v1 object that can be served in the format of either API."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from jwp_pipeline.simulator import translation

Api = Literal["v1", "v2"]
Kind = Literal["video", "channel"]
APIS: tuple[Api, ...] = ("v1", "v2")
KINDS: tuple[Kind, ...] = ("video", "channel")


@dataclass(frozen=True, slots=True)
class RawJson:
    """JSON text (or text that is no JSON) to be sent as it is."""

    text: str


def encode(value: Any) -> bytes:
    """JSON as JW Platform sends it: ASCII, so lone surrogates and NUL travel as escapes; NaN as `NaN`."""
    if isinstance(value, RawJson):
        return value.text.encode()
    return json.dumps(value, separators=(",", ":")).encode()


class Record:
    """A video or channel. It is immutable; an edit of the library replaces it.

    `created` and `modified` are in epoch seconds. `members` has a channel's video keys, or is None if they were never
    set. `raw` is sent instead of the object in the APIs that have an entry. `apis` names the APIs that list the record.
    """

    __slots__ = ("_encoded", "_source", "apis", "created", "key", "kind", "members", "modified", "raw")

    def __init__(
        self,
        kind: Kind,
        source: dict[str, Any],
        *,
        created: int,
        modified: int | None,
        members: tuple[str, ...] | None = None,
        raw: dict[Api, bytes] | None = None,
        apis: tuple[Api, ...] = APIS,
    ) -> None:
        key = source.get("key")
        self.kind = kind
        self.key: str | None = key if isinstance(key, str) else None
        self._source = source
        self.created = created
        self.modified = modified
        self.members = members
        self.raw = raw or {}
        self.apis = apis
        self._encoded: dict[Api, bytes] = {}

    @property
    def source(self) -> dict[str, Any]:
        """The v1 object. Not to be changed."""
        return self._source

    def object(self, api: Api) -> dict[str, Any]:
        """The object in the API's form, as searched and sorted. Not to be changed."""
        if api == "v1":
            return self.source
        if self.kind == "video":
            return translation.media(self.source)
        return translation.playlist(self.source, self.created, self.modified or self.created)

    def json(self, api: Api) -> bytes:
        """What the listing sends for this record."""
        if api in self.raw:
            return self.raw[api]
        if api not in self._encoded:
            self._encoded[api] = encode(self.object(api))
        return self._encoded[api]


def video_record(video: dict[str, Any]) -> Record:
    """A record of a v1 video object."""
    created = translation.created_stamp(video)
    return Record("video", video, created=created, modified=translation.epoch_seconds(video.get("updated")))


def channel_record(channel: dict[str, Any], created: int, modified: int, members: tuple[str, ...] | None) -> Record:
    """A record of a v1 channel object; known members of a manual channel show in `videos.total`."""
    if members is not None and channel.get("type") == "manual":
        videos = channel.get("videos")
        channel = {**channel, "videos": {**(videos if isinstance(videos, dict) else {}), "total": len(members)}}
    stamp = translation.epoch_seconds(channel.get("updated"))
    modified = modified if stamp is None else stamp
    return Record("channel", channel, created=created, modified=modified, members=members)


def sent_instead(record: Record, raw: dict[Api, bytes], apis: tuple[Api, ...] = APIS) -> Record:
    """A record found, ordered and counted as `record` is, that sends `raw` in the APIs that it names."""
    return Record(
        record.kind,
        record.source,
        created=record.created,
        modified=record.modified,
        members=record.members,
        raw={**record.raw, **raw},
        apis=apis,
    )

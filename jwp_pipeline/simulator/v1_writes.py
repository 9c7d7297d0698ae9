"""Answers v1's calls that write: videos/update, videos/create and videos/delete.

Of v1's own checks only few are known. What is not known is accepted, or follows v2's definition (writes.py).
"""

from __future__ import annotations

import re
from typing import Any

from jwp_pipeline.simulator.exchange import Call, Refused
from jwp_pipeline.simulator.properties import with_properties
from jwp_pipeline.simulator.site import Site
from jwp_pipeline.simulator.uploads import v1_link
from jwp_pipeline.simulator.writes import MOST_CHARACTERS, VideoWrites

_PROPERTY = "custom."
_PROPERTY_NAME = re.compile(r"[A-Za-z][\w.-]*", re.ASCII)
_TEXTS = ("title", "author", "link", "tags")
_STAMPS = ("date", "expires_date")


class V1Writes:
    """v1's writes. Each method returns the members of the answer's envelope, or raises Refused. For one thread."""

    def __init__(self, site: Site, writes: VideoWrites) -> None:
        self._site = site
        self._writes = writes

    def answer(self, call: Call) -> dict[str, Any]:
        """Carry out one call."""
        if self._site.behaviour.read_only:
            raise Refused(403, "PermissionDenied", "This API key may not write.")
        match call.route:
            case "update":
                return self._update(call)
            case "create":
                return self._create(call)
            case _:
                return self._delete(call)

    def _update(self, call: Call) -> dict[str, Any]:
        key = required(call, "video_key")
        changes = self._fields(call, self._video(key))
        if changes:
            self._writes.update(key, changes)
        if call.param("update_file") != "True":
            return {}
        return {"media": {"type": "video", "key": key}, "link": self._link(call, key)}

    def _create(self, call: Call) -> dict[str, Any]:
        fields = self._fields(call, {})
        if call.param("download_url"):
            key = self._writes.create(fields)
            self._writes.process(key, {"mediatype": "video", "sourceformat": "mp4"})
            return {"video": {"key": key}}
        key = self._writes.create(fields)
        return {"media": {"type": "video", "key": key}, "link": self._link(call, key)}

    def _delete(self, call: Call) -> dict[str, Any]:
        keys = required(call, "video_key").split(",")
        for key in keys:
            self._video(key)
        self._writes.delete(*keys)
        return {"videos": {key: {"status": "ok"} for key in keys}}

    def _link(self, call: Call, key: str) -> dict[str, Any]:
        method = call.param("upload_method") or "single"
        if method not in {"single", "multipart", "s3"}:
            raise Refused(400, "ParameterInvalid", f"upload_method: `{method}` is invalid.")
        return v1_link(call.origin, method, self._writes.issue(key))

    def _video(self, key: str) -> dict[str, Any]:
        record = self._writes.record(key)
        if record is None or "v1" not in record.apis:
            raise Refused(404, "NotFound", f"Video with key `{key}` not found.")
        return record.source

    def _fields(self, call: Call, video: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of a video that a call sets. Parameters that do not belong to it are ignored."""
        fields: dict[str, Any] = {}
        properties: dict[str, Any] = {}
        for name, value in call.params:
            if name.startswith(_PROPERTY):
                properties[_property_name(name)] = _short_enough(name, "custom", value)
            elif name in _TEXTS:
                fields[name] = _short_enough(name, name, value)
            elif name == "description":
                fields |= self._description(value)
            elif name in _STAMPS:
                fields[name] = _stamp(name, value)
        if fields.get("title") == "":
            raise Refused(400, "ParameterEmpty", "title: this parameter must not be empty.")
        if properties:
            nested = self._site.behaviour.nested_properties
            fields["custom"] = with_properties(video.get("custom"), properties, nested=nested)
        return fields

    def _description(self, value: str) -> dict[str, Any]:
        if value:
            return {"description": _short_enough("description", "description", value)}
        if self._site.behaviour.blank_description == "refused":
            raise Refused(400, "ParameterEmpty", "description: this parameter must not be empty.")
        return {}


def required(call: Call, name: str) -> str:
    """Return a parameter. Raises Refused if it is missing or empty."""
    value = call.param(name)
    if value is None:
        raise Refused(400, "ParameterMissing", f"{name}: this parameter is required.")
    if not value:
        raise Refused(400, "ParameterEmpty", f"{name}: this parameter must not be empty.")
    return value


def _property_name(parameter: str) -> str:
    name = parameter.removeprefix(_PROPERTY)
    if not _PROPERTY_NAME.fullmatch(name):
        raise Refused(400, "ParameterInvalid", f"{parameter}: the name of a custom property is invalid.")
    return name


def _short_enough(name: str, kind: str, value: str) -> str:
    most = MOST_CHARACTERS.get(kind)
    if most is not None and len(value) > most:
        raise Refused(400, "ParameterInvalid", f"{name}: longer than {most} characters.")
    return value


def _stamp(name: str, value: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,12}", value):
        raise Refused(400, "ParameterInvalid", f"{name}: `{value}` is not a time stamp.")
    return int(value)

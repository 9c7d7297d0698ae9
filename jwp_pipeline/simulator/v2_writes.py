"""Answers v2's calls that write media: PATCH, POST, PUT …/reupload/ and DELETE, with the limits of its definition."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from jwp_pipeline.simulator.exchange import Answer, Call, Refused
from jwp_pipeline.simulator.properties import with_properties
from jwp_pipeline.simulator.records import Record
from jwp_pipeline.simulator.site import Site
from jwp_pipeline.simulator.uploads import v2_link
from jwp_pipeline.simulator.writes import MOST_CHARACTERS, VideoWrites

_METHODS = {"update": "PATCH", "create": "POST", "reupload": "PUT", "delete": "DELETE"}
# The fields of `metadata` and their v1 names; other fields are not simulated.
_TEXTS = {"title": "title", "description": "description", "author": "author", "permalink": "link"}
_STAMPS = {"publish_start_date": "date", "publish_end_date": "expires_date"}


class V2Writes:
    """v2's writes. Each method answers one call, or raises Refused. For one thread."""

    def __init__(self, site: Site, writes: VideoWrites) -> None:
        self._site = site
        self._writes = writes

    def answer(self, call: Call) -> Answer:
        """Carry out one call, or only validate it."""
        if call.method != _METHODS[call.route or ""]:
            raise Refused(405, "method_not_allowed", f"{call.method} is not allowed here.")
        if self._site.behaviour.read_only:
            raise Refused(403, "unauthorized", "The provided credentials may not write.")
        match call.route:
            case "create":
                return self._create(call)
            case "update":
                return self._update(call)
            case "reupload":
                return self._reupload(call)
            case _:
                return self._delete(call)

    def _update(self, call: Call) -> Answer:
        record = self._record(call)
        changes = self._fields(_document(call))
        if changes and not call.dry_run:
            self._writes.update(call.names["id"], changes)
            record = self._record(call)
        return Answer(200, record.json("v2"))

    def _create(self, call: Call) -> Answer:
        document = _document(call)
        fields = self._fields(document)
        upload = _upload(document, {"direct", "fetch"})
        if call.dry_run:
            return Answer(200, b"{}")
        key = self._writes.create(fields)
        if upload["method"] == "fetch":
            self._writes.process(key, {"mediatype": "video", "sourceformat": "mp4"})
            return Answer(201, self._shown(key))
        return Answer(201, self._with_link(call, key, upload))

    def _reupload(self, call: Call) -> Answer:
        self._record(call)
        upload = _upload(_document(call), {"direct"})
        return Answer(200, self._with_link(call, call.names["id"], upload))

    def _delete(self, call: Call) -> Answer:
        self._record(call)
        if not call.dry_run:
            self._writes.delete(call.names["id"])
        return Answer(204, b"")

    def _record(self, call: Call) -> Record:
        record = self._writes.record(call.names["id"])
        if record is None or "v2" not in record.apis:
            raise Refused(404, "not_found", "The requested resource could not be found.")
        return record

    def _shown(self, key: str) -> bytes:
        record = self._writes.record(key)
        return record.json("v2") if record is not None else b"{}"

    def _with_link(self, call: Call, key: str, upload: dict[str, Any]) -> bytes:
        ticket = self._writes.issue(key, upload.get("mime_type"))
        shown = json.loads(self._shown(key))
        return json.dumps({**shown, "upload_link": v2_link(call.origin, ticket)}).encode()

    def _fields(self, document: dict[str, Any]) -> dict[str, Any]:
        """Return the v1 fields that the `metadata` of a body sets."""
        metadata = document.get("metadata", {})
        if not isinstance(metadata, dict):
            raise _invalid("metadata must be an object.")
        fields: dict[str, Any] = {}
        for name, value in metadata.items():
            if name in _TEXTS:
                fields[_TEXTS[name]] = _text(name, _TEXTS[name], value)
            elif name in _STAMPS:
                fields[_STAMPS[name]] = _stamp(name, value)
            elif name == "tags":
                # Trailing white space of a tag is removed, as the definition says.
                fields["tags"] = ", ".join(tag.rstrip() for tag in _texts(name, value))
            elif name == "custom_params":
                fields["custom"] = self._properties(value)
            else:
                raise _invalid(f"metadata.{name} cannot be set on the simulated site.")
        if fields.get("title", "-") in ("", None):
            raise _invalid("metadata.title must not be empty.")
        return fields

    def _properties(self, value: Any) -> dict[str, Any]:
        """Return the custom properties that replace all that the video had."""
        nested = self._site.behaviour.nested_properties
        if not isinstance(value, dict):
            raise _invalid("metadata.custom_params must be an object.")
        for name, each in value.items():
            if nested and isinstance(each, dict):
                self._properties(each)
            else:
                _text(f"custom_params.{name}", "custom", each, nullable=False)
        return with_properties({}, value, nested=nested)


def _document(call: Call) -> dict[str, Any]:
    try:
        document = json.loads(call.body or b"{}")
    except ValueError:
        raise _invalid("The body is not JSON.") from None
    if not isinstance(document, dict) or (call.body and not call.content_type.startswith("application/json")):
        raise _invalid("The body must be a JSON object, and say so in Content-Type.")
    return document


def _upload(document: dict[str, Any], methods: set[str]) -> dict[str, Any]:
    upload = document.get("upload")
    if not isinstance(upload, dict) or upload.get("method") not in methods:
        raise _invalid(f"upload.method must be one of {', '.join(sorted(methods))} on the simulated site.")
    if upload["method"] == "fetch" and not str(upload.get("download_url", "")).startswith(("http://", "https://")):
        raise _invalid("upload.download_url must be a URL.")
    return upload


def _text(name: str, kind: str, value: Any, *, nullable: bool = True) -> str | None:
    if nullable and value is None:
        return None
    if not isinstance(value, str):
        raise _invalid(f"{name} must be a string.")
    if len(value) > MOST_CHARACTERS[kind]:
        raise _invalid(f"{name} is longer than {MOST_CHARACTERS[kind]} characters.")
    return value


def _texts(name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise _invalid(f"{name} must be an array of strings.")
    return value


def _stamp(name: str, value: Any) -> int | None:
    if value is None:
        return None
    try:
        return int(datetime.fromisoformat(value).timestamp())
    except (TypeError, ValueError):
        raise _invalid(f"{name} must be a date and time.") from None


def _invalid(text: str) -> Refused:
    return Refused(400, "invalid_body", text)

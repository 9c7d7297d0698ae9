"""Writes through v2 of the Management API. v2.py holds what reading needs as well, v2_bodies.py says what is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar
from urllib.parse import quote

from jwp_pipeline.errors import CredentialsRefused, MalformedAnswer
from jwp_pipeline.jwplatform.answers import Answer, object_of
from jwp_pipeline.jwplatform.edits import exact_matches, is_empty, still_to_do
from jwp_pipeline.jwplatform.refused_writes import explained
from jwp_pipeline.jwplatform.shapes import KEY_FIELDS
from jwp_pipeline.jwplatform.v2 import ManagementV2
from jwp_pipeline.jwplatform.v2_bodies import (
    UPLOAD_LINK,
    v2_create_body,
    v2_patch_body,
    v2_property_query,
    v2_upload_body,
    v2_upload_link,
)
from jwp_pipeline.jwplatform.wire import Call
from jwp_pipeline.jwplatform.writing import Created, UploadLink, VideoEdit

_T = TypeVar("_T")
_ID = KEY_FIELDS["v2"]


class WritingV2(ManagementV2):
    """WritingClient for v2."""

    _writes = True

    def show_video(self, key: str) -> dict[str, Any] | None:
        """See WritingClient."""
        shown = self.show("video", key)
        return None if shown is None else _without_link(shown)

    def update_video(
        self, shown: Mapping[str, Any], edit: VideoEdit, *, dry_run: bool = False
    ) -> dict[str, Any] | None:
        """See WritingClient."""
        key = str(shown[_ID])
        todo = still_to_do(shown, edit)
        if is_empty(todo):
            return None if dry_run else dict(shown)
        body, path = v2_patch_body(shown, todo), f"media/{quote(key, safe='')}/"
        if dry_run:
            return self._write(
                f"validating a change of media {key}", "PATCH", path, body, lambda answer: None, dry=True
            )

        def read(answer: Answer) -> dict[str, Any]:
            return _without_link(object_of(answer.document, key, _ID))

        return self._write(f"updating media {key}", "PATCH", path, body, read)

    def create_video(self, edit: VideoEdit, *, source_url: str | None = None, mime_type: str | None = None) -> Created:
        """See WritingClient."""

        def read(answer: Answer) -> Created:
            media = answer.document
            key = media.get(_ID) if isinstance(media, dict) else None
            if not isinstance(key, str) or not key:
                raise MalformedAnswer("the answer has no id of a new media.")
            return Created(key, v2_upload_link(media, mime_type), _without_link(media))

        body = v2_create_body(edit, source_url=source_url, mime_type=mime_type)
        return self._write("creating media", "POST", "media/", body, read)

    def renew_upload(self, key: str, *, mime_type: str | None = None) -> UploadLink:
        """See WritingClient."""

        def read(answer: Answer) -> UploadLink:
            link = v2_upload_link(answer.document, mime_type) if isinstance(answer.document, dict) else None
            if link is None:
                raise MalformedAnswer("the answer has no upload link.")
            return link

        operation, path = f"asking for an upload link for media {key}", f"media/{quote(key, safe='')}/reupload/"
        return self._write(operation, "PUT", path, v2_upload_body(mime_type), read)

    def find_videos(self, name: str, value: str) -> list[dict[str, Any]]:
        """See WritingClient."""
        pages = self.find_media(v2_property_query(name, value))
        return exact_matches((media for page in pages for media in page.items), name, value)

    def _write(
        self,
        operation: str,
        method: Literal["POST", "PATCH", "PUT"],
        path: str,
        body: dict[str, Any],
        read: Callable[[Answer], _T],
        *,
        dry: bool = False,
    ) -> _T:
        def call() -> Call:
            reading = self._call(path)
            headers = {**reading.headers, "Content-Type": "application/json", **({"Jw-Dry-Run": "true"} if dry else {})}
            return Call(reading.url, headers=headers, method=method, body=json.dumps(body).encode(), repeatable=dry)

        try:
            return self._transport.ask(operation, call, read)
        except CredentialsRefused as error:
            raise explained(error, lambda: self.probe("video")) from None


def _without_link(media: dict[str, Any]) -> dict[str, Any]:
    """Return a media as it may be kept. An upload link in it would be a secret."""
    return {name: value for name, value in media.items() if name != UPLOAD_LINK}

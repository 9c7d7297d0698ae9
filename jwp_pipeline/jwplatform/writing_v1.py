"""Writes through v1 of the Management API. v1.py holds what reading needs as well, v1_bodies.py says what is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from jwp_pipeline.errors import (
    CredentialsRefused,
    MalformedAnswer,
    ResourceNotFound,
    TransientError,
    WriteUncertain,
)
from jwp_pipeline.jwplatform.answers import Answer
from jwp_pipeline.jwplatform.edits import exact_matches, is_empty, still_to_do
from jwp_pipeline.jwplatform.management import ClientOptions
from jwp_pipeline.jwplatform.pacing import Clock
from jwp_pipeline.jwplatform.refused_writes import explained
from jwp_pipeline.jwplatform.shapes import KEY_FIELDS, array_field
from jwp_pipeline.jwplatform.v1 import ORIGIN, ManagementV1
from jwp_pipeline.jwplatform.v1_bodies import (
    v1_create_parameters,
    v1_update_parameters,
    v1_upload_link,
    v1_upload_parameters,
)
from jwp_pipeline.jwplatform.wire import Call
from jwp_pipeline.jwplatform.writing import Created, UploadLink, VideoEdit
from jwp_pipeline.masking import Masker

_T = TypeVar("_T")
_KEY = KEY_FIELDS["v1"]


class WritingV1(ManagementV1):
    """WritingClient for v1."""

    _writes = True

    def __init__(
        self,
        api_key: str,
        api_secret: str,
        *,
        origin: str = ORIGIN,
        options: ClientOptions | None = None,
        force_https_upload: bool = True,
        masked: Masker | None = None,
        clock: Clock | None = None,
    ) -> None:
        """See ManagementV1. `force_https_upload` makes upload links https."""
        super().__init__(api_key, api_secret, origin=origin, options=options, masked=masked, clock=clock)
        self._force_https_upload = force_https_upload

    def show_video(self, key: str) -> dict[str, Any] | None:
        """See WritingClient."""
        return self.show("video", key)

    def update_video(
        self, shown: Mapping[str, Any], edit: VideoEdit, *, dry_run: bool = False
    ) -> dict[str, Any] | None:
        """See WritingClient. v1 does not answer with the video, so it is shown once more."""
        key = str(shown[_KEY])
        todo = still_to_do(shown, edit)
        if dry_run:
            return None
        if is_empty(todo):
            return dict(shown)
        parameters = v1_update_parameters(key, todo, shown.get("tags"))
        self._write(f"updating video {key}", "videos/update", parameters, lambda document: None)
        try:
            updated = self.show_video(key)
        except TransientError as error:
            raise WriteUncertain(
                f"Video {key} was updated, but what it is now could not be read. {error}", error.status
            ) from None
        if updated is None:
            raise ResourceNotFound(f"Video {key} was updated, and JW Platform has it no more.", 404)
        return updated

    def create_video(self, edit: VideoEdit, *, source_url: str | None = None, mime_type: str | None = None) -> Created:
        """See WritingClient. v1 learns the type of a file from the file, so `mime_type` is not sent."""
        parameters = v1_create_parameters(edit, source_url)
        return self._write("creating a video", "videos/create", parameters, self._created)

    def renew_upload(self, key: str, *, mime_type: str | None = None) -> UploadLink:
        """See WritingClient."""
        operation = f"asking for an upload link for video {key}"
        return self._write(operation, "videos/update", v1_upload_parameters(key), self._link)

    def find_videos(self, name: str, value: str) -> list[dict[str, Any]]:
        """See WritingClient. v1 finds values that contain the given one; those are left out here."""
        search = {f"search:custom.{name}": value}
        slices = self._slices(f"searching videos by {name}", "videos/list", search, array_field("v1", "video"))
        return exact_matches((video for part in slices for video in part.items), name, value)

    def _created(self, document: dict[str, Any]) -> Created:
        # The key comes as `media` with an upload link, and as `video` if v1 fetches the file.
        media = document.get("media", document.get("video"))
        key = media.get(_KEY) if isinstance(media, dict) else None
        if not isinstance(key, str) or not key:
            raise MalformedAnswer("the answer has no key of a new video.")
        try:
            link = self._link(document)
        except MalformedAnswer:
            # The key matters more: a link can be asked for again.
            link = None
        return Created(key, link, None)

    def _link(self, document: dict[str, Any]) -> UploadLink:
        return v1_upload_link(document.get("link"), force_https=self._force_https_upload)

    def _write(
        self, operation: str, route: str, parameters: dict[str, str], read: Callable[[dict[str, Any]], _T]
    ) -> _T:
        def read_answer(answer: Answer) -> _T:
            if not isinstance(answer.document, dict) or answer.document.get("status") != "ok":
                raise MalformedAnswer("the answer does not say that all went well.")
            return read(answer.document)

        try:
            return self._transport.ask(operation, lambda: self._post(route, parameters), read_answer)
        except CredentialsRefused as error:
            raise explained(error, lambda: self.probe("video")) from None

    def _post(self, route: str, parameters: dict[str, str]) -> Call:
        signed = self._call(route, parameters)
        return Call(
            signed.url,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            method="POST",
            body=signed.query.encode(),
            repeatable=False,
        )

"""Defines the interface through which edits, new videos and uploads reach JW Platform, whichever API is in use.

`writing_v1.py` and `writing_v2.py` implement `WritingClient`, `v1_bodies.py` and `v2_bodies.py` say what they send, and
`connect_writing()` chooses between them. Put here what both have in common for their callers. What an edit of the
record means in these terms is the outbox's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from jwp_pipeline.jwplatform.management import ApiVersion, RequestStats


@dataclass(frozen=True, slots=True)
class VideoEdit:
    """What to change of a video, in JW Platform's own terms. What is None or absent stays as it is."""

    title: str | None = None
    description: str | None = None
    """A blank one is sent as a single space, because v1 refuses or ignores an empty one."""
    published_at: datetime | None = None
    """Must have a time zone. It is sent in whole seconds; fractions are dropped."""
    custom: Mapping[str, str] = field(default_factory=dict)
    """Custom properties by their names without `custom.`, such as `sms_acl` → `acl:WORLD:`. Others stay."""
    add_tags: tuple[str, ...] = ()
    """Tags that the video shall have, without commas. Those that it has already stay, in their order."""

    def __post_init__(self) -> None:
        if self.published_at is not None and self.published_at.tzinfo is None:
            raise ValueError("published_at has no time zone.")


@dataclass(frozen=True, slots=True)
class UploadLink:
    """Where to send a file for a video. Whoever has the URL can do that, so it is a secret and not part of `repr`."""

    url: str = field(repr=False)
    method: Literal["POST", "PUT"]
    """v1 takes a POST of a form with the field `file`, v2 a PUT of the bytes."""
    content_type: str | None
    """The Content-Type that the PUT must have; None means that it must have none, or that it is a form's."""


@dataclass(frozen=True, slots=True)
class Created:
    """A video that JW Platform has just made."""

    key: str
    upload: UploadLink | None
    """None if JW Platform fetches the file itself, or if it sent no link; `renew_upload` asks for one."""
    resource: dict[str, Any] | None
    """The video as JW Platform answered it; None for v1, which answers with the key only."""


class WritingClient(Protocol):
    """Writes to a Management API. A client is not thread-safe: only one thread may use it at a time.

    Its requests share the rate limit with the reading clients of this process, and go before theirs.

    Every method raises JWPlatformError. A write that may have been carried out although no usable answer came raises
    WriteUncertain and is not repeated; look at JW Platform before doing so. WritingNotAllowed means that the secret may
    not write at all. Any other PermanentError is about this video: JW Platform refuses what was asked.
    """

    api_version: ApiVersion
    stats: RequestStats

    def show_video(self, key: str) -> dict[str, Any] | None:
        """Return a video as JW Platform has it now, without its envelope, or None if it answers 404."""
        ...

    def update_video(
        self, shown: Mapping[str, Any], edit: VideoEdit, *, dry_run: bool = False
    ) -> dict[str, Any] | None:
        """Change a video and return it as JW Platform has it afterwards. `shown` is what `show_video` just returned.

        Only what `edit` names changes. Nothing is sent if the video has all of it already, and `shown` is returned.
        With `dry_run`, v2 only validates the change and v1 sends nothing; the result is None.
        """
        ...

    def create_video(self, edit: VideoEdit, *, source_url: str | None = None, mime_type: str | None = None) -> Created:
        """Make a video. JW Platform fetches its file from `source_url`, or gets it through the upload link.

        `mime_type` is the type of the file that will be uploaded, such as `video/mp4`. Calling this twice makes two
        videos: after WriteUncertain, look with `find_videos` first.
        """
        ...

    def renew_upload(self, key: str, *, mime_type: str | None = None) -> UploadLink:
        """Return a new upload link for an existing video. A file that is sent there replaces the video's file."""
        ...

    def find_videos(self, name: str, value: str) -> list[dict[str, Any]]:
        """Return the videos whose custom property `name` has exactly this value, in no particular order.

        A video that was made or changed a moment ago may be missing, because JW Platform's index lags.
        """
        ...

    def close(self) -> None:
        """Close the session."""
        ...

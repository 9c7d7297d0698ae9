"""Says what v2 is sent to change or make a video. The functions are pure.

A PATCH leaves fields that are not in it as they are, but replaces all custom properties and all tags at once. So these
are merged from the video as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from jwp_pipeline.errors import MalformedAnswer
from jwp_pipeline.jwplatform.edits import description_to_send, merged_tags, tags_of
from jwp_pipeline.jwplatform.properties import with_properties
from jwp_pipeline.jwplatform.shapes import raw_properties
from jwp_pipeline.jwplatform.writing import UploadLink, VideoEdit

UPLOAD_LINK = "upload_link"


def v2_patch_body(shown: Mapping[str, Any], edit: VideoEdit) -> dict[str, Any]:
    """Return the body of the PATCH that makes an edit to a video, which is given as v2 shows it.

    Raises MalformedAnswer if the properties or tags that would be replaced cannot be read, so that none is lost.
    """
    custom = raw_properties(shown)
    if edit.custom and not isinstance(custom, Mapping) and custom != []:
        raise MalformedAnswer("the video's custom properties are no object, so they cannot be changed without loss.")
    metadata = shown.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, Mapping) else None
    if edit.add_tags and not (tags is None or (isinstance(tags, list) and all(isinstance(tag, str) for tag in tags))):
        raise MalformedAnswer("the video's tags are no list of texts, so none can be added without loss.")
    return {"metadata": _metadata(edit, custom if isinstance(custom, Mapping) else {}, tags_of(shown))}


def v2_create_body(edit: VideoEdit, *, source_url: str | None = None, mime_type: str | None = None) -> dict[str, Any]:
    """Return the body of the POST that makes a video. Without a `source_url`, v2 answers with an upload link."""
    if source_url is not None:
        upload = {"method": "fetch", "download_url": source_url}
    else:
        upload = v2_upload_body(mime_type)["upload"]
    return {"upload": upload, "metadata": _metadata(edit, {}, [])}


def v2_upload_body(mime_type: str | None = None) -> dict[str, Any]:
    """Return the body of the PUT …/reupload/ that answers with a new upload link."""
    return {"upload": {"method": "direct", **({} if mime_type is None else {"mime_type": mime_type})}}


def v2_upload_link(media: Mapping[str, Any], mime_type: str | None) -> UploadLink | None:
    """Return the upload link of an answer, or None if it has none."""
    url = media.get(UPLOAD_LINK)
    return UploadLink(url, "PUT", mime_type) if isinstance(url, str) and url else None


def v2_property_query(name: str, value: str) -> str:
    """Return the condition, in the syntax of `q`, that finds media by a custom property.

    It is not known under which name v2 indexes a property whose name has dots, so the last part alone is tried as well.
    """
    names = dict.fromkeys((name, name.rpartition(".")[2]))
    return " OR ".join(f"custom_params: ( name: {_phrase(each)} AND value: {_phrase(value)} )" for each in names)


def _metadata(edit: VideoEdit, custom: Mapping[str, Any], tags: list[str]) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    if edit.title is not None:
        metadata["title"] = edit.title
    if edit.description is not None:
        metadata["description"] = description_to_send(edit.description)
    if edit.published_at is not None:
        metadata["publish_start_date"] = _iso(edit.published_at)
    if edit.custom:
        metadata["custom_params"] = with_properties(custom, edit.custom)
    if edit.add_tags:
        metadata["tags"] = merged_tags(tags, edit.add_tags)
    return metadata


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0).isoformat()


def _phrase(text: str) -> str:
    """Quote a text, so that none of Lucene's special characters has a meaning in it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

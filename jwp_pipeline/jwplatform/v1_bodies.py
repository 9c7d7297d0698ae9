"""Says what v1 is sent to change or make a video, and how its upload links become URLs. The functions are pure.

Parameters are unsigned and not yet encoded; signing.py does both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from jwp_pipeline.errors import MalformedAnswer
from jwp_pipeline.jwplatform.edits import description_to_send, merged_tags, split_tags, whole_seconds
from jwp_pipeline.jwplatform.writing import UploadLink, VideoEdit


def v1_update_parameters(key: str, edit: VideoEdit, tags: str | Iterable[str] | None) -> dict[str, str]:
    """Return the parameters of `videos/update`. `tags` are those that the video has: v1's text, or a list."""
    return {"video_key": key, **_fields(edit, tags)}


def v1_create_parameters(edit: VideoEdit, source_url: str | None = None) -> dict[str, str]:
    """Return the parameters of `videos/create`. Without a `source_url`, v1 answers with an upload link."""
    fetched = {} if source_url is None else {"download_url": source_url}
    return {**_fields(edit, None), **fetched}


def v1_upload_parameters(key: str) -> dict[str, str]:
    """Return the parameters of the `videos/update` that answers with a new upload link."""
    return {"video_key": key, "update_file": "True"}


def v1_upload_link(link: Any, *, force_https: bool) -> UploadLink:
    """Return where the file goes, for every kind of `link`. Raises MalformedAnswer."""
    query = link.get("query") if isinstance(link, Mapping) else None
    # The links of upload_method=s3 lead to a store, which takes a PUT; all others take a POST.
    to_store = isinstance(query, Mapping) and any("signature" in name.lower() for name in query)
    return UploadLink(v1_upload_url(link, force_https=force_https), "PUT" if to_store else "POST", None)


def v1_upload_url(link: Any, *, force_https: bool) -> str:
    """Return the URL of an upload link: {"protocol", "address", "path", "query": {…}}. Raises MalformedAnswer.

    All entries of the query are part of it. `force_https` turns http into https; other schemes stay as they are.
    """
    parts: Mapping[str, Any] = link if isinstance(link, Mapping) else {}
    scheme, address, path, query = (parts.get(name) for name in ("protocol", "address", "path", "query"))
    if not (isinstance(scheme, str) and isinstance(address, str) and isinstance(path, str) and address):
        raise MalformedAnswer("the answer has no upload link with a protocol, an address and a path.")
    if not isinstance(query, Mapping):
        raise MalformedAnswer("the upload link in the answer has no query.")
    if force_https and scheme.lower() == "http":
        scheme = "https"
    # Version 4 of Amazon's signatures covers the whole query, so that nothing may be added to it.
    signed = any(name.lower() == "x-amz-signature" for name in query)
    added = {} if signed else {"api_format": "json"}
    # A path may be encoded already, so that its percent signs stay.
    return f"{scheme}://{address}{quote(path, safe='/%~')}?{urlencode({**added, **query}, quote_via=quote)}"


def _fields(edit: VideoEdit, tags: str | Iterable[str] | None) -> dict[str, str]:
    fields: dict[str, str] = {}
    if edit.title is not None:
        fields["title"] = edit.title
    if edit.description is not None:
        fields["description"] = description_to_send(edit.description)
    if edit.published_at is not None:
        fields["date"] = str(whole_seconds(edit.published_at))
    fields.update((f"custom.{name}", value) for name, value in edit.custom.items())
    if edit.add_tags:
        present = split_tags(tags) if isinstance(tags, str) else tags or ()
        fields["tags"] = ",".join(merged_tags(present, edit.add_tags))
    return fields

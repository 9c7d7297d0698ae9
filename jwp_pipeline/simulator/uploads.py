"""The servers that take uploads: what their links look like, and how they answer when a file comes.

v1's own server takes a POST of a form with the field `file`. The links of `upload_method=s3` and of v2 lead to a store
that takes a PUT of the bytes and speaks XML.
"""

from __future__ import annotations

import json
from email import message_from_bytes
from email.policy import HTTP
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from jwp_pipeline.simulator.exchange import Answer, Call, Refused, Route, Service
from jwp_pipeline.simulator.records import Kind
from jwp_pipeline.simulator.writes import Ticket, VideoWrites

FORM_PATH = "/v1/videos/upload"
STORE_PATH = "/store/{key}"
ROUTES: tuple[tuple[str, Service, Route, Kind | None], ...] = (
    (FORM_PATH, "upload", "file", "video"),
    (STORE_PATH, "upload", "file", "video"),
)


def v1_link(origin: str, method: str, ticket: Ticket) -> dict[str, Any]:
    """Return v1's `link` for an upload method: single, multipart or s3."""
    parts = urlsplit(origin)
    link: dict[str, Any] = {"protocol": parts.scheme, "address": parts.netloc}
    if method == "s3":
        # The stores' signatures are Base64, so that they need encoding in a URL.
        query = {"AWSAccessKeyId": "DemoAccess", "Expires": str(int(ticket.expires)), "Signature": f"+{ticket.token}/="}
        return {**link, "path": STORE_PATH.format(key=ticket.key), "query": query}
    query = {"key": ticket.key, "token": ticket.token}
    if method == "multipart":
        query["session_id"] = f"session {ticket.key}"
    return {**link, "path": FORM_PATH, "query": query}


def v2_link(origin: str, ticket: Ticket) -> str:
    """Return v2's `upload_link`."""
    query = {"X-Amz-Expires": "3600", "X-Amz-Signature": f"+{ticket.token}/="}
    return f"{origin}{STORE_PATH.format(key=quote(ticket.key))}?{urlencode(query)}"


class UploadServer:
    """Takes the files. For one thread."""

    def __init__(self, writes: VideoWrites) -> None:
        self._writes = writes

    def answer(self, call: Call) -> Answer:
        """Take one file."""
        return self._form(call) if call.path == FORM_PATH else self._store(call)

    def _form(self, call: Call) -> Answer:
        if call.method != "POST":
            raise Refused(405, "NotSupported", f"Method {call.method} is not supported.")
        ticket = self._writes.ticket(call.param("token"))
        if call.param("key") != ticket.key:
            raise Refused(403, "PermissionDenied", "The upload token is not valid.")
        file, content_type = _file_of_form(call)
        self._writes.receive(ticket.key, file, content_type)
        return Answer(200, json.dumps({"status": "ok", "media": {"type": "video", "key": ticket.key}}).encode())

    def _store(self, call: Call) -> Answer:
        if call.method != "PUT":
            return _xml(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
        signature = call.param("Signature") or call.param("X-Amz-Signature") or ""
        try:
            ticket = self._writes.ticket(signature.removeprefix("+").removesuffix("/="))
        except Refused as refused:
            return _xml(403, "AccessDenied", refused.message)
        if call.names["key"] != ticket.key or (call.content_type or None) != ticket.content_type:
            return _xml(403, "SignatureDoesNotMatch", "The request does not fit the signature.")
        self._writes.receive(ticket.key, call.body, call.content_type)
        return Answer(200, b"", content_type="application/xml")


def _file_of_form(call: Call) -> tuple[bytes, str]:
    """Return the bytes and the type of the field `file`. Raises Refused."""
    head = f"Content-Type: {call.content_type}\r\n\r\n".encode()
    form = message_from_bytes(head + call.body, policy=HTTP)
    for part in form.iter_parts() if form.is_multipart() else ():
        if part.get_param("name", header="content-disposition") == "file":
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                return payload, part.get_content_type()
    raise Refused(400, "FileUploadFailed", "The form has no field `file`.")


def _xml(status: int, code: str, message: str) -> Answer:
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Answer(status, body.encode(), content_type="application/xml")

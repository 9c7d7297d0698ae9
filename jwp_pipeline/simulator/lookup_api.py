"""Answers calls as a Lookup proxy and its OAuth2 token server do: tokens for client credentials, and people.

A token is a random text that the site remembers until it expires. Written from RFC 6749 and the reference's use of
Lookup.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import time
from typing import Any
from urllib.parse import unquote, unquote_plus

from jwp_pipeline.simulator.exchange import Answer, Call, Refused, Route, Service
from jwp_pipeline.simulator.records import Kind
from jwp_pipeline.simulator.site import Site

ROUTES: tuple[tuple[str, Service, Route, Kind | None], ...] = (
    ("/oauth2/token", "lookup", "token", None),
    ("/lookup/{rest:path}", "lookup", "person", None),
)
SCHEME = "mock"
"""The only identifier scheme of people."""
SCOPE = "lookup:anonymous"
"""The only scope that the client may ask for."""

_PEOPLE = ["", "lookup", "people"]


class LookupApi:
    """The Lookup of one site. For one thread."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._expiries: dict[str, float] = {}

    def answer(self, call: Call) -> Answer:
        """Issue a token, or say who a person is. Raises Refused."""
        return self._token(call) if call.route == "token" else self._person(call)

    def forget_tokens(self) -> None:
        """Revoke all tokens."""
        self._expiries.clear()

    def _token(self, call: Call) -> Answer:
        if call.method != "POST":
            raise Refused(405, "invalid_request", "Tokens are issued by POST.")
        if _basic(call.authorization) != (self._site.client_id, self._site.client_secret):
            raise Refused(401, "invalid_client", "The client is not known.")
        if call.param("grant_type") != "client_credentials":
            raise Refused(400, "unsupported_grant_type", "Only client_credentials is supported.")
        if call.param("scope") != SCOPE:
            raise Refused(400, "invalid_scope", f"The scope is {SCOPE}.")
        token, seconds = secrets.token_urlsafe(24), self._site.behaviour.token_seconds
        self._expiries[token] = time.time() + seconds
        body = {"access_token": token, "token_type": "bearer", "expires_in": seconds, "scope": SCOPE}
        return _json(body, {"Cache-Control": "no-store"})

    def _person(self, call: Call) -> Answer:
        scheme, token = (call.authorization or "").partition(" ")[::2]
        if scheme.lower() != "bearer" or self._expiries.get(token, 0.0) <= time.time():
            raise Refused(401, "invalid_token", "The token is missing, unknown or expired.")
        *folder, identifier_scheme, identifier = call.path.split("/")
        if folder != _PEOPLE or unquote(identifier_scheme) != SCHEME or call.method != "GET":
            raise Refused(404, "not_found", "There is no such resource.")
        person = self._site.people.get(unquote(identifier))
        if person is None:
            raise Refused(404, "not_found", "There is no such person.")
        return _json(person.resource(SCHEME, frozenset((call.param("fetch") or "").split(","))))


def error_answer(status: int, code: str = "error", message: str = "", headers: Any = None) -> Answer:
    """An error as both servers write it."""
    return Answer(
        status,
        json.dumps({"error": code, "error_description": message}).encode(),
        dict(headers or {}),
        "application/json",
    )


def _json(body: Any, headers: dict[str, str] | None = None) -> Answer:
    return Answer(200, json.dumps(body).encode(), headers or {}, "application/json")


def _basic(authorization: str | None) -> tuple[str, str] | None:
    """Return the id and the secret of a client in a Basic header; RFC 6749 has both form-encoded in it."""
    scheme, text = (authorization or "").partition(" ")[::2]
    try:
        login = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    client_id, separator, secret = login.partition(":")
    return (unquote_plus(client_id), unquote_plus(secret)) if scheme.lower() == "basic" and separator else None

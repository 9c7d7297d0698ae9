"""Speaks with Lookup: gets a token with OAuth2 client credentials, asks about a person, and reads the answer."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from jwp_pipeline import bounded_http, json_text
from jwp_pipeline.access.people import Membership
from jwp_pipeline.masking import keep_queries_out_of_logs
from jwp_pipeline.proxies import exceptions_for
from jwp_pipeline.settings import Settings

MOST_BYTES = 4 * 2**20
"""The largest answer that is read. A person with a thousand groups has some 300 kB."""

LONGEST_IDENTIFIER = 255
"""Nobody has a longer name, and Lookup is not asked about one."""

# What a header may carry as a bearer token (RFC 6750).
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
# A token is renewed this long before it expires, or after nine tenths of its life if that comes later: otherwise, one
# that lives for less than this would be renewed for every request.
_LEEWAY_SECONDS = 30.0
# Used where the server does not say how long a token is valid; RFC 6749 recommends that it does.
_UNKNOWN_LIFETIME = 300.0


class LookupFailed(Exception):
    """Lookup did not say anything about a person. The message is the reason as part of a sentence, without secrets."""


class LookupApi:
    """The people of one Lookup. It can be shared by threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._root = f"{(settings.lookup_root or '').rstrip('/')}/"
        self._session = requests.Session()
        self._lock = threading.Lock()
        self._token: str | None = None
        self._renew_at = 0.0
        # Only connections that could not be made are tried again: after that, the request may have arrived.
        retries = Retry(total=None, connect=settings.oauth2_max_retries, read=0, redirect=0, status=0, other=0)
        self._adapter = HTTPAdapter(max_retries=retries)
        self._mount(self._session)

    def membership(self, identifier: str) -> Membership:
        """Ask about one person; somebody whom Lookup does not know belongs to nothing. Raises LookupFailed."""
        if (path := path_of(self._settings.lookup_people_id_scheme, identifier)) is None:
            return Membership()
        url = f"{self._root}{path}?fetch=all_groups,all_insts"
        token = self._current_token(unless=None)
        answer = self._get(url, token)
        if answer.status == 401 and token is not None:
            answer = self._get(url, self._current_token(unless=token))
        if answer.status == 404:
            return Membership()
        if answer.status != 200:
            raise LookupFailed(f"it answers HTTP {answer.status}")
        try:
            document = json_text.loads(answer.body)
        except (ValueError, RecursionError):
            raise LookupFailed("its answer is not JSON") from None
        return read_membership(document)

    def _get(self, url: str, token: str | None) -> bounded_http.Response:
        headers = {"Accept": "application/json"} | ({} if token is None else {"Authorization": f"Bearer {token}"})
        seconds = self._settings.lookup_timeout_seconds
        try:
            return bounded_http.get(self._session, url, headers=headers, seconds=seconds, most_bytes=MOST_BYTES)
        except bounded_http.NoResponse as reason:
            raise LookupFailed(str(reason)) from None

    def _current_token(self, *, unless: str | None) -> str | None:
        """Return a token that has not expired and is not `unless`, or None if no token server is configured."""
        if self._settings.oauth2_token_url is None:
            return None
        with self._lock:
            if self._token is None or self._token == unless or time.monotonic() >= self._renew_at:
                self._token, lifetime = self._fetch_token(self._settings.oauth2_token_url)
                self._renew_at = time.monotonic() + max(lifetime - _LEEWAY_SECONDS, 0.9 * lifetime)
            return self._token

    def _fetch_token(self, url: str) -> tuple[str, float]:
        """Return a new token and for how many seconds it is valid."""
        settings = self._settings
        if settings.oauth2_client_id is None or settings.oauth2_client_secret is None:
            raise LookupFailed("OAUTH2_CLIENT_ID or OAUTH2_CLIENT_SECRET is not set")
        # Only a Lookup with a token server needs Authlib, which takes long to load.
        from authlib.integrations.base_client import OAuthError
        from authlib.integrations.requests_client import OAuth2Session

        keep_queries_out_of_logs()
        seconds = settings.lookup_timeout_seconds
        with OAuth2Session(
            settings.oauth2_client_id,
            settings.oauth2_client_secret.get_secret_value(),
            token_endpoint_auth_method="client_secret_basic",  # noqa: S106 - the name of a method
        ) as client:
            self._mount(client)
            try:
                token = client.fetch_token(
                    url,
                    grant_type="client_credentials",
                    scope=" ".join(settings.oauth2_lookup_scopes),
                    timeout=seconds,
                    allow_redirects=False,
                    proxies=exceptions_for(url),
                    stream=True,
                    hooks={"response": bounded_http.reading(seconds=seconds, most_bytes=MOST_BYTES)},
                )
            except bounded_http.NoResponse as reason:
                raise LookupFailed(f"the token server: {reason}") from None
            except requests.RequestException as error:
                raise LookupFailed(f"the token server did not answer ({type(error).__name__})") from None
            except (OAuthError, ValueError, TypeError, AttributeError, KeyError) as error:
                raise LookupFailed(f"the token server gave no token ({type(error).__name__})") from None
        access_token = token.get("access_token") if isinstance(token, dict) else None
        if not isinstance(access_token, str) or not _TOKEN.fullmatch(access_token):
            raise LookupFailed("the token server gave no token")
        lifetime = token.get("expires_in")
        is_number = isinstance(lifetime, int | float) and not isinstance(lifetime, bool)
        return access_token, float(lifetime) if is_number else _UNKNOWN_LIFETIME

    def _mount(self, session: requests.Session) -> None:
        for prefix in ("http://", "https://"):
            session.mount(prefix, self._adapter)


def path_of(scheme: str, identifier: str) -> str | None:
    """Return the path of a person, or None if no path leads to exactly this person.

    Every HTTP client resolves a part `.` or `..`, even if it is percent-encoded, and would ask about something else.
    """
    if {scheme, identifier} & {"", ".", ".."} or len(identifier) > LONGEST_IDENTIFIER:
        return None
    try:
        return f"people/{quote(scheme, safe='')}/{quote(identifier, safe='')}"
    except UnicodeEncodeError:
        return None


def read_membership(document: Any) -> Membership:
    """Return what Lookup's answer about a person says. Anything unexpected in its lists is left out.

    Raises LookupFailed if neither list is there, or something else in place of one: then it may not be Lookup's answer.
    """
    lists = [document.get(field) for field in ("institutions", "groups")] if isinstance(document, dict) else []
    if not any(isinstance(each, list) for each in lists) or not all(isinstance(each, list | None) for each in lists):
        raise LookupFailed("its answer is not a person with institutions and groups")
    return Membership(
        frozenset(_texts(document, "institutions", "instid")),
        frozenset([*_texts(document, "groups", "groupid"), *_texts(document, "groups", "name")]),
    )


def _texts(document: Mapping[str, Any], field: str, name: str) -> Iterator[str]:
    """Yield the non-empty texts `name` of the objects in the list `field`."""
    for each in document.get(field) or []:
        if isinstance(each, dict) and isinstance(text := each.get(name), str) and text:
            yield text

"""Hides secrets in text that we did not write, such as a server's answer or the message of an exception.

Code that quotes such text passes it through the masker of the current settings first. Our own messages never contain
secrets.
"""

from __future__ import annotations

import html
import json
import logging
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote, urlsplit

from pydantic import SecretStr

from jwp_pipeline.database_url import passwords_of_database
from jwp_pipeline.settings import REDACTED, Settings

SHORTEST = 4
"""Shorter secrets are not masked: hiding every "a" would make messages unreadable and still protect nothing."""

# Patterns that look like a secret, even one that we do not know: a login in a header, a signature or password among
# parameters, a login in a URL, and hexadecimal digests such as v1's signatures.
_LOGIN = re.compile(r"\b(Bearer|Basic|Digest|Negotiate)\s+[^\s\"'<>,;]+", re.IGNORECASE)
_PARAMETER = re.compile(
    r"\b(api_signature|api_nonce|signature|sig|token|access_token|secret|client_secret|password|passwd)=[^\s&\"'<>]+",
    re.IGNORECASE,
)
_URL_LOGIN = re.compile(r"(\w://)[^\s/@]*@")
_DIGEST = re.compile(r"\b[0-9a-fA-F]{32,}\b")


class Masker:
    """Replaces known secrets, however they are encoded, and anything that looks like a secret."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        spellings = {spelling for secret in secrets for spelling in _spellings(secret) if len(spelling) >= SHORTEST}
        # The longest comes first, so that a secret that contains another one is masked as a whole.
        patterns = [_pattern(spelling) for spelling in sorted(spellings, key=len, reverse=True)]
        self._known = re.compile("|".join(patterns)) if patterns else None

    def __call__(self, text: str) -> str:
        """Return the text with every secret replaced by asterisks."""
        if self._known is not None:
            text = self._known.sub(REDACTED, text)
        text = _LOGIN.sub(rf"\1 {REDACTED}", text)
        text = _PARAMETER.sub(rf"\1={REDACTED}", text)
        text = _URL_LOGIN.sub(rf"\1{REDACTED}@", text)
        return _DIGEST.sub(REDACTED, text)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def masker_of(settings: Settings) -> Masker:
    """Return a masker for all secrets in the settings, including those that are not in use."""
    values = {name: getattr(settings, name) for name in type(settings).model_fields}
    secrets = {name: value.get_secret_value() for name, value in values.items() if isinstance(value, SecretStr)}
    parts = (
        passwords_of_database(secret) if name.endswith("database_url") else _secret_parts(secret)
        for name, secret in secrets.items()
    )
    return Masker([*secrets.values(), *settings.webhook_secrets, *(part for each in parts for part in each)])


def _secret_parts(url: str) -> Iterator[str]:
    """Yield the secret parts of a URL: its password, query values and path. Yield nothing if it is not a URL."""
    if "://" not in url:
        return
    try:
        parts = urlsplit(url)
        if parts.password:
            yield parts.password
    except ValueError:
        return
    yield from (value for pair in parts.query.split("&") if (value := pair.partition("=")[2]))
    if parts.scheme in ("http", "https"):
        yield parts.path
        # Long segments are taken for tokens; short ones are ordinary words.
        yield from (segment for segment in parts.path.split("/") if len(segment) >= 16)


def _spellings(secret: str) -> Iterator[str]:
    """Yield a secret as it is, percent-decoded, and as it is written in URLs, JSON and HTML."""
    for plain in {secret, secret.strip(), unquote(secret)}:
        yield plain
        # A variable of the environment that is not UTF-8 holds lone surrogates, which cannot be encoded otherwise.
        yield from (quote(plain, safe="", errors="surrogatepass"), quote(plain, errors="surrogatepass"))
        yield quote_plus(plain, errors="surrogatepass")
        yield json.dumps(plain)[1:-1]
        yield json.dumps(plain, ensure_ascii=False)[1:-1]
        yield html.escape(plain)


def _pattern(spelling: str) -> str:
    """Return a regular expression for a spelling that also accepts lower-case percent-encoding."""
    return re.sub(r"%[0-9A-Fa-f]{2}", lambda match: f"(?i:{match[0]})", re.escape(spelling))


class _QueryFilter(logging.Filter):
    """Removes query strings from urllib3's log lines, because they contain keys, signatures and tokens."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                argument.partition("?")[0] + "?…" if isinstance(argument, str) and "?" in argument else argument
                for argument in record.args
            )
        return True


_query_filter = _QueryFilter()
# The modules of urllib3 that log URLs. A filter of a logger does not see what the loggers below it are given.
_NAMING_URLS = ("connection", "connectionpool", "poolmanager", "util.retry")


def keep_queries_out_of_logs() -> None:
    """Keep the query strings of all requests of this process out of urllib3's log.

    v1's parameters could go in the body of a POST, but its documentation and all known clients use GET for lists, and
    a signed URL is one by design. The filter applies to the whole process, because urllib3 has the same loggers for all
    its users.
    """
    for module in _NAMING_URLS:
        logging.getLogger(f"urllib3.{module}").addFilter(_query_filter)

"""Parses the URL of a database as libpq does, and refuses URLs that are ambiguous.

libpq itself parses the URL, so several hosts, sockets, IPv6 addresses, services and every connection option mean the
same as in `psql`. Put here what concerns the text of a URL; database/connection.py connects to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote_to_bytes

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
# SQLAlchemy's spelling may name a driver as well: postgresql+psycopg.
_POSTGRESQL = re.compile(r"postgres(ql)?(\+\w+)?")
_PARTS = re.compile(r"(?P<authority>[^/?]*)(?P<database>/[^?]*)?(\?(?P<options>.*))?", re.DOTALL)
_HOST = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(:(?P<port>[^:]*))?", re.DOTALL)


def without_quotes(text: str) -> str:
    """Return the text without surrounding quotes, which some shells and `.env` parsers leave there."""
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def flaw_of_database_url(url: str) -> str | None:
    """Return what is wrong with a URL, as a predicate to follow its name, or None if it can be used.

    The result contains nothing of the URL's login or hosts, because any part of a malformed URL may be a piece of the
    password.
    """
    try:
        connection_parameters(url)
    except ValueError as flaw:
        return str(flaw)
    return None


def connection_parameters(url: str) -> dict[str, str]:
    """Parse a URL, or a text of `key=value` pairs, into libpq's connection parameters by keyword.

    Raises ValueError with what is wrong if the URL cannot be read, or is ambiguous.
    """
    url = without_quotes(url.strip())
    found = _SCHEME.fullmatch(url)
    if found:
        scheme, rest = found.groups()
        if not _POSTGRESQL.fullmatch(scheme):
            raise ValueError("is the URL of something else: one of PostgreSQL begins with postgresql://")
        _refuse_ambiguous(rest)
        with _in_our_words(_flaw_of_options(rest)):
            parameters = _parsed(f"postgresql://{rest}")
    elif "=" in url:
        with _in_our_words(
            "cannot be read as key=value pairs: libpq does not know one of the keys, or a value that holds a blank is "
            "not in single quotes"
        ):
            parameters = _parsed(url)
    else:
        raise ValueError(
            "is neither a URL (postgresql://user:password@host:port/database) nor key=value pairs "
            "(host=… dbname=… user=… password=…)"
        )
    _spread_ports(parameters)
    return parameters


def passwords_of_database(url: str) -> list[str]:
    """Return the passwords in a valid URL: that of the database user, and that of the client's key."""
    parameters = connection_parameters(url)
    return [parameters[keyword] for keyword in ("password", "sslpassword") if parameters.get(keyword)]


def _refuse_ambiguous(rest: str) -> None:
    """Raise ValueError if a part of the password may have been read as another part, which messages would show."""
    parts = _PARTS.fullmatch(rest)
    assert parts is not None  # noqa: S101 - the pattern matches every text
    authority = parts["authority"]
    others = rest[len(authority) :]
    if authority.count("@") > 1 or "@" in others:
        raise ValueError(
            "has more than one @, or one after a / or ?: percent-encode @ / ? in the user, in the password and in "
            "what follows the database, as %40 %2F %3F"
        )
    if re.search(r"\s", rest):
        raise ValueError("holds a blank: percent-encode it, as %20")
    if re.search(r"%(?![0-9A-Fa-f]{2})", rest):
        raise ValueError("holds a % that begins no percent-encoding: a % itself is written %25")
    if "%00" in rest:
        raise ValueError("holds %00, a character that PostgreSQL allows nowhere")
    try:
        unquote_to_bytes(rest).decode()
    except UnicodeDecodeError:
        # `from None`, because the original error contains the whole text.
        raise ValueError("has percent-encodings that are not of UTF-8, such as %E9 for é instead of %C3%A9") from None
    for host in authority.rpartition("@")[2].split(","):
        _refuse_unreadable_host(host)
    names = _names(parts["options"] or "")
    if len(set(names)) < len(names):
        raise ValueError("gives an option more than once; several hosts are written host1:port1,host2:port2")


def _flaw_of_options(rest: str) -> str:
    """Return what is wrong with the options, for a URL that libpq refuses although its other parts are valid."""
    from psycopg.pq import Conninfo

    options = rest.partition("?")[2]
    known = {option.keyword.decode() for option in Conninfo.get_defaults()} | {"ssl"}
    unknown = next((name for name in _names(options) if name not in known and re.fullmatch(r"\w{1,40}", name)), None)
    # If there is a password among the options, what looks like an option may be a piece of that password.
    if unknown is None or "password" in options:
        return "has something after the ? that is no option of a connection, or an option that has no value"
    return f"has an option that libpq does not know, or that has no value: {unknown}"


def _names(options: str) -> list[str]:
    return [option.partition("=")[0] for option in options.split("&")]


def _refuse_unreadable_host(host: str) -> None:
    found = _HOST.fullmatch(host)
    if found is None:
        raise ValueError(
            "has a host that cannot be read: an IPv6 address stands in brackets, as [::1]; a : in the password is "
            "percent-encoded as %3A, a bracket as %5B and %5D"
        )
    if not _is_port(found["port"] or ""):
        raise ValueError(
            "has a port that is no number from 1 to 65535. If a password stands there: the form is "
            "user:password@host:port, and / and ? in the password have to be percent-encoded as %2F and %3F"
        )


def _is_port(text: str) -> bool:
    return not text or (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65_536)


def _parsed(conninfo: str) -> dict[str, str]:
    # Importing psycopg takes a sixth of a second, so it is imported only if there is a URL to parse.
    from psycopg.conninfo import conninfo_to_dict

    return {keyword: str(value) for keyword, value in conninfo_to_dict(conninfo).items()}


@contextmanager
def _in_our_words(flaw: str) -> Iterator[None]:
    """Raise ValueError with `flaw` in place of libpq's own error, whose message may quote a piece of the password."""
    from psycopg import Error

    try:
        yield
    except (Error, UnicodeError):
        raise ValueError(flaw) from None


def _spread_ports(parameters: dict[str, str]) -> None:
    """If one port is given for several hosts, repeat it for each of them. Raises ValueError for invalid ports."""
    ports = parameters.get("port", "").split(",")
    if not all(map(_is_port, ports)):
        raise ValueError("has a port that is no number from 1 to 65535")
    hosts = (parameters.get("host") or parameters.get("hostaddr") or "").split(",")
    if len(ports) not in (1, len(hosts)):
        raise ValueError("does not name a port for each of its hosts, nor one for all")
    if len(ports) == 1 and ports != [""]:
        parameters["port"] = ",".join(ports * len(hosts))

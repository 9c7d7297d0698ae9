"""Computes the URLs at which videos play: signed links, players, libraries and posters (semantics §11).

The functions are pure. A URL that they sign plays for everybody who has it until it expires, so it belongs in no log.
Sources: JWP's "URL token signing", the legacy form (`exp` and `sig`) and the present one (`token`).
"""

from __future__ import annotations

import hashlib
import math
import re
import time
from datetime import datetime
from typing import Literal
from urllib.parse import quote, unquote, urlencode, urlsplit, urlunsplit

from jwp_pipeline.errors import SettingsError
from jwp_pipeline.settings import Settings

Moment = float | datetime | None
"""A time: seconds since the epoch, a datetime with a time zone, or None for the present."""
PlayerFormat = Literal["js", "html"]
"""A script that plays where it is included, or a page of its own."""

FORMATS = ("js", "html")
POSTER_WIDTHS = (320, 480, 640, 720, 1280, 1920)

# A link to the Delivery API is valid for an hour, rounded up to three minutes so that equal requests can be cached.
_TOKEN_SECONDS = 3600
_TOKEN_STEP = 180
# What may stand in a path as it is. A percent sign may only if it begins an encoded character.
_PATH = "/%:@!$&'()*+,;=-._~"
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def signed_url(url: str, *, settings: Settings, now: Moment = None) -> str:
    """Return `url` with a signature that is valid for JWPLATFORM_SIGNATURE_TIMEOUT seconds.

    Other query parameters stay as they are; they are not signed. A character that no URL may contain is encoded in the
    path, because the signature is that of the path as browsers send it. Raises SettingsError without a v1 secret.
    """
    return _signed(url, int(_seconds(now)) + settings.jwplatform_signature_timeout, settings)


def player_embed_url(
    key: str,
    player: str,
    format: PlayerFormat = "js",  # noqa: A002 - the name in the reference
    *,
    settings: Settings,
    now: Moment = None,
    base: str | None = None,
) -> str:
    """Return the signed URL of a player that plays the video `key`: a script (`js`) or a page (`html`).

    The host is that of `base`, by default JWPLATFORM_API_BASE_URL. Raises ValueError for another format, and
    SettingsError without a v1 secret.
    """
    if format not in FORMATS:
        raise ValueError(f"There is no player in the format {format!r}; it is one of {', '.join(FORMATS)}.")
    path = f"/players/{quote(key, safe='')}-{quote(player, safe='')}.{format}"
    url = _at(settings.jwplatform_api_base_url if base is None else base, path)
    return signed_url(url, settings=settings, now=now)


def player_library_url(player: str | None = None, *, settings: Settings, now: Moment = None) -> str:
    """Return the signed URL of the script of a player, by default that of JWPLATFORM_EMBED_PLAYER_KEY.

    Raises SettingsError without a v1 secret or without a player.
    """
    path = f"/libraries/{quote(player or embed_player(settings), safe='')}.js"
    expiry = math.ceil(_seconds(now) + settings.jwplatform_signature_timeout)
    return _signed(_at(settings.jwplatform_api_base_url, path), expiry, settings)


def pd_api_url(resource: str, *, settings: Settings, now: Moment = None, **parameters: object) -> str:
    """Return a URL of the Delivery API, such as `/v2/media/AbCd1234`, with a token for this resource.

    `parameters` become query parameters; they are not signed. The token names the resource as it is sent: what no URL
    may contain is encoded in both. Raises ValueError if `resource` is no path that begins with a single slash, or has
    a part `.` or `..`, and SettingsError without a v1 secret.
    """
    if not resource.startswith("/") or resource.startswith("//"):
        raise ValueError("The resource must be a path that begins with a slash, such as /v2/media/AbCd1234.")
    if any(unquote(part) in (".", "..") for part in resource.split("/")):
        raise ValueError("The resource has a part . or .., so another path than the signed one would be asked for.")
    if "token" in parameters:
        raise ValueError("The parameter `token` is computed here, and cannot be given.")
    # Only these URLs need joserfc, which takes long to load.
    from joserfc import jwt
    from joserfc.jwk import OctKey

    path = _as_sent(resource)
    # Whole steps, rounded up. Floor division is exact for integers of any size, which division is not.
    expiry = int(-(-(_seconds(now) + _TOKEN_SECONDS) // _TOKEN_STEP)) * _TOKEN_STEP
    claims = {"resource": path, "exp": expiry}
    secret = _secret(settings).encode()
    # Not OctKey.import_key, which warns about secrets shorter than 14 bytes: the length is JW Platform's decision.
    token = jwt.encode({"alg": "HS256", "typ": "JWT"}, claims, OctKey(secret, secret))
    return f"{_at(settings.jwplatform_api_base_url, path)}?{urlencode({'token': token, **parameters})}"


def poster_url(key: str, width: int = 720, *, settings: Settings) -> str:
    """Return the URL of a still picture of the video `key`, which is not signed. `width` is one of POSTER_WIDTHS.

    Raises ValueError for any other width.
    """
    if width not in POSTER_WIDTHS:
        raise ValueError(f"There is no poster of width {width!r}; it is one of {', '.join(map(str, POSTER_WIDTHS))}.")
    return f"{settings.jwplatform_api_base_url.rstrip('/')}/thumbs/{quote(key, safe='')}-{width}.jpg"


def embed_player(settings: Settings) -> str:
    """Return JWPLATFORM_EMBED_PLAYER_KEY. Raises SettingsError if it is not set."""
    if not settings.jwplatform_embed_player_key:
        raise SettingsError(_missing(settings, "JWPLATFORM_EMBED_PLAYER_KEY"))
    return settings.jwplatform_embed_player_key


def _signed(url: str, expiry: int, settings: Settings) -> str:
    parts = urlsplit(url)
    path = _as_sent(parts.path)
    text = f"{path.lstrip('/')}:{expiry}:{_secret(settings)}"
    signature = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    others = [pair for pair in parts.query.split("&") if pair and unquote(pair.partition("=")[0]) not in ("exp", "sig")]
    query = "&".join([*others, f"exp={expiry}", f"sig={signature}"])
    return urlunsplit((parts.scheme, parts.netloc, path, query, parts.fragment))


def _as_sent(path: str) -> str:
    """Return a path as clients send it: with everything encoded that no path may contain."""
    return quote(_STRAY_PERCENT.sub("%25", path), safe=_PATH)


def _at(base: str, path: str) -> str:
    """Return a URL with the scheme and host of `base`, whose own path is dropped."""
    parts = urlsplit(base)
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def _secret(settings: Settings) -> str:
    if not settings.jwplatform_api_secret:
        raise SettingsError(_missing(settings, "JWPLATFORM_API_SECRET"))
    return settings.jwplatform_api_secret.get_secret_value()


def _missing(settings: Settings, name: str) -> str:
    return f"{name} is not set, so no delivery URL can be computed: {settings.missing_required()[name]}."


def _seconds(now: Moment) -> float:
    """Return a time in seconds since the epoch; whole seconds as an integer, so that none is lost by rounding."""
    if isinstance(now, datetime):
        if now.tzinfo is None:
            raise ValueError("`now` has no time zone. Pass an aware datetime, or seconds since the epoch.")
        now = now.timestamp()
    seconds = time.time() if now is None else now
    return int(seconds) if seconds == math.floor(seconds) else seconds

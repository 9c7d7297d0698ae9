"""What each kind of bad input goes through, and what may come of it.

A target is a function that takes one input. It returns a word for what came of it, which is counted, and raises only if
the input did what no input may do. kinds.py says which inputs there are.
"""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from unittest.mock import patch
from urllib.parse import urlsplit

import anyio
from requests.structures import CaseInsensitiveDict

from jwp_pipeline.access.aces import build_acl, check_user_access
from jwp_pipeline.access.acl import NOBODY, parse_acl
from jwp_pipeline.database.connection import read_database
from jwp_pipeline.delivery import sources, urls
from jwp_pipeline.errors import DatabaseError, DeliveryError, EventRefused, JWPlatformError, SettingsError
from jwp_pipeline.jwplatform.answers import decode
from jwp_pipeline.jwplatform.connect import refused_settings
from jwp_pipeline.jwplatform.management import ClientOptions
from jwp_pipeline.jwplatform.wire import Wire
from jwp_pipeline.jwplatform.writing import VideoEdit
from jwp_pipeline.jwplatform.writing_v1 import WritingV1
from jwp_pipeline.jwplatform.writing_v2 import WritingV2
from jwp_pipeline.masking import masker_of
from jwp_pipeline.media.mapping import KEEP, map_channel, map_video
from jwp_pipeline.settings import load_settings
from jwp_pipeline.webhooks.events import Ignored, authentic, read_event
from jwp_pipeline_tests.support.syncing import ImpatientClock

SECRET = "not-a-real-secret-1"
KEY = "aB3dE5gH"


def _told(error, secret, *, names=""):
    """Check that the message of an error contains `names` and not the secret. Returns the name of its class."""
    if secret is not None and secret in str(error):
        raise AssertionError(f"a secret is told: {error}")
    if names not in str(error):
        raise AssertionError(f"{names} is not named: {error}")
    return type(error).__name__


def resource(data):
    """A resource of JW Platform becomes the fields of an item or a channel; what cannot be read is a problem."""
    video = map_video(data, key=KEY, default_acl=NOBODY, create_items="all")
    channel = map_channel(data, key=KEY, create_items="all")
    if video.acl_state == "unreadable":
        assert video.permission == NOBODY, "what cannot be read admits somebody"
    if video.permission.is_public:
        assert "WORLD" in json.dumps(data, default=str), "public without a word that says so"
    if not isinstance(data, dict):
        assert video.problems, "no problem is noted"
    for column, value in video.item.items():
        assert value is KEEP or value is None or not isinstance(value, float) or value - value == 0, (
            f"{column} is {value}"
        )
    return "problems" if video.problems or channel.problems else "read"


def custom_property(given):
    """A custom property is read, or is a problem, and never both."""
    name, value = given
    data = {"key": KEY, "custom": {name: value}}
    video = map_video(data, key=KEY, default_acl=NOBODY, create_items="all")
    assert all(problem.field in (name, "custom") for problem in video.problems), video.problems
    if name == "sms_acl" and not isinstance(value, str):
        assert video.acl_state == "unreadable"
        assert video.problems
    return "problems" if video.problems else "read"


def acl(text):
    """An ACL grants what its entries say by the letter, and an unknown entry nothing."""
    permission, problems = parse_acl(text)
    entries = [entry.strip() for entry in text.split(",")]
    assert permission.is_public == ("WORLD" in entries)
    assert permission.is_signed_in == ("CAM" in entries)
    for names, prefix in (
        (permission.crsids, "USER_"),
        (permission.lookup_insts, "INST_"),
        (permission.lookup_groups, "GROUP_"),
    ):
        assert all(f"{prefix}{name}" in entries for name in names)
    build_acl(text)
    check_user_access({"key": KEY, "custom": {"sms_acl": f"acl:{text}:"}}, None)
    return "problems" if problems else "read"


# A writing client reads as well.
_CLIENTS = {"v1": WritingV1, "v2": WritingV2}


def answer(given):
    """Whatever JW Platform, or a machine before it, answers: a result of the right form, or an error of ours."""
    api, ask, status, headers, body = given
    writing = _CLIENTS[api]
    clock = ImpatientClock()
    options = ClientOptions(requests_per_minute=10**6, deadline=2.0)
    more = {"force_https_upload": True} if writing is WritingV1 else {}
    client = writing(KEY, SECRET, origin="http://127.0.0.1:9", options=options, clock=clock, **more)
    said = decode(status, CaseInsensitiveDict(headers), body)
    with patch.object(Wire, "send", lambda wire, call, give_up_at: said):
        try:
            result = ASKED[ask](client)
        except JWPlatformError as error:
            return _told(error, SECRET)
        finally:
            client.close()
    return "none" if result is None else "answered"


_SHOWN = {"key": KEY, "id": KEY, "title": "x", "tags": "a", "custom": {}, "metadata": {"custom_params": {}, "tags": []}}
_EDIT = VideoEdit(title="New", custom={"sms_acl": "acl::"}, add_tags=("b",))
ASKED = {
    "list": lambda client: [page.items for page, _ in zip(client.list_pages("video"), range(9), strict=False)],
    "channels": lambda client: [page.items for page, _ in zip(client.list_pages("channel"), range(9), strict=False)],
    "changes": lambda client: list(
        zip(client.list_changes("video", datetime(2020, 1, 1, tzinfo=UTC)), range(9), strict=False)
    ),
    "show": lambda client: client.show("video", KEY),
    "members": lambda client: client.members(KEY),
    "probe": lambda client: client.probe("video"),
    "update": lambda client: client.update_video(_SHOWN, _EDIT, dry_run=False),
    "create": lambda client: client.create_video(_EDIT, source_url=None, mime_type=None),
    "find": lambda client: client.find_videos("site.example_org.media_id", "x"),
}


def delivered(document):
    """An answer of the Delivery API gives sources, or an error of ours."""
    try:
        return f"{min(len(sources.read_sources(document, KEY)), 1)} sources"
    except DeliveryError as error:
        return type(error).__name__


def webhook(given):
    """A request is an event of JW Platform only if it is signed by our secret, for our site and for this time."""
    claims, secret, header, payload, authorization = given
    body = json.dumps(claims).encode() if payload is None else payload
    token = _token(header, claims, secret)
    try:
        found = authentic(body, f"Bearer {token}" if authorization is None else authorization, [SECRET])
        event = read_event(found, site_id="DemoSite", now=datetime.now(UTC), max_age=timedelta(days=1))
    except EventRefused as error:
        return _told(error, SECRET)
    assert secret == SECRET
    assert header.get("alg") == "HS256"
    return "ignored" if isinstance(event, Ignored) else "event"


def _token(header, claims, secret):
    parts = (json.dumps(header), json.dumps(claims))
    signing = b".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=") for part in parts)
    signature = hmac.new(secret.encode(), signing, hashlib.sha256).digest()
    return (signing + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def setting(given):
    """A setting has a value of its type, or an error names it without its value."""
    name, value = given
    try:
        settings = load_settings(**{name: value})
    except SettingsError as error:
        is_secret = "secret" in name and isinstance(value, str) and len(value.strip()) > 12
        return _told(error, value.strip() if is_secret else None, names=name.upper())
    settings.redacted()
    settings.missing_required()
    refused = refused_settings(settings)
    masker_of(settings)("text")
    return "refused for the client" if name.upper() in refused else "accepted"


def database_url(text):
    """The URL of a database is read as libpq reads it, or refused without its password."""
    try:
        str(read_database(text, "jwp"))
    except DatabaseError as error:
        password = text.partition("://")[2].rpartition("@")[0].partition(":")[2]
        return _told(error, password if len(password) >= 8 else None)
    return "read"


def url(given):
    """A URL that we compute stays at the place that it is for, whatever is put into it."""
    what, text = given
    settings = load_settings(
        jwplatform_api_key=KEY,
        jwplatform_api_secret=SECRET,
        jwplatform_embed_player_key="Player00",
        jwplatform_api_base_url="https://cdn.example.com/",
    )
    try:
        made = {
            "player": lambda: urls.player_embed_url(text, "Player00", settings=settings),
            "library": lambda: urls.player_library_url(text, settings=settings),
            "delivery": lambda: urls.pd_api_url(text, settings=settings, format="json"),
            "poster": lambda: urls.poster_url(text, settings=settings),
        }[what]()
    except ValueError:
        return "ValueError"
    place = urlsplit(made)
    assert place.netloc == "cdn.example.com", made
    assert SECRET not in made
    return "made"


def received(given):
    """The receiver answers every request, and never with 500."""
    method, path, headers, body = given
    status = anyio.run(_post, method, path, headers, body)
    assert status in (200, 204, 400, 401, 404, 405, 408, 413, 503), status
    return str(status)


async def _post(method, path, headers, body):
    from jwp_pipeline.webhooks.receiver import app

    settings = load_settings(
        jwplatform_api_key="DemoSite",
        jwp_webhook_secrets=SECRET,
        jwp_database_url="postgresql://127.0.0.1:9/none?connect_timeout=1",
    )
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode("utf-8", "replace"),
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers.items()],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 9),
        "root_path": "",
    }
    sent = []
    pieces = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive():
        return pieces.pop() if pieces else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    await app(settings)(scope, receive, send)
    return sent[0]["status"]

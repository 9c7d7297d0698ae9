"""What counts as an event of JW Platform, without HTTP (semantics §12)."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwp_pipeline.errors import EventRefused
from jwp_pipeline.simulator.site import SITE_KEY
from jwp_pipeline.webhooks.events import Event, Ignored, authentic, read_event
from jwp_pipeline_tests.webhooks.tokens import OTHER_SECRET, SECRET, event, token

NOW = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
DAY = timedelta(days=1)


def read(**fields):
    claims = event(**{"event_time": NOW.isoformat(), **fields})
    return read_event(
        {name: value for name, value in claims.items() if value is not None}, site_id=SITE_KEY, now=NOW, max_age=DAY
    )


def checked(body, authorization, secrets=(SECRET,)):
    return authentic(body if isinstance(body, bytes) else json.dumps(body).encode(), authorization, secrets)


def test_an_event_with_the_signature_of_any_known_webhook_is_authentic():
    body = event()
    for secret in (SECRET, OTHER_SECRET):
        assert checked(body, f"Bearer {token(body, secret)}", [SECRET, OTHER_SECRET]) == body
    # JSON is compared, and not text.
    assert checked(json.dumps(body, indent=3).encode(), f"bearer {token(body)}") == body
    # RFC 7515: header parameters that are not understood are ignored.
    assert checked(body, f"Bearer {token(body, header={'alg': 'HS256', 'typ': 'JWT', 'ver': '1'})}") == body


# The signature of `none` is empty; where an extension is critical, the signature is right and the header is not.
FORGED = {
    "no header": None,
    "no scheme": token(event()),
    "another scheme": f"Basic {token(event())}",
    "no token": "Bearer ",
    "garbage": "Bearer garbage",
    "four parts": f"Bearer {token(event())}.AAAA",
    "no signature": f"Bearer {token(event()).rpartition('.')[0]}.",
    "half a signature": f"Bearer {token(event())[:-20]}",
    "another secret": f"Bearer {token(event(), OTHER_SECRET)}",
    "an empty secret": f"Bearer {token(event(), '')}",
    "alg none": f"Bearer {token(event(), header={'alg': 'none'}).rpartition('.')[0]}.",
    "alg None": f"Bearer {token(event(), header={'alg': 'None'}).rpartition('.')[0]}.",
    "HS512": f"Bearer {token(event(), header={'alg': 'HS512'}, digest='sha512')}",
    "HS384": f"Bearer {token(event(), header={'alg': 'HS384'}, digest='sha384')}",
    "RS256": f"Bearer {token(event(), header={'alg': 'RS256'})}",
    "no alg": f"Bearer {token(event(), header={})}",
    "alg of another type": f"Bearer {token(event(), header={'alg': ['HS256']})}",
    "header no object": f"Bearer {token(event(), header=[])}",
    "not encoded": f"Bearer {token(event(), header={'alg': 'HS256', 'b64': False, 'crit': ['b64']})}",
    "critical extension": f"Bearer {token(event(), header={'alg': 'HS256', 'crit': ['exp']})}",
    "critical extension that is there": f"Bearer {token(event(), header={'alg': 'HS256', 'x': 1, 'crit': ['x']})}",
    "critical parameter": f"Bearer {token(event(), header={'alg': 'HS256', 'kid': '1', 'crit': ['kid']})}",
    "nothing critical": f"Bearer {token(event(), header={'alg': 'HS256', 'crit': []})}",
    "none with an unknown parameter": f"Bearer {token(event(), header={'alg': 'none', 'x': 1}).rpartition('.')[0]}.",
    "RS256 with an unknown parameter": f"Bearer {token(event(), header={'alg': 'RS256', 'x': 1})}",
    "not ASCII": f"Bearer {token(event())}é",
    "far too long": f"Bearer {token({**event(), 'padding': 'x' * 10_000})}",
    "deep header": f"Bearer {token(event(), header=json.loads('[' * 500 + ']' * 500))}",
}


@pytest.mark.parametrize("authorization", FORGED.values(), ids=FORGED)
def test_a_request_that_jwp_did_not_sign_is_refused(authorization):
    with pytest.raises(EventRefused):
        checked(event(), authorization)


OTHER_BODIES = {
    "another key": {**event(), "media_id": "zZzZzZzZ"},
    "less": {"event": "media_updated"},
    "more": {**event(), "more": 1},
    "a list": [event()],
    "no JSON": b"{",
    "nothing": b"",
    "not UTF-8": b"\xff\xfe",
    "nested too deep": b"[" * 100_000,
}


@pytest.mark.parametrize("body", OTHER_BODIES.values(), ids=OTHER_BODIES)
def test_a_body_that_differs_from_the_signed_claims_is_refused(body):
    with pytest.raises(EventRefused):
        checked(body, f"Bearer {token(event())}")
    for claims in (b"[1]", b"no JSON", b"[" * 5000, b"\xff"):
        with pytest.raises(EventRefused):
            checked(claims, f"Bearer {token(claims)}")


@given(st.text() | st.binary().map(lambda octets: octets.decode("latin-1")), st.binary())
def test_whatever_is_sent_is_refused_and_never_an_error(authorization, body):
    for header in (authorization, f"Bearer {authorization}", f"Bearer {token(body)}.{authorization}"):
        with pytest.raises(EventRefused):
            checked(body, header)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*event(), "channel_id", "x"]), json_values))
def test_whatever_jwp_signs_is_an_event_or_ignored_or_refused(fields):
    try:
        read = read_event({**event(), **fields}, site_id=SITE_KEY, now=datetime.now(UTC), max_age=DAY)
    except EventRefused:
        return
    assert isinstance(read, Event | Ignored)


def test_the_fields_of_an_event_are_read():
    assert read() == Event("media_updated", "video", "aB3dE5gH", "hooK0001", SITE_KEY, NOW)
    assert read(event_time="2024-01-02T05:04:05.000+02:00").event_time == NOW
    assert read(event_time="2024-01-02T03:04:05Z").event_time == NOW
    assert read(kind="something_new").asks_for_a_look


def test_an_event_of_a_live_channel_asks_for_no_look():
    live = read(key=None, kind="channel_created", channel_id="cHaNneL1")
    assert (live.type, live.key, live.asks_for_a_look) == ("channel", "cHaNneL1", False)


@pytest.mark.parametrize("fields", [{"site_id": "OtherOne"}, {"site_id": None}, {"key": None}, {"key": ""}, {"key": 7},
                                    {"key": "a\x00b"}, {"key": "k" * 256}, {"kind": None}])  # fmt: skip
def test_an_event_that_is_not_about_a_media_of_this_site_is_ignored(fields):
    assert isinstance(read(**fields), Ignored)


@pytest.mark.parametrize("seconds", [-86_400, 0, 86_400])
def test_an_event_within_the_window_is_taken(seconds):
    assert read(event_time=(NOW + timedelta(seconds=seconds)).isoformat())


@pytest.mark.parametrize(
    "event_time",
    [
        "2024-01-01T03:04:04+00:00",
        "2024-01-03T03:04:06+00:00",
        "9999-12-31T23:59:59-23:00",
        "soon",
        "",
        None,
        1704164645,
    ],
)
def test_an_event_outside_the_window_is_refused(event_time):
    with pytest.raises(EventRefused):
        read(event_time=event_time)

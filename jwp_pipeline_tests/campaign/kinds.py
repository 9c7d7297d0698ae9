"""The kinds of bad inputs: what is drawn, which inputs are made of it, and what they go through.

Drawing a value takes much longer than reading it, so one value stands in every place where it could: a text is tried as
each setting, and a body as the answer to each request. Put another kind here.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from jwp_pipeline.settings import Settings
from jwp_pipeline_tests.campaign import targets
from jwp_pipeline_tests.campaign.strategies import (
    ACLS,
    CUSTOM,
    DOCUMENTS,
    HEADERS,
    METADATA_NAMES,
    PROPERTIES,
    PROPERTY_NAMES,
    RESOURCES,
    STATUSES,
    TEXTS,
    V1_NAMES,
    V2_NAMES,
    VALUES,
    bodies,
)
from jwp_pipeline_tests.campaign.targets import KEY, SECRET


@dataclass(frozen=True)
class Kind:
    """One kind of input."""

    strategy: Any
    inputs: Callable[[Any], Iterable[Any]]
    """Makes inputs of one drawn value."""
    target: Callable[[Any], str]
    share: int
    """How many hundredths of all inputs are of this kind."""


def _resources(drawn):
    resource, value, custom = drawn
    yield from (resource, value)
    yield {"key": KEY, "custom": custom}
    yield {"id": KEY, "metadata": {"custom_params": custom}}
    yield from ({"key": KEY, name: value, "custom": {}} for name in V1_NAMES)
    yield from ({"id": KEY, name: value, "metadata": {}} for name in V2_NAMES)
    yield from ({"id": KEY, "metadata": {name: value}} for name in METADATA_NAMES)


def _acls(text):
    yield from (text, f"WORLD,{text}", f"USER_{text}", f"{text},CAM", f" GROUP_{text} ,INST_{text}")


def _answers(drawn):
    status, headers, body = drawn
    return ((api, ask, status, headers, body) for api in ("v1", "v2") for ask in targets.ASKED)


def _delivered(drawn):
    document, value = drawn
    source = {"file": "https://cdn.example.com/a.mp4", "type": "video/mp4", "width": 1, "height": 1}
    yield from (document, {"playlist": value}, {"playlist": [value]}, {"playlist": [{"sources": value}]})
    yield {"playlist": [{"sources": [value]}]}
    yield from ({"playlist": [{"sources": [{**source, name: value}]}]} for name in source)


def _tokens(drawn):
    claims, header, body, authorization = drawn
    good = {"alg": "HS256", "typ": "JWT"}
    for secret in (SECRET, "another"):
        yield from ((claims, secret, each, None, None) for each in (good, header))
        yield claims, secret, good, body, None
    yield claims, SECRET, good, None, authorization


def _requests(drawn):
    path, headers, body = drawn
    return ((method, path, headers, body) for method in ("POST", "GET", "PUT"))


_EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "event": st.just("media_updated") | VALUES,
        "media_id": st.just(KEY) | VALUES,
        "channel_id": VALUES,
        "webhook_id": st.just("hooK0001") | VALUES,
        "site_id": st.just("DemoSite") | VALUES,
        "event_time": st.sampled_from([0, 1, 10**9]).map(
            lambda ago: (datetime.now(UTC) - timedelta(seconds=ago)).isoformat()
        )
        | VALUES,
    },
)
_TOKEN_HEADERS = st.fixed_dictionaries(
    {"alg": st.sampled_from(["HS256", "none", "HS512", "RS256", ""]) | VALUES},
    optional={"typ": VALUES, "crit": VALUES, "b64": VALUES, "kid": VALUES},
)
_REQUEST_HEADERS = st.dictionaries(
    st.sampled_from(["Authorization", "Content-Length", "Content-Type"]), TEXTS, max_size=3
)
_URL_PARTS = st.sampled_from(
    [
        "postgresql://",
        "postgres://",
        "user:pa%20ss",
        "@",
        "host",
        ":5432",
        "/db",
        "?",
        "host=/tmp",
        " x=y",
        "#",
        "[::1]",
        "%zz",
    ]
)
_MADE = ("player", "library", "delivery", "poster")

KINDS = {
    "resources": Kind(st.tuples(RESOURCES, VALUES, CUSTOM), _resources, targets.resource, 44),
    "custom properties": Kind(
        PROPERTIES, lambda value: ((name, value) for name in PROPERTY_NAMES), targets.custom_property, 15
    ),
    "ACLs": Kind(ACLS, _acls, targets.acl, 10),
    "answers": Kind(st.tuples(STATUSES, HEADERS, bodies()), _answers, targets.answer, 6),
    "delivery answers": Kind(st.tuples(DOCUMENTS, VALUES), _delivered, targets.delivered, 5),
    "webhook tokens": Kind(
        st.tuples(_EVENTS, _TOKEN_HEADERS, bodies(), TEXTS.map("Bearer {}".format) | TEXTS), _tokens, targets.webhook, 8
    ),
    "webhook requests": Kind(
        st.tuples(TEXTS.map("/{}".format), _REQUEST_HEADERS, bodies()), _requests, targets.received, 2
    ),
    "settings": Kind(
        TEXTS | VALUES, lambda value: ((name, value) for name in sorted(Settings.model_fields)), targets.setting, 5
    ),
    "database URLs": Kind(
        st.lists(_URL_PARTS | TEXTS, max_size=7).map("".join) | TEXTS,
        lambda text: (text, f"postgresql://{text}", f"postgresql://u:p@h/{text}"),
        targets.database_url,
        3,
    ),
    "computed URLs": Kind(TEXTS, lambda text: ((what, text) for what in _MADE), targets.url, 2),
}

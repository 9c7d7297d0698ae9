"""Values that JW Platform, people and strangers might send: near to good ones, and as far from them as JSON allows."""

import json

from hypothesis import strategies as st

TEXTS = st.one_of(
    st.text(max_size=30),
    st.text("acl:WORLDCAMINSTGRPUE_x,[]' \n\0", max_size=40),
    st.sampled_from(
        ["", " ", "\0", "\ud800", "nan", "-0", "9" * 400, "x" * 3000, "\N{BOM}", "a\r\nb: c", "%00", "../.."]
    ),
)
NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([0, -1, 2**31, 2**63, -(2**63) - 1, 10**400, 1e308, 5e-324, float("nan"), float("inf")]),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12
)

WORDS = ("media", "acl", "downloadable", "language", "copyright", "keywords", "last_updated_at", "collection", "instid")
WORDS += ("collection_media_ids", "created_by", "creator", "groupid", "")
ACES = st.one_of(
    st.sampled_from(
        ["WORLD", "CAM", "USER_abc", "GROUP_1", "INST_UIS", "world", "WORLD ", " CAM", "USER_", "GROUP_", ""]
    ),
    TEXTS,
)
ACLS = st.one_of(st.lists(ACES, max_size=6).map(",".join), TEXTS)
PROPERTIES = st.one_of(
    st.builds("{}:{}:".format, st.sampled_from(WORDS), ACLS | TEXTS | NUMBERS.map(str)),
    st.builds("{}:{}".format, st.sampled_from(WORDS), TEXTS),
    VALUES,
)
PROPERTY_NAMES = (
    *("sms_media_id", "sms_acl", "sms_downloadable", "sms_language", "sms_copyright", "sms_keywords"),
    *("sms_last_updated_at", "sms_collection_id", "sms_collection_media_ids", "sms_instid", "sms_created_by"),
    "sms_groupid",
)
CUSTOM = st.dictionaries(st.sampled_from(PROPERTY_NAMES), PROPERTIES, max_size=6) | VALUES

V1_NAMES = ("key", "title", "description", "mediatype", "duration", "date", "updated", "tags", "status", "custom")
V2_NAMES = ("id", "last_modified", "media_type", "duration", "status", "playlist_type", "metadata")
METADATA_NAMES = ("title", "description", "tags", "publish_start_date", "custom_params")
_V1 = dict.fromkeys(V1_NAMES[1:-1], VALUES) | {"custom": CUSTOM}
_METADATA = dict.fromkeys(METADATA_NAMES[:-1], VALUES) | {"custom_params": CUSTOM}
V1 = st.fixed_dictionaries({"key": st.just("aB3dE5gH") | VALUES}, optional=_V1)
_V2 = dict.fromkeys(V2_NAMES[1:-1], VALUES) | {"metadata": st.fixed_dictionaries({}, optional=_METADATA) | VALUES}
V2 = st.fixed_dictionaries({"id": st.just("aB3dE5gH") | VALUES}, optional=_V2)
RESOURCES = st.one_of(V1, V2, VALUES)


def as_json(value):
    """Return JSON as a server might write it, which Python's NaN and lone surrogates are part of."""
    return json.dumps(value, default=str)


_ENVELOPES = st.builds(
    lambda array, elements, total, more: {array: elements, "total": total, **more},
    st.sampled_from(["videos", "channels", "media", "playlists", "other"]),
    st.lists(RESOURCES, max_size=3) | VALUES,
    st.integers(-2, 5) | VALUES,
    st.dictionaries(
        st.sampled_from(
            ["status", "limit", "offset", "page", "page_length", "rate_limit", "code", "message", "errors", "video"]
        ),
        VALUES | V1,
        max_size=4,
    ),
)
DOCUMENTS = st.one_of(_ENVELOPES, RESOURCES, VALUES)


@st.composite
def bodies(draw):
    """Bytes of a body: JSON, JSON that was cut, bent or packed twice, or anything."""
    kind = draw(st.sampled_from(["json", "json", "json", "cut", "bytes", "bom", "deep", "html"]))
    text = as_json(draw(DOCUMENTS)).encode("utf-8", "surrogatepass")
    if kind == "cut":
        return text[: draw(st.integers(0, max(len(text) - 1, 0)))]
    if kind == "bytes":
        return draw(st.binary(max_size=60))
    if kind == "bom":
        return b"\xef\xbb\xbf" + text
    if kind == "deep":
        depth = draw(st.sampled_from([50, 900, 5000]))
        return b"[" * depth + b"]" * depth
    return b"<html>" + text if kind == "html" else text


HEADER_NAMES = st.sampled_from(
    ["Retry-After", "Date", "JW-Request-Remaining", "Content-Type", "Location", "Server", "Via", "Content-Length", "X"]
)
HEADERS = st.dictionaries(HEADER_NAMES, TEXTS | NUMBERS.map(str), max_size=4)
STATUSES = st.sampled_from(
    [200, 200, 200, 201, 204, 206, 301, 302, 400, 401, 403, 404, 405, 408, 409, 412, 418, 425, 429]
)
STATUSES |= st.sampled_from([500, 502, 503, 504, 522, 599, 100, 999])

"""What is sent for an item is what semantics §8 says, and every value reads back as it was sent."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwp_pipeline.access.acl import Permission
from jwp_pipeline.jwplatform.edits import still_to_do
from jwp_pipeline.jwplatform.v1_bodies import v1_create_parameters, v1_update_parameters
from jwp_pipeline.jwplatform.v2_bodies import v2_patch_body
from jwp_pipeline.media.mapping import map_video
from jwp_pipeline.outbox.bodies import SiteMark, video_edit
from jwp_pipeline.outbox.fields import FIELDS, Unsendable, listed_value, sendable

SITE = SiteMark("media.example.org", "Example Media")
ITEM = "aB3dE5gH1jK"
PRESENT = {
    "title": "A title",
    "description": "",
    "published_at": "2024-02-03T04:05:06.7+00:00",
    "downloadable": True,
    "language": "eng",
    "copyright": "© a:b",
    "tags": ["One", " two "],
    "view_permission": {
        "is_public": True,
        "is_signed_in": True,
        "crsids": ["abc", "", " ", "x,y", "x\ny", None],
        "lookup_groups": ["101"],
        "lookup_insts": ["UIS"],
    },
}
SENT = {
    "title": "A title",
    "description": " ",
    "date": "1706933106",
    "custom.sms_downloadable": "downloadable:True:",
    "custom.sms_language": "language:eng:",
    "custom.sms_copyright": "copyright:© a:b:",
    "custom.sms_keywords": "keywords:one|two:",
    "custom.sms_acl": "acl:WORLD,CAM,USER_abc,GROUP_101,INST_UIS:",
    "custom.site.media_example_org.name": "Example Media",
    "custom.site.media_example_org.media_id": ITEM,
}


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (None, "sitedomain:media.example.org"),
        ("", "sitedomain:media.example.org"),
        ("alpha, beta", "alpha,beta,sitedomain:media.example.org"),
        ("sitedomain:media.example.org,alpha", "sitedomain:media.example.org,alpha"),
    ],
)
def test_a_whole_item_is_sent_as_the_contract_says(tags, expected):
    edit = video_edit(sendable(PRESENT), ITEM, SITE)
    assert v1_update_parameters("aB3dE5gH", edit, tags) == SENT | {"video_key": "aB3dE5gH", "tags": expected}


def test_a_new_item_is_sent_in_the_same_form():
    edit = video_edit(sendable(PRESENT), ITEM, SITE)
    tags = {"tags": "sitedomain:media.example.org"}
    assert v1_create_parameters(edit) == SENT | tags
    source = "https://example.org/film.mp4"
    assert v1_create_parameters(edit, source) == SENT | tags | {"download_url": source}


def test_v2_keeps_what_the_video_has_besides():
    shown = {
        "id": "aB3dE5gH",
        "metadata": {"title": "Old", "tags": ["alpha"], "custom_params": {"other": "stays", "sms_acl": "acl::"}},
    }
    metadata = v2_patch_body(shown, video_edit(sendable(PRESENT), ITEM, SITE))["metadata"]
    custom = {name.removeprefix("custom."): value for name, value in SENT.items() if name.startswith("custom.")}
    assert metadata == {
        "title": "A title",
        "description": " ",
        "publish_start_date": "2024-02-03T04:05:06+00:00",
        "custom_params": {"other": "stays"} | custom,
        "tags": ["alpha", "sitedomain:media.example.org"],
    }


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
NAMES = st.lists(TEXTS, max_size=3).map(tuple)
VALUES = st.one_of(
    *(st.tuples(st.just(name), TEXTS) for name in ("title", "description", "language", "copyright")),
    st.tuples(st.just("downloadable"), st.booleans()),
    st.tuples(st.just("tags"), st.lists(TEXTS | TEXTS.map(lambda text: text * 40), max_size=3).map(tuple)),
    st.tuples(st.just("published_at"), st.datetimes(timezones=st.just(UTC), min_value=datetime(2, 1, 1))),  # noqa: DTZ001
    st.tuples(st.just("view_permission"), st.builds(Permission, st.booleans(), st.booleans(), NAMES, NAMES, NAMES)),
)


@given(VALUES)
def test_every_value_reads_back_as_it_was_sent_or_is_not_sent(field_and_value):
    """Semantics §8: round trip. What an ACL does not hold grants less, never more."""
    name, value = field_and_value
    field = FIELDS[name]
    try:
        sent = field.as_sent(value)
    except Unsendable:
        assert "\n" in str(value) or "|" in str(value) or name == "tags"
        return
    assert field.as_sent(sent) == sent
    assert field.decode(field.encode(sent)) == sent
    parameters = v1_update_parameters("key", video_edit({name: sent}, ITEM, SITE), None)
    custom = {n.removeprefix("custom."): each for n, each in parameters.items() if n.startswith("custom.")}
    video = {"key": "key", **parameters, "custom": custom}
    if "date" in video:
        video["date"] = int(video["date"])
    fields = map_video(video, key="key", default_acl=Permission(True), create_items="all")
    assert listed_value(name, fields) == sent
    if name == "view_permission":
        assert set(sent.crsids) <= set(value.crsids)
        assert (sent.is_public, sent.is_signed_in) == (value.is_public, value.is_signed_in)


MOMENT = datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)
OURS = {
    "title": "",
    "description": "",
    "published_at": MOMENT,
    "downloadable": False,
    "language": "",
    "copyright": "x",
    "tags": ("x",),
    "view_permission": Permission(False, False, ("x",)),
}
TEXTS_THERE = [None, "", " ", "  ", "\n", "\t", "x", "x ", "X", 0, False, [], {}]
PROPERTIES_THERE = [None, 0, "", "x", *(f"{value}:" for value in ("a:x", "acl:USER_x", "acl:USER_x,", "keywords:x"))]
PROPERTIES_THERE += [f"{word}:{value}:" for word in ("copyright", "language", "keywords") for value in ("", "x", "x\n")]
PROPERTIES_THERE += ["downloadable:False:", "downloadable:false:", "keywords:X:", "keywords:x|:", "acl:USER_x, :"]
TIMES = [
    f"2020-09-13{rest}" for rest in ("T12:26:40Z", "T12:26:40.0+00:00", "T12:26:40.25Z", "T12:26:40", "T24:00Z", "")
]
TIMES += ["2020-09-13 14:26:40+02:00", "2020-W37-7T12:26:40Z", "20200913T122640Z", "now", 1_600_000_000]
SECONDS = [1_600_000_000, 1_600_000_000.0, 1_600_000_000.5, "1600000000", True, None]


@given(
    st.sampled_from(list(OURS.items())),
    st.booleans(),
    st.tuples(st.sampled_from(TEXTS_THERE), st.sampled_from(TIMES), st.sampled_from(SECONDS)),
    st.sampled_from(PROPERTIES_THERE),
)
def test_what_is_not_sent_because_jwp_has_it_is_read_as_it_is_here(ours, is_v2, there, stored):
    """Else the edit would count as pushed, and the next sync would undo it."""
    (name, value), (text, time, seconds) = ours, there
    custom = {"sms_" + word: stored for word in ("copyright", "language", "keywords", "acl", "downloadable")}
    texts = {"title": text, "description": text, "publish_start_date": time, "date": seconds}
    shown = {"id": "k", "metadata": {**texts, "custom_params": custom}}
    shown = shown if is_v2 else {"key": "k", **texts, "custom": custom}
    edit = video_edit({name: value}, ITEM, SITE)
    todo = still_to_do(shown, edit)
    is_sent = any(getattr(todo, part) is not None for part in ("title", "description", "published_at"))
    if not is_sent and not any(part.startswith("sms_") for part in todo.custom):
        fields = map_video(shown, key="k", default_acl=Permission(True), create_items="all")
        assert listed_value(name, fields) == value

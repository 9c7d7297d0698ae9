"""Mapping reads each field as specified, and handles fields that cannot be read."""

import json
from datetime import UTC, datetime

import pytest

from jwp_pipeline.access.acl import NOBODY, Permission, parse_acl
from jwp_pipeline.media.mapping import KEEP, map_channel, map_video
from jwp_pipeline_tests.media.malformed import as_text
from jwp_pipeline_tests.support import RECORDED, needs_recorded

WORLD, _ = parse_acl("WORLD")
ABSENT = object()


def video(custom=ABSENT, *, create_items="all", **fields):
    data = {"key": "aB3dE5gH", **fields}
    if custom is not ABSENT:
        data["custom"] = custom
    return map_video(data, key="aB3dE5gH", default_acl=WORLD, create_items=create_items)


def v2_video(metadata, *, create_items="all", **fields):
    data = {"id": "aB3dE5gH", "metadata": metadata, **fields}
    return map_video(data, key="aB3dE5gH", default_acl=WORLD, create_items=create_items)


def channel(create_items="all", **custom):
    return map_channel({"key": "manuCCCC", "custom": custom}, key="manuCCCC", create_items=create_items)


def value(fields, name):
    """Return a field of the item or, if the item has no such field, of the VideoFields."""
    return fields.item[name] if name in fields.item else getattr(fields, name)


def problem_fields(fields):
    return [problem.field for problem in fields.problems]


@pytest.mark.parametrize(
    ("field", "raw", "attribute", "expected"),
    [
        ("duration", "1834.06", "duration", 1834.06),
        ("duration", -1, "duration", -1.0),
        ("duration", None, "duration", 0.0),
        ("date", 1500000000.25, "published_at", datetime(2017, 7, 14, 2, 40, 0, 250000, tzinfo=UTC)),
        ("date", -86400, "published_at", datetime(1969, 12, 31, tzinfo=UTC)),
        ("date", None, "published_at", KEEP),
        ("description", " ", "description", ""),
        ("description", "  ", "description", "  "),
        ("title", " ", "title", " "),
        ("mediatype", None, "type", "unknown"),
        ("updated", "1530000000", "updated", 1530000000),
        ("updated", None, "updated", 0),
        ("title", None, "title", ""),
        ("title", "  a\n ", "title", "  a\n "),
        ("title", "a\x00b\ud800", "title", "a\ufffdb\ufffd"),
    ],
)
def test_a_readable_field_has_the_expected_value(field, raw, attribute, expected):
    fields = video(**{field: raw})
    assert value(fields, attribute) == expected
    assert fields.problems == ()


@pytest.mark.parametrize(
    ("field", "attribute", "raws"),
    [
        ("duration", "duration", ["long", "", "nan", "-inf", "1e999", True, [], {}, 10**400]),
        ("date", "published_at", ["2018-01-01", "1500000000", True, 1e20, 10**400, -(10**12), []]),
        ("mediatype", "type", ["Video", "", 1, []]),
        ("updated", "updated", ["soon", "", "-1", " 1", "1.5", 1.5, True, 2**63, "9" * 5000, {}, "²"]),
    ],
)
def test_a_field_that_cannot_be_read_keeps_its_value(field, attribute, raws):
    for raw in raws:
        fields = video(**{field: raw})
        assert value(fields, attribute) is KEEP, raw
        assert problem_fields(fields) == [field]
        assert fields.permission == WORLD


@pytest.mark.parametrize(
    ("raw", "text"), [(12.5, "12.5"), (True, "True"), (["ä", 1], '["ä",1]'), ({"a": None}, '{"a":null}')]
)
def test_a_title_that_is_not_a_text_is_shown_as_text(raw, text):
    fields = video(title=raw)
    assert fields.item["title"] == text
    assert [(problem.field, problem.value) for problem in fields.problems] == [("title", text)]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("media:12:", 12), ("media: 1_2 :", 12), ("media:-5:", -5), ("media:٣:", 3), ("media:7:\n", 7)],
)
def test_an_sms_media_id_is_read(raw, expected):
    fields = video({"sms_media_id": raw}, create_items="sms")
    assert (fields.sms_media_id, fields.wants_item, fields.problems) == (expected, True, ())


@pytest.mark.parametrize(
    "raw",
    [
        "media:x:",
        "media::",
        "clip:12:",
        "media:12",
        "12",
        "media:12:\n\n",
        "media:1\n2:",
        "media:1.0:",
        12,
        False,
        {},
        f"media:{2**63}:",
        "media:" + "9" * 5000 + ":",
    ],
)
def test_a_malformed_sms_media_id_makes_no_item_and_changes_no_row(raw):
    fields = video({"sms_media_id": raw}, create_items="sms")
    assert (fields.sms_media_id, fields.wants_item) == (KEEP, False)
    assert problem_fields(fields) == ["sms_media_id"]
    assert len(fields.problems[0].value) <= 500


@pytest.mark.parametrize("custom", [{}, {"sms_media_id": None}, ABSENT])
def test_a_video_without_sms_media_id_gets_an_item_only_in_all_mode(custom):
    assert not video(custom, create_items="sms").wants_item
    assert video(custom, create_items="all").wants_item
    assert video(custom).sms_media_id is None
    assert video(custom).problems == ()


@pytest.mark.parametrize(
    ("name", "raw", "attribute", "expected"),
    [
        ("sms_downloadable", "downloadable:True:", "downloadable", True),
        ("sms_downloadable", "downloadable:true:", "downloadable", False),
        ("sms_language", "language:english:", "language", "eng"),
        ("sms_copyright", "copyright:a:b::", "copyright", "a:b:"),
        ("sms_copyright", "copyright::", "copyright", ""),
        ("sms_keywords", "keywords: A |b,c||A|\u00a0:", "tags", ("a", "b,c", "a")),
        ("sms_keywords", "keywords:" + "\u0130" * 200 + " :", "tags", (("\u0130" * 200).lower()[:256],)),
        ("sms_last_updated_at", "last_updated_at::", "sms_last_updated_at", None),
    ],
)
def test_a_readable_property_has_the_expected_value(name, raw, attribute, expected):
    fields = video({name: raw})
    assert value(fields, attribute) == expected
    assert fields.problems == ()


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("sms_downloadable", "downloadable"),
        ("sms_language", "language"),
        ("sms_copyright", "copyright"),
        ("sms_keywords", "tags"),
        ("sms_last_updated_at", "sms_last_updated_at"),
    ],
)
def test_a_property_that_cannot_be_read_keeps_its_value(name, attribute):
    word = name.removeprefix("sms_")
    for raw in ["nope", "", f"{word}:", "other:x:", f"{word}:a\nb:", f" {word}:x:", None, 1, [f"{word}:x:"]]:
        fields = video({name: raw})
        assert value(fields, attribute) is KEEP, raw
        assert problem_fields(fields) == [name]


@pytest.mark.parametrize("raw", ["garbage", "acl:WORLD", "ACL:WORLD:", "acl:WORLD\n,CAM:", None, ["acl:WORLD:"], True])
def test_an_unreadable_acl_grants_nothing(raw):
    fields = video({"sms_acl": raw})
    assert fields.permission == NOBODY
    assert problem_fields(fields) == ["sms_acl"]


def test_an_unknown_acl_entry_grants_nothing_but_the_others_count():
    fields = video({"sms_acl": "acl:world,MARTIAN,USER_a:"})
    assert fields.permission == Permission(crsids=("a",))
    assert [(problem.field, problem.value) for problem in fields.problems] == [("sms_acl", "acl:world,MARTIAN,USER_a:")]


def test_without_an_acl_the_default_applies():
    assert video({}).permission == video().permission == v2_video({"custom_params": None}).permission == WORLD


@pytest.mark.parametrize(
    "fields",
    [
        video(None),
        video("acl:WORLD:"),
        video([]),
        v2_video({"custom_params": "x"}),
        v2_video({"custom_params": []}),
        v2_video(None),
        v2_video([]),
        map_video([], key="k", default_acl=WORLD, create_items="all"),
    ],
)
def test_unreadable_custom_properties_keep_everything_and_grant_nothing(fields):
    assert fields.permission == NOBODY
    assert {
        fields.sms_media_id,
        fields.item["downloadable"],
        fields.item["language"],
        fields.item["copyright"],
        fields.item["tags"],
    } == {KEEP}
    assert fields.sms_last_updated_at is KEEP
    assert len(fields.problems) == 1


BOTH_SHAPES = [
    {"id": "x", "key": "x", "media_type": "video"},
    {"id": "x", "key": "x", "metadata": {"title": "Both"}, "custom": {"sms_acl": "acl:USER_a:"}},
    {"key": "x", "metadata": {}, "updated": 1, "custom": {"sms_media_id": "media:1:", "sms_acl": "acl:USER_a:"}},
    {"id": "x", "custom": {"sms_acl": "acl:USER_a:"}},
    {"key": "x", "media_type": "video", "last_modified": "2020-01-01T00:00:00+00:00"},
]


@pytest.mark.parametrize("data", BOTH_SHAPES)
def test_an_object_of_both_shapes_cannot_be_read(data):
    """P5: it is not clear which half holds the permissions, so neither is used."""
    fields = map_video(data, key="x", default_acl=WORLD, create_items="all")
    assert (fields.permission, fields.item["published_at"]) == (NOBODY, KEEP)
    assert {
        fields.item["title"],
        fields.item["type"],
        fields.item["duration"],
        fields.updated,
        fields.item["tags"],
        fields.sms_media_id,
    } == {KEEP}
    assert [(problem.field, problem.value[:4]) for problem in fields.problems] == [("data", as_text(data)[:4])]
    assert "both v1 and v2" in fields.problems[0].problem
    channel = map_channel(data, key="x", create_items="all")
    assert (channel.permission, channel.lists_members) == (NOBODY, KEEP)
    assert {channel.title, channel.updated, channel.media_ids, channel.instid} == {KEEP}


@needs_recorded
def test_objects_of_one_shape_are_read_by_it():
    recorded = {path.stem: json.loads(path.read_text()) for path in RECORDED.glob("v[12]-*.json")}
    videos = [*recorded["v1-videos-list"]["videos"], recorded["v1-videos-show"]["video"]]
    channels = [*recorded["v1-channels-list"]["channels"], recorded["v1-channels-show"]["channel"]]
    assert len(videos) > 2
    for data in (*videos, *recorded["v2-media-list"]["media"], {"key": "x"}, {"id": "x", "metadata": {}}):
        fields = map_video(data, key="x", default_acl=WORLD, create_items="all")
        assert (fields.permission, fields.problems) == (WORLD, ())
    for data in channels:
        assert map_channel(data, key="x", create_items="all").lists_members is False
    assert map_channel({"id": "x", "metadata": {}}, key="x", create_items="all").lists_members is True


@pytest.mark.parametrize(
    ("acl", "state"),
    [
        *((raw, "unreadable") for raw in (None, "WORLD", 7, "acl:WORLD", ["acl:WORLD:"])),
        *((raw, "read") for raw in ("acl::", "acl:['']:", "acl:MARTIAN:", "acl:MARTIAN,CAM:", "acl:USER_:")),
    ],
)
def test_the_acl_state_says_whether_the_acl_can_be_read(acl, state):
    fields = video({"sms_acl": acl})
    assert (fields.acl_state, fields.has_properties) == (state, True)


def test_an_absent_acl_is_distinguished_from_unreadable_properties():
    assert [fields.acl_state for fields in (video([]), v2_video(None))] == ["unreadable"] * 2
    absent = video(), v2_video({"custom_params": None}), video({"sms_language": "language:eng:"})
    assert [(fields.acl_state, fields.has_properties) for fields in absent] == [
        *(("absent", False), ("absent", False), ("absent", True))
    ]


def test_an_entry_without_a_name_is_kept_and_noted():
    """Semantics §4.1: such an entry grants nothing, because nobody has an empty name."""
    fields = video({"sms_acl": "acl:USER_,GROUP_,INST_,USER_a:"})
    assert fields.permission == Permission(crsids=("", "a"), lookup_groups=("",), lookup_insts=("",))
    [problem] = fields.problems
    assert problem.field == "sms_acl"
    assert problem.problem.count("names nobody") == 3


def test_unreadable_metadata_keeps_the_texts_but_not_the_fields_beside_it():
    fields = v2_video(None, media_type="audio", last_modified="1970-01-01T00:01:00+00:00")
    assert (fields.item["title"], fields.item["description"], fields.item["published_at"]) == (KEEP, KEEP, KEEP)
    assert (fields.item["type"], fields.updated) == ("audio", 60)


def test_v2_date_times_are_read():
    fields = v2_video({"publish_start_date": "2024-05-28T12:40:11+01:00"}, last_modified="1969-12-31T23:59:58.5+00:00")
    assert fields.item["published_at"] == datetime(2024, 5, 28, 11, 40, 11, tzinfo=UTC)
    assert fields.updated == -2
    fields = v2_video({"publish_start_date": 1500000000}, last_modified="yesterday")
    assert (fields.item["published_at"], fields.updated) == (KEEP, KEEP)
    assert problem_fields(fields) == ["updated", "date"]


def test_jwp_tags_replace_missing_keywords_in_all_mode_only():
    assert (
        video(tags="Lecture , b,,").item["tags"]
        == v2_video({"tags": ["Lecture ", "b", ""]}).item["tags"]
        == ("lecture", "b")
    )
    assert v2_video({"tags": ["SiteDomain:x.org", "b"]}).item["tags"] == ("b",)
    assert v2_video({"tags": ["a,b"]}).item["tags"] == ("a,b",)
    assert video(tags=None).item["tags"] == ()
    assert video(tags="a", create_items="sms").item["tags"] == ()
    assert video({"sms_keywords": "keywords::"}, tags="a").item["tags"] == ()
    assert video(tags=[1]).item["tags"] is KEEP


def test_a_channel_may_be_edited_by_its_creator_and_group():
    assert channel(sms_created_by="creator:a,b:", sms_groupid="groupid:7:").permission == Permission(
        crsids=("a,b",), lookup_groups=("7",)
    )
    assert channel(sms_created_by="created_by::", sms_groupid="groupid::").permission == NOBODY
    half_read = channel(sms_created_by="owner:a:", sms_groupid="groupid:7:")
    assert half_read.permission == Permission(lookup_groups=("7",))
    assert problem_fields(half_read) == ["sms_created_by"]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("1,2,2,3", (1, 2, 2, 3)), (" 402 , ,403,,", (402, 403)), ("", ()), ("1,x", KEEP), (f"1,{2**63}", KEEP)],
)
def test_the_sms_ids_that_a_channel_lists_are_read(raw, expected):
    fields = channel(sms_collection_media_ids=f"collection_media_ids:{raw}:")
    assert fields.media_ids == expected
    assert problem_fields(fields) == (["sms_collection_media_ids"] if expected is KEEP else [])


def test_a_channel_wants_a_playlist_for_its_collection_or_in_all_mode():
    wanted = {"sms_collection_id": "collection:7:"}
    assert (channel("sms").wants_playlist, channel("sms", **wanted).wants_playlist) == (False, True)
    assert channel("all").wants_playlist
    malformed = channel("sms", sms_collection_id="collection:x:")
    assert (malformed.sms_collection_id, malformed.wants_playlist) == (KEEP, KEEP)


def test_an_unreadable_channel_keeps_everything_and_grants_nothing():
    fields = map_channel({"id": "a", "metadata": None}, key="a", create_items="sms")
    kept = {fields.title, fields.instid, fields.sms_collection_id, fields.media_ids, fields.sms_last_updated_at}
    assert kept == {KEEP}
    assert fields.permission == NOBODY

"""What is sent to JW Platform for an edit, a new video or an upload, as semantics §8 says it."""

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwp_pipeline.errors import MalformedAnswer
from jwp_pipeline.jwplatform.edits import exact_matches, is_empty, still_to_do
from jwp_pipeline.jwplatform.v1_bodies import (
    v1_create_parameters,
    v1_update_parameters,
    v1_upload_link,
    v1_upload_url,
)
from jwp_pipeline.jwplatform.v2_bodies import v2_create_body, v2_patch_body, v2_property_query
from jwp_pipeline.jwplatform.writing import VideoEdit
from jwp_pipeline.simulator import lucene
from jwp_pipeline.simulator.records import video_record

AWARE = datetime(2020, 9, 13, 14, 26, 40, 999_999, tzinfo=timezone(timedelta(hours=2)))
EVERYTHING = VideoEdit(
    title="Title",
    description="",
    published_at=AWARE,
    custom={"sms_acl": "acl:WORLD:", "site.example_org.name": "name:Example:"},
    add_tags=("sitedomain:example.org",),
)


def shown_by_v2(**metadata):
    return {"id": "AbCd1234", "metadata": metadata}


@pytest.mark.parametrize(
    ("edit", "tags", "sent"),
    [
        (
            EVERYTHING,
            "a, b",
            {
                "title": "Title",
                "description": " ",
                "date": "1600000000",
                "custom.sms_acl": "acl:WORLD:",
                "custom.site.example_org.name": "name:Example:",
                "tags": "a,b,sitedomain:example.org",
            },
        ),
        (VideoEdit(), "a", {}),
        (VideoEdit(title=""), None, {"title": ""}),
        (VideoEdit(description=" \n"), None, {"description": " "}),
        (VideoEdit(description=" x "), None, {"description": " x "}),
        (VideoEdit(add_tags=("b", "c")), None, {"tags": "b,c"}),
        (VideoEdit(add_tags=("b",)), "", {"tags": "b"}),
        (VideoEdit(add_tags=("b", "b")), ",b,, a ,b", {"tags": "b,a"}),
        (VideoEdit(add_tags=("c",)), ["a", "b"], {"tags": "a,b,c"}),
    ],
)
def test_v1_is_sent_what_the_edit_names_and_nothing_else(edit, tags, sent):
    assert v1_update_parameters("AbCd1234", edit, tags) == {"video_key": "AbCd1234", **sent}


def test_v2_is_sent_all_properties_and_tags_because_it_replaces_them():
    shown = shown_by_v2(title="Old", tags=["b", "a", "b"], custom_params={"mine": "x", "sms_acl": "acl::"})
    assert v2_patch_body(shown, EVERYTHING) == {
        "metadata": {
            "title": "Title",
            "description": " ",
            "publish_start_date": "2020-09-13T12:26:40+00:00",
            "custom_params": {"mine": "x", "sms_acl": "acl:WORLD:", "site.example_org.name": "name:Example:"},
            "tags": ["b", "a", "sitedomain:example.org"],
        }
    }
    assert v2_patch_body(shown, VideoEdit(title="New")) == {"metadata": {"title": "New"}}


def test_a_property_that_v2_shows_nested_stays_nested():
    shown = shown_by_v2(custom_params={"site": {"x_y": {"media_id": "1"}, "z": "2"}, "a.b": "3"})
    edit = VideoEdit(custom={"site.x_y.name": "n", "a.b": "4", "new.one": "5"})
    assert v2_patch_body(shown, edit)["metadata"]["custom_params"] == {
        "site": {"x_y": {"media_id": "1", "name": "n"}, "z": "2"},
        "a.b": "4",
        "new.one": "5",
    }


@pytest.mark.parametrize(
    ("metadata", "edit"),
    [
        ({"custom_params": ["x"]}, VideoEdit(custom={"a": "b"})),
        ({"custom_params": "x"}, VideoEdit(custom={"a": "b"})),
        ({"tags": "a, b"}, VideoEdit(add_tags=("c",))),
        ({"tags": ["a", None]}, VideoEdit(add_tags=("c",))),
    ],
)
def test_what_cannot_be_read_is_not_replaced(metadata, edit):
    with pytest.raises(MalformedAnswer, match="without loss"):
        v2_patch_body(shown_by_v2(**metadata), edit)


def test_a_new_video_is_uploaded_or_fetched():
    assert v1_create_parameters(VideoEdit(title="T", add_tags=("a", "b"))) == {"title": "T", "tags": "a,b"}
    assert v1_create_parameters(VideoEdit(), "https://host/a b") == {"download_url": "https://host/a b"}
    direct = v2_create_body(VideoEdit(title="T"), mime_type="video/mp4")
    assert direct == {"upload": {"method": "direct", "mime_type": "video/mp4"}, "metadata": {"title": "T"}}
    fetched = v2_create_body(VideoEdit(), source_url="https://host/x", mime_type="video/mp4")
    assert fetched == {"upload": {"method": "fetch", "download_url": "https://host/x"}, "metadata": {}}


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        VideoEdit(published_at=datetime(2020, 1, 1))  # noqa: DTZ001


def link(protocol="http", address="upload.example.com", path="/v1/videos/upload", **query):
    return {"protocol": protocol, "address": address, "path": path, "query": query}


@pytest.mark.parametrize(
    ("given_link", "force", "method", "url"),
    [
        (
            link(key="K", token="t+/= &?"),
            True,
            "POST",
            "https://upload.example.com/v1/videos/upload?api_format=json&key=K&token=t%2B%2F%3D%20%26%3F",
        ),
        (
            link(key="K", token="t"),
            False,
            "POST",
            "http://upload.example.com/v1/videos/upload?api_format=json&key=K&token=t",
        ),
        (
            link("HTTP", key="K", token="t", session_id="s é"),
            True,
            "POST",
            "https://upload.example.com/v1/videos/upload?api_format=json&key=K&token=t&session_id=s%20%C3%A9",
        ),
        (
            link("ftp", "h:8080", "/a b%2Fc", AWSAccessKeyId="A", Expires=1, Signature="+s="),
            True,
            "PUT",
            "ftp://h:8080/a%20b%2Fc?api_format=json&AWSAccessKeyId=A&Expires=1&Signature=%2Bs%3D",
        ),
        (
            link("https", **{"X-Amz-Expires": "1", "X-Amz-Signature": "s"}),
            True,
            "PUT",
            "https://upload.example.com/v1/videos/upload?X-Amz-Expires=1&X-Amz-Signature=s",
        ),
    ],
    ids=["single", "as it is", "multipart", "s3", "s3, version 4"],
)
def test_every_kind_of_upload_link_becomes_a_url(given_link, force, method, url):
    made = v1_upload_link(given_link, force_https=force)
    assert (made.url, made.method, made.content_type) == (url, method, None)
    assert url not in repr(made)


@given(query=st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.text("aé+/ &=?#%")))
def test_no_entry_of_a_link_is_lost(query):
    url = v1_upload_url(link(**{"key": "K", **query}), force_https=True)
    assert {"key": "K", **query}.items() <= dict(parse_qsl(urlsplit(url).query, keep_blank_values=True)).items()


@pytest.mark.parametrize("broken", [None, [], {}, link(address=""), {**link(), "query": None}, {**link(), "path": 1}])
def test_a_link_without_its_parts_is_refused(broken):
    with pytest.raises(MalformedAnswer, match="upload link"):
        v1_upload_link(broken, force_https=True)


V1 = {"key": "K", "title": "T", "description": None, "date": 1_600_000_000, "tags": "a,b", "custom": {"x": "1"}}
V2 = shown_by_v2(
    title="T",
    description="",
    publish_start_date="2020-09-13T12:26:40+00:00",
    tags=["a", "b"],
    custom_params={"x": "1", "site": {"y": "2"}},
)


@pytest.mark.parametrize("shown", [V1, V2], ids=["v1", "v2"])
def test_what_the_video_has_already_is_not_sent(shown):
    same = VideoEdit(title="T", description=" ", published_at=AWARE, custom={"x": "1"}, add_tags=("b", "a"))
    assert is_empty(still_to_do(shown, same))
    later = AWARE + timedelta(seconds=1)
    other = VideoEdit(title="t", description="D", published_at=later, custom={"x": "2", "z": ""}, add_tags=("A",))
    assert still_to_do(shown, other) == other
    half = VideoEdit(title="T", description="D", custom={"x": "1", "y": "1"}, add_tags=("a", "c"))
    assert still_to_do(shown, half) == VideoEdit(description="D", custom={"y": "1"}, add_tags=("c",))


def test_nested_and_flat_properties_are_found_exactly():
    videos = [
        {"key": "flat", "custom": {"site.x.id": "media:1:"}},
        {"key": "nested", "custom": {"site": {"x": {"id": "media:1:"}}}},
        {"key": "contains", "custom": {"site.x.id": "media:1:2:"}},
        {"key": "other name", "custom": {"id": "media:1:"}},
        {"key": "none", "custom": None},
        "not a video",
    ]
    found = exact_matches([*videos, videos[0]], "site.x.id", "media:1:")
    assert [video["key"] for video in found] == ["flat", "nested"]


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('"\\:()[]*?+-!^~ '), min_size=1)


@given(name=TEXT, value=TEXT, other=TEXT)
def test_no_character_of_a_value_has_a_meaning_in_the_query(name, value, other):
    finds = lucene.parse(v2_property_query(name, value), "video")
    assert finds(video_record({"key": "k", "custom": {name: value}}))
    assert finds(video_record({"key": "k", "custom": {name: other}})) == (other == value)


def test_publication_is_sent_in_utc():
    body = v2_patch_body(shown_by_v2(), VideoEdit(published_at=datetime(1969, 12, 31, 23, 59, 59, 5, tzinfo=UTC)))
    assert body["metadata"]["publish_start_date"] == "1969-12-31T23:59:59+00:00"
    assert (
        v1_update_parameters("k", VideoEdit(published_at=datetime(1969, 12, 31, 23, 59, 59, 5, tzinfo=UTC)), None)[
            "date"
        ]
        == "-1"
    )

import pytest

from jwp_pipeline.simulator.translation import manual_playlist, media, playlist
from jwp_pipeline_tests.support import channel, video


@pytest.mark.parametrize(
    ("field", "value", "path", "expected"),
    [
        ("updated", 1_530_000_000, "last_modified", "2018-06-26T08:00:00+00:00"),
        ("updated", "1530000000", "last_modified", "2018-06-26T08:00:00+00:00"),
        ("updated", "soon", "last_modified", "soon"),
        ("updated", None, "last_modified", None),
        ("date", 0, "metadata.publish_start_date", "1970-01-01T00:00:00+00:00"),
        ("date", -86_400, "metadata.publish_start_date", "1969-12-31T00:00:00+00:00"),
        ("date", 1_500_000_000.25, "metadata.publish_start_date", "2017-07-14T02:40:00.250000+00:00"),
        ("date", 1e30, "metadata.publish_start_date", 1e30),
        ("date", 10**400, "metadata.publish_start_date", 10**400),
        ("date", True, "metadata.publish_start_date", True),
        ("expires_date", 1_893_456_000, "metadata.publish_end_date", "2030-01-01T00:00:00+00:00"),
        ("duration", "3723.04", "duration", 3723.04),
        ("duration", "-1", "duration", -1),
        ("duration", "NaN", "duration", "NaN"),
        ("duration", "1e999", "duration", "1e999"),
        ("duration", "9" * 5000, "duration", "9" * 5000),
        ("updated", "9" * 5000, "last_modified", "9" * 5000),
        ("tags", "a,b , , c", "metadata.tags", ["a", "b", "c"]),
        ("tags", None, "metadata.tags", []),
        ("tags", 7, "metadata.tags", 7),
        ("error", {"message": "no"}, "error_message", "no"),
        ("custom", {"x": "y"}, "metadata.custom_params", {"x": "y"}),
        # v1's null is malformed, and so is an empty list in v2, where a null would mean "none".
        ("custom", None, "metadata.custom_params", []),
        ("custom", "x", "metadata.custom_params", "x"),
        ("link", "https://example.org", "metadata.permalink", "https://example.org"),
        ("foo", {"bar": 1}, "foo", {"bar": 1}),
    ],
)
def test_a_field_keeps_its_meaning_or_stays_malformed(field, value, path, expected):
    result = media(video("k") | {field: value})
    for name in path.split("."):
        result = result[name]
    assert result == expected
    assert type(result) is type(expected)


def test_fields_missing_in_v1_are_missing_in_v2():
    element = media({"key": "k"})
    assert {"last_modified", "duration", "media_type", "status"} & element.keys() == set()
    assert {"title", "tags", "custom_params", "publish_start_date"} & element["metadata"].keys() == set()


def test_a_channel_becomes_a_playlist_with_its_stamps_and_members():
    element = playlist(channel("c", custom={"a": "b"}), created=1_500_000_000, modified=1_530_000_000)
    assert (element["playlist_type"], element["last_modified"]) == ("manual", "2018-06-26T08:00:00+00:00")
    assert "default" not in element
    manual = manual_playlist(element, ("v2", "v1", "v2"))
    assert manual["metadata"]["media_filter"]["include"]["values"] == ["v2", "v1", "v2"]
    assert manual["metadata"]["custom_params"] == {"a": "b"}
    assert playlist(channel("f", type="feed", default=True), 0, 0)["default"] is True

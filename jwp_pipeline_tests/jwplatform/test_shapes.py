"""How the objects of both APIs are told apart, whatever stands in them."""

from datetime import UTC, datetime

import pytest

from jwp_pipeline.jwplatform.shapes import change_stamp, is_listed_type, raw_key

MOMENT = datetime(2024, 5, 28, 12, 14, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("resource_type", "data", "listed"),
    [
        ("video", {"key": "a", "type": "anything"}, True),
        ("video", {"id": "a", "type": "media"}, True),
        ("channel", {"key": "a", "type": "manual"}, True),
        ("channel", {"key": "a", "type": "dynamic"}, False),
        ("channel", {"key": "a"}, True),
        ("channel", {"id": "a", "type": "playlist", "playlist_type": "manual"}, True),
        ("channel", {"id": "a", "type": "playlist", "playlist_type": "dynamic"}, False),
        ("channel", {"id": "a", "type": "playlist"}, True),
    ],
)
def test_only_a_channel_that_says_so_is_no_longer_of_the_listed_type(resource_type, data, listed):
    assert is_listed_type(resource_type, data) is listed


@pytest.mark.parametrize(
    ("element", "stamp"),
    [
        ({"updated": int(MOMENT.timestamp())}, MOMENT),
        ({"updated": str(int(MOMENT.timestamp()))}, MOMENT),
        ({"last_modified": "2024-05-28T14:14:23.000000+02:00"}, MOMENT),
        ({"last_modified": "2024-05-28T12:14:23"}, MOMENT),
        ({"updated": None}, None),
        ({"updated": "yesterday"}, None),
        ({"last_modified": 7}, None),
        ({"updated": 1e400}, None),
        ({"updated": 10**400}, None),
        ({"last_modified": "0001-01-01T00:00:00+23:59"}, None),
        ({}, None),
        ("no object", None),
    ],
)
def test_a_change_stamp_is_read_in_either_shape_or_is_none(element, stamp):
    assert change_stamp(element) == stamp


def test_v1s_key_takes_precedence_over_v2s():
    assert [raw_key(element) for element in ({"key": "a", "id": 1}, {"id": "b"}, {}, None)] == ["a", "b", None, None]

"""Everything that is put into the library is sent to clients, in its place."""

import json

import pytest

from jwp_pipeline.simulator import Library, RawJson, Simulator
from jwp_pipeline_tests.simulator.wire import v1, v1_keys, v2, v2_ids
from jwp_pipeline_tests.support import channel, video


@pytest.fixture
def sim():
    videos = [video(key, date=1_500_000_000 - place) for place, key in enumerate("abc")]
    with Simulator(Library(videos, [channel("manu")])) as simulator:
        yield simulator


def test_changes_are_visible_at_once(sim):
    library = sim.library
    library.put("video", video("d"))
    library.put("video", video("a", title="New"))
    library.remove("video", "b")
    assert v1_keys(sim) == ["a", "c", "d"]
    assert v2(sim, "/media/a/").json()["metadata"]["title"] == "New"
    assert v2(sim, "/media/b/").status_code == 404
    library.restore("video", "b")
    assert v1_keys(sim) == ["a", "c", "d", "b"]
    library.replace_all([video("x"), video("c"), video("x", title="again")], [])
    assert v1_keys(sim) == ["x", "c", "x"]
    assert v1(sim, "/videos/show", video_key="x").json()["video"]["title"] == "again"
    assert library.removed_keys("video") == ["a", "d", "b"]
    assert v2(sim, "/playlists/").json()["total"] == 0


@pytest.mark.parametrize(
    "text",
    ["17", '"just text"', "null", "[]", '{"title":"no key"}', '{"key":"b","title":"\\u0000 \\ud800"}', '{"key":NaN}'],
)
def test_any_value_is_served_in_the_place_of_an_object(sim, text):
    sim.library.override("video", "b", RawJson(text))
    for body, array in ((v1(sim, "/videos/list").text, "videos"), (v2(sim, "/media/").text, "media")):
        page = json.loads(body)
        assert page["total"] == len(page[array]) == 3
        assert json.dumps(page[array][1], separators=(",", ":")) == text


def test_a_value_may_be_served_by_one_api_only(sim):
    sim.library.override("video", "a", {"strange": "x" * 5_000_000}, api="v2")
    sim.library.append("video", 42, api="v1")
    assert v1(sim, "/videos/list").json()["total"] == 4
    assert v1(sim, "/videos/list").json()["videos"][3] == 42
    assert v2(sim, "/media/").json()["total"] == 3
    assert len(v2(sim, "/media/").content) > 5_000_000
    sim.library.append("channel", "no channel")
    assert v1(sim, "/channels/list", types_filter="manual").json()["channels"][1] == "no channel"


def test_python_values_that_are_not_json_are_sent_too(sim):
    sim.library.put("video", video("b", title="\ud800\u0000", duration=float("nan")))
    served = v1(sim, "/videos/list").json()["videos"][1]
    assert served["title"] == "\ud800\u0000"
    assert served["duration"] != served["duration"]


def test_members_show_in_both_apis_and_move_the_stamp(sim):
    sim.library.put("channel", channel("manu"), modified=1_600_000_000)
    sim.library.set_members("manu", ["c", "a", "c", "gone"], modified=1_700_000_000)
    listed = v1(sim, "/channels/videos/list", channel_key="manu").json()
    assert [each["key"] for each in listed["videos"]] == ["c", "a", "c"]
    manual = v2(sim, "/playlists/manu/manual_playlist/").json()
    assert manual["metadata"]["media_filter"]["include"]["values"] == ["c", "a", "c", "gone"]
    assert manual["last_modified"] == "2023-11-14T22:13:20+00:00"
    assert v2_ids(sim, "playlists") == ["manu"]

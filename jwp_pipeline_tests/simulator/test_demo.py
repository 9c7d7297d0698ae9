import json
import re
from statistics import mean

import pytest

from jwp_pipeline.commands import demo
from jwp_pipeline.errors import SettingsError
from jwp_pipeline.settings import load_settings
from jwp_pipeline.simulator import Demo, bulk_library, demo_library, evolve


def content(library):
    return [
        record.json(api) for kind in ("video", "channel") for record in library.records(kind) for api in ("v1", "v2")
    ]


def test_the_same_seed_and_generation_give_the_same_library():
    stepped = demo_library(videos=150, channels=5, seed=1)
    for generation in range(1, 10):
        evolve(stepped, generation, seed=1)
    assert content(stepped) == content(Demo(150, 5, seed=1, generation=9).library)
    assert content(demo_library(150, 5, seed=1)) != content(demo_library(150, 5, seed=2))


def test_the_demo_library_is_plausible_and_well_formed():
    library = demo_library(videos=600, channels=12)
    videos = [record.source for record in library.records("video")]
    assert 1200 < mean(len(record.json("v1")) for record in library.records("video")) < 1500
    words = {"sms_media_id": "media", "sms_clip_id": "clip", "sms_collection_id": "collection"}
    properties = [item for each in videos for item in each["custom"].items()]
    assert all(re.fullmatch(f"{words.get(name, name.removeprefix('sms_'))}:.*:", value) for name, value in properties)
    acls = {entry.split("_")[0] for video in videos for entry in video["custom"].get("sms_acl", "-")[4:-1].split(",")}
    assert acls == {"WORLD", "CAM", "INST", "GROUP", "USER", ""}
    assert {video["mediatype"] for video in videos} == {"video", "audio"}
    ids = [video["custom"]["sms_media_id"] for video in videos if video["custom"]]
    assert len(set(ids)) == len(ids)
    assert max(video["date"] for video in videos) - min(video["date"] for video in videos) > 5 * 365 * 86_400

    channels = [record for record in library.records("channel") if record.source["type"] == "manual"]
    assert len(channels) == 12
    listed = [
        number
        for record in channels
        for number in record.source["custom"]["sms_collection_media_ids"].split(":")[1].split(",")
    ]
    assert len(set(listed)) == len(listed)
    assert {f"media:{number}:" for number in listed} <= set(ids)
    assert {record.source["custom"]["sms_created_by"].split(":")[0] for record in channels} == {"creator", "created_by"}


def test_a_generation_changes_as_much_as_a_day_at_a_university():
    library = demo_library(videos=1000, channels=20)
    restored = 0
    for generation in range(1, 4):
        before = {key: library.get("video", key) for key in library.keys("video")}
        channels = {key: library.get("channel", key) for key in library.keys("channel")}
        evolution = evolve(library, generation)
        after = {key: library.get("video", key) for key in library.keys("video")}
        assert set(after) - set(before) == {*evolution.videos_added, *evolution.videos_restored}
        assert set(before) - set(after) == set(evolution.videos_deleted)
        kept = before.keys() & after.keys()
        newer = {key for key in kept if after[key]["updated"] > before[key]["updated"]}
        assert newer == set(evolution.videos_changed)
        assert 0.01 <= len(newer) / len(before) <= 0.02
        assert {key for key in kept if after[key] != before[key]} == newer | set(evolution.videos_watched)
        assert 1 <= len(evolution.videos_deleted) <= 5
        assert len(evolution.videos_added) >= 2
        edited = {key for key in channels if library.get("channel", key) != channels[key]}
        assert edited == set(evolution.channels_changed)
        restored += len(evolution.videos_restored)
    assert restored


@pytest.mark.parametrize("size", [1300, 1500])
def test_a_bulk_library_has_the_size_asked_for(size):
    library = bulk_library(120, bytes_per_video=size)
    records = library.records("video")
    assert all(abs(len(record.json("v1")) - size) < 20 for record in records)
    assert len(set(library.keys("video"))) == 120
    assert [len(library.members(key)) for key in library.keys("channel")] == [50, 50, 20]
    key = library.keys("video")[3]
    before = library.record("video", key).object("v2")
    library.put("video", library.get("video", key))
    assert library.record("video", key).object("v2") == before


def test_a_day_passes_at_each_run_and_a_damaged_state_starts_again(tmp_path):
    home = tmp_path / "home"
    days = [demo._generation(home, advance=advance) for advance in (True, True, False, True)]
    assert days == [0, 1, 1, 2]
    assert [path.name for path in home.iterdir()] == ["demo.json"]
    not_days = (b"null", b"1e999", b"-1", b"true", b"9" * 400)
    for spoilt in (b"", b"[]", b"\xff", b"[" * 100_000, *(b'{"generation": %s}' % value for value in not_days)):
        (home / "demo.json").write_bytes(spoilt)
        assert demo._generation(home, advance=True) == 0
        assert json.loads((home / "demo.json").read_text()) == {"generation": 0}


@pytest.mark.parametrize("home", ["file", "file/home"])
def test_an_impossible_home_is_named(tmp_path, monkeypatch, home):
    for name in ("JWPLATFORM_API_KEY", "JWPLATFORM_API_SECRET", "JWPLATFORM_V2_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    settings = load_settings(jwp_home=tmp_path / home)
    with (
        pytest.raises(SettingsError, match=f"JWP_HOME.*{tmp_path}/file"),
        demo.simulator_if_unconfigured(settings, advance=True),
    ):
        pass

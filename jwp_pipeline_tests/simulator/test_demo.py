import json
import re
from statistics import mean

import pytest
import requests

from jwp_pipeline.simulator import Demo, Simulator, bulk_library, demo_library, evolve
from jwp_pipeline.simulator.keeping import kept, restored
from jwp_pipeline.simulator.living import MOVE_SECONDS
from jwp_pipeline.simulator.troubles import TROUBLES

NOW = 1_780_000_000


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


def life(moves=2000, **size):
    """Return a demo that has lived through so many moves, and what they said."""
    demo = Demo(**size, start=NOW, clock=lambda: NOW)
    demo.move_on(NOW)
    return demo, demo.move_on(NOW + moves * MOVE_SECONDS)


def test_the_same_seed_and_time_make_the_same_moves():
    size = {"videos": 150, "channels": 8}
    once, told = life(300, **size)
    again = Demo(**size, start=NOW, clock=lambda: NOW)
    stepped = [sentence for number in range(0, 300 * MOVE_SECONDS + 1, 50) for sentence in again.move_on(NOW + number)]
    assert (stepped, content(again.library)) == (told, content(once.library))
    assert life(300, **size, seed=1)[1] != told


def test_a_demo_moves_every_few_minutes_and_is_seldom_dramatic():
    demo, told = life(videos=400, channels=20)
    assert len(told) == 2000
    dramatic = [sentence for sentence in told if "series" in sentence]
    assert 0 < len(dramatic) < 150
    assert sum("title" in sentence for sentence in told) > 500
    for words in ("has appeared", "The series", "Fewer people", "was published", "is back", "other keywords"):
        assert any(words in sentence for sentence in told), words
    assert 250 < len(demo.library.keys("video")) < 2500
    newest = max(record.source["updated"] for record in demo.library.records("video"))
    assert NOW < newest <= NOW + 2000 * MOVE_SECONDS


def test_a_narrower_acl_names_only_who_might_see_the_video_before():
    _, told = life(videos=200, channels=5)
    narrowed = [re.search(r": (.+) became (.+)\.$", each).groups() for each in told if each.startswith("Fewer people")]
    assert narrowed
    for before, after in narrowed:
        if before == "WORLD":
            assert after == "CAM"
        elif before == "CAM":
            assert after.startswith("INST_")
        else:
            assert after == "nobody" or set(after.split(",")) < set(before.split(","))


def test_a_library_with_hardly_anything_in_it_can_move_too():
    for size in ({"videos": 0, "channels": 0}, {"videos": 1, "channels": 0}, {"videos": 3, "channels": 1}):
        demo, told = life(200, **size)
        assert len(told) == 200
        assert len(demo.library.keys("video")) >= size["videos"]


def test_nothing_moves_by_itself_while_a_library_lives_in_the_past():
    demo = Demo(50, 3, start=NOW - 14 * 86_400, clock=lambda: NOW)
    demo.move_on(NOW)
    assert demo.move_on(NOW + 10 * MOVE_SECONDS) == []
    demo.evolve()
    assert len(demo.move_on(NOW + 20 * MOVE_SECONDS)) == 10


def test_the_stamps_of_a_new_demo_are_relative_to_its_beginning():
    library = demo_library(300, 10, start=NOW)
    stamps = [record.source["updated"] for record in library.records("video")]
    assert max(stamps) < NOW
    assert max(stamps) > NOW - 60 * 86_400
    changed = evolve(library, 1, start=NOW, now=NOW + 5000, spread=1)
    assert {library.get("video", key)["updated"] for key in changed.videos_added} == {NOW + 5000}


def ask(simulator, path):
    headers = {"Authorization": f"Bearer {simulator.v2_secret}"}
    return requests.get(f"{simulator.url}/v2/sites/{simulator.api_key}/{path}", headers=headers, timeout=10)


def test_a_trouble_is_seen_from_outside_and_mended():
    demo = Demo(100, 3)
    keys = set(demo.library.keys("video"))
    with Simulator(demo.library, control=demo, faults=demo.faults) as simulator:

        def listed():
            return ask(simulator, "media/?page_length=1000")

        def do(verb, **options):
            return requests.post(f"{simulator.url}/simulator/{verb}", params=options, timeout=10)

        assert do("break", how="half").json()["troubled"] == "half of its videos are gone"
        left = {each["id"] for each in listed().json()["media"]}
        assert (len(left), listed().json()["total"]) == (50, 50)
        assert ask(simulator, f"media/{min(keys - left)}/").status_code == 404
        # One trouble ends the other.
        do("break", how="empty")
        assert (listed().json()["media"], listed().json()["total"]) == ([], 0)
        assert ask(simulator, f"media/{min(keys)}/").status_code == 200
        do("break", how="totals")
        assert listed().json()["total"] != 100
        do("break", how="down")
        assert listed().status_code == 503
        assert do("mend").json()["trouble"] is None
        assert {each["id"] for each in listed().json()["media"]} == keys
        assert do("break", how="otherwise").status_code == do("no-such-verb").status_code == 404


@pytest.mark.parametrize("trouble", [None, *TROUBLES])
def test_a_kept_demo_goes_on_as_it_was(trouble):
    demo = Demo(120, 6, start=NOW, clock=lambda: NOW)
    demo.evolve()
    if trouble:
        demo.begin_trouble(trouble)
    document = json.loads(json.dumps(kept(demo, {"api_secret": "x"})))
    again, secrets = restored(document, lambda: NOW)
    assert (content(again.library), again.state(), secrets) == (
        content(demo.library),
        demo.state(),
        {"api_secret": "x"},
    )
    for each in (demo, again):
        each.mend()
        each.evolve()
    assert content(again.library) == content(demo.library)
    assert again.library.removed_keys("video") == demo.library.removed_keys("video")


@pytest.mark.parametrize("spoilt", [None, [], {}, {"format": 2}, {"format": 1}, {"format": 1, "seed": 1, "start": 0}])
def test_a_damaged_document_is_refused(spoilt):
    with pytest.raises((ValueError, TypeError, LookupError)):
        restored(spoilt)

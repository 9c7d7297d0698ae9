"""No sync is stopped by JSON values that PostgreSQL or Python cannot hold, or by answers of unusual shapes."""

import json
import random
import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jwp_pipeline.database.tables import CachedResource
from jwp_pipeline.errors import MalformedAnswer
from jwp_pipeline.mirror.apply import apply_newest
from jwp_pipeline.mirror.looks import read_keys
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.record.models import MediaItem
from jwp_pipeline.simulator import Fault, RawJson
from jwp_pipeline_tests.media.state import open_problems, read_state
from jwp_pipeline_tests.media.values import NOBODY
from jwp_pipeline_tests.support import Site, channel, of_v2, video

RARE_LETTERS = [chr(code) for code in range(0x20000, 0x2A000)]
"""Letters of four bytes each."""


@pytest.mark.parametrize(
    ("stages", "tokens"),
    [
        (["mapping"], ["1e400", "1e5000", "-1e131000"]),
        (["cache", "mapping"], ["1e200000", "NaN", "-Infinity", "9" * 200_000]),
        ([], ["1e-5000"]),
    ],
)
def test_numbers_too_large_to_store(stages, tokens, engine, simulator):
    """P4: Python reads integers of up to 4,300 digits, and `jsonb` of up to 131,072."""
    names = [token[:20] for token in tokens]
    with Site(engine, simulator, create_items="sms") as jwp:
        jwp.library.append("video", video("good", 100, duration=0))
        for sms_id, (name, token) in enumerate(zip(names, tokens, strict=True), start=1):
            as_sent = json.dumps(video(name, sms_id, duration=0)).replace('"duration": 0', f'"duration": {token}')
            jwp.library.append("video", RawJson(as_sent), "v1")
        jwp.sync()
    items = read_state(engine)["media_items"]
    assert {key: item["duration"] for key, item in items.items()} == dict.fromkeys(["good", *names], 0)
    assert items["good"]["sms_media_id"] == 100
    assert open_problems(engine).keys() == {(stage, "video", name, "duration") for name in names for stage in stages}
    with Session(engine) as session:
        # The numbers do not break queries for other resources, either.
        assert {resource.data["key"] for resource in session.scalars(CachedResource.videos)} == items.keys()


@pytest.mark.parametrize("token", ["1e200000", "NaN", "9" * 200_000])
def test_a_number_that_cannot_be_stored_is_not_an_absent_value(token, engine, simulator):
    """P5, semantics §6: the item keeps its last good values and its SMS row; a title is the text of what was sent."""
    with Site(engine, simulator, create_items="sms") as jwp:
        good = video("known", 7, updated=1, duration=12, date=1_500_000_000, acl="USER_a")
        jwp.library.put("video", good)
        jwp.sync()
        before = read_state(engine)["media_items"]["known"]
        unread = {"updated": 2, "duration": "@", "date": "@", "title": "@"}
        as_sent = json.dumps({**good, **unread, "custom": {**good["custom"], "sms_media_id": "@"}})
        jwp.library.override("video", "known", RawJson(as_sent.replace('"@"', token)))
        jwp.sync()
        after = read_state(engine)["media_items"]["known"]
        assert after["title"].startswith(token[:20])
        assert after == {**before, "title": after["title"]}
        assert {field.rpartition(".")[2] for stage, *_, field in open_problems(engine) if stage == "cache"} == {
            "duration", "date", "title", "sms_media_id",
        }  # fmt: skip


@pytest.mark.parametrize("strict_acls", [True, False])
@pytest.mark.parametrize("token", ["1e200000", "NaN"])
def test_custom_properties_that_are_such_a_number_make_nothing_public(api, token, strict_acls, engine, simulator):
    with Site(engine, simulator, api, create_items="all", strict_acls=strict_acls) as jwp:
        element = (
            video("new") if api == "v1" else of_v2("new", {"title": "T", "custom_params": "@"}, media_type="video")
        )
        element |= {"custom": "@"} if api == "v1" else {}
        jwp.library.append("video", RawJson(json.dumps(element).replace('"@"', token)), api)
        jwp.sync()
    assert read_state(engine)["media_items"]["new"]["view"] == NOBODY


def test_a_look_at_a_large_number_keeps_the_last_good_value(engine, simulator):
    """Python's parser makes an infinity of a number that `jsonb` could store."""
    with Site(engine, simulator, "v2", create_items="all") as jwp:
        jwp.library.put("video", video("known", updated=1, duration=7))
        jwp.sync()
        sent = {**of_v2("known", {"title": "Looked at"}, media_type="video"), "duration": "@"}
        jwp.library.override("video", "known", RawJson(json.dumps(sent).replace('"@"', "1e400")))
        read_keys(engine, jwp.client, "video", ["known"], overlap=timedelta(hours=1), run_id="look")
        apply_newest(engine, "video", options=MirrorOptions(), client=jwp.client, run_id="look")
        jwp.follow(sync_all=True)
    item = read_state(engine)["media_items"]["known"]
    assert (item["title"], item["duration"]) == ("Looked at", 7)


def test_a_value_nested_too_deep_for_python(engine, simulator):
    """P4, P5: the stack of the thread that read it was deep enough, and that of the sync is not."""

    def at_depth(depth, function):
        return at_depth(depth - 1, function) if depth else function()

    with Site(engine, simulator, create_items="sms") as jwp:
        jwp.library.append("video", video("good", 2))
        jwp.library.append("video", video("deep", 1))
        jwp.sync()
        jwp.library.override(
            "video", "deep", {**video("deep", 1, updated=2), "title": json.loads("[" * 600 + "]" * 600)}
        )
        jwp.library.put("video", video("good", 2, updated=2, title="Still read"))
        jwp.fetch()
        at_depth(450, jwp.follow)
        assert read_state(engine)["media_items"]["good"]["title"] == "Still read"
        # The problem is about the whole video or, from Python 3.12 on, which walks deeper, about its title.
        assert [name[:3] for name in open_problems(engine)] == [("mapping", "video", "deep")]


def test_characters_that_postgresql_refuses(api, engine, simulator):
    """P4, P5: NUL and lone surrogates become U+FFFD everywhere. An ACL grants what its other entries say."""
    bad = "\0\ud800"
    properties = {
        "sms_copyright": f"copyright:a{bad}b:",
        "sms_keywords": f"keywords:x{bad}|y:",
        "sms_acl": f"acl:WORLD{bad},CAM:",
        "sms_language": f"language:e{bad}g:",
    }
    texts = {"title": f"T{bad}", "description": bad}
    with Site(engine, simulator, api, create_items="sms") as jwp:
        jwp.library.append("video", video("good", 2))
        jwp.library.append("video", video("bad", 1, custom=properties, **texts))
        jwp.library.append("channel", channel("bad", 1, custom={"sms_groupid": f"groupid:{bad}:"}, **texts))
        jwp.sync()
        state = read_state(engine)
    item = state["media_items"]["bad"]
    found = {name: item[name] for name in ("title", "description", "copyright", "tags", "language")}
    assert found == {
        "title": "T\ufffd\ufffd",
        "description": "\ufffd\ufffd",
        "copyright": "a\ufffd\ufffdb",
        "tags": ["x\ufffd\ufffd", "y"],
        "language": "e\ufffd\ufffd",
    }
    assert (item["view"]["is_public"], item["view"]["is_signed_in"]) == (False, True)
    assert state["channels"]["bad"]["edit"]["lookup_groups"] == ["\ufffd\ufffd"]
    assert state["media_items"]["good"]["title"] == "Video good"
    assert {(stage, kind, path.rpartition(".")[2]) for stage, kind, _, path in open_problems(engine)} == {
        *(("cache", "video", name) for name in (*properties, *texts)),
        *(("cache", "channel", name) for name in ("sms_groupid", *texts)),
        ("mapping", "video", "sms_acl"),
    }


def words(characters, word, seed=0):
    """Return a text of that many characters, in words of rare letters."""
    letters = random.Random(seed).choices(RARE_LETTERS, k=characters)
    return "".join(" " if index % (word + 1) == word else letter for index, letter in enumerate(letters))


def test_texts_too_long_for_search_and_indexes(engine, simulator):
    """P4: a tsvector holds 1 MB and an index entry 2,700 bytes, but the texts themselves have no limit."""
    huge, other, third = (words(299_999, 5, seed) for seed in range(3))
    keywords = [words(300, 300, seed) for seed in range(200)] + third.split()
    properties = {"sms_keywords": f"keywords:{'|'.join(keywords)}:", "sms_copyright": f"copyright:{huge}:"}
    with Site(engine, simulator, create_items="sms") as jwp:
        jwp.library.append("video", video("huge", 1, custom=properties, title=f"Beginning {other}", description=huge))
        # A word with hyphens is indexed as a whole and by its parts.
        pairs = [re.sub(r"(\w+) (\w+)", r"\1-\2", text) for text in (huge, other, third)]
        properties = {"sms_keywords": f"keywords:{pairs[2].replace(' ', '|')}:"}
        jwp.library.append("video", video("pairs", 3, custom=properties, title=pairs[0], description=pairs[1]))
        jwp.library.append("video", video("long", 2, description="word " * 600_000, acl=f"USER_{huge}"))
        jwp.library.append("channel", channel("huge", 1, custom={"sms_instid": f"instid:{huge}:"}, description=huge))
        jwp.library.append("channel", channel("long", 2, custom={"sms_groupid": f"groupid:{huge}:"}))
        jwp.sync()
        state = read_state(engine)
    assert state["media_items"]["huge"]["description"] == state["media_items"]["huge"]["copyright"] == huge
    assert state["media_items"]["huge"]["tags"] == [keyword[:256] for keyword in keywords]
    assert len(state["media_items"]["long"]["description"]) == 3_000_000
    assert state["media_items"]["long"]["view"]["crsids"] == [huge]
    assert state["channels"]["long"]["edit"]["lookup_groups"] == [huge]
    assert state["channels"]["huge"]["billing_account"] == ""
    assert list(open_problems(engine)) == [("mapping", "channel", "huge", "sms_instid")]
    with Session(engine) as session:
        beginning = MediaItem.searched_text.bool_op("@@")(func.websearch_to_tsquery("english", "beginning"))
        assert session.scalars(select(MediaItem).where(beginning)).one().video.key == "huge"


def test_elements_that_are_not_resources(api, engine, simulator):
    """P4: they are set aside by their place in the listing. The others are synced, and nothing is deleted."""
    with Site(engine, simulator, api, create_items="sms") as jwp:
        jwp.library.append("video", video("good", 2))
        jwp.library.append("video", video("turns", 3))
        jwp.sync()
        for value in (None, 7, "text", [], {}, {"key": 7}, {"key": ""}):
            jwp.library.append("video", value, like={"date": 2_000_000_000})
        jwp.library.override("video", "turns", "no object any more")
        jwp.library.append("video", video("new", 4))
        jwp.sync()
        items = read_state(engine)["media_items"]
    assert {key: item["deleted"] for key, item in items.items()} == {"good": False, "turns": False, "new": False}
    assert {(stage, field) for stage, _, _, field in open_problems(engine)} == {("cache", "key")}
    assert len(open_problems(engine)) == 8


UNREADABLE_METADATA = {"null": None, "number": 7, "text": "text", "list": []}


def test_metadata_of_v2_that_cannot_be_read(engine, simulator):
    """P5: a known item keeps its fields and a new one has none, and nobody may view either of them."""
    with Site(engine, simulator, "v2") as jwp:
        for number, name in enumerate(UNREADABLE_METADATA, start=1):
            jwp.library.append("video", video(name, number, duration=0))
            properties = {"sms_created_by": "created_by:a:"}
            jwp.library.append("channel", channel(name, number, media_ids=[number], custom=properties))
        jwp.sync()
        before = read_state(engine)
        for name, metadata in UNREADABLE_METADATA.items():
            jwp.library.append("video", video(f"new-{name}"))
            for kind, key in (("video", name), ("video", f"new-{name}"), ("channel", name)):
                jwp.library.override(kind, key, of_v2(key, metadata, media_type="video"))
        jwp.sync()
    state = read_state(engine)
    for name in UNREADABLE_METADATA:
        item, new_item = state["media_items"][name], state["media_items"][f"new-{name}"]
        assert before["media_items"][name]["view"]["is_public"]
        assert item == {**before["media_items"][name], "view": NOBODY}
        assert (new_item["title"], new_item["view"]) == ("", NOBODY)
        assert state["channels"][name] == {**before["channels"][name], "edit": NOBODY}
    assert open_problems(engine).keys() == {
        ("mapping", kind, key, "metadata")
        for name in UNREADABLE_METADATA
        for kind, key in (("video", name), ("video", f"new-{name}"), ("channel", name))
    }


UNREADABLE_MEMBERS = {
    "numbers": [1],
    "text": "a",
    "object": {"a": 1},
    "lists": [["a"]],
    "nul": ["a", "b\0"],
    "surrogate": ["\ud800b", "a", "\ud800b"],
}


def test_members_of_v2_that_cannot_be_read(engine, simulator):
    """P4: the playlist keeps its members with a problem, and the others are synced. An outage of JWP fails the sync."""
    with Site(engine, simulator, "v2") as jwp:
        names = [*UNREADABLE_MEMBERS, "well"]
        jwp.library.replace_all([video("a"), video("b")], [channel(name) for name in names])
        for name in names:
            jwp.library.set_members(name, ["a"], modified=1)
        jwp.sync()
        for name, values in UNREADABLE_MEMBERS.items():
            metadata = {"title": "Read", "media_filter": {"include": {"match": "any", "values": values}}}
            jwp.library.override("channel", name, of_v2(name, metadata))
        jwp.library.set_members("well", ["b"], modified=2)
        jwp.sync()
        channels = read_state(engine)["channels"]
        shown = {name: (channels[name]["title"], channels[name]["playlist"]["media_items"]) for name in names}
        assert shown == {**dict.fromkeys(UNREADABLE_MEMBERS, ("Read", ["a"])), "well": ("Channel well", ["b"])}
        problems = [name for stage, _, name, field in open_problems(engine) if (stage, field) == ("mapping", "members")]
        assert sorted(problems) == sorted(UNREADABLE_MEMBERS)

        for name in UNREADABLE_MEMBERS:
            jwp.library.put("channel", channel(name), modified=3)
            jwp.library.set_members(name, ["b", "b"], modified=3)
        jwp.fetch()
        for route in ("members", "list"):
            simulator.faults.add(Fault.status(500), route=route, times=None)
        with pytest.raises(MalformedAnswer):
            jwp.follow()
        simulator.faults.clear()
        jwp.follow()
        channels = read_state(engine)["channels"]
        assert all(channels[name]["playlist"]["media_items"] == ["b", "b"] for name in UNREADABLE_MEMBERS)
        assert {field for _, _, _, field in open_problems(engine)} == {"items"}


def test_jwp_s_own_tags_that_cannot_be_read(api, engine, simulator):
    """P4: the tags are only read if every video has an item and this one has no keywords of the SMS."""
    unreadable = [7, True, {}, [1], ["x", None]]
    with Site(engine, simulator, api) as jwp:
        for number in range(len(unreadable)):
            jwp.library.append("video", video(f"known-{number}", tags="Kept"))
        jwp.sync()
        for number, tags in enumerate(unreadable):
            for name in ("known", "new"):
                jwp.library.put("video", video(f"{name}-{number}", updated=2, tags=tags))
        jwp.sync()
    items = read_state(engine)["media_items"]
    assert all(item["tags"] == (["kept"] if key.startswith("known") else []) for key, item in items.items())
    assert open_problems(engine).keys() == {("mapping", "video", key, "tags") for key in items}

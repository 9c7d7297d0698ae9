"""The members of v2 playlists are asked for once and stored at once, and one failing playlist does not stop others."""

import pytest

from jwp_pipeline.errors import JWPlatformError
from jwp_pipeline.media import members as members_module
from jwp_pipeline.simulator import Fault
from jwp_pipeline_tests.media.state import open_problems, read_state
from jwp_pipeline_tests.support import Site, channel, of_v2, rows, video

PROBLEM = ("mapping", "channel", "bad", "members")


@pytest.fixture
def jwp(engine, simulator):
    """A v2 site in step, with two playlists that have members of their own. Its client never waits."""
    with Site(engine, simulator, "v2") as jwp:
        jwp.library.replace_all([video("a"), video("b")], [channel("bad"), channel("well")])
        set_members(jwp, ["a"], modified=1)
        jwp.sync()
        yield jwp


def set_members(jwp, keys, *, modified):
    for key in ("bad", "well"):
        jwp.library.set_members(key, keys, modified=modified)


def shown(jwp):
    """Return key of the channel → what its playlist shows."""
    channels = read_state(jwp.engine)["channels"]
    return {key: found["playlist"]["media_items"] for key, found in channels.items() if not found["deleted"]}


def test_members_of_a_playlist_are_asked_for_once(engine, simulator):
    """Semantics §5: each costs one request, made only for playlists that changed and that do not list SMS ids."""
    with Site(engine, simulator, "v2") as jwp:
        jwp.library.replace_all(
            [video("a", 1), video("b", 2)],
            [channel("own"), channel("other"), channel("sms", media_ids=[2, 2]), channel("none", media_ids=[])],
        )
        for key in ("own", "other", "sms", "none"):
            jwp.library.set_members(key, ["b", "a", "gone", "b"], modified=1)

        jwp.sync()
        assert jwp.members_asked() == {"own": 1, "other": 1}
        assert shown(jwp) == {"own": ["b", "a", "b"], "other": ["b", "a", "b"], "sms": ["b", "b"], "none": []}
        items = read_state(engine)["media_items"]
        assert {key: item["channel"] for key, item in items.items()} == {"a": "other", "b": "other"}

        jwp.sync(sync_all=True)
        jwp.library.edit("video", "a", title="Another title", updated=2)
        jwp.sync()
        assert jwp.members_asked() == {"own": 1, "other": 1}

        jwp.library.set_members("own", ["a"], modified=2)
        jwp.library.edit("channel", "sms", title="Another title")
        jwp.sync()
        assert jwp.members_asked() == {"own": 2, "other": 1}
        assert shown(jwp)["own"] == ["a"]

        # Without a client the known members stay, and the next sync that has one asks for them.
        jwp.library.set_members("own", ["b"], modified=3)
        jwp.fetch()
        client, jwp.client = jwp.client, None
        jwp.follow()
        assert (jwp.members_asked()["own"], shown(jwp)["own"]) == (2, ["a"])
        jwp.client = client
        jwp.follow()
        assert (jwp.members_asked()["own"], shown(jwp)["own"]) == (3, ["b"])


def test_a_playlist_that_was_deleted_after_the_listing_is_skipped(engine, simulator):
    """P4: JWP answers 404 for its members. The others are synced, and the next listing shows the deletion."""
    with Site(engine, simulator, "v2") as jwp:
        jwp.library.replace_all([video("a")], [channel("gone"), channel("well")])
        for key in ("gone", "well"):
            jwp.library.set_members(key, ["a"], modified=1)
        jwp.fetch()
        jwp.library.remove("channel", "gone")
        jwp.follow()
        assert shown(jwp) == {"gone": [], "well": ["a"]}
        jwp.sync()
        assert read_state(engine)["channels"]["gone"] == {"deleted": True}
        assert open_problems(engine) == {}


@pytest.mark.parametrize("status", [400, 401, 403, 405, 429, 500, 503])
def test_a_playlist_that_jwp_cannot_serve_keeps_its_members(status, jwp, simulator):
    """P4: this holds for any error status. A problem is noted, and the others are synced."""
    set_members(jwp, ["b"], modified=2)
    jwp.fetch()
    simulator.faults.add(Fault.status(status), path="*/playlists/bad/*", times=None)
    assert jwp.follow().members_asked == 1
    assert shown(jwp) == {"bad": ["a"], "well": ["b"]}
    problem = open_problems(jwp.engine)[PROBLEM]
    assert str(status) in problem.problem
    assert "playlist bad" in problem.problem
    # Every sync asks for this one again, and for no other.
    asked = jwp.members_asked()
    jwp.follow()
    assert open_problems(jwp.engine)[PROBLEM].id == problem.id
    assert jwp.members_asked()["well"] == asked["well"]
    assert jwp.members_asked()["bad"] > asked["bad"]
    simulator.faults.clear()
    jwp.follow()
    assert shown(jwp) == {"bad": ["b"], "well": ["b"]}
    assert PROBLEM not in open_problems(jwp.engine)


@pytest.mark.parametrize("status", [403, 503])
def test_an_outage_is_not_blamed_on_a_playlist(status, jwp, simulator):
    """P4: the sync fails with the reason and writes nothing. Members that were answered are not asked for again."""
    jwp.library.put("video", video("a", updated=2, title="New"))
    set_members(jwp, ["b"], modified=2)
    jwp.fetch()
    # The first of the two playlists is answered.
    simulator.faults.add(Fault.status(status), route="members", nth=2, times=None)
    simulator.faults.add(Fault.status(status), route="list", times=None)
    with pytest.raises(JWPlatformError, match=f"Probing playlists.*{status}"):
        jwp.follow()
    assert shown(jwp) == {"bad": ["a"], "well": ["a"]}
    assert read_state(jwp.engine)["media_items"]["a"]["title"] == "Video a"
    assert PROBLEM not in open_problems(jwp.engine)
    simulator.faults.clear()
    asked = jwp.members_asked().total()
    jwp.follow()
    assert shown(jwp) == {"bad": ["b"], "well": ["b"]}
    assert jwp.members_asked().total() == asked + 1


def test_playlists_that_fail_come_last_and_for_a_limited_time(jwp, simulator, monkeypatch):
    """P4: each of them may cost minutes of retries, so the remaining ones wait for the next sync."""
    set_members(jwp, ["b"], modified=2)
    jwp.fetch()
    simulator.faults.add(Fault.status(400), path="*/playlists/bad/*", times=None)
    jwp.follow()
    monkeypatch.setattr(members_module, "_PATIENCE", 0.0)
    for key in ("aaa-also-bad", "zzz-also-bad"):
        jwp.library.put("channel", channel(key), modified=3)
        simulator.faults.add(Fault.status(400), path=f"*/playlists/{key}/*", times=None)
    jwp.library.set_members("well", ["a", "b"], modified=3)
    jwp.fetch()
    asked = jwp.members_asked()
    jwp.follow()
    once_more = {key: times - asked[key] for key, times in jwp.members_asked().items() if times > asked[key]}
    assert "bad" not in once_more
    assert len({"aaa-also-bad", "zzz-also-bad"} & once_more.keys()) == 1
    for _ in range(2):
        jwp.follow()
    assert shown(jwp)["well"] == ["a", "b"]
    assert {key for _, _, key, field in open_problems(jwp.engine) if field == "members"} == {
        *("bad", "aaa-also-bad", "zzz-also-bad")
    }


def test_a_problem_with_members_lasts_until_they_are_read(jwp, simulator):
    """P4, P8: a sync without a client does not resolve it. SMS ids or the deletion of the playlist resolve it, too."""
    set_members(jwp, ["b"], modified=2)
    jwp.fetch()
    simulator.faults.add(Fault.status(400), path="*/playlists/bad/*", route="members", times=None)
    jwp.follow()
    problem = open_problems(jwp.engine)[PROBLEM]
    client, jwp.client = jwp.client, None
    jwp.follow()
    jwp.follow("channels")
    assert open_problems(jwp.engine)[PROBLEM].id == problem.id
    # A playlist that cannot be read now does not resolve the problem.
    jwp.client = client
    for metadata in (None, {"custom_params": {"sms_collection_media_ids": 7}}):
        jwp.library.override("channel", "bad", of_v2("bad", metadata))
        jwp.sync()
        assert open_problems(jwp.engine)[PROBLEM].id == problem.id
        assert shown(jwp)["bad"] == ["a"]
    jwp.library.put("channel", channel("bad", media_ids=[]), modified=3)
    jwp.sync()
    assert PROBLEM not in open_problems(jwp.engine)
    jwp.library.put("channel", channel("bad"), modified=4)
    jwp.sync()
    assert PROBLEM in open_problems(jwp.engine)
    jwp.library.remove("channel", "bad")
    jwp.sync()
    assert PROBLEM not in open_problems(jwp.engine)


def test_members_of_v2_are_dropped_after_a_switch_to_v1(engine, simulator):
    """Semantics §5: a v1 channel lists no members itself, even if the same key did so in v2."""
    with Site(engine, simulator, "v2") as jwp:
        jwp.library.replace_all([video("a")], [channel("own")])
        jwp.library.set_members("own", ["a"], modified=1)
        jwp.sync()
        assert shown(jwp) == {"own": ["a"]}
    with Site(engine, simulator, "v1") as jwp:
        jwp.sync()
        assert shown(jwp) == {"own": []}
        assert rows(engine, "SELECT * FROM playlist_members") == []
    with Site(engine, simulator, "v2") as jwp:
        jwp.sync()
        assert shown(jwp) == {"own": ["a"]}


def test_a_withdrawn_member_keeps_its_channel_and_is_not_shown(jwp, engine):
    """As one that is listed by its SMS id does. An item whose video is gone belongs to no channel."""
    channel_of_a = "SELECT media_channel_id FROM media_items WHERE title = 'Video a'"
    ((before,),) = rows(engine, channel_of_a)
    assert before
    jwp.execute("UPDATE media_items SET deleted_at = now() WHERE title = 'Video a'")
    jwp.sync()
    assert shown(jwp) == {"bad": [], "well": []}
    assert rows(engine, channel_of_a) == [(before,)]
    jwp.execute("UPDATE media_items SET deleted_at = NULL WHERE title = 'Video a'")
    jwp.sync()
    assert shown(jwp) == {"bad": ["a"], "well": ["a"]}
    jwp.library.remove("video", "a")
    jwp.sync()
    assert rows(engine, channel_of_a) == [(None,)]

"""Tests of the platform's own record: when items are made, which rows a sync leaves alone, and how to read it."""

from sqlalchemy.orm import Session

from jwp_pipeline.record.models import BillingAccount, Channel, MediaChannel, MediaItem, Playlist, Video
from jwp_pipeline_tests.media.state import live_titles, open_problems, read_rows, read_state
from jwp_pipeline_tests.support import channel, rows, video


def test_an_item_is_made_once_there_is_an_sms_id(jwp, engine):
    """Semantics §2: the id may appear later, with the same `updated` or an older one. The item then stays."""
    jwp.library.replace_all([video("a", updated=5), video("b", updated=5)], [])
    jwp.sync()
    assert live_titles(engine) == {}
    jwp.library.replace_all([video("a", 1, updated=5), video("b", 2, updated=4)], [])
    jwp.sync()
    assert live_titles(engine) == {"a": "Video a", "b": "Video b"}
    assert read_state(engine)["videos"] == {"a": 5, "b": 5}
    jwp.library.replace_all([video("a", updated=6), video("b", 2, updated=4)], [])
    jwp.sync()
    assert live_titles(engine) == {"a": "Video a", "b": "Video b"}
    assert [row.id for row in rows(engine, "SELECT id FROM sms_media_items")] == [2]


def test_a_switch_to_all_mode_makes_the_missing_items(jwp, engine):
    """Semantics §2, §5: they get JWP's own tags, and every channel gets a playlist."""
    jwp.library.replace_all(
        [video("a", 1), video("b", tags="Sea, sky")], [channel("c"), channel("d", 1, media_ids=[1])]
    )
    jwp.sync()
    ids = {name: row.id for name, row in read_rows(engine).items()}
    assert live_titles(engine) == {"a": "Video a"}
    jwp.sync(create_items="all")
    assert live_titles(engine) == {"a": "Video a", "b": "Video b"}
    assert read_state(engine)["media_items"]["b"]["tags"] == ["sea", "sky"]
    assert read_state(engine)["channels"]["c"]["playlist"] == {
        "title": "Channel c",
        "description": "",
        "media_items": [],
    }
    assert ids.items() <= {name: row.id for name, row in read_rows(engine).items()}.items()
    jwp.sync()
    assert live_titles(engine) == {"a": "Video a", "b": "Video b"}
    assert read_state(engine)["channels"]["c"]["playlist"] is None


def test_rows_that_the_platform_made_itself_are_left_alone(jwp, engine, simulator):
    """No sync writes items without a video, channels without one at JWP, or the playlists of such channels."""
    jwp.library.replace_all([video("a", 1), video("b", 2)], [channel("c", 1, media_ids=[1, 2])])
    jwp.sync()
    texts = {"title": "Ours", "description": ""}
    with Session(engine) as session, session.begin():
        c = session.scalars(MediaChannel.live).one()
        session.add(BillingAccount(id="account", description="", lookup_instid="OURS"))
        session.flush()
        session.add(MediaChannel(id="channel", billing_account_id="account", **texts))
        session.flush()
        for item_id, channel_id in (("loose", None), ("in-ours", "channel"), ("in-theirs", c.id)):
            kind = {"type": "video", "duration": 1.0, "language": "", "copyright": "", "published_at": c.created_at}
            session.add(MediaItem(id=item_id, media_channel_id=channel_id, **texts, **kind))
        session.add(Playlist(id="playlist", media_channel_id="channel", media_item_ids=["in-ours"], **texts))
        session.scalars(MediaItem.live.where(MediaItem.title == "Video b")).one().media_channel_id = "channel"

    def ours():
        tables = ("media_items", "media_channels", "playlists", "billing_accounts")
        condition = "id IN ('loose', 'in-ours', 'in-theirs', 'channel', 'playlist', 'account')"
        return [
            rows(engine, f"SELECT CAST(xmin AS text), * FROM {table} WHERE {condition} ORDER BY id") for table in tables
        ]

    before = ours()
    jwp.library.put("channel", channel("c", 1, media_ids=[1]))
    jwp.sync()
    jwp.sync(sync_all=True)
    jwp.sync(create_items="all", sync_all=True)
    jwp.library.remove("video", "a")
    jwp.sync()
    assert ours() == before
    in_ours = rows(engine, "SELECT title FROM media_items WHERE media_channel_id = 'channel' ORDER BY title")
    assert [title for (title,) in in_ours] == ["Ours", "Video b"]
    # An item that a channel of JWP lists belongs to it, and an item of a channel that is deleted belongs to none.
    jwp.library.put("channel", channel("c", 1, media_ids=[2]))
    jwp.sync()
    assert rows(engine, "SELECT 1 FROM media_items WHERE title = 'Video b' AND media_channel_id = :id", id=c_id(engine))
    jwp.library.replace_all([], [])
    jwp.sync()
    assert [
        row.media_channel_id for row in rows(engine, "SELECT * FROM media_items ORDER BY id") if row.title == "Ours"
    ] == [
        "channel",
        None,
        None,
    ]
    assert rows(engine, "SELECT 1 FROM playlists WHERE id = 'playlist' AND deleted_at IS NULL")
    assert open_problems(engine) == {}


def c_id(engine):
    return read_rows(engine)["media_channels", "c"].id


def test_rival_claims_are_settled_regardless_of_order(jwp, engine):
    """Semantics §3, §5: this is so for claims to an SMS id, a collection or an item."""

    def owners():
        state = read_state(engine)
        return (
            [key for key, item in state["media_items"].items() if item.get("sms_media_id")],
            [key for key, found in state["channels"].items() if found.get("sms_collection_id") == 1],
            {item["channel"] for item in state["media_items"].values() if item.get("sms_media_id")},
        )

    def rivals():
        return sorted((key, field) for stage, _, key, field in open_problems(engine) if stage == "ownership")

    jwp.library.replace_all([video("c", 1)], [channel("c", 1, media_ids=[1])])
    jwp.sync()
    assert (owners(), rivals()) == ((["c"], ["c"], {"c"}), [])
    jwp.library.put("video", video("A", 1, mediatype="audio"))
    jwp.library.put("video", video("b", 1))
    jwp.library.put("channel", channel("B", 1, media_ids=[1]))
    jwp.library.put("channel", channel("d", 2, media_ids=[1]))
    jwp.sync()
    assert owners() == (["b"], ["B"], {"B"})
    assert rivals() == [
        *(("A", "sms_media_id"), ("c", "items"), ("c", "sms_collection_id")),
        *(("c", "sms_media_id"), ("d", "items")),
    ]
    channels = read_state(engine)["channels"]
    assert {key: found["playlist"] and found["playlist"]["media_items"] for key, found in channels.items()} == {
        "B": ["b"],
        "c": None,
        "d": ["b"],
    }
    jwp.library.remove("video", "b")
    jwp.library.remove("channel", "B")
    jwp.sync()
    assert (owners(), rivals()) == ((["c"], ["c"], {"c"}), [("A", "sms_media_id"), ("d", "items")])
    jwp.library.edit("video", "c", mediatype="audio", updated=2)
    jwp.library.remove("channel", "c")
    jwp.sync()
    assert (owners(), rivals()) == ((["A"], [], {"d"}), [("c", "sms_media_id")])


def test_a_video_is_found_by_its_sms_id(jwp, engine):
    """Video.from_media_id returns a live video of the preferred type if there is one, else the smallest key."""
    jwp.library.replace_all(
        [
            video("b-audio", 1, mediatype="audio"),
            video("b-video", 1),
            video("B-video", 1),
            video("A-audio", 1, mediatype="audio"),
            video("other", 2, mediatype="unknown"),
            video("gone", 3),
            video("no-item"),
        ],
        [],
    )
    jwp.sync()
    jwp.library.remove("video", "gone")
    jwp.sync()
    with Session(engine) as session:

        def key(*arguments):
            found = Video.from_media_id(session, *arguments)
            return found and found.key

        assert key(1) == key(1, "video") == "B-video"
        assert key(1, "audio") == "A-audio"
        assert key(1, "unknown") == "A-audio"
        assert key(2) == "other"
        assert key(3) is None
        assert key(99) is None
        assert Video.from_media_id(session, 1).item.sms.id == 1


def test_links_are_found_by_their_keys(jwp, engine):
    """Video.from_key and Channel.from_collection_id return live rows only; of two channels, the smaller key wins."""
    jwp.library.replace_all([video("a", 1), video("gone", 2)], [channel("c", 7), channel("B", 7), channel("gone", 8)])
    jwp.sync()
    jwp.library.replace_all([video("a", 1)], [channel("c", 7), channel("B", 7)])
    jwp.sync()
    with Session(engine) as session:
        assert Video.from_key(session, "a").item.title == "Video a"
        assert [Video.from_key(session, key) for key in ("gone", "never")] == [None, None]
        assert Channel.from_collection_id(session, 7).channel.title == "Channel B"
        assert [Channel.from_collection_id(session, number) for number in (8, 99)] == [None, None]


def test_rows_and_what_belongs_to_them_can_be_read(jwp, engine):
    """The models give live rows or all rows, and lead from each row to the rows that belong to it."""
    jwp.library.replace_all(
        [video("a", 1), video("b", 2), video("gone", 3), video("no-item")],
        [channel("c", 7, media_ids=[2, 1, 2], custom={"sms_instid": "instid:UIS:"}), channel("gone")],
    )
    jwp.sync()
    jwp.library.remove("video", "gone")
    jwp.library.remove("channel", "gone")
    jwp.sync()
    with Session(engine) as session:
        live = {
            model: session.scalars(model.live).all() for model in (Video, Channel, MediaItem, MediaChannel, Playlist)
        }
        total = {model: len(session.scalars(model.including_deleted).all()) for model in live}
        assert {model: (len(found), total[model]) for model, found in live.items()} == {
            Video: (3, 4),
            Channel: (1, 2),
            MediaItem: (2, 3),
            MediaChannel: (1, 2),
            Playlist: (1, 1),
        }
        a = session.scalars(MediaItem.live.where(MediaItem.title == "Video a")).one()
        assert (a.video.key, a.video.item, a.sms.id) == ("a", a, 1)
        assert a.video.resource.data["title"] == "Video a"
        c = a.channel
        assert (c.title, c.billing_account.lookup_instid) == ("Channel c", "UIS")
        assert {item.title for item in c.items} == {"Video a", "Video b"}
        assert (c.jwp_channel.key, c.jwp_channel.channel, c.jwp_channel.sms_collection_id) == ("c", c, 7)
        assert c.jwp_channel.resource.type == "channel"
        assert [session.get(MediaItem, item_id).title[-1] for item_id in c.playlist.media_item_ids] == ["b", "a", "b"]
        no_item = session.get(Video, "no-item")
        assert (no_item.item, no_item.resource.key) == (None, "no-item")
        gone = session.get(Video, "gone")
        assert gone.resource.deleted_at is not None
        assert gone.item.deleted_at is not None
        assert gone.item.sms is None

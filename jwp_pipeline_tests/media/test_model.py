"""For random libraries that change over time, our tables agree with a model that is written from the contract."""

import json
from collections import Counter
from datetime import UTC, datetime

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from jwp_pipeline.mirror.resources import set_resources
from jwp_pipeline.record.models import MediaItem
from jwp_pipeline_tests.media.model import Model
from jwp_pipeline_tests.media.state import (
    differences,
    open_problems,
    read_rows,
    read_state,
    written_by,
)
from jwp_pipeline_tests.media.values import ABSENT, KEEP, NOBODY, WORLD, Resource, Value, permission
from jwp_pipeline_tests.support import Site, empty, fewer_if_quick

COUNTED = ("created", "updated", "restored", "deleted")


def bad(*raws, means=KEEP):
    return [Value(raw, means, problem=True) for raw in raws]


TEXTS = [Value(" A ", " A "), Value("B", "B"), Value(None, ""), Value(ABSENT, ""), *bad(7, means="7")]
SMS_TIMES = [
    Value("last_updated_at:2018-07-01T10:00:00+01:00:", "2018-07-01T09:00:00+00:00"),
    Value("last_updated_at:03/04/2018:", "2018-03-04T00:00:00+00:00"),
    Value("last_updated_at::", None),
    Value(ABSENT, None),
    *bad("last_updated_at:soon:", None),
]
CUSTOM = bad(None, "text", 7)


def numbers(word, last):
    """Return Values of an SMS id, mostly ones that another resource may have, too."""
    return [
        *(Value(f"{word}:{number}:", number) for number in range(1, last + 1) for _ in range(3)),
        Value(f"{word}: 01:\n", 1),
        Value(None, None),
        Value(ABSENT, None),
        *bad(f"{word}:one:", 1, "media_id:1:"),
    ]


VIDEO_VALUES = {
    "title": TEXTS,
    "description": TEXTS,
    "mediatype": [*(Value(name, name) for name in ("video", "audio")), Value(None, "unknown"), *bad("film")],
    "duration": [Value(60, 60.0), Value("12.5", 12.5), Value(-1, -1.0), Value(None, 0.0), *bad("NaN", "long", True)],
    "date": [
        Value(1_500_000_000, "2017-07-14T02:40:00+00:00"),
        Value(-1.5, "1969-12-31T23:59:58.500000+00:00"),
        Value(None, KEEP),
        *bad("soon", 10**15),
    ],
    "tags": [Value("Sea, sky", ["sea", "sky"]), Value(None, []), Value(ABSENT, [])],
    "sms_downloadable": [Value("downloadable:True:", True), Value("downloadable:true:", False), *bad("True")],
    "sms_language": [Value("language:english:", "eng"), Value(ABSENT, ""), *bad("language:e\nn:")],
    "sms_copyright": [Value("copyright:a:b:", "a:b"), Value(ABSENT, ""), *bad({})],
    "sms_keywords": [Value("keywords: X|y,z||x:", ["x", "y,z", "x"]), Value(ABSENT, []), *bad(["x"])],
    "sms_acl": [
        Value("acl:WORLD:", WORLD),
        Value("acl:CAM,USER_b,USER_a,USER_b:", permission(is_signed_in=True, crsids="bab")),
        Value("acl:INST_UIS, GROUP_1:", permission(lookup_insts=["UIS"], lookup_groups=["1"])),
        Value("acl::", NOBODY),
        Value(ABSENT, ABSENT),
        Value("acl:MARTIAN,CAM:", permission(is_signed_in=True), problem=True),
        Value("acl:USER_,USER_a:", permission(crsids=["", "a"]), problem=True),
        *bad("WORLD", None, ["WORLD"]),
    ],
    "sms_media_id": numbers("media", 3),
    "sms_last_updated_at": SMS_TIMES,
    "custom": CUSTOM,
}
STAMPS = [*(Value(number, number) for number in range(4)), Value("9", 9), Value(ABSENT, 0), *bad("soon", 1.5)]
MEDIA_IDS = [
    *(
        Value(f"collection_media_ids:{','.join(map(str, ids))}:", ids)
        for ids in ((1, 2), (2, 1, 2), (3, 2, 1), (3, 99))
    ),
    Value("collection_media_ids: 3,,1,3,99:", (3, 1, 3, 99)),
    Value("collection_media_ids::", ()),
    Value(ABSENT, None),
    Value(ABSENT, None),
    *bad("collection_media_ids:1,x:", None),
]
CHANNEL_VALUES = {
    "title": TEXTS,
    "description": TEXTS,
    "sms_instid": [Value("instid:UIS:", "UIS"), Value(ABSENT, ""), *bad("UIS")],
    "sms_created_by": [Value("created_by:spqr1:", "spqr1"), Value("creator:abc1:", "abc1"), *bad("spqr1")],
    "sms_groupid": [Value("groupid:101:", "101"), Value("groupid::", ""), *bad(101)],
    "sms_collection_id": numbers("collection", 2),
    "sms_collection_media_ids": MEDIA_IDS,
    "sms_last_updated_at": SMS_TIMES,
    "custom": CUSTOM,
}
VIDEO_KEYS = st.sampled_from(["V1", "v2", "v3", "v4"])
MEMBERS = st.lists(st.sampled_from(["V1", "v2", "v3", "unknown"]), max_size=3).map(
    lambda keys: Value(tuple(keys), tuple(keys))
)


def edits(keys, values, **more):
    """Generate several pairs of a key and the values to set in that resource, or None to remove it."""
    often = {name: st.sampled_from(values[name]) for name in values if name != "custom"}
    seldom = st.fixed_dictionaries({}, optional={"custom": st.sampled_from(values["custom"])})
    edit = st.one_of(
        st.fixed_dictionaries(more, optional=often),
        st.fixed_dictionaries(more, optional=often),
        st.fixed_dictionaries(more, optional=often),
        st.tuples(st.fixed_dictionaries(more, optional=often), seldom).map(lambda pair: pair[0] | pair[1]),
        st.none(),
    )
    return st.lists(st.tuples(keys, edit), min_size=2, max_size=6)


ASSET_ORDERS = st.permutations(["videos", "media_items", "channels", "media_channels", "playlists"])
ABSENT_FOR_A_WHILE = st.none() | st.tuples(
    st.sets(VIDEO_KEYS, min_size=1), st.lists(st.sampled_from(["videos", "media_items", "playlists"]), max_size=2)
)
"""Videos that are missing from an additional listing before the step's own, and the assets that are synced with it."""
LIES = st.dictionaries(VIDEO_KEYS, VIDEO_KEYS, max_size=2)
"""Key of a video → key of another video, whose object has the first key in a listing before the step's own."""
VIEWS = [WORLD, NOBODY, permission(is_signed_in=True), permission(crsids="ab"), permission(lookup_insts=["UIS"])]
BY_HAND = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["withdraw", "undelete"]), VIDEO_KEYS),
        st.tuples(st.just("permit"), VIDEO_KEYS, st.sampled_from(VIEWS)),
    ),
    max_size=3,
)
"""Edits that somebody here makes to the items before the step."""
STEPS = st.lists(
    st.fixed_dictionaries(
        {
            "videos": edits(VIDEO_KEYS, VIDEO_VALUES, updated=st.sampled_from(STAMPS)),
            "channels": edits(st.sampled_from(["C1", "c2", "c3"]), CHANNEL_VALUES, members=MEMBERS),
            "create_items": st.sampled_from(["sms", "sms", "all"]),
            "sync_all": st.sampled_from([False, False, False, True]),
            "order": st.one_of(st.sampled_from(["together", "videos first", "channels first"]), ASSET_ORDERS),
            "backwards": st.booleans(),
            "absent": ABSENT_FOR_A_WHILE,
            "strict": st.sampled_from([None, None, True, False]),
            "lies": st.just({}) | LIES,
            "by_hand": st.just([]) | BY_HAND,
        }
    ),
    min_size=2,
    max_size=5,
)


class Library:
    """The library for both sides: Resources for the model, and JSON of one API for the sync."""

    def __init__(self, api, simulated):
        self.api = api
        self.simulated = simulated
        self.videos = {}
        self.channels = {}
        self._stamps = {}
        self.simulated.replace_all([], [])

    def edit(self, step):
        for kind in ("videos", "channels"):
            listed = getattr(self, kind)
            for key, edit in step[kind]:
                if edit is None:
                    listed.pop(key, None)
                    continue
                # An edit of the properties makes them readable again.
                known = {name: value for name, value in listed.get(key, {}).items() if name != "custom"}
                listed[key] = Resource({**known, **edit})
        self.simulated.replace_all(
            [video.as_v1(key) for key, video in self.videos.items()],
            [self._channel(key, channel) for key, channel in self.channels.items()],
        )
        for key, channel in self.channels.items():
            self.simulated.set_members(key, channel["members"].means, modified=self._stamps[key][1])

    def _channel(self, key, channel):
        # JWP moves `last_modified` with every change of a playlist, its members included.
        known, stamp = self._stamps.get(key, (None, 0))
        self._stamps[key] = (channel, stamp if known == channel else stamp + 1)
        sent = Resource({name: value for name, value in channel.items() if name != "members"}).as_v1(key)
        return {**sent, "updated": self._stamps[key][1]}

    def listed(self, kind, *, backwards, without=(), lies=None):
        name = {"v1": "key", "v2": "id"}[self.api]
        objects = {listed[name]: listed for listed in map(self._sent, self.simulated.records(kind))}
        lies = {key: other for key, other in (lies or {}).items() if {key, other} <= objects.keys()}
        objects |= {key: {**objects[other], name: key} for key, other in lies.items()}
        listing = [listed for key, listed in objects.items() if key not in without]
        return reversed(listing) if backwards else listing

    def _sent(self, record):
        return json.loads(record.json(self.api))

    def videos_under(self, lies):
        """Return the videos of a listing in which some keys have the objects of other videos."""
        lies = {key: other for key, other in lies.items() if {key, other} <= self.videos.keys()}
        return self.videos | {key: self.videos[other] for key, other in lies.items()}


def arrive(jwp, library, step, create_items):
    """Bring the present library into our tables, in the order of the step. Returns the last report."""

    def fetch(*kinds, **without):
        with Session(jwp.engine) as session, session.begin():
            for kind in kinds:
                set_resources(session, library.listed(kind, backwards=step["backwards"], **without), kind)

    def follow(*assets, sync_all=False):
        return jwp.follow(*assets, create_items=create_items, strict_acls=step["strict"], sync_all=sync_all)

    order = step["order"]
    if step["lies"]:
        fetch("video", lies=step["lies"])
        follow("media_items")
    if step["absent"]:
        keys, assets = step["absent"]
        fetch("video", without=keys)
        for asset in assets:
            follow(asset)
    if isinstance(order, list):
        fetch("channel", "video")
        for asset in order:
            follow(asset, sync_all=step["sync_all"])
        # An asset works from stored data. If it ran before the others, it has not seen their results.
        return follow(sync_all=step["sync_all"])
    first, second = {"channels first": ("channel", "video")}.get(order, ("video", "channel"))
    if order == "together":
        fetch(first, second)
    else:
        fetch(first)
        follow()
        fetch(second)
    return follow(sync_all=step["sync_all"])


@settings(
    max_examples=fewer_if_quick(),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    # Shrinking is left out. It would take minutes of syncs, and the failing assertion names the fields.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(api=st.sampled_from(["v1", "v2"]), default_acl=st.sampled_from(["WORLD", "CAM"]), steps=STEPS)
def test_a_sync_does_what_the_model_does(engine, simulator, api, default_acl, steps):
    """Semantics §2-§6, including the identity of items, channels and playlists.

    P3: a second sync writes nothing. P4, P5: in the model, unreadable values are problems and grant nothing.
    Section 4: in every mode, a private item whose own ACL stays private never becomes public.
    """
    empty(engine)
    model = Model(WORLD if default_acl == "WORLD" else permission(is_signed_in=True), api)
    library = Library(api, simulator.library)
    syncs, rows, create_items = [], {}, "sms"
    with Site(engine, simulator, api, default_acl=default_acl, create_items="sms", sync_items=False) as jwp:
        for step in steps:
            if step["order"] not in ("videos first", "channels first"):
                # Items that were made under another rule between the two syncs would stay.
                create_items = step["create_items"]
            library.edit(step)
            act_by_hand(engine, model, step["by_hand"])
            before, rows_before, was_public = model.contents(), rows, public_items(engine)
            options = {"create_items": create_items, "strict": step["strict"]}
            if step["lies"]:
                model.sync_videos(library.videos_under(step["lies"]), **options)
            if step["absent"]:
                keys, _ = step["absent"]
                present = {key: video for key, video in library.videos.items() if key not in keys}
                model.sync_videos(present, **options)
            model.sync(library.videos, library.channels, **options, sync_all=step["sync_all"])
            begin = datetime.now(UTC)
            report = arrive(jwp, library, step, create_items)
            syncs.append((begin, datetime.now(UTC)))

            assert differences(read_state(engine), model.state(), syncs) == []
            assert open_problems(engine).keys() == model.problems
            rows = read_rows(engine)
            assert rows.keys() == model.contents().keys()
            assert {name: row.id for name, row in rows_before.items()}.items() <= {
                name: row.id for name, row in rows.items()
            }.items()
            strict = create_items == "all" if step["strict"] is None else step["strict"]
            if not step["lies"]:
                assert public_items(engine) & private_at_jwp(library) <= was_public
            if strict:
                assert not public_items(engine) & private_at_jwp(library)
            if step["order"] == "together" and not (step["absent"] or step["lies"] or step["by_hand"]):
                assert_only_changes_were_written(report, rows_before, rows, before, model.contents())

            written = written_by(engine)
            again = jwp.follow(create_items=create_items, strict_acls=step["strict"], sync_all=step["sync_all"])
            assert written_by(engine) == written
            assert again.members_asked == 0
            assert not any(counts.written for counts in again.counts.values())


def act_by_hand(engine, model, acts):
    """Make the edits of somebody here, in our tables and in the model."""
    of_video = "WHERE id = (SELECT media_item_id FROM videos WHERE key = :key)"
    with engine.begin() as connection:
        for act, key, *view in acts:
            if act == "permit":
                model.permit(key, *view)
                assignments = ", ".join(f"view_{name} = :{name}" for name in view[0])
                connection.execute(text(f"UPDATE media_items SET {assignments} {of_video}"), {"key": key, **view[0]})
            elif getattr(model, act)(key):
                moment = "clock_timestamp()" if act == "withdraw" else "NULL"
                connection.execute(text(f"UPDATE media_items SET deleted_at = {moment} {of_video}"), {"key": key})


def public_items(engine):
    """Return the keys of the live items that are public."""
    with Session(engine) as session:
        return {item.video.key for item in session.scalars(MediaItem.live.where(MediaItem.view_is_public))}


def private_at_jwp(library):
    """Return the keys of the videos whose ACL is not public or cannot be read."""
    acls = {key: video.read("sms_acl", WORLD) for key, video in library.videos.items()}
    return {key for key, acl in acls.items() if acl is KEEP or not acl["is_public"]}


def assert_only_changes_were_written(report, rows_before, rows, before, after):
    """Assert that only new, changed and restored rows have a new `updated_at`, and that the report counts them."""
    counted = {asset: Counter() for asset in ("media_items", "media_channels", "playlists")}
    became_public = 0
    for name, (content, deleted) in after.items():
        known, was_deleted = before.get(name, (None, True))
        if known is None:
            change = "created"
        elif was_deleted and not deleted:
            change = "restored"
        elif deleted and not was_deleted:
            change = "deleted"
        else:
            change = "unchanged" if content == known else "updated"
        counted[name[0]][change] += 1
        moved = known is None or rows[name].updated_at != rows_before[name].updated_at
        assert moved == (change in ("created", "restored", "updated")), name
        if name[0] == "media_items" and known and content[1]["is_public"] and not known[1]["is_public"]:
            became_public += 1
    for asset, expected in counted.items():
        found = report.counts[asset]
        assert {change: getattr(found, change) for change in COUNTED} == {c: expected[c] for c in COUNTED}, asset
    assert report.became_public.count == became_public

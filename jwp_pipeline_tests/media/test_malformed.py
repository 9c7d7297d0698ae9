"""With hundreds of malformed shapes among good objects in one library, a sync goes on and makes nothing public."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from jwp_pipeline.database.tables import SyncProblem
from jwp_pipeline_tests.media.malformed import SHAPES, as_text, as_v1, good_channel, good_video
from jwp_pipeline_tests.media.state import differences, open_problems, read_state
from jwp_pipeline_tests.media.values import permission
from jwp_pipeline_tests.support import Site, video

STATE_NAMES = {
    "mediatype": "type",
    "date": "published_at",
    "sms_acl": "view",
    "sms_downloadable": "downloadable",
    "sms_language": "language",
    "sms_copyright": "copyright",
    "sms_keywords": "tags",
}
DEFAULT = None
"""Stands for a version if the field never had a good value."""


def cases():
    """Yield (key, Good of each field, Shape). Every shape is used for a known resource and for a new one."""
    for number, (shape, when) in enumerate(((shape, when) for shape in SHAPES for when in ("known", "new")), start=1):
        ids = (number, 100_000 + number)
        good = good_video(*ids) if shape.kind == "video" else good_channel(*ids, 200_000 + number)
        yield f"{when}-{number:04}", good, shape


CASES = tuple(cases())
SHOWN = {key: 200_000 + number for number, (key, _, shape) in enumerate(CASES, start=1) if shape.kind == "channel"}
"""Key of each channel → SMS id of the video that it shows."""


def library(version, *, shaped=False, new=True):
    """Return the videos and channels in a version, together with those that are always good."""
    listed = {
        "video": [
            video("public", 300_000, acl="WORLD"),
            *(video(f"shown-{key}", sms_id, acl="USER_owner") for key, sms_id in SHOWN.items()),
        ],
        "channel": [],
    }
    for key, good, shape in CASES:
        if new or is_known(key):
            listed[shape.kind].append(as_v1(key, good, version, shape if shaped else None))
    return listed["video"], listed["channel"]


def is_known(key):
    return key.startswith("known")


def versions_while_malformed(key, good, shape):
    """Return field → the version of its value while the second version of the resource is malformed."""
    last_good = 0 if is_known(key) else DEFAULT
    if shape.field == "updated":
        # It counts as unchanged for a known resource. A new one has no stamp to compare with.
        return dict.fromkeys(good, 0 if is_known(key) else 1)
    if shape.field == "custom":
        return {name: last_good if name.startswith("sms_") else 1 for name in good}
    return dict.fromkeys(good, 1) | {shape.field: last_good}


def values_of(good, versions):
    return {name: good[name].default if at is DEFAULT else good[name].means[at] for name, at in versions.items()}


def state_while_malformed(key, good, shape, create_items):
    """Return the item or channel while its field is malformed, or None if there is no item."""
    values = values_of(good, versions_while_malformed(key, good, shape))
    if shape.field in ("title", "description"):
        values[shape.field] = as_text(shape.raw)
    if shape.kind == "channel":
        for name in ("sms_created_by", "sms_groupid"):
            # A permission has no last good value. It consists of what can be read now.
            if shape.field in (name, "custom"):
                values[name] = []
        return channel_state(key, values, create_items)
    # With strict ACLs, a known and unchanged item keeps only what its ACL grants now. The ACL names somebody else, so
    # that is nothing.
    is_narrowed = shape.field == "updated" and is_known(key) and create_items == "all"
    if shape.field in ("sms_acl", "custom") or is_narrowed:
        values["sms_acl"] = permission()
    if shape.field == "sms_media_id":
        # An SMS id that cannot be read leaves the SMS row as it is.
        values["sms_last_updated_at"] = good["sms_last_updated_at"].means[0] if is_known(key) else None
    has_no_item = create_items == "sms" and values["sms_media_id"] is None
    return None if has_no_item else item_state(values)


def state_when_mended(key, good, shape, create_items):
    values = values_of(good, dict.fromkeys(good, 2))
    if shape.kind == "video":
        return item_state(values)
    if not is_known(key) and shape.field in ("sms_instid", "custom"):
        # The billing account never changes after the channel was made.
        values["sms_instid"] = ""
    return channel_state(key, values, create_items)


def item_state(values):
    fields = {STATE_NAMES.get(name, name): value for name, value in values.items() if name != "updated"}
    return {"deleted": False, "channel": None, **fields}


def channel_state(key, values, create_items):
    shown = [f"shown-{key}"] * values["sms_collection_media_ids"]
    texts = {name: values[name] for name in ("title", "description")}
    has_playlist = create_items == "all" or values["sms_collection_id"] is not None
    return {
        "deleted": False,
        **texts,
        "billing_account": values["sms_instid"],
        "edit": permission(crsids=values["sms_created_by"], lookup_groups=values["sms_groupid"]),
        "items": shown[:1],
        "sms_collection_id": values["sms_collection_id"],
        "sms_last_updated_at": values["sms_last_updated_at"] if values["sms_collection_id"] is not None else None,
        "playlist": {**texts, "media_items": shown} if has_playlist else None,
    }


def sent(shape, api):
    """Return what the API sends for a shape. The simulated v2 sends a list if v1's custom properties are null."""
    return [] if api == "v2" and shape.field == "custom" and shape.raw is None else shape.raw


def compared(engine, expected, create_items, syncs):
    """Return where the items and channels of all cases differ from what is expected, at most ten places."""
    state = read_state(engine)
    found = {key: (state["media_items"] | state["channels"]).get(key) for key, _, _ in CASES}
    return differences(found, {case[0]: expected(*case, create_items) for case in CASES}, syncs)[:10]


@pytest.mark.parametrize(("api", "create_items"), [pytest.param("v1", "sms", marks=pytest.mark.slow), ("v2", "all")])
def test_no_malformed_shape_stops_the_sync(api, create_items, engine, simulator):
    """P4, P5, semantics §6: fields keep their last good value, or the default in a new item, until they are mended."""
    assert len(SHAPES) >= 200
    begin = datetime.now(UTC)
    with Site(engine, simulator, api, create_items=create_items) as jwp:
        jwp.library.replace_all(*library(0, new=False))
        jwp.sync()
        assert open_problems(engine) == {}

        jwp.library.replace_all(*library(1, shaped=True))
        report = jwp.sync()
        syncs = [(begin, datetime.now(UTC))]
        assert compared(engine, state_while_malformed, create_items, syncs) == []
        items = read_state(engine)["media_items"]
        assert {key for key, item in items.items() if item["view"]["is_public"]} == {"public"}
        assert report.became_public.count == 0
        assert all(items[f"shown-{key}"]["view"] == permission(crsids=["owner"]) for key in SHOWN)
        assert {name: problem.value for name, problem in open_problems(engine).items()} == {
            ("mapping", shape.kind, key, shape.field): as_text(sent(shape, api)) for key, _, shape in CASES
        }

        jwp.library.replace_all(*library(2))
        jwp.sync()
        assert open_problems(engine) == {}
        assert compared(engine, state_when_mended, create_items, syncs) == []
        with Session(engine) as session:
            assert session.scalar(select(func.count(SyncProblem.id))) == len(CASES)

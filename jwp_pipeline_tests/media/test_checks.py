"""What a sync tells: broken promises, items that wait or became public, problems from their opening to their end."""

import dagster as dg
import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from jwp_pipeline.database.tables import SyncProblem
from jwp_pipeline.definitions import build_definitions
from jwp_pipeline.media.checks import CHECKS, run_check
from jwp_pipeline.media.report import MEDIA_ASSETS
from jwp_pipeline.orchestration.runtime import Runtime
from jwp_pipeline.settings import load_settings
from jwp_pipeline_tests.media.site import channel, site, video
from jwp_pipeline_tests.media.state import open_problems, read_rows, read_state
from jwp_pipeline_tests.support import rows


@pytest.fixture
def jwp(engine, simulator):
    """A site in step with a small library, where every promise holds."""
    with site(engine, simulator) as jwp:
        jwp.library.replace_all(
            [video("a", 1, acl="USER_a"), video("b", 2), video("no-item", updated=5)],
            [channel("c", 1, media_ids=[1, 2]), channel("empty", 2)],
        )
        jwp.sync()
        yield jwp


def found(engine, create_items="sms"):
    """Name of each check that is not content → what it lists."""
    with engine.connect() as connection:
        violations = {check.name: run_check(connection, check, create_items) for check in CHECKS}
    assert all(found.count == len(found.sample) for found in violations.values())
    return {name: found.sample for name, found in violations.items() if found.count}


def break_promise(engine, statement):
    with engine.begin() as connection:
        assert connection.execute(text(statement)).rowcount == 1


@pytest.mark.parametrize(
    ("statement", "check", "what"),
    [
        ("UPDATE media_items SET deleted_at = now() WHERE title = 'Video a'", "every_video_has_its_item", "a"),
        ("DELETE FROM videos WHERE key = 'no-item'", "every_video_has_its_item", "no-item"),
        ("UPDATE cached_resources SET deleted_at = now() WHERE key = 'a'", "every_video_has_its_item", "item "),
        ("UPDATE videos SET waits = true WHERE key = 'a'", "content_reflected", "a"),
        (
            "UPDATE media_items SET media_channel_id = (SELECT id FROM media_channels WHERE title = 'Channel empty')"
            " WHERE title = 'Video a'",
            None,
            None,
        ),
        (
            "UPDATE playlists SET media_item_ids = (SELECT array_agg(id) FROM media_items WHERE title = 'Video a')"
            " WHERE title = 'Channel c'",
            None,
            None,
        ),
    ],
)
def test_a_planted_violation_is_found(statement, check, what, jwp, engine):
    """P8: each check lists what breaks its promise, and nothing when all is well."""
    assert found(engine) == {}
    break_promise(engine, statement)
    violations = found(engine)
    if check is None:
        # Not yet a violation; with its channel or item deleted it is.
        assert violations == {}
        return
    assert violations[check][0].startswith(what)


def test_items_of_dead_channels_and_playlists_of_dead_items_are_found(jwp, engine):
    """P8: the item of a deleted channel, the live playlist that shows a deleted item."""
    break_promise(engine, "UPDATE media_channels SET deleted_at = now() WHERE title = 'Channel c'")
    assert [len(sample) for sample in found(engine).values()] == [2]
    assert "no_item_of_a_dead_channel" in found(engine)
    break_promise(engine, "UPDATE media_channels SET deleted_at = NULL WHERE title = 'Channel c'")
    break_promise(engine, "UPDATE media_items SET deleted_at = now() WHERE title = 'Video b'")
    assert [len(found(engine)[name]) for name in ("no_deleted_item_in_a_playlist", "every_video_has_its_item")] == [
        1,
        1,
    ]


def test_videos_without_an_item_matter_only_where_all_should_have_one(jwp, engine):
    """Semantics §2, JWP_CREATE_ITEMS."""
    assert found(engine, create_items="all") == {"every_video_has_its_item": ("no-item",)}
    jwp.sync(create_items="all")
    assert found(engine, create_items="all") == {}


def test_what_waits_for_the_full_resync_is_counted(jwp, engine):
    """Semantics §2: content that changed without a newer `updated`; the item stays until all are synchronised."""
    jwp.library.edit("video", "a", title="Renamed")
    jwp.library.put("video", video("b", 2, views=7))
    jwp.sync()
    assert found(engine) == {"content_reflected": ("a",)}
    assert read_state(engine)["media_items"]["a"]["title"] == "Video a"
    jwp.library.edit("video", "a", title="Video a")
    jwp.sync()
    assert found(engine) == {}
    jwp.library.edit("video", "a", title="Renamed")
    jwp.sync()
    jwp.sync(sync_all=True)
    assert found(engine) == {}
    assert read_state(engine)["media_items"]["a"]["title"] == "Renamed"


def test_an_sms_id_that_changed_waits_too(jwp, engine):
    """Semantics §2: it is content like any other."""
    jwp.library.put("video", video("b", 3))
    jwp.sync()
    assert found(engine) == {"content_reflected": ("b",)}
    assert read_state(engine)["media_items"]["b"]["sms_media_id"] == 2
    jwp.sync(sync_all=True)
    assert found(engine) == {}
    assert read_state(engine)["media_items"]["b"]["sms_media_id"] == 3


def test_what_became_public_is_told(jwp, engine):
    """P5, semantics §4: items that were there and not public; new ones and those that stay public are none."""
    jwp.library.put("video", video("a", 1, acl="WORLD"))
    assert jwp.sync().became_public.count == 0
    jwp.library.replace_all([video("a", 1, acl="WORLD", updated=2), video("b", 2, updated=2), video("new", 3)], [])
    public = jwp.sync().became_public
    assert (public.count, public.sample) == (1, ((read_rows(engine)["media_items", "a"].id, "Video a"),))
    assert jwp.sync(sync_all=True).became_public.count == 0


def problems_of(engine, key):
    with Session(engine) as session:
        found = session.scalars(select(SyncProblem).where(SyncProblem.key == key).order_by(SyncProblem.id))
        return [(p.id, p.field, p.value, p.first_seen_at, p.last_seen_at, p.resolved_at) for p in found]


def test_a_problem_is_opened_once_touched_and_resolved(jwp, engine, api):
    """P4, semantics §6: and opened anew when it comes back."""
    jwp.library.put("video", video("a", 1, updated=2, duration="long"))
    jwp.sync()
    [(problem_id, field, value, first_seen, last_seen, resolved)] = problems_of(engine, "a")
    assert (field, value, resolved) == ("duration", "long", None)
    assert first_seen == last_seen

    jwp.library.put("video", video("a", 1, updated=3, duration="longer"))
    jwp.sync()
    [touched] = problems_of(engine, "a")
    assert touched[:4] == (problem_id, "duration", "longer", first_seen)
    assert touched[4] > last_seen
    assert jwp.sync().open_problems == {"duration": 1}

    jwp.library.put("video", video("a", 1, updated=4, duration=1))
    assert jwp.sync().open_problems == {}
    [mended] = problems_of(engine, "a")
    assert mended[:5] == touched[:5]
    assert mended[5] > touched[4]

    jwp.library.put("video", video("a", 1, updated=5, duration="long"))
    jwp.sync()
    assert [resolved is None for *_, resolved in problems_of(engine, "a")] == [False, True]


def test_problems_of_what_is_gone_are_resolved(jwp, engine):
    """P4: of videos and channels, of reading and of ownership."""
    jwp.library.put("video", video("a", 2, updated=2, duration="long"))
    jwp.library.put("video", video("b", 2, updated=2))
    jwp.library.put("channel", channel("c", 2, media_ids=[2], title=7))
    jwp.library.put("channel", channel("empty", 2, media_ids=[2]))
    jwp.sync()
    assert open_problems(engine).keys() == {
        ("mapping", "video", "a", "duration"),
        ("mapping", "channel", "c", "title"),
        ("ownership", "video", "b", "sms_media_id"),
        ("ownership", "channel", "empty", "sms_collection_id"),
        ("ownership", "channel", "empty", "items"),
    }
    jwp.library.remove("video", "a")
    jwp.library.remove("channel", "c")
    jwp.sync()
    assert open_problems(engine) == {}
    assert len(rows(engine, "SELECT 1 FROM sync_problems")) == 5


def run_job(jwp, media_url, **config):
    """The media assets of the job as the UI's launchpad starts them; their checks by name."""
    environment = {name.lower(): value for name, value in jwp.simulator.environment("v1").items()}
    settings = load_settings(**environment, jwp_database_url=media_url, jwp_create_items="sms")
    job = build_definitions(Runtime(settings=lambda: settings)).resolve_job_def("sync")
    result = job.execute_in_process(
        asset_selection=[dg.AssetKey(asset) for asset in MEDIA_ASSETS],
        run_config={"ops": {"media": {"config": config}}},
    )
    return {check.check_name: check for check in result.get_asset_check_evaluations()}


def test_the_job_follows_all_where_it_is_told_to(jwp, engine, media_url):
    """Semantics §2, P8: by its config, as typed in the UI; its checks say what waited and what became public."""
    jwp.library.edit("video", "a", title="Renamed", custom={"sms_media_id": "media:1:"})
    jwp.fetch()
    checks = run_job(jwp, media_url)
    assert not checks["content_reflected"].passed
    assert checks["content_reflected"].severity == dg.AssetCheckSeverity.WARN
    assert "a" in checks["content_reflected"].description
    assert checks["none_became_public"].passed
    assert read_state(engine)["media_items"]["a"]["title"] == "Video a"

    checks = run_job(jwp, media_url, sync_all=True)
    assert checks["content_reflected"].passed
    assert not checks["none_became_public"].passed
    assert {check.name for check in CHECKS} <= checks.keys()
    item = read_state(engine)["media_items"]["a"]
    assert (item["title"], item["view"]["is_public"]) == ("Renamed", True)

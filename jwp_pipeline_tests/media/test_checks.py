"""A sync reports broken promises, items that wait or became public, and problems until they are resolved."""

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
from jwp_pipeline_tests.media.state import open_problems, read_rows, read_state
from jwp_pipeline_tests.support import Site, channel, rows, video


@pytest.fixture
def jwp(engine, simulator):
    """A site in step with a small library, where every promise is kept."""
    with Site(engine, simulator, create_items="sms") as jwp:
        jwp.library.replace_all(
            [video("a", 1, acl="USER_a"), video("b", 2), video("no-item", updated=5)],
            [channel("c", 1, media_ids=[1, 2]), channel("empty", 2)],
        )
        jwp.sync()
        yield jwp


def asked(connection, create_items="sms"):
    """Return name of each check that finds violations → what it lists."""
    violations = {check.name: run_check(connection, check, create_items) for check in CHECKS}
    assert all(found.count == len(found.sample) for found in violations.values())
    return {name: found.sample for name, found in violations.items() if found.count}


def found(engine, create_items="sms"):
    with engine.connect() as connection:
        return asked(connection, create_items)


VIOLATIONS = {
    "UPDATE media_items SET deleted_at = now() WHERE title = 'Video a'": {
        "no_deleted_item_in_a_playlist": ["playlist shows a"],
    },
    "WITH deleted AS (UPDATE media_items SET deleted_at = now() WHERE title = 'Video a')"
    " UPDATE videos SET item_deleted_at = now() WHERE key = 'a'": {
        "every_video_has_its_item": ["a"],
        "no_deleted_item_in_a_playlist": ["playlist shows a"],
    },
    "DELETE FROM videos WHERE key = 'no-item'": {"every_video_has_its_item": ["no-item"]},
    "UPDATE videos SET deleted_at = now() WHERE key = 'no-item'": {"every_video_has_its_item": ["no-item"]},
    "UPDATE cached_resources SET deleted_at = now() WHERE key = 'a'": {"every_video_has_its_item": ["item a"]},
    "UPDATE videos SET needs_full_sync = true WHERE key = 'a'": {"content_reflected": ["a"]},
    "UPDATE media_channels SET deleted_at = now() WHERE title = 'Channel c'": {
        "no_item_of_a_dead_channel": ["a of channel c", "b of channel c"],
    },
    # A deleted item keeps its channel.
    "WITH deleted AS (UPDATE media_items SET deleted_at = now() WHERE title = 'Video a')"
    " UPDATE media_channels SET deleted_at = now() WHERE title = 'Channel c'": {
        "no_item_of_a_dead_channel": ["b of channel c"],
        "no_deleted_item_in_a_playlist": ["playlist shows a"],
    },
    # What becomes of the items of a channel that JW Platform never had is not for a sync to decide.
    "WITH forgotten AS (DELETE FROM channels WHERE key = 'c')"
    " UPDATE media_channels SET deleted_at = now() WHERE title = 'Channel c'": {},
    "UPDATE playlists SET media_item_ids = '{unknown}' WHERE title = 'Channel c'": {
        "no_deleted_item_in_a_playlist": ["playlist shows unknown"],
    },
}
"""What somebody might do to our tables → what each check then lists, with keys in place of our own ids."""


def test_a_planted_violation_is_found(jwp, engine):
    """P8: only the check whose promise it breaks finds it."""
    names = {row.id: "playlist" if table == "playlists" else key for (table, key), row in read_rows(engine).items()}

    def legible(line):
        for own_id, name in names.items():
            line = line.replace(own_id, name)
        return line

    for statement, expected in VIOLATIONS.items():
        with engine.connect() as connection:
            assert asked(connection) == {}
            assert connection.execute(text(statement)).rowcount == 1
            found = {name: sorted(map(legible, sample)) for name, sample in asked(connection).items()}
            connection.rollback()
        assert found == expected, statement


def test_videos_without_an_item_matter_only_if_all_should_have_one(jwp, engine):
    """JWP_CREATE_ITEMS decides (semantics §2)."""
    assert found(engine, create_items="all") == {"every_video_has_its_item": ("no-item",)}
    jwp.sync(create_items="all")
    assert found(engine, create_items="all") == {}


def test_items_that_wait_for_the_full_resync_are_counted(jwp, engine):
    """Semantics §2: if content changed without a newer `updated`, the item stays until all are synchronised."""
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
    """Semantics §2: the SMS id is content like any other."""
    jwp.library.put("video", video("b", 3))
    jwp.sync()
    assert found(engine) == {"content_reflected": ("b",)}
    assert read_state(engine)["media_items"]["b"]["sms_media_id"] == 2
    jwp.sync(sync_all=True)
    assert found(engine) == {}
    assert read_state(engine)["media_items"]["b"]["sms_media_id"] == 3


def test_items_that_became_public_are_reported(jwp, engine):
    """P5, semantics §4: new items, and items that were public before, do not count."""
    jwp.library.put("video", video("a", 1, acl="WORLD"))
    assert jwp.sync().became_public.count == 0
    jwp.library.replace_all([video("a", 1, acl="WORLD", updated=2), video("b", 2, updated=2), video("new", 3)], [])
    public = jwp.sync().became_public
    assert (public.count, public.sample) == (1, ((read_rows(engine)["media_items", "a"].id, "Video a"),))
    assert jwp.sync(sync_all=True).became_public.count == 0


def test_a_video_whose_item_was_never_made_is_found(jwp, engine):
    """Semantics §2: in `sms` mode it is found, too, if it has an SMS id. The next sync makes the item."""
    jwp.library.put("video", video("new", 3))
    jwp.fetch()
    jwp.follow("videos")
    assert found(engine) == {"every_video_has_its_item": ("new",)}
    jwp.follow()
    assert found(engine) == {}
    with engine.begin() as connection:
        for statement in (
            "UPDATE playlists SET media_item_ids = '{}'",
            "UPDATE videos SET media_item_id = NULL",
            "DELETE FROM sms_media_items",
            "DELETE FROM media_items",
        ):
            connection.execute(text(statement))
    assert found(engine) == {"every_video_has_its_item": ("a", "b", "new")}
    jwp.follow()
    assert found(engine) == {}
    state = read_state(engine)
    assert {key: item["sms_media_id"] for key, item in state["media_items"].items()} == {"a": 1, "b": 2, "new": 3}
    assert state["channels"]["c"]["playlist"]["media_items"] == ["a", "b"]
    # Without an SMS id the item would not be made today, so it does not count as lacking.
    jwp.library.put("video", video("new", updated=2))
    jwp.sync()
    with engine.begin() as connection:
        connection.execute(text("UPDATE videos SET media_item_id = NULL WHERE key = 'new'"))
    assert found(engine) == {}


def test_only_the_first_of_many_violations_are_fetched(jwp, engine):
    """P6: the server counts violations and items that became public, and titles are cut."""
    title = "Long " * 1000
    many = [video(f"v{number:02}", 100 + number, title=title, acl="USER_a") for number in range(30)]
    jwp.library.replace_all(many, [])
    jwp.sync()
    jwp.library.replace_all([{**video, "updated": 2, "custom": {"sms_acl": "acl:WORLD:"}} for video in many], [])
    public = jwp.sync().became_public
    assert (public.count, len(public.sample)) == (30, 20)
    assert {title for _, title in public.sample} == {title[:200]}
    assert [item_id for item_id, _ in public.sample] == sorted(item_id for item_id, _ in public.sample)
    with engine.connect() as connection:
        connection.execute(text("UPDATE videos SET needs_full_sync = true"))
        (waiting,) = [run_check(connection, check, "sms") for check in CHECKS if check.name == "content_reflected"]
    assert (waiting.count, waiting.sample) == (30, tuple(f"v{number:02}" for number in range(10)))


def problems_of(engine, key):
    with Session(engine) as session:
        found = session.scalars(select(SyncProblem).where(SyncProblem.key == key).order_by(SyncProblem.id))
        return [(p.id, p.field, p.value, p.first_seen_at, p.last_seen_at, p.resolved_at) for p in found]


def test_a_problem_is_opened_once_touched_and_resolved(jwp, engine):
    """P4, semantics §6: it is opened again when it comes back."""
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


def test_problems_of_resources_that_are_gone_are_resolved(jwp, engine):
    """P4: this is so for videos and channels, and for problems of reading and of ownership."""
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


def run_job(jwp, tables_url, **config):
    """Run the media assets of the job as the UI's launchpad does, and return their checks by name."""
    settings = load_settings(**jwp.settings, jwp_database_url=tables_url)
    job = build_definitions(Runtime(settings=lambda: settings)).resolve_job_def("sync")
    result = job.execute_in_process(
        asset_selection=[dg.AssetKey(asset) for asset in MEDIA_ASSETS],
        run_config={"ops": {"media": {"config": config}}},
    )
    return {check.check_name: check for check in result.get_asset_check_evaluations()}


def test_the_job_synchronises_all_items_if_configured_to(jwp, engine, tables_url):
    """Semantics §2, P8: the config is the one typed in the UI. The checks report what waited and what became public."""
    jwp.library.edit("video", "a", title="Renamed", custom={"sms_media_id": "media:1:"})
    jwp.fetch()
    checks = run_job(jwp, tables_url)
    assert not checks["content_reflected"].passed
    assert checks["content_reflected"].severity == dg.AssetCheckSeverity.WARN
    assert "a" in checks["content_reflected"].description
    assert checks["none_became_public"].passed
    assert read_state(engine)["media_items"]["a"]["title"] == "Video a"

    checks = run_job(jwp, tables_url, sync_all=True)
    assert checks["content_reflected"].passed
    assert not checks["none_became_public"].passed
    assert {check.name for check in CHECKS} <= checks.keys()
    item = read_state(engine)["media_items"]["a"]
    assert (item["title"], item["view"]["is_public"]) == ("Renamed", True)

"""Rows know where they play: signed players, posters and sources, with the settings of their own site."""

import pytest
import requests
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

from jwp_pipeline.errors import DeliveryError, SettingsError
from jwp_pipeline.record import (
    Access,
    Channel,
    MediaItem,
    Membership,
    Person,
    Playlist,
    Video,
    attach_settings,
    load_settings,
    open_engine,
)
from jwp_pipeline.simulator import Fault


@pytest.fixture
def record(jwp):
    """The engine of an application."""
    engine = open_engine()
    yield engine
    engine.dispose()


@pytest.fixture
def session(record):
    with Session(record) as session:
        yield session


def item(session, title):
    return session.scalars(MediaItem.live.where(MediaItem.title == title)).one()


def test_an_item_leads_to_its_player_its_poster_and_its_sources(session, simulator):
    public = item(session, "Public lecture")
    for url, kind in ((public.embed_url(), "text/html"), (public.embed_url("js"), "text/javascript")):
        answer = requests.get(url, timeout=5)
        assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, kind)
    assert requests.get(public.video.content_url(), timeout=5).status_code == 200
    assert requests.get(public.poster_url(320), timeout=5).headers["content-type"] == "image/jpeg"
    assert public.sources[0].mime_type == "application/vnd.apple.mpegurl"
    assert all(requests.get(source.url, timeout=5).status_code == 200 for source in public.sources)
    asked = [request for request in simulator.requests if request.route == "sources"]
    assert len(asked) == 1, "sources are asked for once for each object"
    assert public.video.get_sources() == public.sources
    assert "sig=" not in repr(public.sources)


def test_an_item_without_a_video_at_jw_platform_plays_nowhere(session, jwp):
    public = item(session, "Public lecture")
    jwp.library.remove("video", "public01")
    jwp.sync()
    session.expire_all()
    assert (public.embed_url(), public.poster_url(), public.sources) == (None, None, [])
    alone = MediaItem(id="alone", title="", description="")
    assert (alone.embed_url(), alone.poster_url(), alone.sources) == (None, None, [])


def test_a_video_that_is_being_transcoded_has_no_sources_and_a_failure_is_an_error(session, simulator):
    waiting = item(session, "Waiting lecture")
    assert waiting.sources == []
    simulator.faults.add(Fault.status(500), route="sources")
    with pytest.raises(DeliveryError, match="HTTP 500") as failure:
        item(session, "Public lecture").video.get_sources()
    assert "token" not in str(failure.value)


def test_rows_of_several_sites_in_one_process_use_the_settings_of_their_own(record, settings, tables_url):
    other = load_settings(jwplatform_api_base_url="https://other.example/", jwplatform_embed_player_key="Other001")
    own_engine = create_engine(tables_url.replace("postgresql://", "postgresql+psycopg://"))
    own_engine = own_engine.execution_options(schema_translate_map={None: "jwp"})
    attach_settings(own_engine, other)
    with Session(record) as ours, Session(own_engine) as theirs, sessionmaker(record)() as third:
        assert Video.from_key(ours, "public01").embed_url().startswith(settings.jwplatform_api_base_url)
        assert Video.from_key(theirs, "public01").embed_url().startswith("https://other.example/players/public01-Other")
        assert (
            Video.from_key(attach_settings(third, other), "public01").poster_url().startswith("https://other.example/")
        )
    make_session = attach_settings(sessionmaker(record), other)
    with make_session() as session:
        assert Video.from_key(session, "public01").poster_url().startswith("https://other.example/")
    own_engine.dispose()


def test_a_row_whose_settings_are_not_known_says_what_to_do(record, tables_url, engine, settings):
    with Session(engine) as session:
        video = Video.from_key(session, "public01")
        with pytest.raises(SettingsError, match="attach_settings"):
            video.embed_url()
    with pytest.raises(SettingsError, match="belongs to no session"):
        video.embed_url()
    assert "/players/public01-" in video.embed_url(settings=settings)


def test_a_playlist_gives_the_items_that_a_user_may_view_in_order(session):
    class Members:
        def membership(self, user):
            return Membership(groups=frozenset({"101888"}))

    access = Access(Members())
    playlist = session.scalars(Playlist.live).one()

    def titles(user):
        return [found.title for found in session.scalars(playlist.items().where(access.viewable_by(user)))]

    assert titles(None) == ["Public lecture", "Public lecture"]
    assert titles(Person("abc1")) == ["Group lecture", "Public lecture", "Private lecture", "Public lecture"]


@pytest.mark.parametrize("odd", ["a\0b", "\ud800"])
def test_what_postgresql_cannot_hold_is_found_nowhere(session, odd):
    assert Video.from_key(session, odd) is None
    assert Video.from_media_id(session, 1, odd).key == Video.from_media_id(session, 1).key == "public01"
    assert Video.from_media_id(session, 2**70) is None
    assert Channel.from_collection_id(session, 2**70) is None
    assert session.scalars(MediaItem.live.where(MediaItem.matches(odd))).all() == []


@pytest.mark.parametrize(
    ("words", "titles"),
    [("group", ["Group lecture"]), ("lectures -group -private -future -waiting", ["Public lecture"]), ("\0", [])],
)
def test_items_are_searched_by_words(session, words, titles):
    assert [found.title for found in session.scalars(MediaItem.live.where(MediaItem.matches(words)))] == titles

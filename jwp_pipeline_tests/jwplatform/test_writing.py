"""Edits, new videos and uploads reach the simulated JW Platform over HTTP, through v1 and v2 alike."""

import hashlib
import json
from datetime import UTC, datetime
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jwp_pipeline.errors import (
    CredentialsRefused,
    MalformedAnswer,
    RequestRefused,
    ResourceNotFound,
    WriteUncertain,
    WritingNotAllowed,
)
from jwp_pipeline.jwplatform.connect import connect, connect_writing
from jwp_pipeline.jwplatform.edits import is_empty, still_to_do, tags_of
from jwp_pipeline.jwplatform.shapes import change_stamp, raw_properties
from jwp_pipeline.jwplatform.writing import VideoEdit
from jwp_pipeline.jwplatform.writing_v2 import WritingV2
from jwp_pipeline.settings import Settings
from jwp_pipeline.simulator import Behaviour, Fault, Library, Simulator
from jwp_pipeline.simulator.exchange import Answer
from jwp_pipeline_tests.jwplatform.conftest import answer
from jwp_pipeline_tests.simulator.wire import video
from jwp_pipeline_tests.support import settings_of, wait_until, writing_client_of

KEY = "AbCd1234"
LONG = "7500 characters: " + "é|" * 3741 + "!"
FILE = b"\x00\r\n--\n\r\xff" * 1000


@pytest.fixture
def sim():
    original = video(KEY, tags="b, a", author="Me", link="https://x/", custom={"mine": "1", "sms_acl": "acl::"})
    with Simulator(Library([original, video("other123", custom={"mine": "2"})]), Behaviour()) as running:
        yield running


@pytest.fixture
def client(sim, api):
    client = writing_client_of(sim, api)
    yield client
    client.close()


def written(sim):
    """The requests that were meant to change something."""
    return [each for each in sim.requests if each.route in ("update", "create", "reupload")]


AWKWARD = {
    "blank description": VideoEdit(description=""),
    "line feeds": VideoEdit(title="a\r\nb\nc", description="\n x\n\ty \n"),
    "punctuation": VideoEdit(title="a|b, c: d; e&f=g+h%20/?#'\"\\<>", description="{}[]()*~!"),
    "emoji": VideoEdit(title="🎓 d\N{COMBINING ACUTE ACCENT}mo \N{RIGHT-TO-LEFT OVERRIDE}", description="\N{NBSP}x"),
    "long": VideoEdit(custom={"sms_copyright": LONG}),
    "property": VideoEdit(custom={"sms_keywords": "keywords:a|b,C: d:\n:", "site.example_org.name": "name:é:"}),
    "sub-second": VideoEdit(published_at=datetime(2024, 2, 29, 1, 2, 3, 999_999, tzinfo=UTC)),
    "tags": VideoEdit(add_tags=("sitedomain:example.org", "a", "Ä & ö")),
}


@pytest.mark.parametrize("edit", AWKWARD.values(), ids=AWKWARD.keys())
def test_what_was_sent_is_what_is_there_afterwards(sim, client, edit):
    before = client.show_video(KEY)
    assert not is_empty(still_to_do(before, edit)) or not edit.description
    after = client.update_video(before, edit)
    assert after == client.show_video(KEY)
    assert is_empty(still_to_do(after, edit))
    assert client.update_video(after, edit) == after
    assert len(written(sim)) == (edit != AWKWARD["blank description"])


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@pytest.fixture(scope="module")
def shared_sim():
    with Simulator(Library([video(KEY)])) as running:
        yield running


@given(
    title=TEXT.filter(bool),
    description=TEXT,
    value=TEXT,
    name=st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,20}", fullmatch=True),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_comes_back_as_it_was_sent(shared_sim, api, title, description, value, name):
    client = writing_client_of(shared_sim, api)
    edit = VideoEdit(title=title, description=description, custom={name: value})
    client.update_video(client.show_video(KEY), edit)
    shown = shared_sim.library.get("video", KEY)
    assert (shown["title"], shown["custom"][name]) == (title, value)
    # Null is as blank as a space, and is left as it is.
    assert (shown["description"] or " ") == (description if description.strip() else " ")
    client.close()


def test_everything_else_stays_as_it_is(sim, client):
    was, other = sim.library.get("video", KEY), sim.library.get("video", "other123")
    edit = VideoEdit(title="New", custom={"sms_acl": "acl:CAM:", "site.x.name": "name:X:"}, add_tags=("sitedomain:x",))
    shown = client.show_video(KEY)
    client.update_video(shown, edit)
    now = sim.library.get("video", KEY)
    assert now["custom"] == {"mine": "1", "sms_acl": "acl:CAM:", "site.x.name": "name:X:"}
    assert tags_of(now) == ["b", "a", "sitedomain:x"]
    changed = ("title", "custom", "tags", "updated")
    assert {name: now[name] for name in now if name not in changed} == {n: was[n] for n in was if n not in changed}
    assert sim.library.get("video", "other123") == other


def test_both_change_stamps_move(sim, client):
    before = client.show_video(KEY)
    after = client.update_video(before, VideoEdit(title="New"))
    assert change_stamp(after) > change_stamp(before)
    # Even if the stamp of JW Platform lies ahead of its own clock.
    sim.library.edit("video", KEY, updated=sim.library.get("video", KEY)["updated"] + 1000)
    ahead = client.show_video(KEY)
    assert change_stamp(client.update_video(ahead, VideoEdit(title="Newer"))) > change_stamp(ahead)


def test_a_description_becomes_blank(sim, api):
    sim.library.edit("video", KEY, description="Old")
    sim.behaviour.blank_description = "refused"
    client = writing_client_of(sim, api)
    client.update_video(client.show_video(KEY), VideoEdit(description=""))
    assert sim.library.get("video", KEY)["description"] == " "


def test_a_dry_run_changes_nothing(sim, client, api):
    was = sim.library.get("video", KEY)
    assert client.update_video(client.show_video(KEY), VideoEdit(title="New"), dry_run=True) is None
    assert sim.library.get("video", KEY) == was
    assert len(written(sim)) == (api == "v2")
    if api == "v2":
        shown = client.show_video(KEY)
        with pytest.raises(RequestRefused, match="longer than 5000 characters"):
            client.update_video(shown, VideoEdit(title="x" * 5001), dry_run=True)


@pytest.mark.parametrize(
    ("key", "edit", "error"),
    [
        (KEY, VideoEdit(title=""), RequestRefused),
        (KEY, VideoEdit(custom={"sms_acl": "x" * 7501}), RequestRefused),
        ("gone1234", VideoEdit(title="New"), ResourceNotFound),
    ],
)
def test_a_refusal_is_told_in_jw_platforms_own_words(sim, client, key, edit, error):
    shown = {**client.show_video(KEY)}
    shown["key" if "key" in shown else "id"] = key
    was = sim.library.get("video", KEY)
    with pytest.raises(
        error, match=rf'^Updating (video|media) {key}: JW Platform answers HTTP 40[04], .*: ".+"'
    ) as raised:
        client.update_video(shown, edit)
    assert raised.value.runbook != "uncertain-write"
    assert len(written(sim)) == 1
    assert sim.library.get("video", KEY) == was


def test_one_video_that_is_refused_for_ever_does_not_stop_the_others(sim, client):
    sim.faults.add(Fault.status(422), route="update", key=KEY, times=None)
    refused, shown = client.show_video(KEY), client.show_video("other123")
    for _ in range(2):
        with pytest.raises(RequestRefused, match="422"):
            client.update_video(refused, VideoEdit(title="New"))
        client.update_video(shown, VideoEdit(title="New"))
    assert [sim.library.get("video", key)["title"] for key in (KEY, "other123")] == [f"Video {KEY}", "New"]


def test_a_secret_that_may_only_read_is_told_from_a_wrong_one(sim, client, api):
    shown = client.show_video(KEY)
    sim.behaviour.read_only = True
    for write in (
        lambda: client.update_video(shown, VideoEdit(title="New")),
        lambda: client.create_video(VideoEdit(title="New")),
        lambda: client.renew_upload(KEY),
    ):
        with pytest.raises(WritingNotAllowed, match="accepted for reading"):
            write()
    wrong = SimpleNamespace(url=sim.url, api_key=sim.api_key, api_secret="a wrong one", v2_secret="a wrong one")
    stranger = writing_client_of(wrong, api)
    with pytest.raises(CredentialsRefused) as raised:
        stranger.update_video(shown, VideoEdit(title="New"))
    assert type(raised.value) is CredentialsRefused


def test_an_invalid_signature_says_nothing_about_the_right_to_write(sim):
    body = json.dumps({"status": "error", "code": "SignatureInvalid", "message": "x"}).encode()
    sim.faults.add(Fault("odd", instead=lambda call: Answer(400, body)), route="update")
    client = writing_client_of(sim, "v1")
    with pytest.raises(CredentialsRefused) as raised:
        client.update_video(client.show_video(KEY), VideoEdit(title="New"))
    assert type(raised.value) is CredentialsRefused


def upload(link, file):
    if link.method == "POST":
        answer = requests.post(link.url, files={"file": ("clip.mp4", file, "video/mp4")}, timeout=10)
    else:
        headers = {"Content-Type": link.content_type} if link.content_type else {}
        answer = requests.put(link.url, data=file, headers=headers, timeout=10)
    return answer.status_code


@pytest.mark.parametrize("mime_type", ["video/mp4", None])
def test_a_new_video_is_ready_once_its_file_is_uploaded(sim, client, api, mime_type):
    edit = VideoEdit(title="New", custom={"site.x.media_id": "media_id:1:"}, add_tags=("sitedomain:x",))
    made = client.create_video(edit, mime_type=mime_type)
    assert is_empty(still_to_do(client.show_video(made.key), edit))
    assert sim.library.get("video", made.key)["status"] == "created"
    assert made.upload.content_type == (mime_type if api == "v2" else None)
    assert upload(made.upload, FILE) == 200
    now = sim.library.get("video", made.key)
    assert (now["status"], now["mediatype"], now["md5"]) == ("ready", "video", hashlib.md5(FILE).hexdigest())
    assert (made.resource is None) == (api == "v1")
    if made.resource is not None:
        assert "upload_link" not in made.resource


def test_a_video_may_be_fetched(sim, client):
    sim.behaviour.processing_seconds = 1000
    made = client.create_video(VideoEdit(title="New"), source_url="https://media.example.org/a b.mp4")
    assert made.upload is None
    assert sim.library.get("video", made.key)["status"] == "processing"


def test_a_link_that_has_expired_is_renewed(sim, client):
    sim.behaviour.upload_link_seconds = 0
    made = client.create_video(VideoEdit(title="New"))
    assert upload(made.upload, FILE) == 403
    sim.behaviour.upload_link_seconds = 60
    renewed = client.renew_upload(made.key, mime_type="video/mp4")
    assert upload(renewed, FILE) == 200
    assert sim.library.get("video", made.key)["status"] == "ready"
    with pytest.raises(ResourceNotFound):
        client.renew_upload("gone1234")


@pytest.mark.parametrize("nested", [False, True], ids=["flat", "nested"])
def test_a_video_is_found_by_a_property_whose_name_has_dots(sim, client, nested):
    sim.behaviour.nested_properties = nested
    name, values = (
        "site.example_org.media_id",
        ["media_id:1:", "media_id:12:", 'a "quoted" \\ (x) AND *', "media_id:1:x:"],
    )
    keys = {value: client.create_video(VideoEdit(title=value, custom={name: value})).key for value in values}
    for value, key in keys.items():
        (found,) = client.find_videos(name, value)
        assert key in (found.get("key"), found.get("id"))
    assert client.find_videos(name, "media_id:") == client.find_videos("site.other.media_id", "media_id:1:") == []


def test_a_property_that_is_nested_at_jw_platform_is_changed_there(sim, client):
    sim.behaviour.nested_properties = True
    edit = VideoEdit(custom={"site.x.name": "name:X:", "site.x.media_id": "media_id:1:"})
    client.update_video(client.show_video(KEY), edit)
    after = client.update_video(client.show_video(KEY), VideoEdit(custom={"site.x.name": "name:Y:"}))
    custom = {"mine": "1", "sms_acl": "acl::", "site": {"x": {"name": "name:Y:", "media_id": "media_id:1:"}}}
    assert raw_properties(after) == custom


def test_a_new_video_may_be_missing_from_the_index_for_a_while(sim, client):
    sim.behaviour.index_lag_seconds = 0.3
    made = client.create_video(VideoEdit(title="New", custom={"a": "b"}))
    assert client.show_video(made.key)
    assert client.find_videos("a", "b") == []
    wait_until(lambda: client.find_videos("a", "b"))


def test_v1_is_asked_by_post_so_that_no_text_is_part_of_a_url(sim):
    client = writing_client_of(sim, "v1")
    client.update_video(client.show_video(KEY), VideoEdit(title="New", custom={"x": "y"}))
    (sent,) = written(sim)
    assert (sent.method, sent.path) == ("POST", "/v1/videos/update")
    shown = {name: value for name, value in sent.params.items() if not name.startswith("api_")}
    assert shown == {"video_key": KEY, "title": "New", "custom.x": "y"}


def test_v2_is_sent_only_what_changes(sim):
    client = writing_client_of(sim, "v2")
    client.update_video(client.show_video(KEY), VideoEdit(title="New", add_tags=("a",)))
    (sent,) = written(sim)
    assert (sent.method, json.loads(sent.body)) == ("PATCH", {"metadata": {"title": "New"}})


def test_the_settings_choose_the_client_and_the_links(sim, api):
    site = Settings(_env_file=None, **settings_of(sim, api))
    client = connect_writing(site)
    assert client.api_version == api
    assert urlsplit(client.create_video(VideoEdit(title="New")).upload.url).scheme == "http"
    forcing = connect_writing(site.model_copy(update={"jwp_force_https_upload": True}))
    made = forcing.create_video(VideoEdit(title="New"))
    assert urlsplit(made.upload.url).scheme == ("https" if api == "v1" else "http")
    reader = connect(site)
    assert reader._transport._limiter is client._transport._limiter
    for each in (client, forcing, reader):
        each.close()


@pytest.mark.parametrize(
    "answered",
    [{"status": "ok"}, {"status": "ok", "media": {}}, {"status": "ok", "media": {"key": ""}}, [], {"id": None}, {}],
)
def test_a_creation_without_a_key_in_the_answer_is_uncertain(sim, client, answered):
    body = json.dumps(answered).encode()
    sim.faults.add(Fault("odd", instead=lambda call: Answer(200, body), carried_out=True), route="create")
    with pytest.raises(WriteUncertain):
        client.create_video(VideoEdit(title="New"))
    assert len(written(sim)) == 1


def test_a_creation_whose_link_cannot_be_read_still_gives_the_key(sim):
    body = json.dumps({"status": "ok", "media": {"key": "new12345"}, "link": {"protocol": "http"}}).encode()
    sim.faults.add(Fault("odd", instead=lambda call: Answer(200, body)), route="create")
    made = writing_client_of(sim, "v1").create_video(VideoEdit(title="New"))
    assert (made.key, made.upload) == ("new12345", None)
    sim.faults.add(Fault("odd", instead=lambda call: Answer(200, body)), route="update")
    with pytest.raises(WriteUncertain, match="no upload link"):
        writing_client_of(sim, "v1").renew_upload("new12345")


def test_no_resource_carries_an_upload_link(script, clock):
    """It is a secret, and what these calls return is kept."""
    script.answers = [answer(200, {"id": KEY, "upload_link": "https://host/?token=t", "metadata": {}})]
    client = WritingV2(KEY, "secret", origin=script.url, clock=clock)
    shown = client.show_video(KEY)
    assert shown == client.update_video(shown, VideoEdit(title="New")) == {"id": KEY, "metadata": {}}
    assert client.create_video(VideoEdit(title="New")).resource == {"id": KEY, "metadata": {}}


def test_tags_that_cannot_be_read_are_not_replaced(sim):
    client = writing_client_of(sim, "v2")
    sim.library.edit("video", KEY, tags={"odd": 1})
    shown = client.show_video(KEY)
    with pytest.raises(MalformedAnswer, match="without loss"):
        client.update_video(shown, VideoEdit(add_tags=("x",)))
    assert written(sim) == []

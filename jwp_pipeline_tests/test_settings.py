"""Settings: where they come from, what wins, what is required, and that no secret is ever shown."""

import re
import traceback
from pathlib import Path

import pytest
from pydantic import SecretStr

from jwp_pipeline.environment import environment_of, example_env, shadowed_by_env_file
from jwp_pipeline.errors import SettingsError
from jwp_pipeline.settings import REDACTED, Settings, load_settings

NAMES = [name.upper() for name in Settings.model_fields]
SECRETS = {name.upper() for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
OF_THE_REFERENCE = {
    "JWPLATFORM_API_BASE_URL": "https://cdn.jwplayer.com/",
    "JWPLATFORM_API_KEY": None,
    "JWPLATFORM_API_SECRET": None,
    "JWPLATFORM_CONTENT_BASE_URL": "https://content.jwplatform.com",
    "JWPLATFORM_EMBED_PLAYER_KEY": None,
    "JWPLATFORM_SIGNATURE_TIMEOUT": 3600,
    "JWP_FORCE_HTTPS_UPLOAD": True,
    "JWP_SYNC_ITEMS": True,
    "LOOKUP_PEOPLE_CACHE_LIFETIME": 1800,
    "LOOKUP_PEOPLE_ID_SCHEME": "mock",
    "LOOKUP_ROOT": None,
    "OAUTH2_CLIENT_ID": None,
    "OAUTH2_CLIENT_SECRET": None,
    "OAUTH2_LOOKUP_SCOPES": "lookup:anonymous",
    "OAUTH2_MAX_RETRIES": 5,
    "OAUTH2_TOKEN_URL": None,
}
V1 = {"jwplatform_api_key": "key", "jwplatform_api_secret": "secret", "jwplatform_embed_player_key": "player"}


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """An empty folder to be in, and no setting in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_the_example_is_up_to_date():
    example = Path(__file__).parents[1] / ".env.example"
    assert example.read_text() == example_env(), "renew it: print(jwp_pipeline.environment.example_env())"


def test_the_example_changes_nothing_when_it_is_copied(folder):
    defaults = load_settings()
    uncommented = re.sub(r"^#([A-Z0-9_]+=)$", r"\1", example_env(), flags=re.MULTILINE)
    assert uncommented.count("\nJWP") > 20
    (folder / ".env").write_text(uncommented)
    assert load_settings() == defaults


def test_the_settings_of_the_reference_have_their_names_and_defaults():
    shown = load_settings().redacted()
    assert {name: shown[name] for name in OF_THE_REFERENCE} == OF_THE_REFERENCE


def test_what_wins(folder, monkeypatch):
    assert load_settings().jwp_database_schema == "jwp"
    monkeypatch.setenv("JWP_DATABASE_SCHEMA", "environment")
    assert load_settings().jwp_database_schema == "environment"
    assert shadowed_by_env_file() == []
    (folder / ".env").write_text("JWP_DATABASE_SCHEMA=file\nJWP_SYNC_ITEMS=\nSOMETHING_ELSE=1\n")
    assert load_settings().jwp_database_schema == "file"
    assert shadowed_by_env_file() == ["JWP_DATABASE_SCHEMA"]
    assert load_settings(jwp_database_schema="argument").jwp_database_schema == "argument"
    # What is empty is not set, in the file and in the environment.
    monkeypatch.setenv("JWP_MAX_DELETE_RATIO", "")
    monkeypatch.setenv("JWPLATFORM_API_SECRET", "")
    settings = load_settings()
    assert (settings.jwp_sync_items, settings.jwp_max_delete_ratio, settings.jwplatform_api_secret) == (True, 0.3, None)


def test_lists_are_split_on_commas(monkeypatch):
    monkeypatch.setenv("JWP_VOLATILE_FIELDS", " views, size ,,md5")
    assert load_settings().jwp_volatile_fields == ("views", "size", "md5")


@pytest.mark.parametrize(
    ("values", "api", "missing"),
    [
        ({}, "v1", ["JWPLATFORM_API_KEY", "JWPLATFORM_API_SECRET", "JWPLATFORM_EMBED_PLAYER_KEY"]),
        (V1, "v1", []),
        (V1 | {"jwplatform_v2_api_secret": "v2"}, "v2", []),
        (V1 | {"jwplatform_v2_api_secret": "v2", "jwplatform_management_api": "v1"}, "v1", []),
        (V1 | {"jwplatform_management_api": "v2"}, "v2", ["JWPLATFORM_V2_API_SECRET"]),
        ({"jwplatform_v2_api_secret": "v2"}, "v2", ["JWPLATFORM_API_KEY"]),
    ],
)
def test_what_is_required(values, api, missing):
    settings = load_settings(**values)
    assert settings.management_api == api
    found = settings.missing_required()
    assert list(found)[: len(missing)] == missing
    assert bool(found) == bool(missing)
    assert all(len(hint) > 20 for hint in found.values())


def test_no_secret_is_shown():
    assert {"JWPLATFORM_API_SECRET", "JWPLATFORM_V2_API_SECRET", "JWP_DATABASE_URL", "OAUTH2_CLIENT_SECRET"} <= SECRETS
    hidden = {name.lower(): f"postgresql://hidden-{name}" for name in SECRETS}
    settings = load_settings(**hidden)
    shown = settings.redacted()
    assert {name for name, value in shown.items() if value == REDACTED} == SECRETS
    for text in (repr(settings), str(settings), str(shown), str(settings.model_dump()), settings.model_dump_json()):
        assert "hidden-" not in text
    assert all(value != REDACTED for value in load_settings().redacted().values())


@pytest.mark.parametrize("name", ["JWP_DATABASE_URL", "JWP_DAGSTER_DATABASE_URL"])
@pytest.mark.parametrize(
    "url",
    [
        "postgresql://hid:p4@hidden@127.0.0.1:9/db",
        "postgresql://hid:s3@hid/den@127.0.0.1:9/db",
        "postgresql://hid:s3/hidden@127.0.0.1:9/db",
        "postgresql://hid:s3?hidden@127.0.0.1:9/db",
        "postgresql://hid:hidden@host:port/db",
        "postgresql://hid:hidden@host:/db",
        "postgresql://hid:hidden@[::1/db",
        "postgresql://127.0.0.1:9/db?password=p@hidden",
        "mysql://hid:hidden@host/db",
        "hid:hidden@host/db",
    ],
)
def test_a_database_url_that_could_be_read_in_two_ways_is_refused_unseen(monkeypatch, name, url):
    monkeypatch.setenv(name, url)
    with pytest.raises(SettingsError, match="percent-encode") as refused:
        load_settings()
    assert name in str(refused.value)
    assert "hid" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:p%40ss%2Fw:rd#1@host:5432/db?sslmode=require",
        "postgres://user@[::1]:5432/db",
        "postgresql+psycopg://host/db?user=somebody&password=secret",
        "postgresql:///db?host=/var/run/postgresql",
        "postgresql://",
    ],
)
def test_a_database_url_of_one_meaning_is_taken(url):
    assert load_settings(jwp_database_url=url).jwp_database_url.get_secret_value() == url


@pytest.mark.parametrize("login", ["admin:hunter2secret", ":hunter2secret", "admin:hunter@2/secret", "hunter2secret"])
def test_a_login_in_the_url_of_another_setting_is_masked(login):
    url = f"http://{login}@host:8080/jwp"
    shown = load_settings(jwplatform_management_api_url=url, lookup_root=url).redacted()
    for name in ("JWPLATFORM_MANAGEMENT_API_URL", "LOOKUP_ROOT"):
        assert shown[name] == f"http://{REDACTED}@host:8080/jwp"


def test_blanks_are_no_value(folder, monkeypatch):
    for name in ("JWPLATFORM_API_KEY", "JWPLATFORM_API_SECRET", "JWP_MAX_DELETE_RATIO", "JWP_DATABASE_SCHEMA"):
        monkeypatch.setenv(name, " \t")
    monkeypatch.setenv("JWPLATFORM_EMBED_PLAYER_KEY", " player\n")
    (folder / ".env").write_text("JWPLATFORM_V2_API_SECRET='  '\n")
    settings = load_settings()
    assert list(settings.missing_required()) == ["JWPLATFORM_API_KEY", "JWPLATFORM_API_SECRET"]
    assert not settings.has_jwp_credentials
    assert (settings.jwplatform_embed_player_key, settings.jwp_database_schema) == ("player", "jwp")


@pytest.mark.parametrize("read", [load_settings, shadowed_by_env_file])
def test_an_env_file_that_cannot_be_read_is_named_without_its_content(folder, read):
    (folder / ".env").write_bytes("JWPLATFORM_API_SECRET=hidden-\xe9\n".encode("latin-1"))
    with pytest.raises(SettingsError, match="UTF-8") as unreadable:
        read()
    assert str(folder / ".env") in str(unreadable.value)
    assert "hidden" not in "".join(traceback.format_exception(unreadable.value))


@pytest.mark.parametrize("zone", ["Nowhere/Town", "Europe", "../UTC"])
def test_a_time_zone_that_is_none_is_named(zone):
    with pytest.raises(SettingsError, match="JWP_SCHEDULE_TIMEZONE"):
        load_settings(jwp_schedule_timezone=zone)


def test_what_cannot_be_read_is_named_without_its_value(monkeypatch):
    monkeypatch.setenv("JWP_MAX_DELETE_RATIO", "hidden-ratio")
    monkeypatch.setenv("JWPLATFORM_MANAGEMENT_API", "hidden-v3")
    monkeypatch.setenv("JWP_DATABASE_SCHEMA", "Hidden; DROP")
    with pytest.raises(SettingsError) as unreadable:
        load_settings()
    told = str(unreadable.value)
    for name in ("JWP_MAX_DELETE_RATIO", "JWPLATFORM_MANAGEMENT_API", "JWP_DATABASE_SCHEMA", ".env"):
        assert name in told
    assert "idden" not in told
    assert unreadable.value.__cause__ is None


def test_a_child_process_gets_the_same_settings(folder, monkeypatch):
    settings = load_settings(**V1, jwp_volatile_fields=("a", "b"), jwp_sync_items=False, jwp_home=Path("home here"))
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    same = load_settings()
    assert same == settings.model_copy(update={"jwp_home": folder / "home here"})
    assert same.jwplatform_api_secret == SecretStr("secret")

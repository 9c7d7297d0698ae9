"""Settings come from the right place, wrong ones are reported, and no secret is ever shown."""

import re
import traceback
from pathlib import Path

import pytest
from pydantic import SecretStr

from jwp_pipeline import env_file
from jwp_pipeline.access.acl import NOBODY
from jwp_pipeline.commands.stack import _environment
from jwp_pipeline.database_url import connection_parameters
from jwp_pipeline.environment import environment_of, example_env, oddities
from jwp_pipeline.errors import SettingsError
from jwp_pipeline.media.options import MediaOptions
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
    """An empty working folder. The environment has no settings."""
    monkeypatch.chdir(tmp_path)
    for name in (*NAMES, env_file.VARIABLE):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_the_example_is_up_to_date():
    example = Path(__file__).parents[1] / ".env.example"
    assert example.read_text() == example_env(), "renew it: print(jwp_pipeline.environment.example_env())"


def test_the_example_changes_nothing_when_it_is_copied(folder):
    defaults = load_settings()
    uncommented = re.sub(r"^#([A-Z0-9_]+=.*)$", r"\1", example_env(), flags=re.MULTILINE)
    assert uncommented.count("\nJWP") > 20
    (folder / ".env").write_text(uncommented)
    assert load_settings() == defaults


def test_the_settings_of_the_reference_have_their_names_and_defaults():
    shown = load_settings().redacted()
    assert {name: shown[name] for name in OF_THE_REFERENCE} == OF_THE_REFERENCE


def test_arguments_win_over_the_file_and_the_file_over_the_environment(folder, monkeypatch):
    assert load_settings().jwp_database_schema == "jwp"
    monkeypatch.setenv("JWP_DATABASE_SCHEMA", "environment")
    assert load_settings().jwp_database_schema == "environment"
    assert oddities() == []
    (folder / ".env").write_text("JWP_DATABASE_SCHEMA=file\nJWP_SYNC_ITEMS=\nSOMETHING_ELSE=1\n")
    assert load_settings().jwp_database_schema == "file"
    [hidden] = oddities()
    assert (
        hidden
        == f"JWP_DATABASE_SCHEMA is set in {folder / '.env'} and, differently, in the environment; the file wins."
    )
    assert load_settings(jwp_database_schema="argument").jwp_database_schema == "argument"
    # An empty value counts as not set, in the file and in the environment.
    monkeypatch.setenv("JWP_MAX_DELETE_RATIO", "")
    monkeypatch.setenv("JWPLATFORM_API_SECRET", "")
    settings = load_settings()
    assert (settings.jwp_sync_items, settings.jwp_max_delete_ratio, settings.jwplatform_api_secret) == (True, 0.3, None)


# --- Which file, and which folder -------------------------------------------------------------------------


def test_another_file_can_be_named_and_is_then_the_only_one(folder, monkeypatch):
    (folder / ".env").write_text("JWP_DATABASE_SCHEMA=here\nJWP_DEFAULT_ACL=CAM\n")
    (folder / "site").mkdir()
    named = folder / "site" / "settings"
    monkeypatch.setenv("JWP_ENV_FILE", "site/settings")
    with pytest.raises(SettingsError, match=f"{named} does not exist"):
        load_settings()
    named.write_bytes(b"\xef\xbb\xbfJWP_DATABASE_SCHEMA=named\r\n")  # as editors on Windows save it
    settings = load_settings()
    assert (settings.jwp_database_schema, settings.jwp_default_acl) == ("named", "WORLD")
    with env_file.reading_from(Path(".env")):
        assert load_settings().jwp_database_schema == "here"
    assert load_settings() == settings


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.symlink_to("nowhere")])
def test_a_folder_or_broken_link_in_place_of_the_file_is_named(folder, make):
    make(folder / ".env")
    with pytest.raises(SettingsError, match=str(folder / ".env")):
        load_settings()


def test_messages_say_where_the_file_was_looked_for_and_whether_it_was_there(folder, monkeypatch):
    monkeypatch.setenv("JWP_SYNC_ITEMS", "perhaps")
    with pytest.raises(SettingsError, match=rf"There is no file {folder}/\.env.*--env-file"):
        load_settings()
    (folder / ".env").touch()
    with pytest.raises(SettingsError, match=rf"read from {folder}/\.env and the environment"):
        load_settings()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "site/.jwp"),
        ("data/jwp", "site/data/jwp"),
        (".", "site"),
        ("~/jwp", "somebody/jwp"),
        ("~", "somebody"),
        ("$HOME/jwp", "somebody/jwp"),
        ("${HOME}/jwp", "somebody/jwp"),
        ("a~/$b", "site/a~/$b"),
    ],
)
@pytest.mark.parametrize("where", ["the file", "the environment"])
def test_the_home_is_the_same_folder_wherever_a_command_is_started(folder, monkeypatch, value, expected, where):
    monkeypatch.setenv("HOME", str(folder / "somebody"))
    for name in ("site", "elsewhere"):
        (folder / name).mkdir()
    (folder / "site" / ".env").write_text(f"JWP_HOME={value}\n" if value and where == "the file" else "")
    if value and where == "the environment":
        monkeypatch.setenv("JWP_HOME", value)
    monkeypatch.chdir(folder / "site")
    assert load_settings().jwp_home == folder / expected
    # Start from another folder, as a cron job does.
    monkeypatch.chdir(folder / "elsewhere")
    monkeypatch.setenv("JWP_ENV_FILE", "../site/.env")
    settings = load_settings()
    assert settings.jwp_home == folder / expected
    assert environment_of(settings)["JWP_HOME"] == settings.redacted()["JWP_HOME"] == str(folder / expected)


@pytest.mark.parametrize("value", ["$NO_SUCH_VARIABLE/jwp", "~no_such_user/jwp"])
def test_a_home_that_cannot_be_expanded_is_refused(monkeypatch, value):
    monkeypatch.setenv("JWP_HOME", value)
    with pytest.raises(SettingsError, match="JWP_HOME: Value error, begins with"):
        load_settings()


def test_a_path_is_never_expanded_twice(folder, monkeypatch):
    home = folder / "$HOME ~"
    home.mkdir()
    monkeypatch.chdir(home)
    for name, value in environment_of(load_settings()).items():
        monkeypatch.setenv(name, value)
    assert load_settings().jwp_home == home / ".jwp"


# --- Values that have no effect ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("JWP_HOEM", "JWP_HOME"),
        ("JWP_MAX_DELETE_RATE", "JWP_MAX_DELETE_RATIO"),
        ("jwp_database_uri", "JWP_DATABASE_URL"),
        ("JWPLATFORM_SECRET", "JWPLATFORM_API_SECRET"),
        ("JWPLATFORMAPI_KEY", "JWPLATFORM_API_KEY"),
        ("JWPLAFORM_API_KEY", "JWPLATFORM_API_KEY"),
        ("JPW_SYNC_ITEMS", "JWP_SYNC_ITEMS"),
        ("LOOKUP_URL", "LOOKUP_ROOT"),
        ("OAUTH_CLIENT_SECRET", "OAUTH2_CLIENT_SECRET"),
        ("JWP_WHATEVER_ELSE_THIS_IS", None),
    ],
)
def test_a_misspelt_name_is_reported_with_the_nearest_setting(folder, monkeypatch, name, nearest):
    hint = f"did you mean {nearest}?" if nearest else ".env.example lists all"
    monkeypatch.setenv(name, "hidden")
    [told] = oddities()
    assert told.startswith(f"{name} in the environment is ignored")
    assert hint in told
    monkeypatch.delenv(name)
    (folder / ".env").write_text(f"{name}=hidden\n")
    [told] = oddities()
    assert told.startswith(f"{name} in {folder / '.env'} is ignored")
    assert hint in told
    assert "hidden" not in told


def test_a_child_process_of_make_up_takes_no_settings_from_the_file_but_reports_problems_in_it(folder, monkeypatch):
    """If `.env` is edited meanwhile, the processes of `make up` must not have different settings."""
    (folder / ".env").write_text("JWP_DATABASE_SCHEMA=edited\nJWP_HOEM=there\n")
    settled = _environment(load_settings(jwp_database_schema="settled"), folder / "home")
    for name in [name for name in settled if name.startswith(("JWP", "LOOKUP", "OAUTH2"))]:
        monkeypatch.setenv(name, settled[name])
    (folder / "home").mkdir()
    monkeypatch.chdir(folder / "home")
    settings = load_settings()
    assert (settings.jwp_database_schema, settings.jwp_home) == ("settled", folder / ".jwp")
    [told] = oddities()
    assert told.startswith(f"JWP_HOEM in {folder / '.env'} is ignored")
    assert str(folder / ".env") in env_file.env_file().description


def test_variables_of_other_programs_are_not_reported(folder, monkeypatch):
    others = (
        "DATABASE_URL",
        "DAGSTER_HOME",
        "HTTP_PROXY",
        "PGPASSWORD",
        "JAVA_HOME",
        "CLIENT_ID",
        "API_KEY",
        "AWS_REGION",
    )
    (folder / ".env").write_text("".join(f"{name}=1\n" for name in others))
    for name in (*others, "JWP_POSTGRES_BIN", "JWP_TEST_DATABASE_URL", "jwp_sync_items"):
        monkeypatch.setenv(name, "1")
    assert oddities() == []


def test_names_that_work_only_in_the_environment_and_names_without_a_value_are_reported(folder):
    (folder / ".env").write_text("JWP_POSTGRES_BIN=/usr/bin\nJWP_ENV_FILE=other\nJWP_DATABASE_SCHEMA\nJWP_HOME=\n")
    [binaries, file, schema] = oddities()
    assert "JWP_POSTGRES_BIN" in binaries
    assert "in the environment" in binaries
    assert "JWP_ENV_FILE" in file
    assert "no = after it" in schema


# --- Values -----------------------------------------------------------------------------------------------


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
def test_the_required_settings_depend_on_the_api(values, api, missing):
    settings = load_settings(**values)
    assert settings.management_api == api
    found = settings.missing_required()
    assert list(found)[: len(missing)] == missing
    assert bool(found) == bool(missing)
    assert all(len(hint) > 20 for hint in found.values())


def test_no_secret_is_shown():
    assert {"JWPLATFORM_API_SECRET", "JWPLATFORM_V2_API_SECRET", "JWP_DATABASE_URL", "OAUTH2_CLIENT_SECRET"} <= SECRETS
    hidden = {name.lower(): f"postgresql://hidden-{name}" for name in SECRETS}
    hidden["jwp_celery_url"] = "rediss://:hidden-password@host/0"
    settings = load_settings(**hidden)
    shown = settings.redacted()
    assert {name for name, value in shown.items() if value == REDACTED} == SECRETS
    for text in (repr(settings), str(settings), str(shown), str(settings.model_dump()), settings.model_dump_json()):
        assert "hidden-" not in text
    assert all(value != REDACTED for value in load_settings().redacted().values())


@pytest.mark.parametrize("name", ["JWP_DATABASE_URL", "JWP_DAGSTER_DATABASE_URL"])
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://hid:p4@hidden@127.0.0.1:9/db", "more than one @"),
        ("postgresql://hid:s3@hid/den@127.0.0.1:9/db", "more than one @"),
        ("postgresql://hid:s3/hidden@127.0.0.1:9/db", "percent-encode"),
        ("postgresql://hid:s3?hidden@127.0.0.1:9/db", "percent-encode"),
        ("postgresql://127.0.0.1:9/db?password=p@hidden", "percent-encode"),
        ("postgresql://hid:hidden@host:port/db", "port"),
        ("postgresql://hid:hidden@host:70000/db", "port"),
        ("postgresql://hid:hidden/db", "port"),
        ("postgresql://hid:hidden@host/db?port=hidden", "port"),
        ("postgresql://hid:hidden@one,two:2,three:3/db?port=1,2", "port for each"),
        ("postgresql://hid:hidden@[::1/db", "IPv6"),
        ("postgresql://hid:hidden@::1/db", "IPv6"),
        ("postgresql://hid:100%hidden@host/db", "%25"),
        ("postgresql://hid:%00hidden@host/db", "%00"),
        ("postgresql://hid:hidden%E9@host/db", "UTF-8"),
        ("postgresql://hid:hidden word@host/db", "%20"),
        ("postgresql://hid:hidden@host/db?host=a&host=b", "more than once"),
        ("postgresql://hid:hidden@host/db?sslmod=require", "sslmod"),
        ("postgresql://host/db?user=hid&password=hid&den", "no option of a connection"),
        ("mysql://hid:hidden@host/db", "begins with postgresql://"),
        ("hid:hidden@host/db", "neither a URL"),
        ("host=host password=hid den=x", "single quotes"),
        ("host=host password='hid", "single quotes"),
    ],
)
def test_a_wrong_database_url_is_explained_without_showing_it(monkeypatch, name, url, said):
    monkeypatch.setenv(name, url)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    told = "".join(traceback.format_exception(refused.value))
    assert said in str(refused.value)
    assert name in str(refused.value)
    assert "hid" not in told


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        (
            "postgresql://user:p%40ss%2Fw:rd#1@host:5432/db?sslmode=require",
            {"user": "user", "password": "p@ss/w:rd#1", "host": "host", "port": "5432", "sslmode": "require"},
        ),
        ("postgres://user@[::1]:5432/db", {"user": "user", "host": "::1", "port": "5432", "dbname": "db"}),
        ("postgresql+psycopg://host/db?user=somebody&password=secret", {"user": "somebody", "password": "secret"}),
        ("postgresql:///db?host=/var/run/postgresql", {"host": "/var/run/postgresql", "dbname": "db"}),
        ("postgresql://%2Fvar%2Frun%2Fpostgresql/db", {"host": "/var/run/postgresql", "dbname": "db"}),
        ("postgresql://", {}),
        ("postgresql://user:secret@host:/db", {"host": "host", "dbname": "db"}),
        (
            "postgresql://user:secret@one:1,[::1]:2/db?target_session_attrs=read-write",
            {"host": "one,::1", "port": "1,2", "target_session_attrs": "read-write"},
        ),
        ("postgresql://one,two/db?port=6432", {"host": "one,two", "port": "6432,6432"}),
        ("postgresql://h/db?options=-c%20statement_timeout%3D5s", {"options": "-c statement_timeout=5s"}),
        ("postgresql:///?service=mine", {"service": "mine"}),
        ("service=mine", {"service": "mine"}),
        (r"host=/tmp dbname='my db' password='it\'s'", {"host": "/tmp", "dbname": "my db", "password": "it's"}),
    ],
)
@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_a_database_url_has_the_same_meaning_as_in_libpq(url, meant, quote):
    """Quotes around it, which a shell or a reader of .env files may leave there, are ignored."""
    kept = load_settings(jwp_database_url=f"{quote}{url}{quote}").jwp_database_url.get_secret_value()
    assert kept == url
    assert meant.items() <= connection_parameters(kept).items()


@pytest.mark.parametrize("login", ["admin:hunter2secret", ":hunter2secret", "admin:hunter@2/secret", "hunter2secret"])
def test_a_login_in_the_url_of_another_setting_is_masked(login):
    url = f"http://{login}@host:8080/jwp"
    shown = load_settings(jwplatform_management_api_url=url, lookup_root=url).redacted()
    for name in ("JWPLATFORM_MANAGEMENT_API_URL", "LOOKUP_ROOT"):
        assert shown[name] == f"http://{REDACTED}@host:8080/jwp"


def test_a_value_of_only_blanks_counts_as_not_set(folder, monkeypatch):
    for name in ("JWPLATFORM_API_KEY", "JWPLATFORM_API_SECRET", "JWP_MAX_DELETE_RATIO", "JWP_DATABASE_SCHEMA"):
        monkeypatch.setenv(name, " \t")
    monkeypatch.setenv("JWPLATFORM_EMBED_PLAYER_KEY", " player\n")
    (folder / ".env").write_text("JWPLATFORM_V2_API_SECRET='  '\n")
    settings = load_settings()
    assert list(settings.missing_required()) == ["JWPLATFORM_API_KEY", "JWPLATFORM_API_SECRET"]
    assert not settings.has_jwp_credentials
    assert (settings.jwplatform_embed_player_key, settings.jwp_database_schema) == ("player", "jwp")


@pytest.mark.parametrize("blank", ["", " \t"])
def test_a_blank_default_acl_is_refused_because_it_does_not_mean_everybody(folder, monkeypatch, blank):
    for set_it in (
        lambda: monkeypatch.setenv("JWP_DEFAULT_ACL", blank),
        lambda: (folder / ".env").write_text(f"JWP_DEFAULT_ACL='{blank}'\n"),
    ):
        set_it()
        with pytest.raises(SettingsError, match=r"JWP_DEFAULT_ACL: .*NOBODY for nobody or WORLD for everybody"):
            load_settings()
        monkeypatch.delenv("JWP_DEFAULT_ACL", raising=False)
    (folder / ".env").write_text("JWP_DEFAULT_ACL=NOBODY\n")
    assert load_settings().default_acl == ""
    assert MediaOptions.from_settings(load_settings()).default_acl == NOBODY
    assert environment_of(load_settings())["JWP_DEFAULT_ACL"] == "NOBODY", "a child process reads the same"


@pytest.mark.parametrize("read", [load_settings, oddities])
def test_an_env_file_that_cannot_be_read_is_named_without_its_content(folder, read):
    (folder / ".env").write_bytes("JWPLATFORM_API_SECRET=hidden-\xe9\n".encode("latin-1"))
    with pytest.raises(SettingsError, match="UTF-8") as unreadable:
        read()
    assert str(folder / ".env") in str(unreadable.value)
    assert "hidden" not in "".join(traceback.format_exception(unreadable.value))


@pytest.mark.parametrize("zone", ["Nowhere/Town", "Europe", "../UTC"])
def test_an_unknown_time_zone_is_an_error_that_names_the_setting(zone):
    with pytest.raises(SettingsError, match="JWP_SCHEDULE_TIMEZONE"):
        load_settings(jwp_schedule_timezone=zone)


def test_settings_that_cannot_be_read_are_named_without_their_values(monkeypatch):
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


@pytest.mark.parametrize("name", ["jwplatform_api_base_url", "jwplatform_content_base_url"])
@pytest.mark.parametrize(
    "url",
    ["cdn.jwplayer.com/", "//cdn.jwplayer.com", "https:///x", "https://me:hidden@x/", "https://x/?a=b", "ftp://x/"],
)
def test_a_base_url_that_no_delivery_url_can_begin_with_is_an_error(name, url):
    with pytest.raises(SettingsError, match=name.upper()) as refused:
        load_settings(**{name: url})
    assert "hidden" not in str(refused.value)
    assert "https://host[:port]/" in str(refused.value)


def test_base_urls_may_have_a_port_a_path_and_an_ipv6_host():
    for url in ("https://x", "http://127.0.0.1:8000/", "https://x.example/some/path/", "http://[::1]:8000"):
        assert load_settings(jwplatform_api_base_url=url).jwplatform_api_base_url == url

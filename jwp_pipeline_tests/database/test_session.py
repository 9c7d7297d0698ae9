"""All connections, ours and Dagster's, get the same settings, whatever the server, environment or URL set."""

import secrets
from contextlib import contextmanager
from urllib.parse import quote

import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text

from jwp_pipeline.database.connection import connect, open_engine
from jwp_pipeline.database.locate import dagster_database
from jwp_pipeline.errors import DatabaseError, UnsuitableDatabase
from jwp_pipeline.orchestration.storage import storage_url
from jwp_pipeline.settings import load_settings
from jwp_pipeline_tests.support import SCHEMA, fresh_database, set_for_the_database

PINNED = {
    "client_encoding": "UTF8",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "standard_conforming_strings": "on",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "array_nulls": "on",
    "transform_null_equals": "off",
    "gin_fuzzy_search_limit": "0",
    "transaction_isolation": "read committed",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
}
OTHERWISE = {
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "sql_standard",
    "TimeZone": "Asia/Kathmandu",
    "standard_conforming_strings": "off",
    "bytea_output": "escape",
    "extra_float_digits": "-15",
    "array_nulls": "off",
    "transform_null_equals": "on",
    "gin_fuzzy_search_limit": "1",
    "default_transaction_isolation": "serializable",
    "search_path": "pg_catalog",
}
TIME_OUTS = ("statement_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout", "lock_timeout")
AWKWARD = "Καλημέρα 😀 §"


@contextmanager
def our_session(url):
    engine = open_engine(url, SCHEMA)
    with connect(engine) as connection:
        yield connection
    engine.dispose()


@contextmanager
def dagsters_session(url):
    engine = create_engine(storage_url(dagster_database(load_settings(jwp_database_url=url))))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture(params=[our_session, dagsters_session], ids=["ours", "dagster"])
def session(request):
    """A function that opens a session on a URL: once as our own code does, and once as Dagster does."""
    return request.param


def shown(connection, names):
    return {name: connection.scalar(text("SELECT current_setting(:name)"), {"name": name}) for name in names}


def parameters_of(connection):
    """Return the connection parameters that libpq uses."""
    info = connection.connection.driver_connection.info
    return info.get_parameters() if hasattr(info, "get_parameters") else info.dsn_parameters


def assert_pinned(connection, schema):
    assert shown(connection, PINNED) == PINNED
    assert connection.scalar(text("SELECT current_setting('search_path')")) == f'"{schema}"'
    assert connection.scalar(text("SELECT :awkward"), {"awkward": AWKWARD}) == AWKWARD
    assert connection.scalar(text("SELECT octet_length(:awkward)"), {"awkward": AWKWARD}) == len(AWKWARD.encode())


SCHEMAS = {our_session: SCHEMA, dagsters_session: "dagster"}


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII", "WIN1252"])
def test_the_environment_does_not_change_the_settings(session, database_url, monkeypatch, encoding):
    monkeypatch.setenv("PGCLIENTENCODING", encoding)
    monkeypatch.setenv("PGDATESTYLE", "SQL, DMY")
    monkeypatch.setenv("PGTZ", "America/Caracas")
    monkeypatch.setenv("PGOPTIONS", "-c IntervalStyle=sql_standard -c search_path=pg_catalog -c bytea_output=escape")
    with session(database_url) as connection:
        assert_pinned(connection, SCHEMAS[session])


def test_the_database_and_the_url_do_not_change_the_settings(session, database_url):
    set_for_the_database(database_url, **OTHERWISE, **dict.fromkeys(TIME_OUTS, "7s"))
    options = quote(" ".join(f"-c {name}={value.replace(' ', '')}" for name, value in OTHERWISE.items()))
    with session(f"{database_url}?client_encoding=LATIN1&options={options}") as connection:
        assert_pinned(connection, SCHEMAS[session])


def test_other_settings_in_the_url_are_kept(session, database_url, monkeypatch):
    """This includes time-outs, because a time-out in our own URL is meant for us."""
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "3")
    wanted = {"work_mem": "7MB", "application_name": "of the user", "statement_timeout": "9s", "lock_timeout": "8s"}
    options = quote("-c work_mem=7MB -c statement_timeout=9s -c lock_timeout=8s")
    with session(f"{database_url}?application_name=of%20the%20user&options={options}&sslmode=disable") as connection:
        assert shown(connection, wanted) == wanted
        used = parameters_of(connection)
        assert used["sslmode"] == "disable"
        assert used.get("connect_timeout", "3") == "3"


def test_a_quiet_connection_is_kept_alive_and_a_dead_one_noticed(session, database_url):
    with session(database_url) as connection:
        used = parameters_of(connection)
        assert 0 < int(used["keepalives_idle"]) < 200
        assert 0 < int(used["tcp_user_timeout"]) <= 120_000
        assert connection.scalar(text("SELECT current_setting('application_name')")).startswith("jwp_pipeline")


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_of_another_encoding_is_refused(session, postgres_url, encoding):
    options = f"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
    with (
        fresh_database(postgres_url, options) as url,
        pytest.raises(UnsuitableDatabase, match=f"{encoding}.*UTF8 is needed"),
        session(url),
    ):
        pass


def test_the_first_of_several_hosts_that_can_be_reached_is_used(session, database_url):
    server = make_url(database_url)
    login = f"{server.username}:{server.password}"
    url = f"postgresql://{login}@127.0.0.1:9,{server.host}:{server.port}/{server.database}"
    with session(f"'{url}?target_session_attrs=read-write'") as connection:
        assert connection.scalar(text("SELECT current_database()")) == server.database


def test_a_database_can_be_given_as_key_value_pairs(session, database_url):
    server = make_url(database_url)
    pairs = f"host={server.host} port={server.port} dbname={server.database} user={server.username}"
    with session(f"{pairs} password='{server.password}'") as connection:
        assert connection.scalar(text("SELECT current_database()")) == server.database


def test_a_database_can_be_given_as_a_service(session, database_url, tmp_path, monkeypatch):
    server = make_url(database_url)
    (tmp_path / "services").write_text(
        f"[mine]\nhost={server.host}\nport={server.port}\ndbname={server.database}\nuser={server.username}\n"
        f"password={server.password}\nconnect_timeout=3\nkeepalives_idle=77\n"
    )
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    with session("postgresql:///?service=mine") as connection:
        assert connection.scalar(text("SELECT current_database()")) == server.database
        used = parameters_of(connection)
        assert used["keepalives_idle"] == "77"


def test_a_login_may_contain_percent_signs(session, database_url):
    role, password = f"ro%le_{secrets.token_hex(4)}", "p%40s%s%(here)s@/:?#"
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute(f"CREATE ROLE \"{role}\" LOGIN PASSWORD '{password}' SUPERUSER")
        try:
            place = make_url(database_url)
            login = f"{quote(role, safe='')}:{quote(password, safe='')}"
            with session(f"postgresql://{login}@{place.host}:{place.port}/{place.database}") as connection:
                assert connection.scalar(text("SELECT current_user")) == role
        finally:
            server.execute(f'DROP OWNED BY "{role}"')
            server.execute(f'DROP ROLE "{role}"')


def test_the_error_for_dagsters_own_database_names_its_setting(database_url):
    url = "postgresql://somebody:hidden@127.0.0.1:9/nowhere"
    settings = load_settings(jwp_database_url=database_url, jwp_dagster_database_url=url)
    with pytest.raises(DatabaseError, match=r"somebody@127.0.0.1:9/nowhere.*JWP_DAGSTER_DATABASE_URL") as refused:
        dagster_database(settings)
    assert "hidden" not in str(refused.value)

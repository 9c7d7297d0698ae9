"""No secret reaches a terminal, a log, Dagster's records or a table, whether all goes well or everything fails."""

import json
import logging
import secrets
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from jwp_pipeline.simulator import Fault
from jwp_pipeline.simulator.exchange import Answer
from jwp_pipeline_tests.support import rows


@pytest.fixture
def role(database_url):
    """Name and password of a role that may use the database."""
    name, password = f"role_{secrets.token_hex(4)}", f"password/of:the@database{secrets.token_hex(8)}"
    who, database = sql.Identifier(name), sql.Identifier(urlsplit(database_url).path[1:])
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(who, sql.Literal(password)))
        server.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, who))
        yield name, password
        server.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(who))
        server.execute(sql.SQL("DROP ROLE {}").format(who))


def with_login(database_url, name, password):
    place = urlsplit(database_url)
    quoted = password.replace("/", "%2F").replace(":", "%3A").replace("@", "%40")
    return place._replace(netloc=f"{name}:{quoted}@{place.hostname}:{place.port}").geturl()


class Echo:
    """A JW Platform that tells back all it was sent, and the secret too. Remembers the signatures."""

    def __init__(self, simulator):
        self.known = {"v1": simulator.api_secret, "v2": simulator.v2_secret}
        self.signatures = []

    def fault(self, status):
        def answer(call):
            self.signatures += [value for name, value in call.params if name == "api_signature"]
            text = f"{self.known[call.api]} {call.path}?{'&'.join(map('='.join, call.params))} {call.authorization}"
            body = {"status": "error", "code": "Oops", "message": text, "errors": [{"code": "o", "description": text}]}
            return Answer(status, json.dumps(body).encode())

        return Fault(f"echo {status}", instead=answer)


def everything_stored(site):
    """All rows of all tables, ours and Dagster's, as text."""
    tables = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('jwp', 'dagster')"
    engine = site.engine()
    stored = {
        table: rows(engine, f"SELECT coalesce(string_agg(row::text, ' '), '') AS text FROM {table} AS row")[0].text
        for table in (f'"{schema}"."{name}"' for schema, name in rows(engine, tables))
    }
    engine.dispose()
    assert len(stored) > 20
    return stored


def test_no_secret_is_shown_or_kept(site, role, caplog):
    caplog.set_level(logging.DEBUG)
    simulator, echo, (name, password) = site.simulator, Echo(site.simulator), role
    login = with_login(site.database_url, name, password)
    site.settings |= {"JWP_DATABASE_URL": login, "OAUTH2_CLIENT_SECRET": "secret-of-lookup"}
    v1, v2 = simulator.environment("v1"), simulator.environment("v2")
    wrong = {"JWPLATFORM_API_SECRET": "wrong-secret-of-v1", "JWPLATFORM_V2_API_SECRET": "wrong-secret-of-v2"}
    nowhere = login.replace(str(urlsplit(login).port), "9")
    said = []

    def run(expected, **settings):
        ran = site.jwpfetch(**settings)
        said.append(ran.out + ran.error)
        assert ran.code == expected, said[-1]

    for good in (v1, v2):
        # Failing once, so that what JWP said is told while we wait to ask again.
        simulator.faults.add(echo.fault(500))
        run(0, **good)
        assert "waiting" in said[-1]
        simulator.faults.add(echo.fault(400), times=None)
        run(1, **good)
        simulator.faults.clear()
        run(1, **good | wrong)
    run(1, JWP_DATABASE_URL=nowhere)
    run(1, JWP_DATABASE_URL="postgresql://127.0.0.1:9/nothing?user=somebody&password=wrong-secret-of-a-query")
    run(1, JWP_DATABASE_URL=login.replace(password[-16:], "and-a-wrong-one"))
    run(1, JWP_DAGSTER_DATABASE_URL=nowhere)
    assert "JWP_DAGSTER_DATABASE_URL" in said[-1]
    for name in ("JWP_DATABASE_URL", "JWP_DAGSTER_DATABASE_URL"):
        for bad in ("not@the-unescaped-one", "not/the-unescaped-one"):
            run(2, **{name: f"postgresql://somebody:{bad}@127.0.0.1:9/nothing"})
            assert name in said[-1]
            assert "percent-encode" in said[-1]
    for user in ("somebody:the-unescaped-one", "somebody:not@the-unescaped-one"):
        run(2, **v1 | {"JWPLATFORM_MANAGEMENT_API_URL": f"http://{user}@127.0.0.1:9"})
        assert "JWPLATFORM_MANAGEMENT_API_URL is not of the form" in said[-1]
    run(2, JWP_REQUESTS_PER_MINUTE="0", OAUTH2_CLIENT_SECRET="x" * 3 + "secret-of-lookup")

    stored = everything_stored(site)
    assert "********" in stored['"dagster"."event_logs"'], "the settings are shown, masked"
    hidden = [simulator.api_secret, simulator.v2_secret, "secret-of-lookup", "wrong-secret-of", "and-a-wrong-one"]
    hidden += [password, password[-16:], "unescaped-one", "api_signature", *echo.signatures]
    assert len(echo.signatures) >= 2
    for secret in hidden:
        for text in said:
            assert secret not in text
        assert secret not in caplog.text
        assert [table for table, text in stored.items() if secret in text] == []

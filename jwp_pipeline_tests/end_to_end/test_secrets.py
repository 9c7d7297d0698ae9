"""No secret reaches a terminal, a log, Dagster's records or a table, no matter what fails."""

import json
import logging
import secrets
from html import escape
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from psycopg import sql

from jwp_pipeline.settings import Settings
from jwp_pipeline.simulator import Fault
from jwp_pipeline.simulator.exchange import Answer
from jwp_pipeline_tests.support import rows, settings_of

SECRETS = [name.upper() for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)]


@pytest.fixture
def role(database_url):
    """The name and the password of a role that may use the database."""
    name, password = f"role_{secrets.token_hex(4)}", f"password/of:the@database{secrets.token_hex(8)}"
    who, database = sql.Identifier(name), sql.Identifier(urlsplit(database_url).path[1:])
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(who, sql.Literal(password)))
        server.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, who))
        server.execute(sql.SQL("GRANT CREATE ON SCHEMA public TO {}").format(who))
        yield name, password
        server.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(who))
        server.execute(sql.SQL("DROP ROLE {}").format(who))


def with_login(database_url, name, password):
    place = urlsplit(database_url)
    quoted = password.replace("/", "%2F").replace(":", "%3A").replace("@", "%40")
    return place._replace(netloc=f"{name}:{quoted}@{place.hostname}:{place.port}").geturl()


class Echo:
    """A server whose answers repeat the request and every secret of ours, wherever an answer can hold text.

    It remembers the signatures of the requests.
    """

    def __init__(self, known):
        self.known = known
        self.signatures = []

    def fault(self, status, *, html=False):
        def answer(call):
            self.signatures += [value for name, value in call.params if name == "api_signature"]
            known = " ".join(self.known)
            sent = f"{call.path}?{'&'.join(map('='.join, call.params))} {call.authorization}"
            text = f"{known} {sent}"
            headers = {
                "Server": known,
                "Via": f"1.1 {known}",
                "Location": f"https://{self.known[0]}.example.com/{quote(known)}",
            }
            if html:
                body = f"<html><h1>{known}</h1><p>{escape(sent)}</p></html>".encode()
                return Answer(status, body, headers, content_type=f"text/html; secret={self.known[0]}")
            body = {"status": "error", "code": self.known[0], "message": text}
            body["errors"] = [{"code": self.known[0], "description": text}]
            return Answer(status, json.dumps(body).encode(), headers)

        return Fault(f"echo {status}", instead=answer)


def everything_stored(engine):
    """Return all rows of each table, ours and Dagster's, as text."""
    tables = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('jwp', 'public')"
    stored = {
        table: rows(engine, f"SELECT coalesce(string_agg(row::text, ' '), '') AS text FROM {table} AS row")[0].text
        for table in (f'"{schema}"."{name}"' for schema, name in rows(engine, tables))
    }
    assert len(stored) > 20
    return stored


@pytest.mark.slow
def test_no_secret_is_shown_or_kept(site, engine, role, caplog):
    caplog.set_level(logging.DEBUG)
    simulator, (name, password) = site.simulator, role
    login = with_login(site.database_url, name, password)
    site.settings |= settings_of(simulator, "v2") | settings_of(simulator, "v1")
    site.settings |= {"jwp_database_url": login, "jwp_dagster_database_url": login}
    site.settings |= {
        "oauth2_client_secret": "secret-of-lookup",
        "jwp_alert_webhook_url": "https://127.0.0.1:9/secret-of-the-webhook",
        "jwp_webhook_secrets": "secret-of-received-webhooks",
        "jwp_celery_url": "redis://:secret-of-redis@127.0.0.1:9/0",
    }
    # The settings also hold the secret of the API that is not in use.
    v1, v2 = ({"JWPLATFORM_MANAGEMENT_API": api} for api in ("v1", "v2"))
    secret = {name: site.environment[name] for name in SECRETS} | {"JWP_CELERY_URL": "secret-of-redis"}
    echo = Echo([*secret.values(), password])
    wrong = {"JWPLATFORM_API_SECRET": "wrong-secret-of-v1", "JWPLATFORM_V2_API_SECRET": "wrong-secret-of-v2"}
    nowhere = login.replace(str(urlsplit(login).port), "9")
    said = []

    def run(expected, **settings):
        ran = site.jwpfetch(**settings)
        said.append(ran.out + ran.error)
        assert ran.code == expected, said[-1]

    answers = {"v1": ((400, False), (302, True), (407, True)), "v2": ((403, True), (418, True), (200, True))}
    for good in (v1, v2):
        # The first request fails, so that JWP's answer is printed while we wait to ask again.
        simulator.faults.add(echo.fault(500))
        run(0, **good)
        assert "waiting" in said[-1]
        for status, html in answers[good["JWPLATFORM_MANAGEMENT_API"]]:
            simulator.faults.add(echo.fault(status, html=html), times=None)
            run(1, **good, JWP_DEADLINE_MINUTES="0.01")
            assert f"HTTP {status}" in said[-1] or status == 200
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

    stored = everything_stored(engine)
    assert "********" in stored['"public"."event_logs"'], "the settings are shown, masked"
    hidden = [*secret.values(), "secret-of-lookup", "secret-of-the-webhook", "wrong-secret-of", "and-a-wrong-one"]
    hidden += [password, password[-16:], "unescaped-one", "api_signature", *echo.signatures]
    assert len(echo.signatures) >= 2
    for secret in hidden:
        for text in said:
            assert secret not in text
        assert secret not in caplog.text
        assert [table for table, text in stored.items() if secret in text] == []

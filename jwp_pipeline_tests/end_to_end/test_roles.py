"""Each of the four roles really connects, can do what it is for, and nothing else. No superuser has set them up."""

import os
import secrets
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from jwp_pipeline.commands import cli
from jwp_pipeline.database.connection import open_engine
from jwp_pipeline.database.migrate import migrate
from jwp_pipeline.database.revision import newest_revision
from jwp_pipeline.errors import MigrationError
from jwp_pipeline.simulator import Simulator, demo_library
from jwp_pipeline_tests.support import SCHEMA, fresh_database, rows, set_only

ROLES = ("owner", "pipeline", "application", "reader")
REFUSED = psycopg.errors.InsufficientPrivilege
COLUMNS = "title, description, downloadable, language, copyright, tags, published_at, view_is_public, view_crsids"


@dataclass
class Database:
    """A database with four roles, and the simulated site that its schema mirrors."""

    url: str
    names: dict[str, str]
    password: str
    simulator: Simulator
    folder: Path

    def url_of(self, role):
        place = urlsplit(self.url)
        host = place.netloc.rpartition("@")[2]
        return place._replace(netloc=f"{self.names[role]}:{self.password}@{host}").geturl()

    def as_role(self, role):
        """Connect as one of the roles. The caller closes the connection."""
        return psycopg.connect(self.url_of(role), options=f"-csearch_path={SCHEMA} -clock_timeout=20s")

    def run(self, role, command, *arguments):
        """Run a command with the URL of a role, in this process, and return its exit code."""
        environment = {
            **self.simulator.environment("v1"),
            "JWP_DATABASE_URL": self.url_of(role),
            "JWP_HOME": os.fspath(self.folder / "home"),
            "JWP_REQUESTS_PER_MINUTE": "1000000",
            "JWP_SNAPSHOT_RETENTION": "1",
            "JWP_SYNC_ITEMS": "true",
            "JWP_SITE_DOMAIN": "media.example.org",
            "JWP_SITE_NAME": "Example Media",
        }
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            set_only(patch, environment)
            return {"jwpfetch": cli.jwpfetch, "jwp-pipeline": cli.main}[command](list(arguments))

    def roles(self, role, *arguments):
        """Run `jwp-pipeline roles` as a role."""
        named = [part for kind in ROLES for part in (f"--{kind}", self.names[kind])]
        return self.run(role, "jwp-pipeline", "roles", *named, *arguments)


@pytest.fixture(scope="module")
def database(postgres_url, tmp_path_factory):
    """A database that was set up as docs/roles.md says, and synced once by the pipeline's role."""
    mark = secrets.token_hex(4)
    # One of the names has to be quoted.
    names = {kind: f"{kind}-{mark}" if kind == "application" else f"{kind}_{mark}" for kind in (*ROLES, "admin")}
    with ExitStack() as stack:
        server = stack.enter_context(psycopg.connect(postgres_url, autocommit=True))
        password = secrets.token_hex(8)
        server.execute(f"CREATE ROLE {names['admin']} LOGIN CREATEROLE PASSWORD '{password}'")
        stack.callback(drop_roles, server, names)
        url = stack.enter_context(fresh_database(postgres_url, f"OWNER {names['admin']}"))
        server.execute(f"REVOKE ALL ON DATABASE {urlsplit(url).path[1:]} FROM PUBLIC")
        simulator = stack.enter_context(Simulator(demo_library(videos=30, channels=2)))
        database = Database(url, names, password, simulator, tmp_path_factory.mktemp("roles"))
        assert database.roles("admin", "--apply") == 0
        with database.as_role("admin") as admin:
            for kind in ROLES:
                role = sql.Identifier(names[kind])
                admin.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, sql.Literal(password)))
        assert database.run("owner", "jwp-pipeline", "migrate") == 0
        assert database.roles("owner", "--apply") == 0
        assert database.run("pipeline", "jwpfetch") == 0
        yield database


def drop_roles(server, names):
    for name in names.values():
        server.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))


@pytest.fixture
def as_role(database):
    """A function that connects as a role, for the length of the test."""
    with ExitStack() as open_ones:
        yield lambda role: open_ones.enter_context(database.as_role(role))


def test_syncs_and_pushes_need_no_more_than_the_pipeline_s_role(database, as_role, capsys):
    """The role owns nothing. An edit of the application's role reaches JW Platform by way of the outbox."""
    with as_role("application") as application:
        (key,) = application.execute(
            "UPDATE media_items SET title = 'Edited by an application', updated_at = now() FROM videos"
            " WHERE videos.media_item_id = media_items.id AND videos.key = (SELECT min(key) FROM live_videos)"
            " RETURNING videos.key"
        ).fetchone()
    assert database.run("pipeline", "jwpfetch", "--push") == 0, capsys.readouterr()
    assert database.simulator.library.get("video", key)["title"] == "Edited by an application"
    database.simulator.library.edit("video", key, title="Edited at JW Platform", updated=2_000_000_000)
    for _ in range(2):
        assert database.run("pipeline", "jwpfetch") == 0, capsys.readouterr()
    reader = as_role("reader")
    assert (
        reader.execute("SELECT title FROM live_videos WHERE key = %s", [key]).fetchone()[0] == "Edited at JW Platform"
    )
    slots = "SELECT count(*) FROM pg_partition_tree('raw_pages') WHERE isleaf AND pg_relation_size(relid) > 0"
    assert as_role("owner").execute(slots).fetchone()[0] < 6, "the pages of three syncs of both types are still there"
    owned = "SELECT count(*) FROM pg_class WHERE relnamespace = 'jwp'::regnamespace AND relowner <> %s::regrole"
    assert reader.execute(owned, [database.names["owner"]]).fetchone() == (0,)


NEW_ITEM = (
    "INSERT INTO media_items (id, title, description, type, duration, published_at, language, copyright)"
    " VALUES ('new', 'New', '', 'unknown', 0, now(), '', '')"
)


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("application", f"SELECT {COLUMNS} FROM media_items"),
        ("application", "SELECT * FROM media_channels, playlists, billing_accounts, sms_media_items, sms_collections"),
        ("application", "SELECT * FROM videos, channels, cached_resources, live_videos, live_channels LIMIT 1"),
        ("application", "SELECT * FROM item_updates, item_creations"),
        ("application", f"UPDATE media_items SET ({COLUMNS}) = ROW ({COLUMNS})"),
        ("application", "UPDATE media_items SET deleted_at = now()"),
        ("application", NEW_ITEM),
        ("reader", "SELECT * FROM media_items, sync_status, sync_problems, resource_changes, raw_videos LIMIT 1"),
        ("reader", "SELECT * FROM item_updates, run_leases, library_history, jwp_events, alembic_version"),
        ("pipeline", "UPDATE videos SET updated = updated"),
        ("pipeline", "CREATE TEMPORARY TABLE mine (key text)"),
    ],
)
def test_a_role_may_do_what_it_is_for(as_role, role, statement):
    connection = as_role(role)
    connection.execute(statement)
    connection.rollback()


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("application", "UPDATE media_items SET duration = 0"),
        ("application", "UPDATE media_items SET id = id"),
        ("application", "DELETE FROM media_items"),
        ("application", "TRUNCATE media_items"),
        ("application", "UPDATE cached_resources SET data = '{}'"),
        ("application", "INSERT INTO cached_resources (type, key, data) VALUES ('video', 'x', '{}')"),
        ("application", "UPDATE videos SET awaits_listing = true"),
        ("application", "UPDATE media_channels SET title = ''"),
        ("application", "DELETE FROM item_updates"),
        ("application", "UPDATE item_updates SET state = 'pushed'"),
        ("application", "INSERT INTO item_creations (media_item_id, state) VALUES ('x', 'created')"),
        ("application", "UPDATE write_back SET records_edits = false"),
        ("application", "SELECT * FROM upload_endpoints"),
        ("application", "SELECT * FROM raw_pages"),
        ("application", "SELECT * FROM run_leases"),
        ("application", "SELECT nextval('edit_numbers')"),
        ("application", "ALTER TABLE media_items DISABLE TRIGGER record_edit"),
        ("application", "SET session_replication_role = replica"),
        ("reader", "SELECT * FROM upload_endpoints"),
        ("reader", "UPDATE media_items SET title = ''"),
        ("reader", "INSERT INTO sync_problems (stage, type, key, field, problem) VALUES ('', '', '', '', '')"),
        ("reader", "SELECT * FROM media_items FOR UPDATE"),
        ("pipeline", "UPDATE alembic_version SET version_num = '0001'"),
        ("pipeline", "DROP TABLE media_items"),
        ("pipeline", "ALTER TABLE media_items DISABLE TRIGGER record_edit"),
        ("pipeline", "ALTER FUNCTION record_edit() RESET ALL"),
        ("pipeline", "TRUNCATE media_items CASCADE"),
        *((role, "CREATE TABLE jwp.mine ()") for role in ROLES[1:]),
        *((role, "CREATE SCHEMA mine") for role in ROLES[1:]),
        *((role, "SELECT * FROM dagster.runs") for role in ("application", "reader")),
        ("owner", "CREATE ROLE mine"),
    ],
)
def test_a_role_may_do_nothing_else(as_role, role, statement):
    with pytest.raises(REFUSED):
        as_role(role).execute(statement)


def test_the_mark_of_the_pipeline_does_not_exempt_the_application(as_role):
    application = as_role("application")
    application.execute("SET jwp_pipeline.writer = 'pipeline'")
    application.execute("UPDATE media_items SET copyright = 'evaded?' WHERE id = (SELECT min(id) FROM media_items)")
    recorded = application.execute("SELECT state FROM item_updates WHERE field = 'copyright'").fetchall()
    application.rollback()
    assert recorded == [("waiting",)]


def test_after_an_upgrade_the_pipeline_goes_on_and_others_wait_for_their_rights(database, as_role):
    """A new table may hold anything, so nobody but the pipeline may read it until somebody has decided."""
    with as_role("owner") as owner:
        owner.execute("CREATE TABLE made_by_an_upgrade (id bigint GENERATED BY DEFAULT AS IDENTITY)")
    try:
        with as_role("pipeline") as pipeline:
            pipeline.execute("INSERT INTO made_by_an_upgrade DEFAULT VALUES")
        for role in ("application", "reader"):
            with pytest.raises(REFUSED):
                as_role(role).execute("SELECT * FROM made_by_an_upgrade")
        assert database.roles("owner", "--apply") == 0
        with as_role("reader") as reader:
            assert len(reader.execute("SELECT * FROM made_by_an_upgrade").fetchall()) == 1
    finally:
        with database.as_role("owner") as owner:
            owner.execute("DROP TABLE made_by_an_upgrade")


def test_an_upgrade_by_a_role_that_is_not_the_owner_is_refused_and_changes_nothing(database, as_role):
    with as_role("owner") as owner:
        owner.execute("UPDATE alembic_version SET version_num = '0008'")
    engine = open_engine(database.url_of("pipeline"), SCHEMA)
    try:
        with pytest.raises(MigrationError, match="let the role that owns the schema and all in it run"):
            migrate(engine, SCHEMA)
        assert rows(engine, "SELECT version_num FROM alembic_version") == [("0008",)]
    finally:
        engine.dispose()
        with database.as_role("owner") as owner:
            owner.execute("UPDATE alembic_version SET version_num = %s", [newest_revision()])


def test_rights_that_a_role_should_not_have_are_taken_away(database, as_role, capsys):
    """So is what an earlier call allowed applications to do."""
    assert database.roles("owner", "--apply", "--may-resolve", "--may-upload") == 0
    application = as_role("application")
    application.execute("UPDATE item_updates SET problem = NULL")
    application.execute("UPDATE videos SET awaits_listing = true")
    application.execute("SELECT * FROM upload_endpoints, request_permits")
    application.rollback()
    with as_role("owner") as owner:
        owner.execute(sql.SQL("GRANT ALL ON raw_pages TO {}").format(sql.Identifier(database.names["reader"])))
    assert database.roles("owner", "--apply") == 0
    for role, statement in (
        ("application", "UPDATE item_updates SET problem = NULL"),
        ("reader", "DELETE FROM raw_pages"),
    ):
        with pytest.raises(REFUSED):
            as_role(role).execute(statement)


def test_the_printed_script_is_what_is_run(database, as_role, capsys):
    """It can be handed to whoever looks after the server."""
    capsys.readouterr()
    assert database.roles("reader") == 0
    script = capsys.readouterr().out
    assert "PASSWORD" not in script
    making, granting = script.split("-- Part 2.")
    admin, owner = as_role("admin"), as_role("owner")
    admin.execute("SET search_path TO public")
    admin.execute(making)
    owner.execute(granting.partition("\n")[2])
    with pytest.raises(REFUSED):
        as_role("application").execute("DELETE FROM media_items")


@pytest.mark.parametrize("role", ["pipeline", "reader"])
def test_who_may_not_set_up_the_roles_is_told_what_is_left_to_do(database, role, capsys):
    assert database.roles(role, "--apply") == 1
    assert f"with {database.names['owner']} as the user of JWP_DATABASE_URL" in " ".join(
        capsys.readouterr().err.split()
    )


def test_roles_are_created_by_those_only_who_may(database, capsys):
    assert database.run("pipeline", "jwp-pipeline", "roles", "--apply", "--reader", "somebody-new") == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "takes a role that may create roles (CREATEROLE) and owns the database" in told
    assert "docs/runbook/database-refuses.md" in told


@pytest.mark.parametrize(
    "names", [["--reader", "a'b"], ["--reader", "same", "--application", "same"], ["--owner", "x"]]
)
def test_names_that_cannot_be_meant_are_refused(database, names, capsys):
    assert database.run("admin", "jwp-pipeline", "roles", "--apply", *names) in (1, 2)
    assert "Traceback" not in capsys.readouterr().err

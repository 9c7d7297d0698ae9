"""The schema and data of older versions, and a version that is still to come.

A migration that adds a table gets a file in `old_data/`, with what a version that is at it writes to that table.
"""

import json
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree

from alembic import command
from alembic.config import Config
from psycopg import sql

from jwp_pipeline.database.migrate import create_schema
from jwp_pipeline.database.revision import MIGRATIONS, known_revisions
from jwp_pipeline_tests.support import SCHEMA, channel, python, video

REVISIONS = known_revisions()
LISTED = {
    "video": [
        video("v0000001", 1, acl="CAM", title="Has an ACL", updated=5),
        video("v0000002", title="Was edited", updated=6),
        video("v0000003", title="Needs <escapes> \u00e9\U0001f600 \"'", updated=7),
    ],
    "channel": [channel("c0000001", 7, media_ids=[1], title="A channel")],
}
"""What JW Platform lists, and has listed to each of the older versions."""

_DATA = Path(__file__).parent / "old_data"


def migrate_to(engine, revision):
    """Migrate only as far as `revision`, as an older version of this program would."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.connect() as connection:
        create_schema(connection, SCHEMA)
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()


def live_through(engine, last):
    """Let each version up to the one at `last` migrate the schema and write its data."""
    for revision in REVISIONS[: REVISIONS.index(last) + 1]:
        migrate_to(engine, revision)
        data = _DATA / f"{revision}.sql"
        if data.exists():
            with engine.begin() as connection:
                connection.exec_driver_sql(
                    data.read_text().replace(":listed", sql.Literal(json.dumps(LISTED)).as_string())
                )


NEWER = """
from alembic import op

revision = "9999"
down_revision = "{before}"


def upgrade() -> None:
    op.execute("ALTER TABLE media_items ADD COLUMN new_in_9999 text")
    op.execute("SELECT pg_advisory_xact_lock(9999)")
"""
MIGRATE = """
import sys
from pathlib import Path
from jwp_pipeline.database import revision
revision.MIGRATIONS = Path(sys.argv[2])
from jwp_pipeline.database.connection import open_engine
from jwp_pipeline.database.migrate import migrate
print(migrate(open_engine(sys.argv[1], "jwp"), "jwp"))
"""


@contextmanager
def newer_version(url, folder):
    """Let a newer version, in a process of its own, migrate the schema to 9999. Yields the process.

    Its migration stops in the middle as long as another session holds the advisory lock 9999.
    """
    migrations = folder / "migrations"
    copytree(MIGRATIONS, migrations)
    (migrations / "versions" / "9999_newer.py").write_text(NEWER.format(before=REVISIONS[-1]))
    with python(MIGRATE, url, str(migrations)) as process:
        yield process

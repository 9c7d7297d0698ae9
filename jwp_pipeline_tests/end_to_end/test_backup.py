"""The commands of docs/backup.md restore a backup into another server, and the next sync finds nothing to do."""

import os
import re
import subprocess
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

import pytest

from jwp_pipeline.database.connection import open_engine
from jwp_pipeline.database.embedded import ensure_running, release
from jwp_pipeline.database.embedded.binaries import find_binaries
from jwp_pipeline_tests.support import PROJECT, SCHEMA, contents, fresh_database, rows

DOCUMENT = PROJECT / "docs" / "backup.md"
DONE = 0
RECORD = (
    "media_items", "media_channels", "playlists", "billing_accounts", "videos", "channels", "sms_media_items",
    "sms_collections", "cached_resources", "resource_changes", "item_updates",
)  # fmt: skip


def commands():
    """Return the commands of the document: two ways to back up, the restore, and how to look at it."""
    blocks = re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text(), flags=re.DOTALL)
    assert [block.split()[0] for block in blocks] == ["pg_dump", "pg_dump", "pg_restore", "jwpfetch"]
    return blocks


@contextmanager
def another_server(folder):
    """Yield the URL of an empty database on a server that has never seen ours."""
    home = folder / "another"
    try:
        with fresh_database(ensure_running(home, durable=False)) as url:
            yield url
    finally:
        release(home)


def without_password(url, passwords):
    """Return the URL without its password, and append that to a password file."""
    parts = urlsplit(url)
    with passwords.open("a") as file:
        file.write(f"{parts.hostname}:{parts.port}:*:{parts.username}:{unquote(parts.password)}\n")
    return parts._replace(netloc=f"{parts.username}@{parts.hostname}:{parts.port}").geturl()


def edit(site, key, title):
    """Edit the title of a video's item, as an application does."""
    found = "SELECT media_item_id FROM videos WHERE key = :key"
    site.execute(f"UPDATE media_items SET title = :title WHERE id = ({found})", key=key, title=title)


@pytest.mark.parametrize("whole", [False, True], ids=["needed", "everything"])
def test_a_restored_backup_has_the_same_ids_and_the_next_sync_changes_nothing(site, engine, tmp_path, whole):
    """An edit that waited still waits, and is shown before it is pushed."""
    site.settings |= {"jwp_site_domain": "media.example.org", "jwp_site_name": "Example", "jwp_sync_items": True}
    assert site.jwpfetch().code == DONE
    key, gone, other, *_ = site.library.keys("video")
    edit(site, other, "Edited and pushed")
    assert site.jwpfetch("--push").code == DONE
    site.library.remove("video", gone)
    assert site.jwpfetch().code == DONE
    edit(site, key, "Edited here")
    before = contents(engine, *RECORD)
    passwords = tmp_path / "pgpass"
    passwords.touch(mode=0o600)
    dump, dump_everything, restore, _ = commands()
    with another_server(tmp_path) as url:
        environment = {
            "PATH": f"{find_binaries().folder}:{os.environ['PATH']}",
            "PGPASSFILE": os.fspath(passwords),
            "FROM": without_password(site.database_url, passwords),
            "TO": without_password(url, passwords),
        }
        for command in (dump_everything if whole else dump, restore):
            ran = subprocess.run(
                ["sh", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
            )
            assert (ran.returncode, ran.stderr) == (DONE, ""), command
        restored = open_engine(url, SCHEMA)
        try:
            assert contents(restored, *RECORD) == before
            assert bool(rows(restored, "SELECT FROM raw_pages")) is whole
            assert bool(rows(restored, "SELECT FROM pg_namespace WHERE nspname = 'dagster'")) is whole
            site.settings["jwp_database_url"] = url
            looked = site.jwpfetch("--dry-run")
            assert (looked.code, looked.error) == (DONE, "")
            assert site.jwpfetch().code == DONE
            assert contents(restored, *RECORD) == before
            early = site.jwpfetch("--push")
            assert early.code != DONE
            assert "may have been restored from a backup" in " ".join(early.error.split())
            assert "Edited here" in site.jwpfetch("--push", "--dry-run").out
            assert site.jwpfetch("--push").code == DONE
        finally:
            restored.dispose()
    assert site.library.get("video", key)["title"] == "Edited here"

"""How the campaign looks at the tables, from outside and past every fault."""

import psycopg
from psycopg.rows import namedtuple_row

_OF_A_SYNC = ("cached_resources", "resource_changes", "videos", "media_items", "playlists", "sync_problems")


class Watching:
    """A connection of the campaign's own, which sees one schema and is opened again after the server was stopped."""

    def __init__(self, url, schema):
        self._where = {"conninfo": url, "options": f"-csearch_path={schema} -cclient_encoding=UTF8"}
        self._connection = self._opened()

    def execute(self, query, parameters=None):
        try:
            return self._connection.execute(query, parameters)
        except psycopg.OperationalError:
            if not self._connection.broken:
                raise
            self._connection = self._opened()
            return self._connection.execute(query, parameters)

    def close(self):
        self._connection.close()

    def _opened(self):
        how = {"autocommit": True, "row_factory": namedtuple_row, "application_name": "campaign"}
        return psycopg.connect(**self._where, **how)


class Frozen:
    """What a run that has lost its lease may no longer change. (Its push may still note what has arrived.)"""

    def __init__(self, connection):
        self._connection = connection
        self._contents = None

    def remember(self):
        """Note what the tables hold at the moment at which the lease is lost."""
        self._contents = self._read()

    def changes(self):
        """Return what is broken if they hold something else now; nothing if no lease was lost."""
        if self._contents is None:
            return []
        now = self._read()
        changed = [table for table in now if now[table] != self._contents[table]]
        return [f"a_run_without_its_lease_commits_nothing: it changed {changed}"] if changed else []

    def _read(self):
        query = "SELECT coalesce(md5(string_agg(row::text, '|' ORDER BY row::text)), '') AS digest FROM {} AS row"
        return {table: self._connection.execute(query.format(table)).fetchone().digest for table in _OF_A_SYNC}

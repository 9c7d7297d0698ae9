"""Helpers to make databases on the server of the tests, and to set their options."""

import secrets
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg


@contextmanager
def fresh_database(postgres_url, options="", *, template="template0"):
    """Yield the URL of a new database, and drop it at the end. `options` are those of CREATE DATABASE.

    It is empty, unless another database is its template.
    """
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {template} {options}")
        try:
            yield urlsplit(postgres_url)._replace(path=f"/{name}").geturl()
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def set_for_the_database(url, **settings):
    """Set defaults of the server's settings for every new connection to this database."""
    with psycopg.connect(url, autocommit=True) as server:
        for name, value in settings.items():
            listed = value if name == "search_path" else f"'{value}'"
            server.execute(f"ALTER DATABASE {server.info.dbname} SET {name} TO {listed}")

"""Counts the steps of a run, and does something to it before one of them.

A step is the moment before a statement, a commit, the end of a COPY and a request to JW Platform, and the moment after
its answer. They are counted over all threads. What is done is an `Act`; put further ones here.
"""

import os
import resource
import signal
import threading
import time
from contextlib import suppress

import psycopg
from sqlalchemy import event
from sqlalchemy.engine import Engine

from jwp_pipeline.database.sql import statement
from jwp_pipeline.jwplatform.wire import Wire

SIGNALS = ("SIGKILL", "SIGTERM", "SIGINT", "SIGSTOP")
_OURS = "datname = current_database() AND application_name LIKE 'jwp_pipeline%' AND pid <> pg_backend_pid()"


class Steps:
    """The steps of this process. `acts` is step → the name of what is done before it."""

    def __init__(self, acts, *, url, schema, ask_parent):
        self.number = 0
        self.done = []
        """(step, act, where it was) of everything that was done."""
        self._acts = dict(acts)
        self._url = f"{url}?options=-csearch_path%3D{schema}%20-clock_timeout%3D100ms"
        self._ask_parent = ask_parent
        self._lock = threading.RLock()

    def install(self):
        """Count every step of this process from now on."""
        event.listen(Engine, "before_cursor_execute", lambda _, cursor, text, *__: self._step(text, cursor))
        event.listen(Engine, "commit", lambda _: self._step("COMMIT"))
        send, finish = Wire.send, psycopg.Copy.finish

        def counted_send(wire, call, give_up_at):
            self._step(f"before {call.method} {call.url.partition('/v')[2]}")
            answer = send(wire, call, give_up_at)
            self._step(f"after {call.method}")
            return answer

        def counted_finish(copy, exc):
            self._step("end of COPY")
            return finish(copy, exc)

        Wire.send, psycopg.Copy.finish = counted_send, counted_finish

    def _step(self, where, cursor=None):
        with self._lock:
            self.number += 1
            due = [step for step in self._acts if step <= self.number]
            for step in due:
                name = self._acts[step]
                if name in _NEED_A_CURSOR and cursor is None:
                    continue
                del self._acts[step]
                self.done.append((self.number, name, " ".join(where.split())[:60]))
                self._do(name, cursor)

    def _do(self, name, cursor):
        what, _, argument = name.partition(" ")
        if what in SIGNALS:
            os.kill(os.getpid(), getattr(signal, what))
        elif what == "restart":
            self._ask_parent(name)
        elif what == "limit":
            _limit(argument)
        elif what == "timeout":
            cursor.execute("SET statement_timeout TO '1ms'")
        elif what == "readonly":
            cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
        elif what == "terminate":
            self._sabotage(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {_OURS}")
        elif what == "cancel":
            threading.Timer(
                0.01, self._sabotage, [f"SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE {_OURS}"]
            ).start()
        elif what == "lock":
            self._lock_table(argument)
        elif what == "dispossess":
            self._dispossess()

    def _sabotage(self, text):
        with suppress(psycopg.Error), psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(text)

    def _lock_table(self, argument):
        table, seconds = argument.split()
        connection = psycopg.connect(self._url)
        try:
            connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        except psycopg.Error:
            connection.close()
            return

        threading.Timer(float(seconds), connection.close).start()

    def _dispossess(self):
        """Take this run's lease over as another process would, and tell the parent what the tables held at that moment.

        A run that was killed earlier may have left an open lease, which says nothing about this run.
        """
        taking = str(statement("jwp_pipeline.database", "take_over_lease"))
        with suppress(psycopg.errors.LockNotAvailable), psycopg.connect(self._url) as connection:
            numbers = connection.execute(
                "SELECT fencing_number FROM run_leases WHERE ended_at IS NULL AND process_id = %s", [os.getpid()]
            ).fetchall()
            for (number,) in numbers:
                given = taking.replace(":number", "%(number)s").replace(":by", "%(by)s")
                connection.execute(given, {"number": number, "by": "the campaign"})
            connection.commit()
            if numbers:
                self._ask_parent("dispossessed")


_NEED_A_CURSOR = ("timeout", "readonly")


def _limit(name):
    if name == "files":
        used = max(int(each) for each in os.listdir("/proc/self/fd"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    elif name == "memory":
        with open("/proc/self/statm") as file:
            pages = int(file.read().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 2**21,) * 2)
    elif name == "cpu":
        used = resource.getrusage(resource.RUSAGE_SELF)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1,) * 2)
        until = time.monotonic() + 3
        while time.monotonic() < until:
            pass

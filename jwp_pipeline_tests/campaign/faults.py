"""The faults of a round, by layer: JW Platform, the path to it, PostgreSQL, the process.

`chosen` draws one to three of them. A fault is planned as data before the run; `life.py` arms and disarms it. Put
further faults here.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from jwp_pipeline.simulator import Fault
from jwp_pipeline.simulator.exchange import Answer
from jwp_pipeline_tests.campaign.tables import STATES, WRITTEN

LAYERS = ("JW Platform", "PostgreSQL", "process")
SHAPES = ("array missing", "array null", "array object", "bare array", "total missing")
SESSION = {
    "DateStyle": "'SQL, DMY'",
    "TimeZone": "'Asia/Kathmandu'",
    "IntervalStyle": "'sql_standard'",
    "standard_conforming_strings": "off",
    "bytea_output": "'escape'",
    "extra_float_digits": "-15",
    "array_nulls": "off",
    "transform_null_equals": "on",
    "default_transaction_isolation": "'serializable'",
    "search_path": "pg_catalog, nowhere",
    "statement_timeout": "'1ms'",
    "idle_in_transaction_session_timeout": "'20ms'",
    "idle_session_timeout": "'20ms'",
    "work_mem": "'64kB'",
    "enable_hashjoin": "off",
    "plan_cache_mode": "'force_generic_plan'",
    "client_encoding": "'LATIN1'",
    "lc_messages": "'C'",
    "synchronous_commit": "off",
    "quote_all_identifiers": "on",
    "row_security": "off",
    "temp_file_limit": "0",
}


@dataclass(frozen=True)
class Planned:
    """One fault of a round."""

    layer: str
    name: str
    how: dict[str, Any] = field(default_factory=dict, compare=False)

    def __str__(self):
        details = ", ".join(f"{name}={value}" for name, value in self.how.items())
        return f"{self.layer}: {self.name}" + (f" ({details})" if details else "")


def chosen(dice, *, steps, real_process, run):
    """Draw the faults of one run. `steps` is how many steps such a run has had without faults."""
    number = dice.choices((1, 2, 3), (5, 3, 2))[0]
    layers = dice.sample(LAYERS, number)
    drawn = {"JW Platform": _of_jwp, "PostgreSQL": _of_postgres, "process": _of_process}
    planned = [drawn[layer](dice, steps, real_process, run) for layer in layers]
    return [each for each in planned if each is not None]


def _of_jwp(dice, _steps, _real_process, run):
    name = dice.choice(list(JWP))
    route = "list"
    if run == "push":
        route = dice.choice(("show", "update", "update", "create", None))
    elif run == "events":
        route = dice.choice(("show", "show", None))
    elif dice.random() < 0.25:
        route = dice.choice(("show", "members", None))
    if name in ("lost answer", "carried out") and run != "push":
        name = "drop"
    how = {
        "route": route,
        "nth": dice.randint(1, 6),
        "times": dice.choice((1, 1, 2, 3, 50)),
        "number": dice.randrange(1000),
    }
    return Planned("JW Platform", name, how)


def _of_postgres(dice, steps, real_process, _run):
    kind = dice.choice(("state", "state", "state", "step", "step", "cut", "session"))
    if kind == "step" and real_process:
        kind = "state"
    at = dice.randint(1, steps)
    if kind == "state":
        name = dice.choice(list(STATES))
        how = {
            "table": dice.choice(WRITTEN),
            "nth": dice.choice((1, 1, 2, 3, 5, 9)),
            "times": dice.choice((1, 1, 1, 2, 99)),
        }
        return Planned("PostgreSQL", name, how)
    if kind == "cut":
        return Planned(
            "PostgreSQL", "connection cut", {"after": dice.randint(1, 60_000), "times": dice.choice((1, 1, 3))}
        )
    if kind == "session":
        name = dice.choice(list(SESSION))
        return Planned("PostgreSQL", "session setting", {"setting": name})
    act = dice.choice(
        (
            *("terminate", "terminate", "cancel", "timeout", "readonly", "restart fast", "restart immediate"),
            f"lock {dice.choice(WRITTEN)} {dice.choice((0.1, 0.8))}",
        )
    )
    return Planned("PostgreSQL", act.split()[0] if act.startswith("lock") else act, {"act": act, "at": at})


def _of_process(dice, steps, real_process, run):
    at = dice.randint(1, steps)
    if real_process:
        signal = dice.choice(("SIGKILL", "SIGKILL", "SIGTERM", "SIGINT", "SIGSTOP"))
        how = {"signal": signal}
        if dice.random() < 0.5:
            return Planned("process", signal, how | {"request": dice.randint(1, 9)})
        return Planned("process", signal, how | {"table": dice.choice(WRITTEN), "nth": dice.choice((1, 1, 2, 5))})
    act = dice.choice(
        (
            *("SIGKILL", "SIGKILL", "SIGKILL", "SIGTERM", "SIGINT", "SIGINT", "SIGSTOP", "SIGSTOP"),
            *("dispossess", "dispossess", "limit files", "limit memory", "limit cpu", "rival"),
        )
    )
    if act == "rival":
        return Planned("process", "rival", {"run": dice.choice(("sync", "frequent", "push", run))})
    if act == "limit cpu" and dice.random() < 0.7:
        act = "limit files"
    how = {"act": act, "at": at}
    if act == "SIGSTOP":
        how["then"] = dice.choice(("continue", "declare dead"))
    return Planned("process", act, how)


# --- JW Platform ---


def _status(dice_number):
    status = (500, 502, 503, 504, 429, 401, 403, 404, 302, 408, 200)[dice_number % 11]
    return Fault.status(status, ("json", "html", "empty")[dice_number % 3])


def _gone(number):
    """A proxy that answers 404 for everything, in its own words."""
    return Fault.status(404, ("html", "empty")[number % 2])


def _bent(change):
    def make(number):
        def bend(page):
            elements = [json.loads(element) for element in page.elements]
            page.elements[:] = [json.dumps(element).encode() for element in change(elements, number)]

        return Fault("bent", bend=bend)

    return make


def _with_rubbish(elements, number):
    rubbish = (7, None, [], {}, {"key": 5, "id": 5}, {"key": "", "id": ""}, {"key": "x" * 300, "id": "x" * 300}, "x")
    elements.insert(number % (len(elements) + 1), rubbish[number % len(rubbish)])
    return elements


def _repeating(elements, number):
    return elements + elements[: 1 + number % 2]


def _skewed(number):
    """An answer with another clock: 429 until a time in the far past or future."""

    def answer(call):
        date = ("Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "yesterday")[number % 3]
        headers = {"Date": date, "Retry-After": ("0", date, "-5", "x")[number % 4]}
        return Answer(429, b'{"status": "error"}', headers)

    return Fault("clock skew", instead=answer)


def _other_object(number):
    """An answer about another key than was asked for, or not about a resource at all."""
    body = (b"{}", b'{"id": "other", "status": "ok", "video": {"key": "other"}}', b"[]", b"null", b"7", b"{" * 999)
    return Fault("wrong object", instead=lambda call: Answer(200, body[number % 6]))


JWP = {
    "status": _status,
    "404 of a proxy": _gone,
    "error with 200": lambda number: Fault.error_with_200(),
    "latency": lambda number: Fault.latency(0.02 + number % 5 / 20),
    "drip": lambda number: Fault.drip(0.1),
    "drop": lambda number: Fault.drop(),
    "truncated": lambda number: Fault.truncate((number % 100) / 100),
    "wrong shape": lambda number: Fault.wrong_shape(SHAPES[number % len(SHAPES)]),
    "wrong total": lambda number: Fault.wrong_total((-30, -3, -1, 1, 2, 30)[number % 6]),
    "short page": lambda number: Fault.short_page(1 + number % 3),
    "empty page": lambda number: Fault.empty_page(),
    "repeated page": lambda number: Fault.repeated_page(),
    "rubbish element": _bent(_with_rubbish),
    "repeated element": _bent(_repeating),
    "clock skew": _skewed,
    "wrong object": _other_object,
    "rate limit": lambda number: Fault.status(429, retry_after=None),
    "lost answer": lambda number: Fault.lost_answer(),
    "carried out": lambda number: Fault.status(502, carried_out=True),
    "hidden": None,
    "stale page": None,
    "moves": None,
}
"""Name → a function that makes the simulator's fault from a number. life.py makes those without one: they need to know
the library."""

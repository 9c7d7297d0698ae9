"""Lookup is asked once about each person and in time, and its failures grant nothing (semantics §10)."""

import logging
import os
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwp_pipeline.access.lookup import Lookup
from jwp_pipeline.access.lookup_api import LookupFailed, read_membership
from jwp_pipeline.access.people import Membership
from jwp_pipeline.access.users import ANONYMOUS, Person
from jwp_pipeline.settings import load_settings
from jwp_pipeline.simulator import Fault, Member, Simulator
from jwp_pipeline.simulator.exchange import Answer
from jwp_pipeline_tests.support.http import Script, answer, serve

MEMBER = Member("gm345", "a member", ("UIS",), (("101888", "The team"), ("101889", "")))
KNOWN = Membership(frozenset({"UIS"}), frozenset({"101888", "The team", "101889"}))
NOTHING = Membership()


@pytest.fixture
def simulator():
    """A simulated site of its own for each test, because late answers of one test would be in the log of the next."""
    with Simulator() as simulator:
        simulator.people.clear()
        simulator.people["gm345"] = MEMBER
        yield simulator


@pytest.fixture
def lookup_of(simulator):
    """A function that makes a Lookup with changed settings; its clock stands still."""

    def make(clock=lambda: 0.0, **changes):
        environment = {name.lower(): value for name, value in simulator.environment().items()}
        return Lookup(load_settings(**environment | changes), clock=clock)

    return make


def asked(simulator):
    """Return route, path and status of each request so far, and forget them."""
    requests = [(request.route, request.path, request.status) for request in simulator.requests]
    simulator.forget_requests()
    return requests


def persons(simulator):
    return [path for route, path, _ in asked(simulator) if route == "person"]


def test_a_person_is_asked_about_once_with_a_token(lookup_of, simulator):
    lookup = lookup_of()
    for user in ("gm345", Person("gm345")):
        assert lookup.membership(user) == KNOWN
    token, person = simulator.requests
    assert (token.method, token.path, token.status) == ("POST", "/oauth2/token", 200)
    assert token.params == {"grant_type": "client_credentials", "scope": "lookup:anonymous"}
    assert (person.method, person.path, person.status) == ("GET", "/lookup/people/mock/gm345", 200)
    assert person.params == {"fetch": "all_groups,all_insts"}


def test_an_answer_is_kept_for_its_lifetime_and_so_is_that_nobody_has_this_name(lookup_of, simulator):
    now = [0.0]
    lookup = lookup_of(clock=lambda: now[0], lookup_people_cache_lifetime=100)
    for moment, requests in ((0, 2), (99, 0), (101, 2), (150, 0)):
        now[0] = moment
        assert (lookup.membership("gm345"), lookup.membership("nobody")) == (KNOWN, NOTHING)
        assert len(persons(simulator)) == requests, moment


@pytest.mark.parametrize("user", [None, ANONYMOUS, "", " ", Person(""), ".", "..", "half\ud800", "x" * 256])
def test_nobody_is_asked_about_without_a_usable_name(lookup_of, simulator, user):
    assert lookup_of().membership(user) == NOTHING
    assert persons(simulator) == []


@pytest.mark.parametrize(
    ("identifier", "path"),
    [
        ("../groups/1", "..%2Fgroups%2F1"),
        ("a?b", "a%3Fb"),
        ("a%2Fb", "a%252Fb"),
        ("a#b", "a%23b"),
        ("a b", "a%20b"),
        ("ü", "%C3%BC"),
        ("a/../b", "a%2F..%2Fb"),
        ("...", "..."),
        ("nul\0", "nul%00"),
    ],
)
def test_an_identifier_leads_to_one_request_for_exactly_this_person(lookup_of, simulator, identifier, path):
    simulator.people[identifier] = MEMBER
    assert lookup_of().membership(identifier) == KNOWN
    assert persons(simulator) == [f"/lookup/people/mock/{path}"]


def test_a_token_is_renewed_before_it_expires_and_once_after_a_401(lookup_of, simulator):
    simulator.behaviour.token_seconds = 0.8
    lookup = lookup_of(lookup_people_cache_lifetime=0)
    assert lookup.membership("gm345") == KNOWN
    time.sleep(0.85)
    assert lookup.membership("gm345") == KNOWN
    assert [status for _, _, status in asked(simulator)] == [200, 200, 200, 200], "no request had an expired token"
    simulator.behaviour.token_seconds = 3600
    time.sleep(0.85)
    assert lookup.membership("gm345") == KNOWN
    asked(simulator)
    simulator.forget_tokens()
    assert lookup.membership("gm345") == KNOWN
    assert [(route, status) for route, _, status in asked(simulator)] == [
        *(("person", 401), ("token", 200), ("person", 200))
    ]
    simulator.faults.add(Fault.status(401), route="person", times=None)
    assert lookup.membership("gm345") == NOTHING
    assert [route for route, _, _ in asked(simulator)] == ["person", "token", "person"]


FAULTS = {
    "slow": (Fault.latency(5), "person"),
    "dripping": (Fault.drip(5), "person"),
    "dropped": (Fault.drop(), "person"),
    "cut": (Fault.truncate(), "person"),
    "500": (Fault.status(500), "person"),
    "403": (Fault.status(403), "person"),
    "302": (Fault.status(302), "person"),
    "html": (Fault.html_with_200(), "person"),
    "no person": (Fault("a list", instead=lambda call: Answer(200, b"[]")), "person"),
    "something else": (Fault("a page", instead=lambda call: Answer(200, b'{"status": "maintenance"}')), "person"),
    "odd groups": (Fault("a text", instead=lambda call: Answer(200, b'{"institutions": [], "groups": ""}')), "person"),
    "slow token": (Fault.latency(5), "token"),
    "dripping token": (Fault.drip(5), "token"),
    "dropped token": (Fault.drop(), "token"),
    "refused token": (Fault.status(401), "token"),
    "odd token": (Fault("a list", instead=lambda call: Answer(200, b'["access_token"]')), "token"),
    "empty token": (Fault("no token", instead=lambda call: Answer(200, b'{"access_token": ""}')), "token"),
    "broken token": (Fault("two lines", instead=lambda call: Answer(200, b'{"access_token": "a\\nb"}')), "token"),
    "html token": (Fault.html_with_200(), "token"),
    "broken token server": (Fault.status(500, "html"), "token"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_failure_denies_in_time_and_is_logged_and_not_kept(lookup_of, simulator, caplog, name):
    fault, route = FAULTS[name]
    lookup = lookup_of(lookup_timeout_seconds=0.5)
    simulator.faults.add(fault, route=route)
    started = time.monotonic()
    assert lookup.membership("gm345") == NOTHING
    assert time.monotonic() - started < 1.0
    [record] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "'gm345'" in record.getMessage()
    for secret in (simulator.environment()["OAUTH2_CLIENT_SECRET"], "Bearer", "Basic", "access_token"):
        assert secret not in caplog.text
    simulator.faults.clear()
    time.sleep(0.3 if "slow" in name or "drip" in name else 0)
    assert lookup.membership("gm345") == KNOWN
    assert asked(simulator), "it was asked again"


def test_an_answer_that_was_kept_still_serves_while_lookup_fails(lookup_of, simulator):
    lookup = lookup_of()
    assert lookup.membership("gm345") == KNOWN
    simulator.faults.add(Fault.status(500), api="lookup", times=None)
    assert lookup.membership("gm345") == KNOWN


def test_callers_who_ask_about_the_same_person_share_one_request(lookup_of, simulator):
    simulator.faults.add(Fault.latency(0.3), route="person", times=None)
    assert at_once(lookup_of(), ["gm345"] * 20) == [KNOWN] * 20
    assert len(persons(simulator)) == 1


def test_connections_that_cannot_be_made_are_tried_again_and_nothing_else_is(lookup_of, simulator, monkeypatch):
    import socket

    tries = []
    connect = socket.socket.connect

    def refusing(self, address):
        tries.append(address)
        if len(tries) in (1, 2, 4):
            raise ConnectionRefusedError
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", refusing)
    assert lookup_of(oauth2_max_retries=2).membership("gm345") == KNOWN
    assert len(tries) == 5, "three for the token, two for the person"
    tries.clear()
    assert lookup_of(oauth2_max_retries=1).membership("gm345") == NOTHING
    assert len(tries) == 2
    asked(simulator)
    monkeypatch.undo()
    simulator.faults.add(Fault.drop(), route="person", times=None)
    assert lookup_of(oauth2_max_retries=5).membership("gm345") == NOTHING
    assert len(persons(simulator)) == 1, "the request had gone out"


def test_without_a_lookup_nobody_belongs_to_anything_which_is_said_once(caplog):
    lookup = Lookup(load_settings(lookup_root=None))
    assert [lookup.membership(name) for name in ("a", "b", "a")] == [NOTHING] * 3
    assert caplog.text.count("LOOKUP_ROOT is not set") == 1


def test_a_lookup_without_a_token_server_is_asked_without_a_token():
    body = {"institutions": [{"instid": "UIS"}], "groups": [{"groupid": "1", "name": "Team"}]}
    with serve(Script([answer(200, body)])) as script:
        lookup = Lookup(load_settings(lookup_root=f"{script.url}/api", oauth2_token_url=None))
        assert lookup.membership("x") == Membership(frozenset({"UIS"}), frozenset({"1", "Team"}))
    assert script.requests == ["/api/people/mock/x?fetch=all_groups,all_insts"]
    assert "Authorization" not in script.headers[0]


def test_the_name_server_may_hang(lookup_of, monkeypatch):
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: time.sleep(2) or [])
    started = time.monotonic()
    assert lookup_of(lookup_timeout_seconds=0.2).membership("gm345") == NOTHING
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("scheme", [".", ".."])
def test_a_scheme_that_would_lead_elsewhere_asks_about_nobody(lookup_of, simulator, scheme):
    assert lookup_of(lookup_people_id_scheme=scheme).membership("gm345") == NOTHING
    assert persons(simulator) == []


def test_a_redirect_is_not_followed_with_the_token(lookup_of, simulator):
    with (
        serve(Script([answer(200, {})])) as elsewhere,
        serve(Script([answer(302, Location=f"{elsewhere.url}/")])) as script,
    ):
        assert lookup_of(lookup_root=script.url).membership("x") == NOTHING
    assert elsewhere.requests == []


def test_a_forked_process_asks_for_itself(lookup_of, simulator):
    lookup = lookup_of()
    assert lookup.membership("gm345") == KNOWN
    lookup._lock.acquire()  # As if another thread were at work in the parent at this moment.
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, b"known" if lookup.membership("gm345") == KNOWN else b"not known")
        os._exit(0)
    lookup._lock.release()
    os.waitpid(child, 0)
    assert os.read(reading, 20) == b"known"
    assert len(persons(simulator)) == 2


def test_people_are_forgotten_when_there_are_too_many(lookup_of, simulator, monkeypatch):
    monkeypatch.setattr("jwp_pipeline.access.lookup.MOST_PEOPLE", 2)
    lookup = lookup_of()
    for name in ("a", "b", "c", "c", "a"):
        lookup.membership(name)
    assert [path.rpartition("/")[2] for path in persons(simulator)] == ["a", "b", "c", "a"]


def test_while_lookup_hangs_no_more_requests_wait_for_it_than_allowed(lookup_of, monkeypatch, caplog):
    monkeypatch.setattr("jwp_pipeline.access.lookup.MOST_AT_ONCE", 3)
    answers, asked_about = threading.Event(), []

    def hanging(_, identifier):
        asked_about.append(identifier)
        answers.wait(10)
        return KNOWN

    monkeypatch.setattr("jwp_pipeline.access.lookup.LookupApi.membership", hanging)
    lookup = lookup_of(lookup_timeout_seconds=0.3)
    started = time.monotonic()
    assert at_once(lookup, [f"person{number}" for number in range(8)]) == [NOTHING] * 8
    assert time.monotonic() - started < 1, "nobody waits longer than allowed"
    assert len(asked_about) == 3
    assert caplog.text.count("3 other requests took all of LOOKUP_TIMEOUT_SECONDS (0.3)") == 5
    answers.set()
    assert lookup.membership("person") == KNOWN


def test_more_people_at_once_than_requests_are_all_answered_in_time(lookup_of, simulator, monkeypatch):
    monkeypatch.setattr("jwp_pipeline.access.lookup.MOST_AT_ONCE", 4)
    names = [f"person{number}" for number in range(10)]
    simulator.people.update(dict.fromkeys(names, MEMBER))
    simulator.faults.add(Fault.latency(0.2), route="person", times=None)
    lookup = lookup_of(lookup_timeout_seconds=5)
    assert at_once(lookup, names * 2) == [KNOWN] * 20
    assert len(persons(simulator)) == 10, "one request for each person"


def at_once(lookup, names):
    """Return the memberships of people who are all asked about at the same time, in the order of the answers."""
    found = []
    threads = [
        threading.Thread(target=lambda name: found.append(lookup.membership(name)), args=[name]) for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["institutions", "groups", "instid", "groupid", "name", "x"]), inner, max_size=4
        )
    ),
)


@given(anything)
def test_any_answer_gives_only_names_or_says_nothing(document):
    given_lists = document if isinstance(document, dict) else {"groups": document, "institutions": document}
    try:
        found = read_membership(given_lists)
    except LookupFailed:
        assert not all(isinstance(given_lists.get(name), list) for name in ("groups", "institutions"))
        return
    assert all(isinstance(name, str) and name for name in found.institutions | found.groups)

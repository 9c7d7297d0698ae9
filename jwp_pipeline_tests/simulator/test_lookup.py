"""The simulated Lookup gives tokens to its client only, and says who people are to whoever has a token."""

import pytest
import requests

from jwp_pipeline.simulator import DEMO_PEOPLE, Simulator, demo_library
from jwp_pipeline_tests.simulator.wire import TIMEOUT


@pytest.fixture(scope="module")
def sim():
    with Simulator() as simulator:
        yield simulator


def ask_token(sim, *, login=None, **changes):
    environment = sim.environment()
    login = login or (environment["OAUTH2_CLIENT_ID"], environment["OAUTH2_CLIENT_SECRET"])
    form = {"grant_type": "client_credentials", "scope": "lookup:anonymous"} | changes
    return requests.post(environment["OAUTH2_TOKEN_URL"], data=form, auth=login, timeout=TIMEOUT)


def ask(sim, path, token=None, **params):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.get(sim.lookup_root + path, params=params, headers=headers, timeout=TIMEOUT)


@pytest.fixture
def token(sim):
    answer = ask_token(sim)
    assert answer.status_code == 200
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("bearer", 3600)
    return answer.json()["access_token"]


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"login": ("demo-client", "wrong")}, 401, "invalid_client"),
        ({"login": ("other", "wrong")}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"scope": "everything"}, 400, "invalid_scope"),
    ],
)
def test_a_token_is_for_the_client_and_its_scope(sim, changes, status, error):
    answer = ask_token(sim, **changes)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_person_is_described_as_far_as_is_asked(sim, token):
    person = ask(sim, "people/mock/gm345", token, fetch="all_groups,all_insts").json()
    assert person["groups"] == [{"groupid": each, "name": name} for each, name in DEMO_PEOPLE["gm345"].groups]
    assert person["institutions"] == []
    assert "groups" not in ask(sim, "people/mock/gm345", token, fetch="all_insts").json()
    assert ask(sim, "people/mock/sl201", token, fetch="all_insts").json()["institutions"][0]["instid"] == "LAW"


@pytest.mark.parametrize(
    "path", ["people/mock/nobody", "people/crsid/gm345", "groups/mock/gm345", "people/mock/a%2Fgm345"]
)
def test_there_is_nobody_else(sim, token, path):
    assert ask(sim, path, token).status_code == 404


def test_without_a_valid_token_nobody_is_described(sim, token):
    assert ask(sim, "people/mock/gm345").status_code == 401
    assert ask(sim, "people/mock/gm345", "wrong").status_code == 401
    sim.forget_tokens()
    assert ask(sim, "people/mock/gm345", token).status_code == 401


def test_the_demo_library_has_videos_for_each_of_the_demos_people():
    acls = [record.source["custom"].get("sms_acl", "") for record in demo_library().records("video")]
    entries = {entry for acl in acls for entry in acl.removeprefix("acl:").removesuffix(":").split(",")}
    for person in DEMO_PEOPLE.values():
        theirs = {f"INST_{each}" for each in person.institutions} | {f"GROUP_{each}" for each, _ in person.groups}
        assert theirs <= entries, person.identifier
    assert "USER_jt700" in entries

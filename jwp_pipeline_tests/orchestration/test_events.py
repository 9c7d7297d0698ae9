"""Events reach the record: real webhooks over HTTP, the sensor, and runs of job `on_events` (semantics §12)."""

import dagster as dg
import pytest
from sqlalchemy import text

from jwp_pipeline.commands.webhooks import receiving
from jwp_pipeline.database.request_budget import RequestBudget
from jwp_pipeline.jwplatform.connect import connect_registry
from jwp_pipeline.rate_limit import Lane
from jwp_pipeline.simulator import Fault, Mishaps
from jwp_pipeline.webhooks import store
from jwp_pipeline_tests.support import live, rows, video, wait_until

SENSOR, JOB = "events_waiting", "on_events"


@pytest.fixture
def hooked(site, tmp_path):
    """A site of 30 videos that is in step, and that reports its changes to a receiver."""
    secrets = tmp_path / "secrets"
    site.settings |= {"jwp_webhook_secrets_file": str(secrets)}
    site.library.replace_all([video(f"aaaa{number:04}") for number in range(30)], [])
    assert site.run("sync").success
    with receiving(site.effective(), "127.0.0.1", 0) as server:
        made = connect_registry(site.effective()).register(server.url, name="ours", site_id=site.simulator.api_key)
        secrets.write_text(made.secret)
        site.simulator.forget_requests()
        yield site


def settle(site, *, age=2):
    """Wait until all events are delivered, and let them be old enough for a look. No later event equals one of them."""
    wait_until(lambda: site.simulator.webhooks.idle)
    site.execute(
        f"UPDATE jwp_events SET received_at = received_at - interval '{age} seconds', event_time = received_at"
    )


def handle(site):
    """Let the sensor decide about what has been delivered, and run what it asks for. Returns the number of runs."""
    settle(site)
    return site.obey(site.sensor(SENSOR), SENSOR, JOB)


def titles(site):
    return {row.title for row in rows(site.engine, "SELECT title FROM media_items WHERE deleted_at IS NULL")}


def waiting(site):
    return rows(site.engine, "SELECT key FROM jwp_events WHERE handled_at IS NULL")


def routes(site):
    """Return the routes of the requests to the Management API since the last call."""
    asked = [request.route for request in site.simulator.requests if request.api == "v2"]
    site.simulator.forget_requests()
    return asked


def test_a_change_an_addition_and_a_deletion_reach_the_record(hooked):
    hooked.library.edit("video", "aaaa0001", title="Changed", updated=2_000_000_000)
    hooked.library.put("video", video("new00001", title="Added"))
    hooked.library.remove("video", "aaaa0002")
    assert handle(hooked) == 1
    assert {"Changed", "Added"} < titles(hooked)
    assert live(hooked.engine) == set(hooked.library.keys("video"))
    assert len(titles(hooked)) == len(live(hooked.engine)) == 30
    assert waiting(hooked) == []
    # One look for each key, however many events it has; then the deletion is confirmed, against a key that is there.
    assert routes(hooked) == ["show"] * 5
    assert hooked.sensor(SENSOR).skip_message == "No event waits."


def test_every_request_of_every_process_is_counted_and_looks_go_before_listings(hooked, monkeypatch):
    """The sensor's requests and the run's, each in its lane."""
    hooked.execute("TRUNCATE request_permits")
    lanes, ask = [], RequestBudget.ask

    def asked(budget, limit, lane, *, begin):
        lanes.append(lane)
        return ask(budget, limit, lane, begin=begin)

    monkeypatch.setattr(RequestBudget, "ask", asked)
    hooked.library.edit("video", "aaaa0001", title="Changed", updated=2_000_000_000)
    hooked.library.remove("video", "aaaa0002")
    assert handle(hooked) == 1
    hooked.sensor("jwp_changes")
    # Two looks, then the deletion is confirmed, against a key that is there; the sensor probes each listing.
    assert lanes == [Lane.LOOKS] * 2 + [Lane.LISTINGS] * 4
    counted = rows(hooked.engine, "SELECT count(answered_at), count(*) FROM request_permits")
    assert counted == [(len(routes(hooked)),) * 2] == [(6, 6)]


def test_events_for_a_key_are_one_look_and_many_keys_are_one_read_of_changes(hooked):
    for number in range(5):
        hooked.library.edit("video", "aaaa0001", title=f"Title {number}", updated=2_000_000_000 + number)
    assert handle(hooked) == 1
    assert (routes(hooked), "Title 4" in titles(hooked)) == (["show"], True)
    for number in range(101):
        hooked.library.put("video", video(f"new{number:05}"))
    assert handle(hooked) == 1
    asked = routes(hooked)
    assert ("show" not in asked, len(asked) < 5) == (True, True)
    assert len(live(hooked.engine)) == 131
    assert waiting(hooked) == []


def test_mishaps_on_the_way_change_nothing_about_the_result(hooked):
    hooked.simulator.webhooks.mishaps = Mishaps(twice=True, reversed=4, forged=True, foreign=True)
    hooked.library.put("video", video("new00001", title="Added"))
    hooked.library.remove("video", "aaaa0002")
    hooked.library.edit("video", "aaaa0001", title="Changed", updated=2_000_000_000)
    hooked.library.put("video", video("aaaa0002", title="Back", updated=2_000_000_000))
    hooked.library.remove("video", "new00001")
    hooked.library.put("video", video("new00001", title="Added again"))
    hooked.simulator.webhooks.mishaps = Mishaps()
    assert handle(hooked) == 1
    assert live(hooked.engine) == set(hooked.library.keys("video"))
    assert {"Changed", "Back", "Added again"} < titles(hooked)
    stored = rows(hooked.engine, "SELECT key, site_id FROM jwp_events")
    assert {row.site_id for row in stored} == {hooked.simulator.api_key}
    assert "foRgeD00" not in {row.key for row in stored}


def test_a_deletion_that_is_reported_and_did_not_happen_deletes_nothing(hooked):
    hooked.simulator.webhooks.report("media_deleted", "aaaa0003")
    assert handle(hooked) == 1
    assert routes(hooked) == ["show"]
    assert "aaaa0003" in live(hooked.engine)
    assert waiting(hooked) == []


def test_an_event_that_is_lost_is_caught_by_the_next_frequent_sync(hooked):
    hooked.simulator.webhooks.mishaps = Mishaps(lost=1)
    hooked.library.edit("video", "aaaa0001", title="Changed", updated=2_000_000_000)
    hooked.library.remove("video", "aaaa0002")
    assert handle(hooked) == 0
    assert hooked.run("frequent_sync").success
    assert "Changed" in titles(hooked)
    assert live(hooked.engine) == set(hooked.library.keys("video"))


def test_a_crash_before_the_commit_loses_neither_change_nor_event(hooked):
    hooked.library.edit("video", "aaaa0001", title="Changed", updated=2_000_000_000)
    settle(hooked)
    settled = store.settle

    def killed(connection, snapshot_id):
        settled(connection, snapshot_id)
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "settle", killed)
        assert not hooked.run(JOB).success
    assert "Changed" not in titles(hooked)
    assert [row.key for row in waiting(hooked)] == ["aaaa0001"]
    assert hooked.run(JOB).success
    assert "Changed" in titles(hooked)
    assert waiting(hooked) == []


def test_a_look_that_fails_leaves_its_events_and_is_asked_for_again_later(hooked):
    hooked.library.edit("video", "aaaa0001", title="Changed", updated=2_000_000_000)
    hooked.simulator.faults.add(Fault.status(403), route="show", times=None)
    assert handle(hooked) == 1
    assert [row.key for row in waiting(hooked)] == ["aaaa0001"]
    assert "did not help" in hooked.sensor(SENSOR).skip_message
    hooked.simulator.faults.clear()
    assert hooked.run(JOB).success
    assert waiting(hooked) == []


def test_an_event_that_comes_while_its_key_is_looked_at_waits_for_another_look(hooked):
    hooked.library.edit("video", "aaaa0001", title="First", updated=2_000_000_000)
    settle(hooked)
    change = Fault.edit(lambda library: library.edit("video", "aaaa0001", title="Second", updated=2_000_000_001))
    # JW Platform changes the video after it has answered.
    hooked.simulator.faults.add(change, route="show")
    assert hooked.obey(hooked.sensor(SENSOR), SENSOR, JOB) == 1
    assert "First" in titles(hooked)
    wait_until(lambda: len(waiting(hooked)) == 1)
    assert handle(hooked) == 1
    assert "Second" in titles(hooked)


def test_an_event_is_looked_at_only_after_the_second_in_which_it_happened(hooked):
    """A second change in the same second gives an equal event, which is not stored."""
    hooked.library.edit("video", "aaaa0001", title="Changed")
    wait_until(lambda: hooked.simulator.webhooks.idle)
    assert hooked.sensor(SENSOR).skip_message == "No event waits."
    settle(hooked, age=1)
    assert len(hooked.sensor(SENSOR).run_requests) == 1


def test_a_change_that_was_looked_at_asks_for_no_frequent_sync(hooked):
    def decision():
        tick = hooked.sensor("jwp_changes")
        return "sync" if tick.run_requests else tick.skip_message

    nothing = "Nothing changed at JW Platform that is not followed already."
    assert decision() == nothing
    hooked.library.edit("video", "aaaa0001", title="Changed", updated=1_600_000_000)
    settle(hooked)
    assert decision() == nothing
    assert handle(hooked) == 1
    hooked.library.remove("video", "aaaa0002")
    assert handle(hooked) == 1
    assert decision() == nothing
    # Events that are lost, or that nobody handles, are not relied on.
    hooked.simulator.webhooks.mishaps = Mishaps(lost=1)
    hooked.library.edit("video", "aaaa0003", title="Changed", updated=1_600_000_001)
    assert decision() == "sync"
    hooked.simulator.webhooks.mishaps = Mishaps()
    hooked.simulator.webhooks.report("media_updated", "aaaa0003")
    settle(hooked, age=10)
    assert decision() == nothing
    settle(hooked, age=60)
    assert decision() == "sync"


@pytest.mark.parametrize("job", ["sync", "frequent_sync", "full_resync", JOB])
def test_the_sensor_waits_for_runs_in_progress(hooked, job):
    hooked.library.edit("video", "aaaa0001", title="Changed")
    settle(hooked)
    run = hooked.pretended_run(job)
    assert hooked.sensor(SENSOR).skip_message == f"Run {run.run_id[:8]} of {job} is started."


def test_a_site_without_webhooks_costs_nothing(site):
    site.settings |= {"jwp_database_url": "postgresql://nobody@127.0.0.1:9/none"}
    assert "JWP_WEBHOOK_SECRETS" in site.sensor(SENSOR).skip_message


def test_the_check_warns_of_events_that_wait_for_long(hooked):
    def check(result):
        (found,) = [each for each in result.get_asset_check_evaluations() if each.check_name == "events_are_handled"]
        return found

    hooked.simulator.webhooks.report("media_updated", "aaaa0003")
    settle(hooked, age=29 * 60)
    assert check(hooked.run("frequent_sync")).passed
    settle(hooked, age=2 * 60)
    late = check(hooked.run("frequent_sync"))
    assert (late.passed, late.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "1 events of JW Platform wait" in late.description
    assert check(hooked.run(JOB)).passed

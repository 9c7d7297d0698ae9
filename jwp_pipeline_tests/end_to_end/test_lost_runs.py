"""If a jwpfetch is stopped or killed in the middle of its work, the next one goes on. If the first one wakes up, it
commits nothing.
"""

import signal
from contextlib import contextmanager
from functools import partial

import pytest
from sqlalchemy import text

from jwp_pipeline.commands import launch
from jwp_pipeline.database.leases import Tolerance
from jwp_pipeline.orchestration.runtime import Runtime
from jwp_pipeline.simulator import Fault
from jwp_pipeline_tests.support import contents, live, wait_until, waits_for_lock

DONE, FAILED = 0, 1
TABLES = ("cached_resources", "resource_changes", "raw_snapshots", "videos", "media_items", "sync_problems")


@pytest.fixture
def next_run(site, monkeypatch):
    """A jwpfetch in this process that declares other runs dead at once."""
    tolerance = Tolerance(silent=0.0, second_look=0.0)
    monkeypatch.setattr(launch, "Runtime", partial(Runtime, tolerance=tolerance))
    return site.jwpfetch


def everything(engine):
    return contents(engine, *TABLES)


@contextmanager
def at_work(site, engine, where):
    """Yield a jwpfetch that is about to write a table, or is reading the listing, and a function that lets it go on."""
    if where == "the listing":
        hanging = site.simulator.faults.add(Fault.latency(1), route="list", nth=1)
        with site.started("jwpfetch", **site.environment) as process:
            wait_until(lambda: hanging.hits)
            yield process, lambda: None
        return
    with engine.connect() as blocker:
        blocker.execute(text(f"LOCK TABLE {where} IN SHARE MODE"))
        with site.started("jwpfetch", **site.environment) as process:
            wait_until(lambda: waits_for_lock(engine))
            yield process, blocker.rollback


@pytest.mark.parametrize(
    "where",
    [
        pytest.param("the listing", marks=pytest.mark.slow),
        "resource_changes",
        pytest.param("media_items", marks=pytest.mark.slow),
    ],
)
def test_a_run_that_was_declared_dead_while_stopped_commits_nothing_when_it_wakes_up(site, engine, next_run, where):
    assert site.jwpfetch().code == DONE
    library = site.simulator.library
    removed, edited, *_ = library.keys("video")
    library.remove("video", removed)
    library.edit("video", edited, title="Edited", updated=2_000_000_000)
    with at_work(site, engine, where) as (process, unblock):
        process.send_signal(signal.SIGSTOP)
        unblock()
        ran = next_run()
        assert ran.code == DONE, ran.out + ran.error
        assert site.statuses() == ["SUCCESS", "FAILURE", "SUCCESS"]
        assert live(engine) == set(library.keys("video"))
        after = everything(engine)
        process.send_signal(signal.SIGCONT)
        out, error = process.communicate(timeout=60)
    assert process.returncode == FAILED
    assert "This run was declared dead by process" in error
    assert "docs/runbook/lost-lease.md" in error
    assert "Traceback" not in out + error
    assert everything(engine) == after
    assert site.statuses() == ["SUCCESS", "FAILURE", "SUCCESS"]


def test_the_next_run_marks_a_killed_run_as_failed(site, engine, next_run):
    assert site.jwpfetch().code == DONE
    site.simulator.library.edit("video", site.simulator.library.keys("video")[0], title="Edited")
    with at_work(site, engine, "resource_changes") as (process, _):
        process.kill()
        process.wait()
    assert site.statuses() == ["SUCCESS", "STARTED"]
    ran = next_run()
    assert ran.code == DONE, ran.out + ran.error
    assert site.statuses() == ["SUCCESS", "FAILURE", "SUCCESS"]

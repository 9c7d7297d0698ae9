"""Asset `status` says in one page whether the record is in step, and why not; sensors and `jwpfetch` renew it."""

from dataclasses import replace
from datetime import date

import dagster as dg
import pytest

from jwp_pipeline.status.page import MOST_CHARACTERS, RunLine, as_html, pieces
from jwp_pipeline.status.read import DAYS, Day, read
from jwp_pipeline_tests.support import channel, rows, video


@pytest.fixture
def small(site):
    for number in range(12):
        site.library.put("video", video(f"aaaa{number:04}"))
    site.library.put("channel", channel("cccc0001"), modified=1_000_000_000)
    return site


def texts(metadata):
    return {name: str(value.value) for name, value in metadata.items()}


def page(site):
    """Materialise asset `status`, as somebody in the UI does, and return its metadata as texts."""
    done = site.definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=site.instance, asset_selection=[dg.AssetKey("status")]
    )
    [materialization] = done.asset_materializations_for_node("status")
    return texts(materialization.metadata)


def test_the_page_says_whether_the_record_is_in_step_and_what_to_do_if_not(small):
    before = page(small)
    assert before["in_step"].startswith("**Not in step with JW Platform.**")
    assert "have never been listed in full" in before["in_step"]
    assert before["what_to_do_next"] == "Bring the record in step: `jwpfetch`."
    assert before["last_30_days"] == "Nothing has been synchronised yet."
    assert small.run("sync").success
    after = page(small)
    assert after["in_step"].startswith("**In step with JW Platform as of ")
    assert "| at JW Platform | 12 | 1 |" in after["counts"]
    assert after["what_to_do_next"] == "Nothing has to be done."
    assert "0 changes of videos" in after["last_30_days"]
    assert after["last_30_days"].count("](data:image/svg+xml,") == 2
    assert "| sync | success |" in after["last_runs"]
    small.library.remove("video", *small.library.keys("video")[:8])
    small.run("sync")
    stopped = page(small)
    assert stopped["in_step"].startswith("**Not in step with JW Platform.**")
    (snapshot,) = rows(small.engine, "SELECT max(id) AS id FROM raw_snapshots WHERE resource_type = 'video'")
    assert f"`jwpfetch --release {snapshot.id} --dry-run`" in stopped["what_to_do_next"]
    assert "| withheld by the guard | 8 | 0 |" in stopped["counts"]
    assert (small.effective().jwp_home / "status.html").read_text().startswith("<!DOCTYPE html>")


def test_a_sensor_renews_the_page_after_each_run(small):
    small.run("sync")
    tick = small.sensor("in_step_or_not")
    [renewed] = [event for event in tick.asset_events if isinstance(event, dg.AssetMaterialization)]
    assert renewed.asset_key == dg.AssetKey("status")
    assert texts(renewed.metadata)["in_step"].startswith("**In step")
    assert not small.sensor("in_step_or_not", cursor=tick.cursor).asset_events
    small.run("frequent_sync")
    assert len(small.sensor("in_step_or_not", cursor=tick.cursor).asset_events) == 2


def test_every_piece_is_short_enough_to_be_shown_unfolded_and_html_is_escaped(small):
    small.run("sync")
    status = read(small.engine, small.effective())
    long = replace(status.types[0], newest_read="failed", problem="<b>" + "long " * 1_000)
    days = [Day(date(2026, 11, 1), 10**7 * (number % 2), 10**7 * (number % 3)) for number in range(DAYS)]
    status = replace(status, types=[long, *status.types[1:]], days=days)
    runs = [RunLine("sync", "FAILURE", None, None)] * 5
    found = pieces(status, runs)
    assert max(map(len, found.values())) <= MOST_CHARACTERS
    assert found["in_step"].endswith("…")
    # A picture that is cut off would not be one.
    assert found["last_30_days"].endswith("</svg>)")
    assert "<b>" not in as_html(status, runs)
    assert "&lt;b&gt;long" in as_html(status, runs)


def test_the_last_days_lead_to_what_is_live_today(small):
    small.run("sync")
    small.execute("UPDATE resource_changes SET changed_at = now() - interval '3 days'")
    small.execute("UPDATE raw_snapshots SET applied_at = now() - interval '4 days'")
    small.library.remove("video", *small.library.keys("video")[:2])
    small.run("sync")
    days = [(day.live, day.changes) for day in read(small.engine, small.effective()).days]
    # That the first mirror adds twelve is no change of the library.
    assert days == [(0, 0), (12, 0), (12, 0), (12, 0), (10, 2)]

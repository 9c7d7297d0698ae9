"""A new demo has two weeks of history that look as if the pipeline had run on each of these days."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from jwp_pipeline.database.embedded import ensure_running, release
from jwp_pipeline_tests.support import python
from jwp_pipeline_tests.support.stack import asked

DAYS = 14
RUN = "import sys; from jwp_pipeline.commands import cli; sys.exit(cli.main(sys.argv[1:]))"

# Other columns hold times that JW Platform says, of its videos and collections.
DATED = """
SELECT table_schema || '.' || table_name, column_name FROM information_schema.columns
JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema IN ('jwp', 'dagster') AND table_type = 'BASE TABLE' AND data_type LIKE 'timestamp%%'
    AND column_name IN ('created_at', 'updated_at', 'deleted_at', 'changed_at', 'started_at', 'finished_at',
        'applied_at', 'first_seen_at', 'create_timestamp', 'update_timestamp', 'timestamp')
"""


@pytest.mark.slow
def test_a_new_demo_has_two_weeks_of_history_up_to_today(tmp_path):
    home = tmp_path / "home"
    began = time.time()
    with python(RUN, "run", JWP_HOME=str(home)) as process:
        out, error = process.communicate(timeout=400)
    assert (process.returncode, error) == (0, ""), out
    assert out.index("14 days of history first") < out.index("day 14 of its library") < out.index("In step with")
    today = datetime.fromtimestamp(began, UTC).date()
    days = [today - timedelta(days=back) for back in range(DAYS, -1, -1)]
    url = ensure_running(home)
    try:
        history = asked(
            url, "SELECT day, added, changed, deleted FROM jwp.library_history WHERE type = 'video' ORDER BY 1"
        )
        assert [row[0] for row in history] == days
        # The first day mirrors all at once; today has its changes only when it is computed again.
        assert all(min(counts) > 0 for _, *counts in history[1:-1]), history
        of_changes = asked(url, "SELECT DISTINCT changed_at::date FROM jwp.resource_changes ORDER BY 1")
        assert [day for (day,) in of_changes] == days
        runs = asked(url, "SELECT create_timestamp, to_timestamp(start_time), status FROM dagster.runs ORDER BY id")
        assert {status for *_, status in runs} == {"SUCCESS"}
        assert [begun.date() for _, begun, _ in runs] == [*days[-4:-1], today, today]
        assert all(created.date() == begun.date() for created, begun, _ in runs)
        events = asked(url, "SELECT count(*) FROM dagster.event_logs WHERE timestamp::date = %s", days[-2])
        assert events[0][0] > 30
        # Every other time that is stored is that of a day's sync, or of today's.
        [(midnight,)] = asked(url, "SELECT CAST(CAST(%s AS date) AS timestamptz)", days[0])
        for table, column in asked(url, DATED):
            [(least, most)] = asked(url, f"SELECT min({column})::timestamptz, max({column})::timestamptz FROM {table}")
            assert least is None or least >= midnight, (table, column)
            assert most is None or most <= datetime.now(UTC) + timedelta(days=1), (table, column)
        [(newest,)] = asked(url, "SELECT max((data ->> 'last_modified')::timestamptz) FROM jwp.cached_resources")
        assert began - 1 <= newest.timestamp() <= time.time()
    finally:
        release(home)

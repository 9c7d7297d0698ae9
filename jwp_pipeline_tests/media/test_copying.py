"""What is copied into a table is there as it was in Python."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from jwp_pipeline.media.copying import copy_rows

COLUMNS = {"position": "int8", "name": "text", "names": "text[]", "numbers": "int8[]"}
storable = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
rows = st.tuples(
    storable | st.none(),
    st.none() | st.lists(storable | st.sampled_from(["", "NULL", "null", "{}", '"', "\\", ","]), max_size=4).map(tuple),
    st.none() | st.lists(st.integers(-(2**63), 2**63 - 1), max_size=3),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(rows, max_size=5))
def test_rows_arrive_as_they_were_sent(engine, sent):
    """Arrays of texts are encoded by us, and those that were sent before are not encoded again."""
    with engine.begin() as connection:
        definition = ", ".join(f"{name} {of_type}" for name, of_type in COLUMNS.items())
        connection.execute(text(f"CREATE TEMPORARY TABLE copied ({definition}) ON COMMIT DROP"))
        copy_rows(connection, "copied", COLUMNS, [(place, *row) for place, row in enumerate([*sent, *sent])])
        found = connection.execute(text("SELECT name, names, numbers FROM copied ORDER BY position")).all()
        dimensions = connection.scalars(text("SELECT DISTINCT array_lower(names, 1) FROM copied")).all()
    assert [tuple(row) for row in found] == [
        (name, None if names is None else list(names), numbers) for name, names, numbers in [*sent, *sent]
    ]
    assert set(dimensions) <= {None, 1}

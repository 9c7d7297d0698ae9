"""The page of an asset describes the columns of its table, below its numbers."""

from jwp_pipeline.orchestration.metadata import table_metadata


def test_columns_have_the_comments_of_the_tables():
    # The UI would show a schema of this name in full, above the numbers.
    assert "dagster/column_schema" not in table_metadata("media_items")
    columns = {column.name: column for column in table_metadata("media_items")["columns"].columns}
    assert columns["duration"].description == "Seconds."
    # This column is from a class that the model inherits from.
    assert columns["updated_at"].description.startswith("Moves only when")
    assert columns["title"].description is None
    assert not columns["title"].constraints.nullable

"""What asset pages show of a table beside its numbers."""

from jwp_pipeline.orchestration.metadata import table_metadata


def test_columns_are_described_as_the_models_comment_on_them():
    columns = {column.name: column for column in table_metadata("media_items")["dagster/column_schema"].columns}
    assert columns["duration"].description == "Seconds."
    # Of a class that the model inherits from.
    assert columns["updated_at"].description.startswith("Moves only when")
    assert columns["title"].description is None
    assert not columns["title"].constraints.nullable

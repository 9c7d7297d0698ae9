"""What asset pages show of a table beside its numbers."""

from jwp_pipeline.database.media_tables import MediaItem
from jwp_pipeline.orchestration.metadata import table_metadata


def test_columns_are_described_as_in_the_models_source():
    columns = {column.name: column for column in table_metadata(MediaItem)["dagster/column_schema"].columns}
    assert columns["duration"].description == "Seconds."
    # Of a class that it inherits from.
    assert columns["updated_at"].description.startswith("Moves only when")
    assert columns["title"].description is None
    assert not columns["title"].constraints.nullable

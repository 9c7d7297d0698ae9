"""The models say of each column what its table says."""

import inspect
import typing
from types import NoneType, UnionType

import pytest
from sqlalchemy.orm import Mapped

from jwp_pipeline import record
from jwp_pipeline.database.tables import Base
from jwp_pipeline.record import models

MODELS = [
    model for name in record.__all__ if inspect.isclass(model := getattr(record, name)) and issubclass(model, Base)
]


@pytest.mark.parametrize("model", [model for model in MODELS if model.__module__ == models.__name__])
def test_the_annotations_of_a_model_are_the_columns_of_its_table(model):
    declared = {
        name: typing.get_args(hint)[0]
        for name, hint in typing.get_type_hints(model).items()
        if typing.get_origin(hint) is Mapped and name not in model.__mapper__.relationships
    }
    columns = {column.name: column for column in model.__table__.columns}
    assert declared.keys() == columns.keys()
    for name, column in columns.items():
        if declared[name] is typing.Any:
            continue
        kinds = set(typing.get_args(declared[name])) if is_union(declared[name]) else {declared[name]}
        assert (NoneType in kinds) == column.nullable, name
        [kind] = kinds - {NoneType}
        assert (typing.get_origin(kind) or kind) is column.type.python_type, name


def is_union(hint):
    return typing.get_origin(hint) in (typing.Union, UnionType)

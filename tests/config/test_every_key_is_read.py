# SPDX-License-Identifier: Apache-2.0
"""No key of a rig file is required or documented and read by nobody."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from hil.config import RigConfig, drivers

HIL = Path(__file__).parents[2] / "hil"
CONTROLLER = [path for path in HIL.rglob("*.py") if HIL / "twin" not in path.parents]
MODELS = [HIL / "config" / "models.py", HIL / "config" / "tables.py"]


def models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for field in model.model_fields.values():
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from models(part)


TABLES = [RigConfig, *(drivers.find(name).table for kind in drivers.KINDS for name in drivers.names(kind))]
FIELDS = sorted(
    {(model.__name__, name) for table in TABLES for model in models(table) for name in model.model_fields}
)


@pytest.fixture(scope="module")
def read() -> set[str]:
    """Every attribute that the controller's code reads, outside of the models themselves."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in CONTROLLER if path not in MODELS)
    nodes = (node for tree in trees for node in ast.walk(tree))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)}


@pytest.mark.parametrize(("model", "name"), FIELDS)
def test_a_key_has_a_reader(read: set[str], model: str, name: str) -> None:
    assert name in read, model

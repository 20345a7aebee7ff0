# SPDX-License-Identifier: Apache-2.0
"""No key of a board's file is read by nobody."""

import ast
import dataclasses
from pathlib import Path

import pytest

from hil.boards import Board, Console, Device

HIL = Path(__file__).parents[2] / "hil"
READERS = [path for path in HIL.rglob("*.py") if path.parent != HIL / "boards"]
NAMED_BY_THE_BOARD = {"connectors", "leds"}
"""Read by :meth:`Board.named`, which others call."""
FIELDS = [
    (model.__name__, field.name) for model in (Board, Console, Device) for field in dataclasses.fields(model)
]


@pytest.fixture(scope="module")
def read() -> set[str]:
    """Every attribute that is read outside of the boards' own package."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in READERS)
    nodes = (node for tree in trees for node in ast.walk(tree))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)}


@pytest.mark.parametrize(("model", "name"), FIELDS)
def test_a_key_of_a_board_has_a_reader(read: set[str], model: str, name: str) -> None:
    assert ("named" if name in NAMED_BY_THE_BOARD else name) in read, model


def test_a_pin_has_the_names_of_its_connector_and_its_led() -> None:
    assert Board.load("nucleo_l476rg").named("PA5") == "PA5 (D13, LD2)"

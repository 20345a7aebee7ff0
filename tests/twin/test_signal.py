# SPDX-License-Identifier: Apache-2.0
"""Signals: many may listen, nobody displaces anybody, and a forgotten connection is found at the start."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from hil.boards import REFERENCE, Board
from hil.twin.errors import TwinError
from hil.twin.mcu import Mcu
from hil.twin.pins import make_pins
from hil.twin.signal import Signal, check_connected
from tests.twin.bare_part import BarePart

TWIN = Path(__file__).parents[2] / "hil" / "twin"


def test_all_who_listen_are_told_in_order():
    told: list[str] = []
    signal: Signal[[int]] = Signal()
    signal.connect(lambda number: told.append(f"first {number}"))
    signal.connect(lambda number: told.append(f"second {number}"))
    signal(7)
    assert told == ["first 7", "second 7"]


def test_who_disconnects_is_told_no_longer_and_displaces_nobody():
    told: list[str] = []
    signal: Signal[[]] = Signal()

    def once() -> None:
        told.append("once")
        signal.disconnect(once)

    signal.connect(once)
    signal.connect(lambda: told.append("always"))
    signal()
    signal()
    assert told == ["once", "always", "always"]
    with pytest.raises(ValueError, match="not in"):
        signal.disconnect(once)


def test_what_a_listener_raises_is_not_swallowed():
    def fail() -> None:
        raise RuntimeError("a listener's own")

    signal: Signal[[]] = Signal()
    signal.connect(fail)
    with pytest.raises(RuntimeError, match="a listener's own"):
        signal()


def required_of(whole: object) -> dict[str, list[Signal]]:
    """Every required signal of an object and of what it is made of, by owner and name."""
    found: dict[str, list[Signal]] = {}
    seen: set[int] = set()
    waiting = [whole]
    while waiting:
        owner = waiting.pop()
        if id(owner) in seen:
            continue
        seen.add(id(owner))
        if isinstance(owner, dict):
            waiting += owner.values()
        elif isinstance(owner, (list, tuple)):
            waiting += owner
        elif type(owner).__module__.startswith("hil.twin."):
            for name, value in getattr(owner, "__dict__", {}).items():
                waiting.append(value)
                if isinstance(value, Signal) and value.required:
                    found.setdefault(f"{type(owner).__name__}.{name}", []).append(value)
    return found


def test_each_forgotten_connection_is_found():
    mcu = BarePart().mcu
    required = required_of(mcu)
    assert len(required) > 20
    for name, signals in required.items():
        for signal in signals:
            listeners, signal._listeners = signal._listeners, ()
            with pytest.raises(TwinError, match=f"^nobody listens to {name}: connect it"):
                check_connected(mcu)
            signal._listeners = listeners
    check_connected(mcu)


def test_a_part_whose_connections_are_forgotten_is_not_made(monkeypatch):
    names = required_of(BarePart().mcu)
    monkeypatch.setattr(Signal, "connect", lambda signal, listener: None)
    with pytest.raises(TwinError) as caught:
        Mcu(Board.load(REFERENCE), make_pins(), seed=1)
    assert all(name in str(caught.value) for name in names)


def slots(tree: ast.AST) -> list[int]:
    """Lines of attributes that others are meant to fill with a callable, and that do without.

    A lambda that an attribute begins with, and a public attribute that is declared as a callable.
    """
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            targets, value, annotation = node.targets, node.value, ""
        elif isinstance(node, ast.AnnAssign):
            targets, value, annotation = [node.target], node.value, ast.unparse(node.annotation)
        else:
            continue
        for target in targets:
            if isinstance(target, ast.Attribute) and (
                isinstance(value, ast.Lambda)
                or (annotation.startswith("Callable") and not target.attr.startswith("_"))
            ):
                found.append(node.lineno)
    return found


def test_nothing_in_the_twin_is_a_callback_that_somebody_may_forget_or_displace():
    found = {
        f"{path.relative_to(TWIN)}:{line}"
        for path in sorted(TWIN.rglob("*.py"))
        for line in slots(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert not found


@pytest.mark.parametrize(
    "planted",
    [
        "self.on_load = lambda: None",
        "self.on_load: Callable[[], None] = nothing",
        "self.on_load: Callable[[], None] | None = None",
        "flash.on_activity = lambda: begins()",
    ],
)
def test_a_planted_callback_is_found(planted):
    assert slots(ast.parse(planted)) == [1]

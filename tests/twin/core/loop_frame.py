# SPDX-License-Identifier: Apache-2.0
"""A part that goes round in a loop, with and without skipping rounds: for comparing what each leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import pytest

from hil.twin.core import skipping, state_layout
from hil.twin.core.idle_loops import IdleLoops
from hil.twin.core.polling import Polling
from tests.twin.bare_part import BarePart

CODE = 0x400
Assembler = Callable[[str], tuple[bytes, dict[str, int]]]
Outcome = tuple[int, int, bytes, bytes]
DRAWN_ABOUT = 1e-3
"""A round skipped draws what the one before it drew. Where the flash does not do the same in each, that is
about right; by the datasheet's rows code moves the current by up to 10 %."""


def supplied_part(assembler: Assembler, text: str) -> tuple[BarePart, dict[str, int]]:
    """A part that runs a program from its label ``start``, with ``systick`` as handler, and the labels."""
    code, labels = assembler(text)
    table = [0x2000_1000, CODE + labels["start"] | 1] + [0] * 62
    table[15] = CODE + labels["systick"] | 1
    part = BarePart(b"".join(word.to_bytes(4, "little") for word in table).ljust(CODE, b"\0") + code)
    part.pins["PC13"].set_external_level(False, 0)
    part.mcu.set_supply_voltage(3.0)
    return part, labels


def outcome(part: BarePart, pin_ps: int, end_ps: int) -> Outcome:
    """Cycles, time, memory and registers at an instant; PC13 has risen at an earlier one."""
    part.mcu.scheduler.at(pin_ps, lambda: part.pins["PC13"].set_external_level(True, pin_ps))
    part.advance_to(end_ps)
    core = part.mcu.core
    memory = core.memory["sram1"][:0x4000].tobytes()
    return core.cycle_count, core.time_ps, memory, core._emulator.engine.snapshot()


def drawn(part: BarePart) -> float:
    """What the code executed so far drew beyond the tables' code, per cycle, as a part of that."""
    cycles, deviation = part.mcu.core.code_executed()
    return deviation / cycles


@contextmanager
def skips_counted() -> Iterator[list[int]]:
    """The cycles of each skip."""
    skipped: list[int] = []
    skip = skipping.skip

    def counted(state: npt.NDArray[np.int64], cycles: int) -> None:
        skipped.append(cycles)
        skip(state, cycles)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(skipping, "skip", counted)
        yield skipped


@contextmanager
def every_round_executed() -> Iterator[None]:
    """No loop is looked at."""

    def leave_alone(loops: IdleLoops) -> None:
        loops._state[state_layout.LOOP_HEAD] = -1

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(IdleLoops, "look", leave_alone)
        patched.setattr(Polling, "_go_round", lambda polling, period: 0)
        yield

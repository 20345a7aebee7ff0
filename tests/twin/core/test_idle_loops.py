# SPDX-License-Identifier: Apache-2.0
"""Loops that wait, gone round in one step, leave what they leave when every round is executed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from hil.twin.core import block_hook
from hil.twin.core.idle_loops import IdleLoops
from hil.twin.core.polling import Polling
from tests.twin.bare_part import BarePart

CODE = 0x400
HEAD = """
.macro imm reg, value
 movw \\reg, #(\\value) & 0xffff
 movt \\reg, #(\\value) >> 16
.endm
.macro put address, value
 imm r0, \\address
 imm r1, \\value
 str r1, [r0]
.endm
.global start
start:
 put 0x4002104c, 7            // RCC: GPIO
 put 0x48000800, 0xf3ffffff   // PC13: input
 put 0xe000e014, 3999         // SysTick: every ms at 4 MHz
 put 0xe000e018, 0
 put 0xe000e010, CONTROL
 imm r8, 0x20003000           // where interrupts are counted
 imm r9, 0xe000e010
 imm r10, 0x48000800          // GPIOC
 movs r4, #0
 movs r5, #0
 str r4, [r8]
loop:
 LOOP
 b loop
done:
 imm r0, 0xe0001004
 ldr r1, [r0]
 imm r0, 0x20003100
 stmia r0!, {r1, r4, r5}
stop: wfi
 b stop
systick:
 ldr r0, [r8]
 adds r0, #1
 str r0, [r8]
 bx lr
pin: ldr r0, [r10, #0x10]
 ands r0, #0x2000
 bx lr
spilling: push {r0, r1, lr}
 ldr r0, [r10, #0x10]
 str r0, [sp]
 ldr r0, [sp]
 ands r0, #0x2000
 str r0, [sp, #4]
 pop {r1, r2, pc}
"""
WITH_INTERRUPTS, WITHOUT = 7, 5
_UNTIL_20 = "ldr r0, [r8]\n cmp r0, #20\n bhs done"
LOOPS = {
    "nothing": (f"{_UNTIL_20}\n1: ldr r1, [r8]\n cmp r0, r1\n beq 1b", WITH_INTERRUPTS),
    "a variable": (_UNTIL_20, WITH_INTERRUPTS),
    "COUNTFLAG": (
        "ldr r0, [r9]\n tst r0, #0x10000\n beq loop\n adds r4, #1\n cmp r4, #20\n bhs done",
        WITHOUT,
    ),
    "a pin in a function": ("bl pin\n bne done", WITHOUT),
    "a pin and a stack": ("bl spilling\n cmp r2, #0\n bne done", WITHOUT),
    "two registers": ("ldr r0, [r10, #0x10]\n ldr r1, [r9]\n tst r0, #0x2000\n bne done", WITHOUT),
    "a count": (f"adds r4, #1\n {_UNTIL_20}", WITH_INTERRUPTS),
    "a stack that changes": (f"push {{r4}}\n add sp, #4\n adds r4, #1\n {_UNTIL_20}", WITH_INTERRUPTS),
}
Outcome = tuple[int, bytes, bytes]


def outcome(assembler, loop: str, control: int) -> Outcome:
    """Let it wait for 20 ms: the cycles at the end, the memory and the registers."""
    code, labels = assembler(HEAD.replace("LOOP", loop).replace("CONTROL", str(control)))
    table = [0x2000_1000, CODE + labels["start"] | 1] + [0] * 62
    table[15] = CODE + labels["systick"] | 1
    image = b"".join(word.to_bytes(4, "little") for word in table).ljust(CODE, b"\0") + code
    part = BarePart(image)
    part.pins["PC13"].set_external_level(False, 0)
    part.mcu.set_supply_voltage(3.0)
    part.mcu.scheduler.at(20_012_345_678, lambda: part.pins["PC13"].set_external_level(True, part.now_ps))
    part.advance(0.03)
    core = part.mcu.core
    assert core.state == "sleeping", "the program has not done with waiting"
    return (
        core.cycle_count,
        core.memory.sram1[:0x4000].tobytes(),
        core._emulator.engine.snapshot(),
    )


def leave_alone(loops: IdleLoops) -> None:
    """Let every round be executed."""
    loops._state[block_hook.LOOP_HEAD] = -1


@pytest.mark.parametrize("name", LOOPS)
def test_skipped_rounds_leave_what_executed_ones_leave(assembler, monkeypatch, name: str) -> None:
    loop, control = LOOPS[name]
    skipped: list[int] = []
    skip = block_hook.skip

    def counted(state: npt.NDArray[np.int64], cycles: int) -> None:
        skipped.append(cycles)
        skip(state, cycles)

    monkeypatch.setattr(block_hook, "skip", counted)
    seen = outcome(assembler, loop, control)
    monkeypatch.setattr(IdleLoops, "look", leave_alone)
    monkeypatch.setattr(Polling, "_go_round", lambda self, period: 0)
    executed = outcome(assembler, loop, control)
    assert seen == executed
    assert sum(skipped) > 60_000


def test_a_loop_whose_looks_are_always_cut_short_is_looked_at_no_more(assembler) -> None:
    """A flash driver under a debugger: each round of it ends in a store at which the emulator stops."""
    code, labels = assembler(HEAD.replace("LOOP", "adds r4, #1").replace("CONTROL", "0"))
    table = [0x2000_1000, CODE + labels["start"] | 1] + [0] * 62
    image = b"".join(word.to_bytes(4, "little") for word in table).ljust(CODE, b"\0") + code
    part = BarePart(image)
    part.mcu.set_supply_voltage(3.0)
    part.advance(0.001)
    loops, head = part.mcu.core._emulator._idle_loops, CODE + labels["loop"]
    index = block_hook.table_index(head)
    assert index is not None

    def is_busy() -> bool:
        return bool(int(loops._state[index]) >> block_hook.FLAGS_SHIFT & block_hook.FLAG_BUSY)

    loops._state[index] &= ~(block_hook.FLAG_BUSY << block_hook.FLAGS_SHIFT)
    for _ in range(20):
        assert not is_busy()
        loops._state[block_hook.LOOP_HEAD] = head
        loops.look()
        loops.interrupted()
    assert is_busy()

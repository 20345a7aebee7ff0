# SPDX-License-Identifier: Apache-2.0
"""Loops that wait, gone round in one step, leave what they leave when every round is executed."""

from __future__ import annotations

import pytest

from hil.twin.core import block_timing_word, state_layout
from tests.twin.core.loop_frame import (
    CODE,
    DRAWN_ABOUT,
    Outcome,
    drawn,
    every_round_executed,
    outcome,
    skips_counted,
    supplied_part,
)

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


def source(loop: str, control: int) -> str:
    return HEAD.replace("LOOP", loop).replace("CONTROL", str(control))


def waited(assembler, text: str) -> Outcome:
    """What is left after 30 ms, of which it waits for 20."""
    part, _ = supplied_part(assembler, text)
    left = outcome(part, 20_012_345_678, 30_000_000_000)
    assert part.mcu.core.state == "sleeping", "the program has not done with waiting"
    return left


@pytest.mark.parametrize("name", LOOPS)
def test_skipped_rounds_leave_what_executed_ones_leave(assembler, name: str) -> None:
    text = source(*LOOPS[name])
    with skips_counted() as skipped:
        seen = waited(assembler, text)
    with every_round_executed():
        executed = waited(assembler, text)
    assert seen == executed
    assert sum(skipped) > 60_000


def test_a_loop_whose_looks_are_always_cut_short_is_looked_at_no_more(assembler) -> None:
    """A flash driver under a debugger: each round of it ends in a store at which the emulator stops."""
    part, labels = supplied_part(assembler, source("adds r4, #1", 0))
    part.advance(0.001)
    loops, head = part.mcu.core._emulator._idle_loops, CODE + labels["loop"]
    index = state_layout.table_place(loops._state, head)
    assert index is not None

    def is_busy() -> bool:
        return bool(int(loops._state[index]) >> block_timing_word.FLAGS_SHIFT & block_timing_word.FLAG_BUSY)

    loops._state[index] &= ~(block_timing_word.FLAG_BUSY << block_timing_word.FLAGS_SHIFT)
    for _ in range(20):
        assert not is_busy()
        loops._state[state_layout.LOOP_HEAD] = head
        loops.look()
        loops.interrupted()
    assert is_busy()


TWO_LOOPS = """
.macro imm reg, value
 movw \\reg, #(\\value) & 0xffff
 movt \\reg, #(\\value) >> 16
.endm
.global start, systick
start:
 imm r0, 0xe000e014
 imm r1, 39999          // SysTick: 10 ms at 4 MHz
 str r1, [r0]
 movs r1, #0
 str r1, [r0, #4]
 movs r1, #7
 str r1, [r0, #-4]
loop: b loop
systick:
 imm r0, 3000
 imm r2, 0x20002000
inner: ldr r1, [r2]
 str r1, [r2, #4]
 ldr r3, [r2, #8]
 subs r0, #1
 bne inner
 bx lr
"""


def test_a_loop_that_goes_on_draws_its_own_current_and_not_that_of_another(assembler) -> None:
    """A handler's loop is looked at between two stretches of the program's."""
    part, _ = supplied_part(assembler, TWO_LOOPS)
    with skips_counted() as skipped:
        part.advance(0.3)
    patient, _ = supplied_part(assembler, TWO_LOOPS)
    with every_round_executed():
        patient.advance(0.3)
    assert part.mcu.core.cycle_count == patient.mcu.core.cycle_count
    assert sum(skipped) > 500_000
    assert drawn(part) == pytest.approx(drawn(patient), abs=DRAWN_ABOUT)

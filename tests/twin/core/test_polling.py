# SPDX-License-Identifier: Apache-2.0
"""Waiting loops, cut short, end at the same cycle with the same results as when every round is executed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

STATUS, COUNTER = 0x4000_1000, 0x2000_2000
READY_CYCLE = 100_003
POLL = """
.global start
start:
    movw r0, #0x1000
    movt r0, #0x4000        @ the status register
    movs r3, #1
    lsls r3, r3, #30        @ the recorder
    movw r5, #0x2000
    movt r5, #0x2000        @ a counter in SRAM
    movs r2, #0
    str r2, [r5]
    movw r6, #0xed88
    movt r6, #0xe000
    mov r7, #0xf00000
    str r7, [r6]            @ CPACR: floating point
    dsb
    isb
    vmov.f32 s0, #1.0
    vmov.f32 s1, #1.0
    movs r1, #0
wait:
    ldr r1, [r0]
    BODY
    lsls r1, r1, #31
    beq wait
    vmov r4, s0
    str r2, [r3]
    str r4, [r3, #4]
    ldr r2, [r5]
    str r2, [r3, #8]
idle:
    wfi
    b idle
"""


@dataclass
class Status:
    """A device whose one register turns 1 at an event."""

    name: str = "status"
    base: int = STATUS
    size: int = 0x400
    value: int = 0
    loads: int = 0
    ignored: int = 0

    def read(self, offset: int, width: int) -> int:
        self.loads += 1
        return self.value

    def write(self, offset: int, width: int, value: int) -> None:
        self.ignored += 1

    def turn_ready(self) -> None:
        self.value = 1


def wait_in(
    machine: Callable[..., object], body: str, allowed: bool
) -> tuple[list[tuple[int, int, int]], int]:
    """Run the loop with `body` in it: what the program stored after it and when, and how often it polled."""
    part = machine(POLL.replace("BODY", body), power=False)
    status = Status()
    part.core.attach(status)
    if allowed:
        part.core.polling.allow(STATUS)
        part.core.polling.allow_store(STATUS + 4, lambda value: True)
    part.core.power_on()
    part.scheduler.after(READY_CYCLE * 250_000, status.turn_ready)
    part.run_cycles(READY_CYCLE + 500)
    return part.recorder.stores, status.loads


@pytest.mark.parametrize("body", ["nop", "ldr r4, [r5]", "str r3, [r0, #4]", "nop; b.n 1f; 1: nop"])
def test_a_loop_that_only_waits_ends_at_the_same_cycle(machine: Callable[..., object], body: str) -> None:
    executed, loads = wait_in(machine, body, allowed=False)
    cut_short, few_loads = wait_in(machine, body, allowed=True)
    assert len(executed) == 3
    assert cut_short == executed
    assert loads > 5000
    assert few_loads < 20


@pytest.mark.parametrize(
    "body",
    [
        "adds r2, #1",
        "ldr r4, [r5]; adds r4, #1; str r4, [r5]; movs r4, #0",
        "vadd.f32 s0, s0, s1",
        "str r1, [r0, #8]",
        "ldr r4, [r0, #8]",
        "ldrd r6, r7, [r5]; adds r6, #1; strd r6, r7, [r5]; movs r6, #0",
    ],
)
def test_a_loop_that_does_something_is_executed(machine: Callable[..., object], body: str) -> None:
    executed, loads = wait_in(machine, body, allowed=False)
    watched, as_many_loads = wait_in(machine, body, allowed=True)
    assert len(executed) == 3
    assert (watched, as_many_loads) == (executed, loads)

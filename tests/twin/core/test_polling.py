# SPDX-License-Identifier: Apache-2.0
"""Waiting loops, cut short, end at the same cycle with the same results as when every round is executed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from hil.twin.core import Scheduler
from tests.twin.core.conftest import PS_PER_CYCLE, Machine

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
    """A device whose first register turns 1 at an event or, `by_time`, without one."""

    scheduler: Scheduler
    ready_ps: int = 0
    by_time: bool = False
    name: str = "status"
    base: int = STATUS
    size: int = 0x400
    value: int = 0
    loads: int = 0
    others: int = 0
    """Accesses that the program makes beside loading the status."""

    def read(self, offset: int, width: int) -> int:
        if offset == 0:
            self.loads += 1
            return int(self.scheduler.has_passed(self.ready_ps)) if self.by_time else self.value
        self.others += 1
        return 0

    def write(self, offset: int, width: int, value: int) -> None:
        self.others += 1

    def turn_ready(self) -> None:
        self.value = 1

    def changes_at_ps(self) -> int | None:
        return self.ready_ps if self.by_time else None


Outcome = tuple[list[tuple[int, int, int]], int]


def wait_in(
    machine: Callable[..., Machine],
    body: str,
    allowed: bool,
    by_time: bool = False,
    ready_cycle: int = READY_CYCLE,
) -> tuple[Outcome, int]:
    """Run the loop with `body` in it: what the program stored after it and when, what else it did with the
    device, and how often the device was asked for its status.
    """
    part = machine(POLL.replace("BODY", body), power=False)
    status = Status(part.scheduler, ready_cycle * PS_PER_CYCLE, by_time)
    part.core.attach(status)
    if allowed:
        part.core.polling.allow(STATUS, status.changes_at_ps)
        part.core.polling.allow_store(STATUS + 4, lambda value: True)
    part.core.power_on()
    if not by_time:
        part.scheduler.at(status.ready_ps, status.turn_ready)
    part.run_cycles(ready_cycle + 500)
    return (part.recorder.stores, status.others), status.loads


ONLY_WAITS = ["nop", "ldr r4, [r5]", "str r3, [r0, #4]", "nop; b.n 1f; 1: nop"]


@pytest.mark.parametrize("by_time", [False, True])
@pytest.mark.parametrize("body", ONLY_WAITS)
def test_a_loop_that_only_waits_ends_at_the_same_cycle(
    machine: Callable[..., Machine], body: str, by_time: bool
) -> None:
    (stores, _), loads = wait_in(machine, body, allowed=False)
    (cut_short, _), few_loads = wait_in(machine, body, allowed=True, by_time=by_time)
    assert len(stores) == 3
    assert cut_short == stores
    assert loads > 5000
    assert few_loads < 20


@pytest.mark.parametrize("by_time", [False, True])
@pytest.mark.parametrize("ready_cycle", range(300, 332))
def test_a_short_wait_ends_at_the_same_cycle(
    machine: Callable[..., Machine], ready_cycle: int, by_time: bool
) -> None:
    (stores, _), loads = wait_in(machine, "nop", allowed=False, ready_cycle=ready_cycle)
    (natively, _), few_loads = wait_in(machine, "nop", True, by_time, ready_cycle)
    assert len(stores) == 3
    assert natively == stores
    assert few_loads <= 3 < loads


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
def test_a_loop_that_does_something_is_executed(machine: Callable[..., Machine], body: str) -> None:
    executed, _ = wait_in(machine, body, allowed=False)
    watched, _ = wait_in(machine, body, allowed=True)
    assert len(executed[0]) == 3
    assert watched == executed

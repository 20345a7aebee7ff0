# SPDX-License-Identifier: Apache-2.0
"""WFI, WFE, SysTick and the cycle counter."""

from __future__ import annotations

from itertools import pairwise

import pytest

MS = 10**9  # ps

WFI = """
start:
 ldr r7, =0x40000000
 ldr r6, =0xE000E000
 movs r0, #1
 str r0, [r6, #0x100]
 {mask}
 movs r0, #1
 str r0, [r7]
 wfi
 movs r0, #2
 str r0, [r7]
 cpsie i
 isb
 movs r0, #3
 str r0, [r7]
1: wfi
 b 1b
handler:
 movs r0, #9
 str r0, [r7]
 bx lr
"""


def wake_at(m, time_ps):
    def pulse() -> None:
        m.core.set_interrupt(0, True)
        m.core.set_interrupt(0, False)

    m.scheduler.at(time_ps, pulse)


def test_wfi_sleeps_until_the_interrupt_and_runs_its_handler_first(machine):
    m = machine(WFI.format(mask=""), {16: "handler"})
    wake_at(m, 5 * MS)
    m.scheduler.advance_to(4 * MS)
    assert m.core.state == "sleeping"
    cycles = m.core.cycle_count
    m.scheduler.advance_to(6 * MS)
    assert m.recorder.values == [1, 9, 2, 3]
    assert m.core.state == "sleeping"
    assert m.core.cycle_count - cycles < 60  # none while asleep
    handler_ps = m.recorder.stores[1][0]
    assert handler_ps == 5 * MS + (12 + 1) * 250_000  # entry, then one instruction


def test_wfi_with_primask_wakes_without_running_the_handler(machine):
    m = machine(WFI.format(mask="cpsid i"), {16: "handler"})
    wake_at(m, 5 * MS)
    m.scheduler.advance_to(6 * MS)
    assert m.recorder.values == [1, 2, 9, 3]


def test_wfi_falls_through_when_an_interrupt_is_pending(machine):
    m = machine(WFI.format(mask="cpsid i"), {16: "handler"})
    m.core.set_interrupt(0, True)
    m.core.set_interrupt(0, False)
    sleeps: list[bool] = []
    m.surroundings.sleeps = sleeps.append
    m.run_cycles(60)
    assert m.recorder.values[:2] == [1, 2]
    assert sleeps == [False]  # only the last WFI


def test_disabled_interrupt_does_not_wake(machine):
    m = machine(WFI.format(mask=""), {16: "handler"})
    m.run_cycles(100)
    m.core.set_interrupt(1, True)
    m.run_cycles(100)
    assert m.core.state == "sleeping"


def test_deep_sleep_tells_the_power_controller_and_waits_for_its_latency(machine):
    source = WFI.format(mask="movs r0, #4\n ldr r1, =0xE000ED10\n str r0, [r1]")
    m = machine(source, {16: "handler"})
    sleeps: list[bool] = []
    activity: list[str] = []
    m.surroundings.sleeps = sleeps.append
    m.surroundings.wakes = lambda: 7 * MS
    m.surroundings.changed = lambda: activity.append(m.core.state)
    wake_at(m, 5 * MS)
    m.scheduler.advance_to(20 * MS)
    assert sleeps == [True, True]
    assert activity == ["sleeping", "running", "sleeping"]
    assert m.recorder.stores[1][0] == 12 * MS + 13 * 250_000


def test_sleep_on_exit_returns_to_sleep_after_the_handler(machine):
    source = WFI.format(mask="movs r0, #2\n ldr r1, =0xE000ED10\n str r0, [r1]")
    m = machine(source, {16: "handler"})
    wake_at(m, 5 * MS)
    wake_at(m, 6 * MS)
    m.scheduler.advance_to(7 * MS)
    assert m.recorder.values == [1, 9, 9]


def test_wfe_consumes_an_event_before_it_sleeps(machine):
    m = machine(
        """
start:
 ldr r7, =0x40000000
 sev
 wfe
 movs r0, #1
 str r0, [r7]
 wfe
 movs r0, #2
 str r0, [r7]
1: b 1b
"""
    )
    m.run_cycles(100)
    assert m.recorder.values == [1]
    assert m.core.state == "sleeping"
    m.core.send_event()
    m.run_cycles(100)
    assert m.recorder.values == [1, 2]


def test_sleeping_through_a_day_costs_no_time(machine):
    m = machine(WFI.format(mask=""), {16: "handler"})
    day_ps = 24 * 3600 * 10**12
    wake_at(m, day_ps)
    m.scheduler.advance_to(day_ps + MS)
    assert m.recorder.stores[1][0] > day_ps


SYSTICK = """
start:
 ldr r7, =0x40000000
 ldr r6, =0xE000E010
 ldr r0, =999
 str r0, [r6, #4]
 movs r0, #0
 str r0, [r6, #8]
 movs r0, #7
 str r0, [r6]
1: {wait}
 b 1b
handler:
 ldr r0, [r6, #8]
 str r0, [r7]
 bx lr
"""


@pytest.mark.parametrize("wait", ["wfi", "nop"])
def test_systick_interrupts_every_reload_plus_one_cycles(machine, wait):
    m = machine(SYSTICK.format(wait=wait), {15: "handler"})
    m.run_cycles(10_500)
    times = [time_ps for time_ps, _, _ in m.recorder.stores]
    assert len(times) == 10
    gaps = [(b - a) / 250_000 for a, b in pairwise(times)]
    assert all(abs(gap - 1000) <= 4 for gap in gaps)  # the loop's block decides within a few cycles
    assert all(970 <= value <= 999 for value in m.recorder.values)


def test_systick_stands_still_in_deep_sleep(machine):
    m = machine(
        SYSTICK.format(wait="wfi").replace(
            "1: wfi", "ldr r1, =0xE000ED10\n movs r0, #4\n str r0, [r1]\n1: wfi"
        )
    )
    m.run_cycles(5000)
    assert m.core.state == "sleeping"
    assert m.core.sleeps_deeply
    assert m.recorder.stores == []


def test_cycle_counter_counts_executed_cycles_only(machine):
    m = machine(
        """
start:
 ldr r7, =0x40000000
 ldr r0, =0xE000EDFC
 ldr r1, =0x01000000
 str r1, [r0]
 ldr r2, =0xE0001000
 movs r1, #1
 str r1, [r2]
 ldr r6, =0xE000E000
 str r1, [r6, #0x100]
 cpsid i
 isb
1: ldr r3, [r2, #4]
 str r3, [r7]
 wfi
 movs r1, #10
2: subs r1, #1
 bne 2b
3: ldr r3, [r2, #4]
 str r3, [r7]
 b .
"""
    )
    wake_at(m, 5 * MS)
    m.scheduler.advance_to(6 * MS)
    first, last = m.recorder.values
    assert last - first == 2 + 1 + 1 + 1 + 29  # LDR to LDR: load, store, WFI, MOVS, the loop


def test_two_readings_of_the_cycle_counter_in_one_block_differ_by_the_code_between(machine):
    m = machine(
        """
start:
 ldr r7, =0x40000000
 ldr r0, =0xE000EDFC
 ldr r1, =0x01000000
 str r1, [r0]
 ldr r2, =0xE0001000
 movs r1, #1
 str r1, [r2]
 ldr r3, [r2, #4]
 nop
 nop
 nop
 ldr r4, [r2, #4]
 subs r4, r4, r3
 str r4, [r7]
 b .
"""
    )
    m.run_cycles(100)
    assert m.recorder.values == [2 + 3]


def test_cycle_counter_stands_still_without_trace_enable(machine):
    m = machine("start:\n ldr r2, =0xE0001000\n movs r1, #1\n str r1, [r2]\n1: b 1b")
    m.run_cycles(1000)
    assert m.word(0xE000_1004) == 0
    m.core.debug_write(0xE000_EDFC, 4, 1 << 24)
    m.run_cycles(1000)
    assert 990 <= m.word(0xE000_1004) <= 1000

# SPDX-License-Identifier: Apache-2.0
"""Cycles of known sequences, against the Cortex-M4 Technical Reference Manual's table."""

from __future__ import annotations

import pytest

from hil.twin.core.instruction_timing import DIRECT_REFILL_CYCLES, INDIRECT_REFILL_CYCLES, analyse


@pytest.mark.parametrize(
    ("source", "cycles"),
    [
        ("adds r0, r1, r2", 1),
        ("mul r0, r1, r2", 1),
        ("mla r0, r1, r2, r3", 1),
        ("smull r0, r1, r2, r3", 1),
        ("ldr r0, [r1]", 2),
        ("ldr r0, [r1]\nldr r2, [r3]\nldr r4, [r5]", 4),  # pipelined: 2 + 1 + 1
        ("ldr r0, [r1]\nldr r2, [r0]", 4),  # the second needs the first's value
        ("str r0, [r1, #4]", 1),
        ("str r0, [r1, r2]", 2),
        ("ldr r0, [r1]\nstr r2, [r3, #4]", 3),
        ("push {r4-r7, lr}", 6),
        ("ldmia r0!, {r1-r4}", 5),
        ("ldrd r0, r1, [r2]", 3),
        ("vadd.f32 s0, s1, s2", 1),
        ("vmul.f32 s0, s1, s2", 1),
        ("vmla.f32 s0, s1, s2", 3),
        ("vfma.f32 s0, s1, s2", 3),
        ("vdiv.f32 s0, s1, s2", 14),
        ("vsqrt.f32 s0, s1", 14),
        ("vldr s0, [r0]", 2),
        ("vldr d0, [r0]", 3),
        ("vpush {s16-s19}", 5),
        ("nop\nnop\nnop", 3),
    ],
)
def test_straight_code(assembler, source, cycles):
    code, _ = assembler(source)
    assert analyse(code, 0x0800_0000).cycles == cycles


@pytest.mark.parametrize(
    ("source", "cycles", "refill"),
    [
        ("1: subs r0, #1\nbne 1b", 2, DIRECT_REFILL_CYCLES),
        ("bx lr", 1, INDIRECT_REFILL_CYCLES),
        ("pop {r4, pc}", 3, INDIRECT_REFILL_CYCLES),
        ("ldr pc, [r0]", 2, INDIRECT_REFILL_CYCLES),
        ("mov pc, r0", 1, INDIRECT_REFILL_CYCLES),
        ("tbb [r0, r1]", 2, INDIRECT_REFILL_CYCLES),
    ],
)
def test_branches_cost_a_refill_when_taken(assembler, source, cycles, refill):
    code, _ = assembler(source)
    timing = analyse(code, 0x0800_0000)
    assert (timing.cycles, timing.refill_cycles) == (cycles, refill)


LOOP = """
start:
 ldr r7, =0x40000000
 ldr r1, =100
 str r1, [r7]
1: subs r1, #1
 bne 1b
 str r1, [r7]
2: b 2b
"""


def elapsed_cycles(machine, source, **flash):
    m = machine(source)
    if flash:
        m.core.set_flash_timing(**flash)
    m.run_cycles(4000)
    (first, _, _), (last, _, _) = m.recorder.stores[:2]
    return (last - first) / 250_000


def test_counted_loop_takes_three_cycles_a_turn_and_two_the_last(machine):
    assert elapsed_cycles(machine, LOOP) == 1 + 100 * 3 - 1


def test_loop_costs_nothing_more_with_wait_states_and_cache(machine):
    cached = {"instruction_cache": True, "data_cache": True, "prefetch": False}
    assert elapsed_cycles(machine, LOOP, wait_states=4, **cached) == elapsed_cycles(machine, LOOP)


def test_loop_pays_for_every_line_without_cache(machine):
    bare = {"instruction_cache": False, "data_cache": False, "prefetch": False}
    slow = elapsed_cycles(machine, LOOP, wait_states=4, **bare)
    assert slow >= elapsed_cycles(machine, LOOP) + 99 * 4


def test_stores_of_one_block_have_their_own_instants(machine):
    m = machine("start:\n ldr r7, =0x40000000\n str r0, [r7]\n nop\n nop\n nop\n str r0, [r7]\n1: b 1b")
    m.run_cycles(50)
    (first, _, _), (second, _, _) = m.recorder.stores
    assert (second - first) / 250_000 == 4


def test_clock_change_in_the_middle_of_a_slice(machine):
    m = machine(LOOP)
    m.recorder.on_store = lambda offset, value: m.core.set_hclk_hz(40_000_000)
    m.run_cycles(4000)
    (first, _, _), (last, _, _) = m.recorder.stores[:2]
    assert last - first == pytest.approx(300 * 25_000, abs=3 * 25_000)
    assert m.core.hclk_hz == 40_000_000


def test_two_runs_count_the_same(machine):
    counts = set()
    for _ in range(2):
        m = machine(LOOP)
        m.run_cycles(777)
        counts.add((m.core.cycle_count, tuple(m.recorder.stores)))
    assert len(counts) == 1


def test_small_slices_lose_no_cycles(machine):
    m = machine(LOOP)
    for _ in range(400):
        m.scheduler.advance_to(m.scheduler.now_ps + 300_000)
    whole = machine(LOOP)
    whole.scheduler.advance_to(400 * 300_000)
    assert abs(m.core.cycle_count - whole.core.cycle_count) <= 8

# SPDX-License-Identifier: Apache-2.0
"""Cycles of known sequences, against the Cortex-M4 Technical Reference Manual's table."""

from __future__ import annotations

import pytest

from hil.twin.core.instruction_timing import (
    DIRECT_REFILL_CYCLES,
    INDIRECT_REFILL_CYCLES,
    LOADED_REFILL_CYCLES,
    analyse,
)


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
        ("add r0, r1\nldr r2, [r0]", 4),  # an address from the instruction before stalls it: DDI 0439, 3.3.2
        ("add r0, r1\nldr r2, [r1, r0]", 4),
        ("add r0, r1\nnop\nldr r2, [r0]", 4),
        ("add r0, r1\nstr r0, [r1]", 2),  # the data may be late
        ("umull r4, r0, r1, r2\nstr r1, [r0]", 3),
        ("add r0, r1\nldm r0, {r2, r3}", 5),
        ("vmov r0, s0\nldr r1, [r0]", 4),
        ("cmp r0, r1\nldr r2, [r0]", 3),
        ("vmul.f32 s0, s1, s2\nvadd.f32 s3, s0, s1", 3),  # a result consumed at once: 7.2.3
        ("vmul.f32 s0, s1, s2\nvadd.f32 s3, s1, s1", 2),
        ("vmul.f32 s0, s1, s2\nvmla.f32 s0, s1, s2", 4),  # unless as an addend
        ("vmul.f32 s0, s1, s2\nvmla.f32 s3, s0, s2", 5),
        ("vadd.f32 s0, s1, s2\nvstr s0, [r0]", 4),
        ("udiv r0, r1, r2", 2),  # and what the operands add
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
        ("pop {r4, pc}", 3, LOADED_REFILL_CYCLES),
        ("ldr pc, [r0]", 2, LOADED_REFILL_CYCLES),
        ("mov pc, r0", 1, INDIRECT_REFILL_CYCLES),
        ("tbb [r0, r1]", 3, LOADED_REFILL_CYCLES),
    ],
)
def test_branches_cost_a_refill_when_taken(assembler, source, cycles, refill):
    code, _ = assembler(source)
    timing = analyse(code, 0x0800_0000)
    assert (timing.cycles, timing.refill_cycles) == (cycles, refill)


@pytest.mark.parametrize(
    ("operation", "dividend", "divisor", "cycles"),
    [
        ("udiv", 0, 1, 2),
        ("udiv", 1, 0, 2),
        ("udiv", 7, 9, 2),
        ("udiv", 9, 7, 3),
        ("udiv", 0xFFFF_FFFF, 1, 12),
        ("udiv", 0xFFFF_FFFF, 0x8000_0000, 3),
        ("sdiv", 0xFFFF_FFFF, 1, 3),
        ("sdiv", 0x8000_0000, 1, 12),
        ("udiv", 1 << 16, 2, 7),
    ],
)
def test_divisions_take_longer_the_longer_their_quotient(machine, operation, dividend, divisor, cycles):
    source = f"""
start:
 ldr r7, =0x40000000
 ldr r1, ={dividend}
 ldr r2, ={divisor}
 str r1, [r7]
 {operation} r0, r1, r2
 str r1, [r7]
 b 1f
1: b 1b
"""
    m = machine(source)
    m.run_cycles(200)
    (first, _, _), (last, _, _) = m.recorder.stores
    assert (last - first) / 250_000 == 1 + cycles


def test_a_branch_to_an_unaligned_wide_instruction_takes_a_cycle_more(machine):
    source = """
start:
 ldr r7, =0x40000000
 str r0, [r7]
 b 1f
 .balign 4
 nop.w
 {pad}
1: {target}
 str r0, [r7]
2: b 2b
"""
    times = []
    for pad, target in (("", "mov.w r0, r0"), ("nop", "mov.w r0, r0"), ("nop", "movs r0, r0")):
        m = machine(source.format(pad=pad, target=target))
        m.run_cycles(100)
        (first, _, _), (last, _, _) = m.recorder.stores
        times.append((last - first) // 250_000)
    assert times == [4, 5, 4]


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
    m.run_cycles(20_000)
    (first, _, _), (last, _, _) = m.recorder.stores[:2]
    return (last - first) / 250_000


def test_counted_loop_takes_three_cycles_a_turn_and_two_the_last(machine):
    assert elapsed_cycles(machine, LOOP) == 1 + 100 * 3 - 1


LOOP_OF_TWO_LINES = LOOP.replace("1: subs", " .balign 8\n nop\n nop\n nop\n1: subs")
CACHED = {"instruction_cache": True, "data_cache": True, "prefetch": False}
BARE = {"instruction_cache": False, "data_cache": False, "prefetch": False}


def test_loop_pays_for_its_lines_once_with_wait_states_and_cache(machine):
    fast = elapsed_cycles(machine, LOOP_OF_TWO_LINES)
    slow = elapsed_cycles(machine, LOOP_OF_TWO_LINES, wait_states=4, **CACHED)
    assert fast < slow <= fast + 4 * 4  # four lines from store to store


def test_loop_pays_for_every_line_without_cache(machine):
    slow = elapsed_cycles(machine, LOOP_OF_TWO_LINES, wait_states=4, **BARE)
    assert slow >= elapsed_cycles(machine, LOOP_OF_TWO_LINES) + 99 * 2 * 4


def test_loop_within_one_line_is_read_once_even_without_cache(machine):
    """RM0351: "If a loop is present in the current buffer, no new flash access is performed"."""
    slow = elapsed_cycles(machine, LOOP.replace("1: subs", " .balign 8\n1: subs"), wait_states=4, **BARE)
    assert slow <= elapsed_cycles(machine, LOOP) + 8 + 3 * 4


def straight(count):
    return LOOP.replace(" subs r1, #1\n bne 1b\n", " nop\n" * count)


def test_prefetch_reads_the_next_line_meanwhile(machine):
    """Straight code of 16-bit instructions, four a line: five cycles a line with prefetch, eight without."""
    prefetch = {"instruction_cache": False, "data_cache": False, "prefetch": True}
    times = [
        [elapsed_cycles(machine, straight(count), wait_states=4, **setting) for count in (80, 160)]
        for setting in (BARE, prefetch)
    ]
    assert [after - before for before, after in times] == [20 * 8, 20 * 5]


@pytest.mark.parametrize(("kilobytes", "fits"), [(0.9, True), (1.3, False)])
def test_instruction_cache_holds_a_kilobyte(machine, kilobytes, fits):
    body = " nop\n" * int(kilobytes * 512)
    source = LOOP.replace("=100", "=4").replace(
        "1: subs r1, #1\n bne 1b", f"1: subs r1, #1\n{body} cmp r1, #0\n bne.w 1b"
    )
    extra = elapsed_cycles(machine, source, wait_states=4, **CACHED) - elapsed_cycles(machine, source)
    lines = int(kilobytes * 128)
    assert extra / 4 == pytest.approx(lines if fits else 4 * lines, rel=0.05)


def test_data_in_flash_waits_unless_it_is_cached(machine):
    """32 words, 128 bytes, twice: 16 lines of 64 bits read each time, or once."""
    source = """
start:
 ldr r7, =0x40000000
 movs r2, #2
 str r2, [r7]
2: ldr r0, =table
 movs r1, #32
1: ldr r3, [r0], #4
 subs r1, #1
 bne 1b
 subs r2, #1
 bne 2b
 str r2, [r7]
3: b 3b
 .balign 8
table: .space 128
""".replace("=table", "=table + 0x08000400")
    code_cached = {"instruction_cache": True, "prefetch": False, "wait_states": 4}
    cached, bare = (elapsed_cycles(machine, source, data_cache=on, **code_cached) for on in (True, False))
    assert bare - cached == pytest.approx((64 - 16) * 4, abs=3 * 4)


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

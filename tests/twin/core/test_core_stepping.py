# SPDX-License-Identifier: Apache-2.0
"""Single step, watchpoints and vector catch, as a debugger uses them."""

from __future__ import annotations

import pytest

DHCSR, DEMCR, DFSR = 0xE000_EDF0, 0xE000_EDFC, 0xE000_ED30
KEY, DEBUGEN, HALT, STEP, MASKINTS = 0xA05F << 16, 1, 2, 4, 8
TRCENA, MON_EN = 1 << 24, 1 << 16
DFSR_DWTTRAP, DFSR_VCATCH = 4, 8
DWT_COMP0, DWT_MASK0, DWT_FUNCTION0 = 0xE000_1020, 0xE000_1024, 0xE000_1028
READ, WRITE, ACCESS, PC_MATCH, MATCHED = 5, 6, 7, 4, 1 << 24
R0, R2, PC = 0, 2, 15

PROGRAM = """
start:
 ldr r7, =0x40000000
 ldr r6, =0x20000100
 ldr r5, =0xE000E000
 movs r0, #0
 movs r1, #1
 str r1, [r5, #0x100]
 cmp r0, #0
block:
 ittee eq
 moveq r2, #1
 addeq r2, #1
 movne r2, #9
 movne.w r2, #8
after:
 adds r0, #1
load:
 ldr r3, [r6]
 adds r0, #1
store:
 strb r0, [r6, #2]
stored:
 adds r0, #1
device:
 str r0, [r7]
device_stored:
 ldr r3, [r7]
device_loaded:
 adds r0, #1
 udf #1
handler:
 adds r4, #1
 bx lr
fault:
 b .
"""
VECTORS = {16: "handler", 3: "fault", 12: "handler"}


def write_control(m, bits):
    m.core.debug_write(DHCSR, 4, KEY | DEBUGEN | bits)


def start_halted(machine, source=PROGRAM):
    m = machine(source, VECTORS)
    write_control(m, HALT)
    return m


def step(m, bits=MASKINTS):
    write_control(m, STEP | bits)
    m.run_cycles(50)
    assert m.core.state == "halted"
    return m.register(PC)


def go(m):
    write_control(m, 0)
    m.run_cycles(200)
    return m.register(PC) if m.core.state == "halted" else None


def step_to(m, label):
    for _ in range(40):
        if step(m) == m.symbols[label]:
            return
    raise AssertionError(label)


def watch(m, address, function, mask=0):
    m.core.debug_write(DEMCR, 4, TRCENA)
    m.core.debug_write(DWT_COMP0, 4, address)
    m.core.debug_write(DWT_MASK0, 4, mask)
    m.core.debug_write(DWT_FUNCTION0, 4, function)


def test_steps_go_through_an_it_block_one_instruction_at_a_time(machine):
    m = start_halted(machine)
    step_to(m, "block")
    start = m.symbols["block"]
    seen = [(step(m) - start, m.register(R2)) for _ in range(5)]
    assert [offset for offset, _ in seen] == [2, 4, 6, 8, 12]
    assert [value for _, value in seen][1:] == [1, 2, 2, 2]


CALLS = """
start:
 movs r0, #0
loop:
 bl popping
 adds r0, #1
 bl returning
 adds r0, #2
 b loop
popping:
 push {r4, lr}
 adds r0, #4
 pop {r4, pc}
returning:
 adds r0, #8
 bx lr
"""


def test_a_step_ends_where_a_return_leads_to_code_that_ran_before(machine):
    m = machine(CALLS)
    m.run_cycles(500)
    write_control(m, HALT)
    loop, popping, returning = (m.symbols[name] for name in ("loop", "popping", "returning"))
    first = [loop, popping, popping + 2, popping + 4, loop + 4]
    second = [loop + 6, returning, returning + 2, loop + 10, loop + 12]
    step_to(m, "loop")
    before = m.register(R0)
    turn = [*first, *second]
    assert [loop, *(step(m) for _ in range(2 * len(turn)))] == [*turn, *turn, loop]
    assert m.register(R0) - before == 2 * (4 + 1 + 8 + 2)


def test_program_goes_on_correctly_from_inside_an_it_block(machine):
    m = start_halted(machine)
    step_to(m, "block")
    step(m)
    step(m)
    m.core.debug_write(DEMCR, 4, TRCENA)
    assert go(m) is None
    write_control(m, HALT)
    assert m.register(R2) == 2


def test_breakpoint_inside_an_it_block_halts_there(machine):
    m = start_halted(machine)
    address = m.symbols["block"] + 4
    m.core.debug_write(0xE000_2000, 4, 3)
    half = 0x8000_0000 if address & 2 else 0x4000_0000
    m.core.debug_write(0xE000_2008, 4, address & ~3 | 1 | half)
    assert go(m) == address
    assert m.register(R2) == 1


def test_step_enters_a_pending_interrupt_before_its_first_instruction(machine):
    m = start_halted(machine)
    step_to(m, "block")
    m.core.set_interrupt(0, True)
    m.core.set_interrupt(0, False)
    assert step(m, MASKINTS) == m.symbols["block"] + 2
    assert step(m, 0) == m.symbols["handler"]
    assert m.register(4) == 0
    assert step(m, 0) == m.symbols["handler"] + 2
    assert step(m, 0) == m.symbols["block"] + 2
    assert step(m, 0) == m.symbols["block"] + 4
    assert m.register(R2) == 1  # the IT block went on


@pytest.mark.parametrize(
    ("address", "function", "mask", "halted_at"),
    [
        (0x2000_0100, READ, 0, "store"),
        (0x2000_0100, READ, 2, "store"),
        (0x2000_0102, WRITE, 0, "stored"),
        (0x2000_0101, WRITE, 0, None),
        (0x2000_0100, WRITE, 2, "stored"),
        (0x2000_0103, READ, 0, "store"),
        (0x2000_0100, ACCESS, 2, "store"),
        (0x4000_0000, WRITE, 2, "device_stored"),
        (0x4000_0000, READ, 2, "device_loaded"),
    ],
)
def test_watchpoint_halts_after_the_access(machine, address, function, mask, halted_at):
    m = start_halted(machine)
    watch(m, address, function, mask)
    pc = go(m)
    if halted_at is None:
        assert pc is None
        return
    expected = m.symbols[halted_at] - (2 if halted_at == "store" else 0)
    assert pc == expected
    assert m.word(DFSR) & DFSR_DWTTRAP
    assert m.word(DWT_FUNCTION0) == function | MATCHED
    assert m.word(DWT_FUNCTION0) == function  # reading cleared it
    if halted_at.startswith("device"):
        assert len(m.recorder.stores) == 1
        assert len(m.recorder.loads) == (halted_at == "device_loaded")


def test_access_watchpoint_halts_at_every_access_in_turn(machine):
    m = start_halted(machine)
    watch(m, 0x2000_0100, ACCESS, 2)
    assert go(m) == m.symbols["load"] + 2
    assert go(m) == m.symbols["stored"]
    assert go(m) is None


def test_watchpoint_removed_is_not_felt(machine):
    m = start_halted(machine)
    watch(m, 0x2000_0100, ACCESS, 2)
    assert go(m) is not None
    m.core.debug_write(DWT_FUNCTION0, 4, 0)
    assert go(m) is None


def test_program_counter_comparator_halts_at_its_address(machine):
    m = start_halted(machine)
    watch(m, m.symbols["after"], PC_MATCH)
    assert go(m) == m.symbols["after"]
    assert m.word(DFSR) & DFSR_DWTTRAP
    assert m.word(DWT_FUNCTION0) & MATCHED


@pytest.mark.parametrize(
    ("code", "bit"),
    [
        ("udf #0", 7),
        ("movs r0, #16\n str r0, [r6, #0x14]\n dsb\n isb\n movs r0, #0\n udiv r0, r0, r0", 6),
        ("vmov s0, r0", 5),
        ("ldr r0, =0x60000000\n ldr r0, [r0]", 8),
        ("ldr r0, =0x40000000\n orr r0, #1\n bx r0", 4),
        ("udf #0", 10),
    ],
)
def test_vector_catch_halts_at_the_fault_it_names_and_at_no_other(machine, code, bit):
    source = f"start:\n ldr r6, =0xE000ED00\n {code}\n b .\nfault: b ."
    for mask, caught in ((1 << bit, True), (0x7F0 & ~(1 << bit | 1 << 10 | 1 << 7), False)):
        m = machine(source, {3: "fault"})
        write_control(m, HALT)
        m.core.debug_write(DEMCR, 4, mask)
        pc = go(m)
        if caught:
            assert pc == m.symbols["fault"]
            assert m.word(DFSR) & DFSR_VCATCH
        else:
            assert pc is None


def test_debug_monitor_takes_breakpoints_without_a_debugger(machine):
    source = PROGRAM.replace("after:", " bkpt #3\nafter:").replace(
        "adds r4, #1", "ldr r4, [sp, #24]\n adds r4, #2\n str r4, [sp, #24]\n str r4, [r7]"
    )
    m = machine(source, VECTORS)
    m.core.debug_write(DEMCR, 4, MON_EN)
    m.run_cycles(200)
    assert m.recorder.values[0] == m.symbols["after"]

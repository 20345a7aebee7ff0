# SPDX-License-Identifier: Apache-2.0
"""Faults with their status registers, what CCR makes of them, and what the floating-point unit adds."""

from __future__ import annotations

import pytest

CCR, SHCSR, CFSR, HFSR, BFAR = 0xE000_ED14, 0xE000_ED24, 0xE000_ED28, 0xE000_ED2C, 0xE000_ED38
FORCED, VECTTBL = 1 << 30, 1 << 1
MEM_FAULT_ENABLE, BUS_FAULT_ENABLE, USAGE_FAULT_ENABLE = 1 << 16, 1 << 17, 1 << 18
DIV_0_TRP, UNALIGN_TRP, BFHFNMIGN, STKALIGN = 16, 8, 256, 512
INVSTATE, INVPC, NOCP, UNALIGNED, DIVBYZERO = 1 << 17, 1 << 18, 1 << 19, 1 << 24, 1 << 25
PRECISERR, UNSTKERR, STKERR, BFARVALID = 1 << 9, 1 << 11, 1 << 12, 1 << 15

PROGRAM = """
start:
 ldr r7, =0x40000000
 ldr r6, =0xE000ED00
 ldr r0, ={enables}
 str r0, [r6, #0x24]
 ldr r0, ={ccr}
 str r0, [r6, #0x14]
 dsb
 isb
 movs r4, #0
 movs r5, #0x55
 {code}
 str r5, [r7, #4]
1: b 1b
.balign 4
.ltorg
handler:
 mrs r0, ipsr
 str r0, [r7]
 ldr r1, [sp, #24]
 str r1, [r7]
 ldr r1, [r6, #0x28]
 str r1, [r7]
 ldr r1, [r6, #0x2c]
 str r1, [r7]
 b .
"""


def run(machine, code, ccr=STKALIGN, enables=0, vectors=(3, 4, 5, 6)):
    """Return the machine, and what the fault handler saw: exception, stacked PC, CFSR and HFSR."""
    m = machine(PROGRAM.format(code=code, ccr=ccr, enables=enables), dict.fromkeys(vectors, "handler"))
    m.run_cycles(400)
    return m, [value for _, offset, value in m.recorder.stores if offset == 0]


@pytest.mark.parametrize(("enables", "number", "hfsr"), [(USAGE_FAULT_ENABLE, 6, 0), (0, 3, FORCED)])
@pytest.mark.parametrize("divide", ["sdiv", "udiv"])
def test_division_by_zero_traps_where_ccr_says_so(machine, divide, enables, number, hfsr):
    code = f"movs r2, #9\nbad: {divide} r5, r2, r4"
    m, seen = run(machine, code, STKALIGN | DIV_0_TRP, enables)
    assert seen == [number, m.symbols["bad"], DIVBYZERO, hfsr]


def test_division_by_zero_gives_zero_otherwise(machine):
    m, seen = run(machine, "sdiv r5, r5, r4")
    assert seen == []
    assert m.recorder.values == [0]


def test_divisions_that_are_sound_or_skipped_do_not_trap(machine):
    code = """
 movs r3, #100
 movs r2, #20
2: udiv r5, r3, r2
 cmp r4, #1
 it eq
 sdiveq r5, r3, r4      // not executed
 subs r2, #1
 bne 2b
"""
    m, seen = run(machine, code, STKALIGN | DIV_0_TRP)
    m.run_cycles(2000)
    assert seen == []
    assert m.recorder.values == [100]


def test_division_trap_ends_when_ccr_is_cleared(machine):
    code = f"""
 movs r3, #3
 ldr r1, ={STKALIGN}
 bl divide
 str r1, [r6, #0x14]
 movs r3, #0
 bl divide
 b 3f
divide: udiv r5, r5, r3
 bx lr
3:
"""
    m, seen = run(machine, code, STKALIGN | DIV_0_TRP)
    assert seen == []
    assert m.recorder.values == [0]


@pytest.mark.parametrize(
    "access", ["ldr r5, [r3, #1]", "ldrh r5, [r3, #3]", "str r5, [r3, #2]", "strh r5, [r3, #1]"]
)
def test_unaligned_accesses_trap_where_ccr_says_so(machine, access):
    code = f"ldr r3, =0x20000100\n str r4, [r3]\n nop\nbad: {access}"
    m, seen = run(machine, code, STKALIGN | UNALIGN_TRP, USAGE_FAULT_ENABLE)
    assert seen == [6, m.symbols["bad"], UNALIGNED, 0]
    assert m.word(0x2000_0100) == 0  # the store did not happen
    _, seen = run(machine, code)
    assert seen == []


def test_unaligned_store_to_a_device_always_faults(machine):
    m, seen = run(machine, "nop\nbad: str r5, [r7, #2]", enables=USAGE_FAULT_ENABLE)
    assert seen == [6, m.symbols["bad"], UNALIGNED, 0]


def test_aligned_program_runs_with_every_trap(machine):
    code = "ldr r3, =0x20000100\n push {r3, r4}\n strb r5, [r3, #1]\n ldrb r5, [r3, #1]\n pop {r1, r2}"
    m, seen = run(machine, code, STKALIGN | UNALIGN_TRP | DIV_0_TRP)
    assert seen == []
    assert m.recorder.values == [0x55]


def test_disabled_bus_fault_escalates_and_enabled_does_not(machine):
    code = "ldr r3, =0x60000000\n nop\nbad: ldr r5, [r3, #8]"
    for enables, number, hfsr in ((BUS_FAULT_ENABLE, 5, 0), (0, 3, FORCED)):
        m, seen = run(machine, code, enables=enables)
        assert seen == [number, m.symbols["bad"], PRECISERR | BFARVALID, hfsr]
        assert m.word(BFAR) == 0x6000_0008


def test_fault_of_a_priority_that_is_masked_escalates(machine):
    code = "movs r0, #0x10\n msr basepri, r0\nbad: udf #0"  # UsageFault: priority 0 would preempt
    _, seen = run(machine, code, enables=USAGE_FAULT_ENABLE)
    assert seen[0] == 6
    _, seen = run(machine, "movs r0, #0x40\n strb r0, [r6, #0x1a]\n" + code, enables=USAGE_FAULT_ENABLE)
    assert (seen[0], seen[3]) == (3, FORCED)


@pytest.mark.parametrize(
    "code", ["cpsid f\n udf #0", "cpsid f\n svc #0", "cpsid f\n ldr r5, [r4, r6, lsl #1]"]
)
def test_fault_with_faultmask_locks_up(machine, code):
    m, seen = run(machine, code)
    assert seen == []
    assert m.core.state == "lockup"


def test_bus_faults_are_ignored_where_a_program_probes_the_memory(machine):
    code = "cpsid f\n ldr r3, =0x60000000\n ldr r0, [r3]\n str r0, [r3]\n cpsie f"
    m, seen = run(machine, code, STKALIGN | BFHFNMIGN)
    assert seen == []
    assert m.recorder.values == [0x55]


def test_stack_outside_memory_fails_in_a_bus_fault_of_stacking(machine):
    _, seen = run(machine, "ldr r0, =0x60000100\n msr psp, r0\n movs r0, #2\n msr control, r0\n isb\n svc #0")
    assert seen[0] == 3
    assert seen[2:] == [STKERR, FORCED]


def test_frame_outside_memory_fails_in_a_bus_fault_of_unstacking(machine):
    source = """
 svc #0
 b .
service:
 ldr r0, =0x60000100
 msr psp, r0
 ldr r0, =0xFFFFFFFD
 bx r0
"""
    m = machine(
        PROGRAM.format(code=source, ccr=STKALIGN, enables=BUS_FAULT_ENABLE), {11: "service", 5: "handler"}
    )
    m.run_cycles(400)
    assert m.recorder.values[0] == 5
    assert m.recorder.values[2:] == [UNSTKERR, 0]


def test_wrong_exception_return_is_an_invalid_pc_on_the_same_frame(machine):
    source = """
 svc #0
after: b .
service:
 mov r0, #0xFFFFFFF5
 bx r0
"""
    m = machine(
        PROGRAM.format(code=source, ccr=STKALIGN, enables=USAGE_FAULT_ENABLE), {11: "service", 6: "handler"}
    )
    m.run_cycles(400)
    assert m.recorder.values == [6, m.symbols["after"], INVPC, 0]


def test_vector_without_thumb_bit_is_an_invalid_state_in_the_handler(machine):
    source = PROGRAM.format(code="svc #0", ccr=STKALIGN, enables=0)
    m = machine(source, {3: "handler", 11: "handler"})
    m.core.memory["flash"][4 * 11] &= 0xFE
    m.run_cycles(400)
    assert m.recorder.values == [3, m.symbols["handler"], INVSTATE, FORCED]


def test_unreadable_vector_table_is_a_hard_fault_then_lockup(machine):
    m, _ = run(machine, "ldr r0, =0x60000000\n str r0, [r6, #8]\n dsb\n svc #0")
    assert m.core.state == "lockup"
    assert m.word(HFSR) & VECTTBL


def test_nmi_preempts_a_masked_program(machine):
    code = "cpsid i\n cpsid f\n mov r0, #0x80000000\n str r0, [r6, #4]\n dsb\n isb"
    _, seen = run(machine, code, vectors=(2, 3))
    assert seen[0] == 2


def test_handler_may_return_to_thread_over_others_with_nonbasethrdena(machine):
    source = """
 svc #0
 b .
service:
 mov r0, #0x10000000
 str r0, [r6, #4]
 b .
other:
 movs r0, #7
 str r0, [r7, #8]
 ldr r0, [sp, #28]
 bfc r0, #0, #9
 str r0, [sp, #28]
 adr r0, thread
 str r0, [sp, #24]
 mov r0, #0xFFFFFFF9
 bx r0
.balign 4
thread:
 mrs r0, ipsr
 str r0, [r7, #12]
 b .
"""
    for ccr, expected in ((STKALIGN | 1, [(8, 7), (12, 0)]), (STKALIGN, [(8, 7)])):
        text = PROGRAM.format(code="movs r0, #0x80\n strb r0, [r6, #0x1f]\n" + source, ccr=ccr, enables=0)
        m = machine(text, {3: "handler", 11: "service", 14: "other"})
        m.run_cycles(100)
        m.core.debug_write(0xE000_ED1C, 4, 0x80 << 24)  # SVCall below PendSV
        m.core.debug_write(0xE000_ED20, 4, 0)
        m.run_cycles(400)
        assert [(offset, value) for _, offset, value in m.recorder.stores if offset >= 8] == expected


LAZY = """
start:
 ldr r7, =0x40000000
 ldr r6, =0xE000EF34
 ldr r1, =0xE000ED88
 ldr r0, =0x00F00000
 str r0, [r1]
 dsb
 isb
 movs r0, #77
 vmov s3, r0
 svc #0
 vmov r0, s3
 str r0, [r7]
1: b 1b
handler:
 ldr r0, [r6]
 str r0, [r7]           // FPCCR
 ldr r1, [r6, #4]       // FPCAR
 mov r2, sp
 subs r1, r1, r2
 str r1, [r7]
 {code}
 ldr r0, [r6]
 str r0, [r7]
 bx lr
"""


def test_handler_without_floating_point_leaves_the_frame_empty(machine):
    m = machine(LAZY.format(code="nop"), {11: "handler"})
    m.run_cycles(300)
    before, offset, after, kept = m.recorder.values
    assert before & 0xC000_0009 == 0xC000_0009  # ASPEN, LSPEN, THREAD, LSPACT
    assert offset == 0x20
    assert after == before
    assert kept == 77
    assert m.word(0xE000_EF34) & 1 == 0


def test_first_floating_point_instruction_of_a_handler_saves_the_context(machine):
    m = machine(
        LAZY.format(code="movs r2, #5\n vmov s3, r2\n ldr r2, [sp, #0x2c]\n str r2, [r7]"), {11: "handler"}
    )
    m.run_cycles(300)
    _, _, saved, after, kept = m.recorder.values
    assert (saved, after & 1, kept) == (77, 0, 77)


def test_send_event_on_pend_wakes_for_a_disabled_interrupt_once(machine):
    m = machine(
        """
start:
 ldr r7, =0x40000000
 ldr r6, =0xE000ED10
 movs r0, #16
 str r0, [r6]
1: wfe
 str r0, [r7]
 b 1b
"""
    )
    m.run_cycles(100)
    assert m.core.state == "sleeping"
    m.core.set_interrupt(5, True)
    m.run_cycles(100)
    assert m.core.state == "sleeping"
    assert len(m.recorder.stores) == 1


def test_late_arrival_goes_first_without_stacking_again(machine):
    source = """
start:
 ldr r7, =0x40000000
 ldr r6, =0xE000E100
 ldr r5, =0xE000E400
 movs r0, #0x80
 strb r0, [r5]
 movs r0, #3
 str r0, [r6]
1: b 1b
handler:
 mrs r0, ipsr
 str r0, [r7]
 mov r0, sp
 str r0, [r7]
 bx lr
"""
    m = machine(source, {16: "handler", 17: "handler"})
    m.run_cycles(100)
    now = m.scheduler.now_ps
    for interrupt, cycles in ((0, 20), (1, 25)):

        def pulse(interrupt: int = interrupt) -> None:
            m.core.set_interrupt(interrupt, True)
            m.core.set_interrupt(interrupt, False)

        m.scheduler.at(now + cycles * 250_000, pulse)
    m.run_cycles(200)
    first, first_stack, second, second_stack = m.recorder.values
    assert (first, second) == (17, 16)
    assert first_stack == second_stack == 0x2000_1000 - 0x20

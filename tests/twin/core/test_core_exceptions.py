# SPDX-License-Identifier: Apache-2.0
"""Exceptions: entry, return, priorities, masks, and resets."""

from __future__ import annotations

import pytest

from .conftest import PROLOGUE


def test_interrupt_runs_handler_and_returns_with_registers_intact(machine):
    m = machine(
        PROLOGUE
        + """
start:
 setup
 movs r0, #1
 str r0, [r6, #0x100]   // ISER0: interrupt 0
 movs r0, #10
 movs r1, #11
 movs r2, #12
 movs r3, #13
1: adds r4, #1
 b 1b
handler:
 movs r0, #0
 movs r1, #0
 movs r2, #0
 movs r3, #0
 mrs r5, ipsr
 str r5, [r7]
 bx lr
""",
        {16: "handler"},
    )
    m.run_cycles(100)
    m.core.set_interrupt(0, True)
    m.core.set_interrupt(0, False)
    m.run_cycles(100)
    assert m.recorder.values == [16]
    m.core.debug_write(0xE000_EDF0, 4, 0xA05F_0003)
    assert [m.register(i) for i in range(4)] == [10, 11, 12, 13]


def test_a_line_that_stays_high_interrupts_again_until_lowered(machine):
    m = machine(
        PROLOGUE
        + """
start:
 setup
 movs r0, #1
 str r0, [r6, #0x100]
1: b 1b
handler:
 str r0, [r7]
 bx lr
""",
        {16: "handler"},
    )

    def acknowledge(offset: int, value: int) -> None:
        if len(m.recorder.stores) == 3:
            m.core.set_interrupt(0, False)

    m.recorder.on_store = acknowledge
    m.run_cycles(50)
    m.core.set_interrupt(0, True)
    m.run_cycles(500)
    assert len(m.recorder.stores) == 3


NESTED = (
    PROLOGUE
    + """
start:
 setup
 ldr r1, =0xE000E400
 movs r0, #0x40
 strb r0, [r1, #1]      // interrupt 1: priority 0x40, interrupt 0: 0x80
 movs r0, #0x80
 strb r0, [r1, #0]
 movs r0, #3
 str r0, [r6, #0x100]
 movs r0, #1
 str r0, [r6, #0x200]   // pend interrupt 0
 dsb
 isb
 movs r0, #9
 str r0, [r7]
1: b 1b
low:
 movs r0, #1
 str r0, [r7]
 movs r0, #2
 str r0, [r6, #0x200]   // pend interrupt 1, which preempts
 dsb
 isb
 movs r0, #3
 str r0, [r7]
 bx lr
high:
 movs r0, #2
 str r0, [r7]
 bx lr
"""
)


def test_higher_priority_preempts_and_returns_to_the_handler(machine):
    m = machine(NESTED, {16: "low", 17: "high"})
    m.run_cycles(300)
    assert m.recorder.values == [1, 2, 3, 9]


def test_lower_priority_waits_for_the_handler_to_end(machine):
    m = machine(NESTED, {16: "high", 17: "low"})
    source = NESTED.replace("movs r0, #0x40", "movs r0, #0xC0")
    m = machine(source, {16: "low", 17: "high"})
    m.run_cycles(300)
    assert m.recorder.values == [1, 3, 2, 9]


def test_primask_holds_an_interrupt_back_until_cpsie(machine):
    m = machine(
        PROLOGUE
        + """
start:
 setup
 cpsid i
 movs r0, #1
 str r0, [r6, #0x100]
 str r0, [r6, #0x200]
 dsb
 isb
 movs r0, #1
 str r0, [r7]
 cpsie i
 movs r0, #3
 str r0, [r7]
1: b 1b
handler:
 movs r0, #2
 str r0, [r7]
 bx lr
""",
        {16: "handler"},
    )
    m.run_cycles(200)
    assert m.recorder.values == [1, 2, 3]


@pytest.mark.parametrize(
    ("written", "raised", "read"),
    [(0xFF, None, 0xF0), (0x0F, None, 0), (0x0F, 0x20, 0x20), (0x4F, 0x4E, 0x40), (0x40, 0x3F, 0x30)],
)
@pytest.mark.parametrize("stepped", [False, True])
def test_basepri_has_the_bits_of_a_priority_only(machine, written, raised, read, stepped):
    m = machine(
        PROLOGUE
        + f"""
start:
 setup
 movs r0, #{written}
 movs r1, #{raised or 0}
 msr basepri, r0
 {"msr basepri_max, r1" if raised else ""}
 ite eq
 mrseq r0, basepri
 mrsne r0, basepri
 str r0, [r7]
1: b 1b
""",
        {},
    )
    if stepped:
        for _ in range(40):
            m.core._emulator.step()
    else:
        m.run_cycles(100)
    assert m.recorder.values[:1] == [read]


def test_basepri_masks_only_lower_priorities(machine):
    m = machine(
        PROLOGUE
        + """
start:
 setup
 ldr r1, =0xE000E400
 movs r0, #0x80
 strb r0, [r1, #0]
 movs r0, #0x20
 strb r0, [r1, #1]
 movs r0, #0x40
 msr basepri, r0
 movs r0, #3
 str r0, [r6, #0x100]
 str r0, [r6, #0x200]
 dsb
 isb
 movs r0, #5
 str r0, [r7]
 movs r0, #0
 msr basepri, r0
 movs r0, #6
 str r0, [r7]
1: b 1b
handler:
 mrs r0, ipsr
 str r0, [r7]
 bx lr
""",
        {16: "handler", 17: "handler"},
    )
    m.run_cycles(300)
    assert m.recorder.values == [17, 5, 16, 6]


def test_supervisor_call_from_the_process_stack_in_unprivileged_mode(machine):
    m = machine(
        PROLOGUE
        + """
start:
 setup
 ldr r0, =0x20000800
 msr psp, r0
 movs r0, #3            // nPRIV, SPSEL
 msr control, r0
 isb
 movs r0, #7
 svc #5
 str r0, [r7]           // what the handler put into the stacked r0
 mrs r0, control
 str r0, [r7]
1: b 1b
handler:
 mrs r1, psp
 ldr r2, [r1, #24]      // stacked return address: SVC's immediate is just before
 ldrb r3, [r2, #-2]
 str r3, [r7]
 movs r3, #42
 str r3, [r1]
 str lr, [r7]
 bx lr
""",
        {11: "handler"},
    )
    m.run_cycles(300)
    assert m.recorder.values == [5, 0xFFFF_FFFD, 42, 3]


def test_floating_point_registers_survive_an_interrupt(machine):
    m = machine(
        PROLOGUE
        + """
start:
 setup
 ldr r1, =0xE000ED88
 ldr r0, =0x00F00000
 str r0, [r1]
 dsb
 isb
 movs r0, #77
 vmov s0, r0
 vmov s15, r0
 movs r0, #1
 str r0, [r6, #0x100]
 str r0, [r6, #0x200]
 dsb
 isb
 vmov r0, s0
 str r0, [r7]
 vmov r0, s15
 str r0, [r7]
1: b 1b
handler:
 str lr, [r7]
 movs r0, #0
 vmov s0, r0
 vmov s15, r0
 bx lr
""",
        {16: "handler"},
    )
    m.run_cycles(300)
    assert m.recorder.values == [0xFFFF_FFE9, 77, 77]


def test_system_reset_request_restarts_the_program(machine):
    m = machine(
        PROLOGUE
        + """
start:
 setup
 str r0, [r7]
 ldr r1, =0xE000ED0C
 ldr r0, =0x05FA0004
 str r0, [r1]
1: b 1b
"""
    )
    kinds: list[str] = []

    def on_system_reset(kind: str) -> None:
        kinds.append(kind)
        if len(kinds) == 1:
            m.core.reset(kind)
        else:
            m.core.hold_in_reset(True)

    m.surroundings.system_reset = on_system_reset
    m.run_cycles(300)
    assert kinds == ["software", "software"]
    assert m.recorder.values == [0, 0]
    assert m.core.state == "reset"


def test_reset_asked_for_by_a_register_write_waits_for_the_block(machine):
    m = machine(
        PROLOGUE + "start:\n setup\n movs r0, #1\n str r0, [r7]\n movs r0, #2\n str r0, [r7]\n1: b 1b\n"
    )

    def reset_once(offset: int, value: int) -> None:
        if len(m.recorder.stores) == 1:
            m.core.reset("option bytes")

    m.recorder.on_store = reset_once
    m.run_cycles(100)
    assert m.recorder.values == [1, 2, 1, 2]
    assert m.core.state == "running"


def test_pending_handlers_chain_in_six_cycles_and_return_in_ten(machine):
    m = machine(
        PROLOGUE
        + """
start:
 setup
 movs r0, #3
 str r0, [r6, #0x100]
 cpsid i
 str r0, [r6, #0x200]   // both pending, same priority: the lower number first
 dsb
 cpsie i
 isb
 str r7, [r7]
1: b 1b
handler:
 str r0, [r7]
 bx lr
""",
        {16: "handler", 17: "handler"},
    )
    m.run_cycles(200)
    first, second, back = (time_ps // 250_000 for time_ps, _, _ in m.recorder.stores)
    store_and_return = 1 + 1
    assert second - first == store_and_return + 6
    assert back - second in range(store_and_return + 10, store_and_return + 10 + 4)  # ISB is in between


def test_pendsv_is_pended_and_shown_in_icsr(machine):
    m = machine(
        PROLOGUE
        + """
start:
 setup
 ldr r5, =0xE000ED04
 cpsid i
 ldr r0, =0x10000000
 str r0, [r5]
 ldr r1, [r5]
 str r1, [r7]
 cpsie i
 isb
 ldr r1, [r5]
 str r1, [r7]
 b .
handler:
 ldr r1, [r5]
 str r1, [r7]
 bx lr
""",
        {14: "handler"},
    )
    m.run_cycles(200)
    pending, active, idle = m.recorder.values
    assert pending == 1 << 28 | 14 << 12 | 1 << 11
    assert active == 14 | 1 << 11
    assert idle == 1 << 11


def test_software_trigger_register_pends_an_interrupt(machine):
    m = machine(
        PROLOGUE
        + """
start:
 setup
 movs r0, #8
 str r0, [r6, #0x100]
 ldr r1, =0xE000EF00
 movs r0, #3
 str r0, [r1]
 dsb
 isb
 b .
handler:
 mrs r0, ipsr
 str r0, [r7]
 bx lr
""",
        {19: "handler"},
    )
    m.run_cycles(200)
    assert m.recorder.values == [19]

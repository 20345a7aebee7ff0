# SPDX-License-Identifier: Apache-2.0
"""What makes the core fault, where the fault is found, and what CFSR, HFSR and BFAR say of it."""

from __future__ import annotations

import pytest

from .conftest import PROLOGUE

FAULT_HANDLER = """
handler:
 ldr r1, [sp, #24]
 str r1, [r7]
 ldr r2, =0xE000ED28
 ldr r1, [r2]           // CFSR
 str r1, [r7]
 ldr r1, [r2, #4]       // HFSR
 str r1, [r7]
 ldr r1, [r2, #16]      // BFAR
 str r1, [r7]
2: b 2b
"""


def test_load_from_nowhere_is_a_precise_bus_fault(machine):
    m = machine(
        PROLOGUE
        + """
start:
 setup
 ldr r0, =0x60000000
 nop
bad:
 ldr r1, [r0]
 b .
"""
        + FAULT_HANDLER,
        {3: "handler"},
    )
    m.run_cycles(300)
    assert m.recorder.values == [m.symbols["bad"], 0x8200, 1 << 30, 0x6000_0000]


STORE_TO_NOWHERE = (
    PROLOGUE
    + """
start:
 setup
 {before}
 ldr r0, ={address}
 nop
bad:
 str r1, [r0]
after:
 b .
"""
    + FAULT_HANDLER
)


def test_load_from_an_unattached_peripheral_address_is_precise(machine):
    m = machine(
        STORE_TO_NOWHERE.replace("str r1, [r0]", "ldr r1, [r0]").format(before="", address="0x40001000"),
        {3: "handler"},
    )
    m.run_cycles(300)
    assert m.recorder.values == [m.symbols["bad"], 0x8200, 1 << 30, 0x4000_1000]


@pytest.mark.parametrize("address", ["0x40001000", "0x60000000", "0x20018000"])
def test_buffered_store_to_nowhere_is_an_imprecise_bus_fault_after_it(machine, address):
    m = machine(STORE_TO_NOWHERE.format(before="", address=address), {3: "handler"})
    m.run_cycles(300)
    assert m.recorder.values == [m.symbols["after"], 0x400, 1 << 30, 0]


def test_without_the_write_buffer_the_same_store_is_precise(machine):
    disdefwbuf = "ldr r1, =0xE000E008\n movs r2, #2\n str r2, [r1]"
    m = machine(STORE_TO_NOWHERE.format(before=disdefwbuf, address="0x60000000"), {3: "handler"})
    m.run_cycles(300)
    assert m.recorder.values == [m.symbols["bad"], 0x8200, 1 << 30, 0x6000_0000]


def test_store_to_the_private_peripheral_bus_is_never_buffered(machine):
    m = machine(STORE_TO_NOWHERE.format(before="", address="0xE0050000"), {3: "handler"})
    m.run_cycles(300)
    assert m.recorder.values == [m.symbols["bad"], 0x8200, 1 << 30, 0xE005_0000]


def test_bus_fault_handler_runs_when_enabled(machine):
    m = machine(
        PROLOGUE
        + """
start:
 setup
 ldr r1, =0xE000ED24
 ldr r0, =0x20000
 str r0, [r1]
 ldr r0, =0x60000000
 str r1, [r0]
 b .
handler:
 mrs r0, ipsr
 str r0, [r7]
1: b 1b
""",
        {5: "handler"},
    )
    m.run_cycles(300)
    assert m.recorder.values == [5]


def test_undefined_instruction_is_a_usage_fault_at_its_address(machine):
    m = machine(
        PROLOGUE
        + """
start:
 setup
 wfe
 sev
 nop
bad:
 udf #1
 b .
"""
        + FAULT_HANDLER,
        {3: "handler"},
    )
    m.core.send_event()
    m.run_cycles(300)
    assert m.recorder.values[:3] == [m.symbols["bad"], 1 << 16, 1 << 30]


def test_branch_to_an_even_address_is_an_invalid_state_fault(machine):
    m = machine(
        PROLOGUE + "start:\n setup\n ldr r0, =0x08000400\n bx r0\n b .\n" + FAULT_HANDLER, {3: "handler"}
    )
    m.run_cycles(300)
    assert m.recorder.values[1] == 1 << 17


def test_fault_in_hard_fault_locks_up(machine):
    m = machine(
        "start:\n ldr r0, =0x60000000\n ldr r0, [r0]\n b .\nhandler:\n udf #0\n b .\n", {3: "handler"}
    )
    m.run_cycles(300)
    assert m.core.state == "lockup"


def test_erased_flash_locks_up(machine):
    m = machine("start:\n b .", power=False)
    m.core.memory["flash"][:] = 0xFF
    m.core.power_on()
    m.run_cycles(300)
    assert m.core.state == "lockup"


def test_floating_point_without_coprocessor_access_is_a_usage_fault(machine):
    m = machine(
        PROLOGUE
        + """
start:
 setup
 movs r0, #1
fp:
 vmov s0, r0
1: b 1b
handler:
 ldr r1, [sp, #24]
 str r1, [r7]
 ldr r1, =0xE000ED28
 ldr r1, [r1]
 str r1, [r7]
2: b 2b
""",
        {3: "handler"},
    )
    m.run_cycles(300)
    assert m.recorder.values == [m.symbols["fp"], 1 << 19]


def test_fault_inside_an_it_block_resumes_inside_it(machine):
    m = machine(
        PROLOGUE
        + """
start:
 setup
 ldr r0, =0x60000000
 movs r1, #0
 movs r2, #0
 cmp r1, #0
 ittee eq
 moveq r2, #7
 ldreq r3, [r0]         // faults; the handler mends r0
 movne r2, #8
 movne r3, #9
 str r2, [r7]
 str r3, [r7]
 b .
handler:
 str r7, [sp, #0]
 bx lr
""",
        {3: "handler"},
    )
    m.run_cycles(200)
    assert m.recorder.values == [7, 0x1234_5678]

# SPDX-License-Identifier: Apache-2.0
"""Pages of RAM become executable when the program first executes there; code in them may change later."""

from __future__ import annotations

import pytest

from hil.twin.core import page_hook
from hil.twin.core import state_layout as words
from tests.twin.core.conftest import PROLOGUE

# A function that returns a constant is copied to RAM, called, changed by a store, and called again.
CHANGED_IN_PLACE = (
    PROLOGUE
    + """
.global start
start:
 setup
 ldr r4, =RAM
 ldr r0, =0x47702001    // movs r0, #1; bx lr
 str r0, [r4]
 orr r5, r4, #1
 dsb
 isb
 blx r5
 str r0, [r7]
 movs r8, #0
again:
 str r8, [r4, #0x40]    // data in the page of the code, as a literal or a buffer may be
 movs r0, #2
 strb r0, [r4]
 dsb
 isb
 blx r5
 str r0, [r7]
 movs r0, #3
 strb r0, [r4]
 dsb
 isb
 blx r5
 str r0, [r7]
 add r8, #1
 cmp r8, #3
 bne again
 b .
 .ltorg
"""
)


@pytest.mark.parametrize("ram", [0x2000_0400, 0x1000_0400, 0x2000_13FC, 0x2000_0FFE])
def test_code_in_ram_that_changes_is_executed_as_changed(machine, ram):
    source = CHANGED_IN_PLACE.replace("=RAM", f"=0x{ram:08x}")
    m = machine(source)
    m.run_cycles(4000)
    assert m.recorder.values == [1] + [2, 3] * 3


# The same, but stores by an unprivileged thread: they go through other translations of addresses.
CHANGED_UNPRIVILEGED = (
    PROLOGUE
    + """
.global start
start:
 setup
 ldr r4, =0x20000800
 str r4, [r4, #0x40]    // the page is data first
 ldr r0, =0x47702001
 str r0, [r4]
 movs r0, #1
 msr control, r0
 isb
 str r4, [r4, #0x44]    // and for unprivileged code too
 orr r5, r4, #1
 blx r5
 str r0, [r7]
 movs r0, #2
 strb r0, [r4]
 blx r5
 str r0, [r7]
 b .
 .ltorg
"""
)


def test_unprivileged_stores_to_code_are_seen(machine):
    m = machine(CHANGED_UNPRIVILEGED)
    m.run_cycles(2000)
    assert m.recorder.values == [1, 2]


def test_only_pages_that_were_executed_are_noted(machine):
    m = machine(CHANGED_IN_PLACE.replace("=RAM", "=0x20000400"))
    m.run_cycles(4000)
    state = m.core._emulator.state
    pages = {
        address: state[words.page_place(state, address)]
        for address in (0x2000_0000, 0x2000_1000, 0x1000_0000)
    }
    assert pages == {0x2000_0000: 1, 0x2000_1000: 0, 0x1000_0000: 0}
    assert words.page_place(state, 0x0800_0000) is None
    assert words.page_place(state, 0x4000_0000) is None
    assert 1 << page_hook.PAGE_SHIFT == words.PAGE

# SPDX-License-Identifier: Apache-2.0
"""The memory protection unit and privilege: what is allowed, and the fault that tells of what is not."""

from __future__ import annotations

import pytest

MEM_MANAGE, BUS_FAULT, HARD_FAULT, SVC = 4, 5, 3, 11
REGION = 0x2000_2000
FULL = 3
MPU = """
.macro imm reg, value
 movw \\reg, #(\\value) & 0xffff
 movt \\reg, #(\\value) >> 16
.endm
.macro put address, value
 imm r0, \\address
 imm r1, \\value
 str r1, [r0]
.endm
.macro region number, base, size, access, extra=0
 put 0xE000ED9C, (\\base + 16 + \\number)
 put 0xE000EDA0, (\\extra + \\access * 0x1000000 + \\size * 2 + 1)
.endm
.macro mpu_on control=5
 put 0xE000ED24, 0x70000
 put 0xE000ED94, \\control
 dsb
 isb
.endm
.macro unprivileged
 movs r0, #1
 msr control, r0
 isb
.endm
.macro tell value
 imm r0, \\value
 str r0, [r9]
.endm
"""
HANDLERS = """
memory_fault:
 imm r2, 0xE000ED28
 ldr r3, [r2]
 str r3, [r9]
 ldr r3, [r2, #12]
 str r3, [r9, #4]
 ldr r3, [sp, #24]
 str r3, [r9, #8]
 str r11, [sp, #24]
 mov r3, #-1
 str r3, [r2]
 bx lr
bus_fault:
 imm r2, 0xE000ED28
 ldr r3, [r2]
 str r3, [r9]
 ldr r3, [r2, #16]
 str r3, [r9, #4]
 str r11, [sp, #24]
 mov r3, #-1
 str r3, [r2]
 bx lr
hard_fault:
 tell 0xDEAD
 b .
supervisor:
 movs r0, #0
 msr control, r0
 bx lr
"""
VECTORS = {MEM_MANAGE: "memory_fault", BUS_FAULT: "bus_fault", HARD_FAULT: "hard_fault", SVC: "supervisor"}
CODE_REGION = " region 0, 0x08000000, 19, 6\n region 1, 0x40000000, 28, 3\n"  # flash for all to read; devices


def stores(machine, body: str, cycles: int = 4000) -> list[tuple[int, int]]:
    """Run a program; return (offset, value) of its stores to the recorder."""
    source = MPU + "start:\n imm r9, 0x40000000\n" + CODE_REGION + body + "\n9: b 9b\n" + HANDLERS
    m = machine(source, VECTORS)
    m.run_cycles(cycles)
    return [(offset, value) for _, offset, value in m.recorder.stores]


@pytest.mark.parametrize(
    ("access", "privileged", "unprivileged"),
    [(0, "", ""), (1, "rw", ""), (2, "rw", "r"), (3, "rw", "rw"), (5, "r", ""), (6, "r", "r"), (7, "r", "r")],
)
def test_access_permissions(machine, access, privileged, unprivileged):
    """Table B3-15 of the architecture manual, for every value that is not reserved."""
    for level, allowed in (("", privileged), (" unprivileged\n", unprivileged)):
        for operation, letter in (("ldr r6, [r5]", "r"), ("str r5, [r5]", "w")):
            body = f"""
 region 2, {REGION}, 9, {access}
 region 3, 0x20000000, 11, 3
 mpu_on
 imm r5, {REGION + 0x104}
 adr.w r11, 8f
{level} {operation}
8: tell 1
"""
            seen = stores(machine, body)
            if letter in allowed:
                assert seen == [(0, 1)], (access, level, operation)
            else:
                (_, cfsr), (_, address), (_, pc), after = seen
                assert (cfsr, address, after) == (0x82, REGION + 0x104, (0, 1)), (access, level, operation)
                assert pc % 2 == 0


def test_a_forbidden_store_changes_nothing(machine):
    body = f"""
 put {REGION + 8}, 0x1234
 region 2, {REGION}, 9, 6
 mpu_on
 imm r5, {REGION + 8}
 adr.w r11, 8f
 str r5, [r5]
8: ldr r6, [r5]
 str r6, [r9]
"""
    assert stores(machine, body)[-1] == (0, 0x1234)


def test_a_forbidden_device_is_not_touched(machine):
    body = """
 region 2, 0x40000200, 7, 6
 mpu_on
 adr.w r11, 8f
 str r9, [r9, #0x200]
8: tell 1
"""
    assert [offset for offset, _ in stores(machine, body)] == [0, 4, 8, 0]


def test_higher_regions_win_and_subregions_make_holes(machine):
    """Region 3 lies over region 2; its second eighth is disabled, so that region 2 shows through."""
    body = f"""
 region 2, {REGION}, 9, 3
 region 3, {REGION}, 9, 0, 0x200
 mpu_on
 imm r5, {REGION}
 adr.w r11, 7f
 ldr r6, [r5, #0x7c]
7: adr.w r11, 8f
 ldr r6, [r5, #0x80]
 tell 1
 ldr r6, [r5, #0x100]
8: tell 2
"""
    seen = stores(machine, body)
    assert [value for offset, value in seen if offset == 0] == [0x82, 1, 0x82, 2]
    assert [value for offset, value in seen if offset == 4] == [REGION + 0x7C, REGION + 0x100]


def test_without_background_everything_else_is_forbidden(machine):
    body = f"""
 region 2, 0x20000000, 11, 3
 mpu_on 1
 imm r5, {REGION}
 adr.w r11, 8f
 ldr r6, [r5]
8: tell 1
"""
    assert stores(machine, body)[:2] == [(0, 0x82), (4, REGION)]


@pytest.mark.parametrize("extra", [0x1000_0000, 0])
def test_execute_never(machine, extra):
    body = f"""
 region 2, {REGION}, 9, 3, {extra}
 imm r5, {REGION}
 imm r6, 0x47704770
 str r6, [r5]
 mpu_on
 orr r5, #1
 adr.w r11, 8f
 blx r5
8: tell 1
"""
    seen = stores(machine, body)
    assert seen[-1] == (0, 1)
    if extra:
        assert seen[0] == (0, 1)
        assert seen[2] == (8, REGION)
    else:
        assert len(seen) == 1


def test_disabled_at_negative_priority_unless_asked_for(machine):
    for control, expected in ((5, [(0, 1)]), (7, [(0, 0xDEAD)])):
        body = f"""
 region 2, {REGION}, 9, 0
 mpu_on {control}
 cpsid f
 isb
 imm r5, {REGION}
 ldr r6, [r5]
 tell 1
"""
        m = machine(
            MPU + "start:\n imm r9, 0x40000000\n" + CODE_REGION + body + "\n9: b 9b\n" + HANDLERS, VECTORS
        )
        m.run_cycles(3000)
        if control == 5:
            assert [(o, v) for _, o, v in m.recorder.stores] == expected
        else:
            assert m.core.state == "lockup"  # a fault that nothing can take


def test_stack_guard_stops_a_push_and_stacking_reports_it(machine):
    """Unprivileged code whose stack runs into a guard: MSTKERR when an exception cannot be stacked."""
    body = f"""
 region 2, {REGION}, 4, 0
 mpu_on
 imm r0, {REGION + 0x20 + 16}
 msr psp, r0
 movs r0, #2
 msr control, r0
 isb
 adr.w r11, 8f
 svc #0
8: tell 1
"""
    m = machine(
        MPU
        + "start:\n imm r9, 0x40000000\n"
        + CODE_REGION
        + body
        + "\n9: b 9b\n"
        + HANDLERS.replace("str r11, [sp, #24]\n mov r3, #-1\n str r3, [r2]\n bx lr", "b .", 1),
        VECTORS,
    )
    m.run_cycles(3000)
    assert m.recorder.stores[0][2] == 0x10


def test_unprivileged_code_reaches_no_private_peripheral_and_no_special_register(machine):
    body = """
 unprivileged
 imm r5, 0xE000E100
 adr.w r11, 7f
 ldr r6, [r5]
7: adr.w r11, 8f
 str r5, [r5]
8: movs r0, #1
 msr primask, r0
 mrs r0, primask
 movs r0, #0
 msr control, r0
 isb
 mrs r0, control
 str r0, [r9]
 svc #0
 mrs r0, control
 str r0, [r9]
"""
    seen = stores(machine, " put 0xE000ED24, 0x70000\n" + body)
    assert seen == [(0, 0x8200), (4, 0xE000_E100)] * 2 + [(0, 1), (0, 0)]


def test_registers_read_back(machine):
    body = """
 put 0xE000ED9C, 0x20001033
 put 0xE000EDA0, 0x1306AA15
 put 0xE000EDA4, 0x2000205F
 imm r5, 0xE000ED90
 ldr r6, [r5]
 str r6, [r9]
 ldr r6, [r5, #8]
 str r6, [r9]
 ldr r6, [r5, #12]
 str r6, [r9]
 movs r6, #3
 str r6, [r5, #8]
 ldr r6, [r5, #12]
 str r6, [r9]
 ldr r6, [r5, #16]
 str r6, [r9]
"""
    values = [value for _, value in stores(machine, body)]
    assert values == [0x800, 3, 0x2000_1023, 0x2000_1023, 0x1306_AA15]


@pytest.mark.parametrize("check", [" mpu_on\n", " put 0xE000ED14, 0x208\n dsb\n isb\n", ""])
def test_conditional_loads_work_while_accesses_are_checked(machine, check):
    """Loads in IT blocks, in a loop whose blocks follow one another without a stop."""
    body = f"""
{check}
 imm r4, {REGION}
 movs r0, #0
 movs r1, #8
1: str r1, [r4, r1, lsl #2]
 cmp r1, #4
 itt lo
 ldrlo r2, [r4, r1, lsl #2]
 addlo r0, r2
 it hs
 ldrhs r3, [r4, r1, lsl #2]
 subs r1, #1
 bne 1b
 str r0, [r9]
 str r3, [r9]
"""
    assert stores(machine, body) == [(0, 6), (0, 4)]

# SPDX-License-Identifier: Apache-2.0
"""What a Cortex-M4 with FPv4-SP lacks is a UsageFault, whatever core a program was built for.

The encodings are those of the Armv8-M and Armv7-A/R manuals (DDI 0553, DDI 0406); what an Armv7-M core does
with them is in DDI 0403, A5.2, A5.3 and A6.4: undefined, or no such coprocessor.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from tests.twin.core.conftest import Machine

UNDEFINED, NO_COPROCESSOR = 1 << 16, 1 << 19
USAGE_FAULT = 6
PROGRAM = """
.global start
start:
 movw r6, #0xed00
 movt r6, #0xe000
 mov r0, #0x70000
 str r0, [r6, #0x24]        @ SHCSR: UsageFault has a handler
 mov r0, #FPU
 str r0, [r6, #0x88]        @ CPACR
 dsb
 isb
 movs r7, #1
 lsls r7, r7, #30
 movw r2, #0x2000
 movt r2, #0x2000
 movs r0, #0
 cmp r0, #0
before:
 nop
 nop
here:
 nop
 nop
 movs r1, #0x55
 str r1, [r7]
stop:
 b stop
.align 2
fault:
 ldr r1, [r6, #0x28]
 str r1, [r7, #4]
 ldr r1, [sp, #0x18]
 str r1, [r7, #8]
 ldr r1, [sp, #0x1c]
 str r1, [r7, #12]
 b stop
"""
WIDE = {
    "LDA": 0xE8D24FAF,
    "LDAB": 0xE8D24F8F,
    "LDAEX": 0xE8D24FEF,
    "STL": 0xE8C24FAF,
    "STLEX": 0xE8C24FE1,
    "LDREXD": 0xE8D2457F,
    "STREXD": 0xE8C24573,
    "TT": 0xE842F400,
    "TTA": 0xE842F480,
    "VLSTM": 0xEC220A00,
    "VLLDM": 0xEC320A00,
    "RFEIA": 0xE992C000,
    "SRSDB": 0xE80DC013,
    "VSEL": 0xFE000A81,
    "VMAXNM": 0xFE800A81,
    "VMINNM": 0xFE800AC1,
    "VRINTA": 0xFEB80A40,
    "VRINTR": 0xEEB60A40,
    "VRINTX": 0xEEB70A40,
    "VCVTA": 0xFEBC0AC0,
    "VINS": 0xFEB00AC1,
    "VADD.F64": 0xEE310B02,
    "VFMA.F64": 0xEEA10B02,
    "VDIV.F64": 0xEE810B02,
    "VSQRT.F64": 0xEEB10BC1,
    "VCMP.F64": 0xEEB40B41,
    "VCVT.F64.F32": 0xEEB70AC0,
    "VCVT.S32.F64": 0xEEBD0BC0,
    "VMOV.F64": 0xEEB70B00,
    "VLDR d16": 0xEDD20B00,
    "VMOV d16": 0xEC410B30,
    "VADD (Advanced SIMD)": 0xEF000842,
    "VMUL (Advanced SIMD)": 0xFF010D12,
    "VLD1 (Advanced SIMD)": 0xF962070F,
    "VST1 (Advanced SIMD)": 0xF942070F,
    "CRC32B": 0xFAC0F081,
    "SMC": 0xF7F08000,
    "HVC": 0xF7E08000,
    "ERET": 0xF3DE8F00,
    "BXJ": 0xF3C28F00,
    "CPS to a mode": 0xF3AF8113,
    "BLX to Arm code": 0xF000E800,
    "ENTERX": 0xF3BF8F1F,
    "SB": 0xF3BF8F70,
    "DLS": 0xF042E001,
    "LE": 0xF00FC001,
}
NARROW = {"BXNS": 0x4774, "SETEND": 0xB650, "HLT": 0xBA80, "UDF": 0xDE01, "0xB700": 0xB700}
COPROCESSOR = {
    "MCR p15": 0xEE070F95,
    "MRC p14": 0xEE110E10,
    "MRC2 p3": 0xFE110310,
    "CDP p0": 0xEE010002,
    "CDP2 p4": 0xFE010402,
    "LDC p1": 0xED920100,
    "STC2 p5": 0xFD820500,
    "MCRR p2": 0xEC410200,
    "VADD.F16": 0xEE310901,
    "VLDRW (MVE)": 0xED920E00,
}
EXECUTED = {
    "VFMA.F32": 0xEEA00A81,
    "VCVTB.F32.F16": 0xEEB20A40,
    "VLDR d0": 0xED920B00,
    "SSAT16": 0xF3220103,
    "SMLAD": 0xFB201203,
    "LDREXH": 0xE8D24F5F,
    "PLI": 0xF992F000,
    "DSB with a reserved option": 0xF3BF8F40,
}
FPU_ON = 0xF00000


IT_EQ, IT_NE = 0xBF04_2501, 0xBF1C_2501
"""ITT and a move to r5: the instruction after them is the block's second."""


def run(
    machine: Callable[..., Machine], code: int, *, fpu: int = FPU_ON, before: int | None = None
) -> tuple[Machine, dict[int, int]]:
    """Execute an instruction: the machine, and what the program stored, by offset: 0 if it went on, 4 CFSR, 8
    the stacked program counter, 12 the stacked xPSR.
    """
    part = machine(PROGRAM.replace("FPU", str(fpu)), {USAGE_FAULT: "fault"}, power=False)
    for label, encoding in (("before", before), ("here", code)):
        halfwords = () if encoding is None else halves(encoding)
        part.core.memory.preload(part.symbols[label], struct.pack(f"<{len(halfwords)}H", *halfwords))
    part.core.power_on()
    part.run_cycles(400)
    return part, {offset: value for _, offset, value in part.recorder.stores}


def halves(encoding: int) -> tuple[int, ...]:
    return (encoding >> 16, encoding & 0xFFFF) if encoding > 0xFFFF else (encoding,)


@pytest.mark.parametrize("name", [*WIDE, *NARROW])
def test_an_instruction_of_another_core_is_undefined(machine: Callable[..., Machine], name: str) -> None:
    part, stored = run(machine, (WIDE | NARROW)[name])
    assert 0 not in stored
    assert stored[4] == UNDEFINED
    assert stored[8] == part.symbols["here"]


@pytest.mark.parametrize("name", COPROCESSOR)
@pytest.mark.parametrize("fpu", [0, FPU_ON])
def test_there_is_no_coprocessor_but_the_floating_point_unit(
    machine: Callable[..., Machine], name: str, fpu: int
) -> None:
    part, stored = run(machine, COPROCESSOR[name], fpu=fpu)
    assert 0 not in stored
    assert stored[4] == NO_COPROCESSOR
    assert stored[8] == part.symbols["here"]


@pytest.mark.parametrize("name", ["VSEL", "VADD.F64", "VRINTA", "VLDR d16"])
def test_access_to_the_fpu_comes_before_what_it_has(machine: Callable[..., Machine], name: str) -> None:
    _, stored = run(machine, WIDE[name], fpu=0)
    assert 0 not in stored
    assert stored[4] == NO_COPROCESSOR


@pytest.mark.parametrize("name", EXECUTED)
def test_what_the_core_has_is_executed(machine: Callable[..., Machine], name: str) -> None:
    _, stored = run(machine, EXECUTED[name])
    assert stored == {0: 0x55}


@pytest.mark.parametrize("name", ["LDA", "LDREXD", "SETEND", "VSEL", "MCR p15"])
def test_one_whose_condition_fails_is_passed_over(machine: Callable[..., Machine], name: str) -> None:
    _, stored = run(machine, (WIDE | NARROW | COPROCESSOR)[name], before=IT_NE)
    assert stored == {0: 0x55}


@pytest.mark.parametrize("name", ["LDA", "LDREXD", "SETEND", "VSEL", "MCR p15"])
def test_one_in_an_it_block_is_found_there(machine: Callable[..., Machine], name: str) -> None:
    part, stored = run(machine, (WIDE | NARROW | COPROCESSOR)[name], before=IT_EQ)
    assert 0 not in stored
    assert stored[4] in (UNDEFINED, NO_COPROCESSOR)
    assert stored[8] == part.symbols["here"]
    assert (stored[12] >> 8 & 0xFC | stored[12] >> 25 & 3) == 0x08  # EQ, the last of its block

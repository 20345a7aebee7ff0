# SPDX-License-Identifier: Apache-2.0
"""Random encodings, most of them not a Cortex-M4's: the virtual core beside QEMU's own decoder."""

from __future__ import annotations

import random
import struct

import pytest

from tests.twin.core.test_core_against_qemu import needs_qemu
from tests.twin.core.test_mpu_against_qemu import CODE, STACK, UART, log_of_qemu, log_of_twin

LOG, PLACE, RESUME, PLAYGROUND = 0x2000_1000, 0x2000_0FF0, 0x2000_0FF4, 0x2001_0000
COUNT = 200
PRELUDE = """
.macro imm reg, value
 movw \\reg, #(\\value) & 0xffff
 movt \\reg, #(\\value) >> 16
.endm
.macro put address, value
 imm r0, \\address
 imm r1, \\value
 str r1, [r0]
.endm
fault:                       // logs CFSR, which instruction, 0; goes on where RESUME says
 imm r0, 0xE000ED28
 ldr r1, [r0]
 mov r2, #-1
 str r2, [r0]
 imm r0, {place}
 ldr r2, [r0]
 ldr r3, [r0, #4]
 tst lr, #4
 ite eq
 moveq r12, sp
 mrsne r12, psp
 str r3, [r12, #24]
 mov r3, #0x1000000
 str r3, [r12, #28]
 imm r3, {playground} - 4
 ldr r3, [r3]
 stmia r2!, {{r1, r3}}
 movs r3, #0
 stmia r2!, {{r3}}
 str r2, [r0]
 bx lr
"""
EPILOGUE = """
 imm r9, {uart}
 imm r0, {log}
 imm r2, {place}
 ldr r8, [r2]
 sub r1, r8, r0
 imm r2, {log} - 4
 str r1, [r2]
2: ldrb r3, [r2], #1
 str r3, [r9]
 cmp r2, r8
 bne 2b
 movs r0, #0x18           // semihosting: exit
 imm r1, 0x20026
 bkpt #0xab
 b .
"""


def encoding(choose: random.Random) -> int:
    """Return an encoding of two halfwords that neither branches nor writes SP, if any core executes it."""
    while True:
        first = choose.choice(
            (
                0xE800 | choose.getrandbits(9),  # multiple, dual, exclusive; TT
                0xE8C0 | choose.getrandbits(5),  # exclusive; acquire and release
                0xEC00 | choose.getrandbits(10),  # coprocessors
                0xEE00 | choose.getrandbits(8),  # floating point
                0xFC00 | choose.getrandbits(10),
                0xFE00 | choose.getrandbits(8),
                0xEF00 | choose.getrandbits(8) | choose.getrandbits(1) << 12,  # Advanced SIMD
                0xF900 | choose.getrandbits(8),
                0xFA00 | choose.getrandbits(9),  # registers, media, long multiplication
                0xF300 | choose.getrandbits(8),  # saturation, control
                0xF7E0 | choose.getrandbits(5),
            )
        )
        second = choose.getrandbits(16)
        if first >> 8 in (0xEC, 0xED, 0xEE, 0xFC, 0xFD, 0xFE) and choose.random() < 0.6:
            second = second & 0xF0FF | choose.choice((0xA00, 0xA00, 0xB00, 0x900))
        if allowed(first, second):
            return first << 16 | second


def allowed(first: int, second: int) -> bool:
    """Tell whether an encoding is fit: it needs no register that a program cannot spare."""
    special = (13, 14, 15)
    coprocessor = first >> 10 in (0xEC >> 2, 0xFC >> 2)
    memory = first >> 9 in (0xE8 >> 1, 0xEC >> 1, 0xFC >> 1) or first >> 8 == 0xF9
    if first & 15 in special or second >> 12 in special or (memory and first & 1):
        return False
    if coprocessor:
        return True
    if first >> 9 == 0xE8 >> 1 and not first & 0x40 and second & 0xA000:
        return False  # a list with SP or PC
    if first >> 12 == 0xF and not first & 0x0800 and second & 0x8000:  # no branch, no MSR, no hint that waits
        return second & 0xD000 == 0x8000 and first >> 4 in (0xF3C, 0xF3F, 0xF7E, 0xF7F)
    if first >> 5 == 0xE8C >> 1 and second >> 4 & 15 == 7:
        return False  # LDREXD, STREXD: QEMU 7.2 executes them; Armv7-M has none (DDI 0403, A5.3.6)
    return second & 15 not in special and second >> 8 & 15 not in special


def source(encodings: list[int]) -> str:
    lines = [PRELUDE.format(place=PLACE, playground=PLAYGROUND), "start:"]
    lines += [f" put {UART + 0x10}, 16", f" put {UART + 8}, 1", " put 0xE000ED24, 0x70000"]
    lines += [f" put {PLACE}, {LOG}", " put 0xE000ED88, 0xF00000", " dsb", " isb"]
    for number, code in enumerate(encodings):
        lines += [" adr.w r1, 8f", f" imm r0, {RESUME}", " str r1, [r0]", f" put {PLAYGROUND - 4}, {number}"]
        for register in range(13):  # even ones are addresses, odd ones small
            value = 8 * register if register & 1 else PLAYGROUND + 0x1000
            lines.append(f" imm r{register}, {value}")
        lines += [f" .short {code >> 16:#x}, {code & 0xFFFF:#x}", " .balign 4", "8:"]
    lines.append(EPILOGUE.format(uart=UART, log=LOG, place=PLACE))
    return "\n".join(lines)


def image(assembler, encodings: list[int]) -> bytes:
    code, labels = assembler(source(encodings))
    table = [STACK, CODE + labels["start"] | 1] + [0] * 62
    for number in (3, 4, 5, 6):
        table[number] = CODE + labels["fault"] | 1
    return struct.pack("<64I", *table).ljust(CODE, b"\0") + code


def usage_faults(log: list[tuple[int, ...]]) -> dict[int, int]:
    """Return the UsageFault bits by the number of the instruction; faults of other kinds do not count."""
    return {number: cfsr >> 16 for cfsr, number, _ in log if cfsr >> 16}


@needs_qemu
@pytest.mark.parametrize("seed", range(30, 34))
def test_the_same_encodings_fault_as_in_qemu(assembler, tmp_path, seed):
    choose = random.Random(seed)
    encodings = [encoding(choose) for _ in range(COUNT)]
    program = image(assembler, encodings)
    expected, seen = usage_faults(log_of_qemu(program, tmp_path)), usage_faults(log_of_twin(program))
    different = {
        f"{encodings[number]:08x}": (seen.get(number, 0), expected.get(number, 0))
        for number in range(COUNT)
        if seen.get(number, 0) != expected.get(number, 0)
    }
    assert not different, f"seed {seed}: encoding: (UFSR of the twin, of QEMU): {different}"
    assert len(expected) > COUNT // 4, f"seed {seed}: too little to compare"

# SPDX-License-Identifier: Apache-2.0
"""Random MPU settings and accesses: the virtual core beside QEMU's Cortex-M4, which has an MPU of its own."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from hil.twin.core import Scheduler
from tests.twin.core.conftest import make_core

QEMU = shutil.which("qemu-system-arm")
needs_qemu = pytest.mark.skipif(QEMU is None, reason="qemu-system-arm is not installed")

UART = 0x4000_4000  # CMSDK UART 0 of the machine mps2-an386
CODE, STACK, LOG, PLAYGROUND = 0x400, 0x2000_0F00, 0x2000_1000, 0x2000_4000
HANDLERS = {3: "hard_fault", 4: "memory_fault", 5: "other_fault", 6: "other_fault", 11: "supervisor"}
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
"""
EPILOGUE = """
 svc #0                   // privileged again
 put 0xE000ED94, 0
 dsb
 isb
 imm r9, {uart}
 imm r0, {log}
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
memory_fault:             // r10: which access; r11: where to go on
 imm r2, 0xE000ED28
 ldr r3, [r2]
 str r3, [r8], #4
 tst r3, #0x80
 ite ne
 ldrne r3, [r2, #12]
 moveq r3, #0
 str r3, [r8], #4
 str r10, [r8], #4
 tst lr, #4
 ite eq
 moveq r2, sp
 mrsne r2, psp
 str r11, [r2, #24]
 imm r2, 0xE000ED28
 mov r3, #-1
 str r3, [r2]
 bx lr
other_fault:
 b memory_fault
hard_fault:
 imm r3, 0xDEAD
 str r3, [r8], #4
 b memory_fault
supervisor:
 movs r0, #0
 msr control, r0
 bx lr
"""


def source(seed: int) -> str:
    """Return a program: it sets regions at random, then accesses memory at random, and logs what faults."""
    choose = random.Random(seed)
    lines = [PRELUDE, "start:", f" imm r8, {LOG}"]
    lines += [f" put {UART + 0x10}, 16", f" put {UART + 8}, 1", " put 0xE000ED24, 0x70000"]
    for round_number in range(6):
        background = choose.random() < 0.7
        lines += [" put 0xE000ED94, 0", " dsb", " isb"]
        for number in range(8):
            size = choose.randrange(4, 13)
            base = PLAYGROUND + choose.randrange(0, 1 << 13, 32) & ~((2 << size) - 1)
            subregions = choose.choice((0, 0, choose.randrange(256))) if size >= 7 else 0
            access = choose.choice((0, 1, 2, 3, 5, 6))
            never = choose.getrandbits(1)
            attributes = never << 28 | access << 24 | subregions << 8 | size << 1 | (choose.random() < 0.8)
            if number == 6:  # code and log, so that the program can go on
                base, attributes = 0x2000_0000, 3 << 24 | 12 << 1 | 1
            if number == 7:
                base, attributes = 0, 6 << 24 | 19 << 1 | 1
            lines += [f" put 0xE000ED98, {number}", f" put 0xE000ED9C, {base}"]
            lines += [f" put 0xE000EDA0, {attributes}"]
        lines += [f" put 0xE000ED94, {1 | 4 * background}", " dsb", " isb"]
        if choose.random() < 0.5:
            lines += [" movs r0, #1", " msr control, r0", " isb"]
        for access_number in range(12):
            address = PLAYGROUND + choose.randrange(0, 1 << 14, 4)
            operation = choose.choice(
                ("ldr r4, [r5]", "str r5, [r5]", "ldrb r4, [r5, #3]", "strh r5, [r5, #2]", "ldr r4, [r5]")
            )
            lines += [
                f" imm r5, {address}",
                f" imm r10, {round_number << 8 | access_number}",
                " adr.w r11, 8f",
                f" {operation}",
                " .balign 4",
                "8:",
            ]
        lines += [" svc #0"]
    lines.append(EPILOGUE.format(uart=UART, log=LOG))
    return "\n".join(lines)


def image(assembler, seed: int) -> bytes:
    code, labels = assembler(source(seed))
    table = [STACK, CODE + labels["start"] | 1] + [0] * 62
    for number, label in HANDLERS.items():
        table[number] = CODE + labels[label] | 1
    return struct.pack("<64I", *table).ljust(CODE, b"\0") + code


def log_of_qemu(program: bytes, folder: Path) -> list[tuple[int, ...]]:
    (folder / "program.bin").write_bytes(program)
    command = [str(QEMU), "-M", "mps2-an386", "-kernel", str(folder / "program.bin"), "-display", "none"]
    command += ["-monitor", "none", "-serial", f"file:{folder / 'log'}"]
    command += ["-semihosting-config", "enable=on,target=native"]
    subprocess.run(command, check=True, timeout=60, stdin=subprocess.DEVNULL, capture_output=True)
    return entries((folder / "log").read_bytes())


class Uart:
    """Where the program dumps its log."""

    name, base, size = "uart", UART, 0x400

    def __init__(self) -> None:
        self.received = bytearray()

    def read(self, offset: int, width: int) -> int:
        return 0

    def write(self, offset: int, width: int, value: int) -> None:
        if offset == 0:
            self.received.append(value & 0xFF)


def log_of_twin(program: bytes) -> list[tuple[int, ...]]:
    scheduler, uart = Scheduler(), Uart()
    core = make_core(scheduler)
    core.attach(uart)
    core.memory["flash"][: len(program)] = bytearray(program)
    core.power_on()
    for _ in range(100):
        scheduler.advance_to(scheduler.now_ps + 10**9)
        length = int.from_bytes(uart.received[:4], "little")
        if core.state == "lockup" or len(uart.received) >= 4 + length > 4:
            break
    return entries(bytes(uart.received))


def entries(dump: bytes) -> list[tuple[int, ...]]:
    """Return (CFSR, MMFAR if valid, which access) of every fault."""
    body = dump[4 : 4 + int.from_bytes(dump[:4], "little")]
    return list(struct.iter_unpack("<3I", body))


@needs_qemu
@pytest.mark.parametrize("seed", range(20, 26))
def test_the_same_accesses_fault_as_in_qemu(assembler, tmp_path, seed):
    program = image(assembler, seed)
    expected, seen = log_of_qemu(program, tmp_path), log_of_twin(program)
    assert seen == expected, f"seed {seed}: {len(seen)} faults, QEMU has {len(expected)}"
    assert len(expected) > 5, f"seed {seed}: too little to compare"

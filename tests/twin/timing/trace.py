# SPDX-License-Identifier: Apache-2.0
"""Runs the measured part of an image on plain Unicorn and keeps every instruction executed and its data
accesses.
"""

from __future__ import annotations

import functools

import unicorn
from unicorn import arm_const as arm

from hil.twin.core.engine import cortex_m4
from tests.twin.timing.arm_text import Step, decode
from tests.twin.timing.image_build import FLASH, Image

_RAM, _RAM_SIZE = 0x2000_0000, 0x1_8000
_LIMIT = 2_000_000


def record(image: Image) -> tuple[list[Step], int]:
    """Return the trace from the first read of CYCCNT to the call's return, and the program's result."""
    engine = cortex_m4()
    engine.mem_map(FLASH, 1 << 20)
    engine.mem_map(_RAM, _RAM_SIZE)
    engine.mem_map(0xE000_0000, 0x1_0000)
    engine.mem_write(FLASH, image.flash)
    symbol = image.symbols
    load, start, end = symbol["data_load"], symbol["data_start"], symbol["data_end"]
    engine.mem_write(start, image.flash[load - FLASH : load - FLASH + end - start])
    addresses: list[int] = []
    accesses: dict[int, list[tuple[int, int]]] = {}

    def executed(_engine: object, address: int, _size: int, _user: object) -> None:
        addresses.append(address)

    def accessed(_engine: object, _kind: int, address: int, size: int, _value: int, _user: object) -> None:
        accesses.setdefault(len(addresses) - 1, []).append((address, size))

    engine.hook_add(unicorn.UC_HOOK_CODE, executed)
    engine.hook_add(unicorn.UC_HOOK_MEM_READ | unicorn.UC_HOOK_MEM_WRITE, accessed)
    engine.reg_write(arm.UC_ARM_REG_SP, _RAM + _RAM_SIZE - 0x100)
    engine.reg_write(arm.UC_ARM_REG_R4, 0xE000_1004)
    engine.emu_start(symbol["measured_from"] | 1, symbol["measured_to"], count=_LIMIT)
    if engine.reg_read(arm.UC_ARM_REG_PC) != symbol["measured_to"]:
        raise RuntimeError(f"the program did not return within {_LIMIT} instructions")
    steps: list[Step] = []
    for i, address in enumerate(addresses):
        if steps:
            steps += _not_executed(image, steps[-1], address)
        steps.append(Step(address, _bytes_at(image, address), tuple(accesses.get(i, ()))))
    return steps, int(engine.reg_read(arm.UC_ARM_REG_R0))


def _not_executed(image: Image, before: Step, to: int) -> list[Step]:
    """Return the instructions of an IT block between two steps whose condition failed: Unicorn does not tell
    them.
    """
    instruction = decode(before.code, before.address)
    at = before.address + instruction.size
    skipped = []
    while not instruction.may_jump and at < to:
        skipped.append(Step(at, _bytes_at(image, at), ()))
        at += decode(skipped[-1].code, at).size
    return skipped


@functools.cache
def _bytes_at(image: Image, address: int) -> bytes:
    return image.flash[address - FLASH : address - FLASH + 4].ljust(4, b"\0")

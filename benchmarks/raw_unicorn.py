# SPDX-License-Identifier: Apache-2.0
"""An image on plain Unicorn, which the twin is measured by: instructions and memory, no time, no devices."""

from __future__ import annotations

import time

from unicorn import arm_const as arm

from hil.boards import REFERENCE, Board
from hil.firmware.image import Image
from hil.twin.core.engine import cortex_m4

_PART = Board.load(REFERENCE).part
_OVER = _PART.flash.end - 4
"""Where `program` returns to; nothing is there to be executed."""


class RawUnicorn:
    """`program` of an image, called as the image's own start-up code does."""

    def __init__(self, image: Image) -> None:
        self._program = image.symbol("program")
        self._data = (image.symbol("data_load"), image.symbol("data_start"), image.symbol("data_end"))
        self._bss = (image.symbol("bss_start"), image.symbol("bss_end"))
        self._engine = cortex_m4()
        self._engine.mem_map(_PART.flash.base, _PART.flash.size)
        self._engine.mem_map(_PART.sram1.base, _PART.sram1.size)
        for segment in image.segments:
            self._engine.mem_write(segment.address, segment.data)

    def run(self) -> tuple[float, int]:
        """Run the program once; return wall time in seconds, and its result."""
        engine = self._engine
        load, start, end = self._data
        engine.mem_write(start, bytes(engine.mem_read(load, end - start)))
        engine.mem_write(self._bss[0], bytes(self._bss[1] - self._bss[0]))
        engine.reg_write(arm.UC_ARM_REG_SP, _PART.sram1.end)
        engine.reg_write(arm.UC_ARM_REG_LR, _OVER | 1)
        began_s = time.perf_counter()
        engine.emu_start(self._program | 1, _OVER)
        return time.perf_counter() - began_s, int(engine.reg_read(arm.UC_ARM_REG_R0))

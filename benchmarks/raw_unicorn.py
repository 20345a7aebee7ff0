# SPDX-License-Identifier: Apache-2.0
"""An image on plain Unicorn, which the twin is measured by: instructions and memory, no time, no devices."""

from __future__ import annotations

import time

from unicorn import arm_const as arm

from hil.firmware.image import FLASH_SIZE, FLASH_START, Image
from hil.twin.core.engine import cortex_m4

_SRAM1_START, _SRAM1_SIZE = 0x2000_0000, 0x1_8000  # DS10198 Rev 8, figure 17
_OVER = FLASH_START + FLASH_SIZE - 4
"""Where `program` returns to; nothing is there to be executed."""


class RawUnicorn:
    """`program` of an image, called as the image's own start-up code does."""

    def __init__(self, image: Image) -> None:
        self._program = image.symbol("program")
        self._data = (image.symbol("data_load"), image.symbol("data_start"), image.symbol("data_end"))
        self._bss = (image.symbol("bss_start"), image.symbol("bss_end"))
        self._engine = cortex_m4()
        self._engine.mem_map(FLASH_START, FLASH_SIZE)
        self._engine.mem_map(_SRAM1_START, _SRAM1_SIZE)
        for segment in image.segments:
            self._engine.mem_write(segment.address, segment.data)

    def run(self) -> tuple[float, int]:
        """Run the program once; return wall time in seconds, and its result."""
        engine = self._engine
        load, start, end = self._data
        engine.mem_write(start, bytes(engine.mem_read(load, end - start)))
        engine.mem_write(self._bss[0], bytes(self._bss[1] - self._bss[0]))
        engine.reg_write(arm.UC_ARM_REG_SP, _SRAM1_START + _SRAM1_SIZE)
        engine.reg_write(arm.UC_ARM_REG_LR, _OVER | 1)
        began_s = time.perf_counter()
        engine.emu_start(self._program | 1, _OVER)
        return time.perf_counter() - began_s, int(engine.reg_read(arm.UC_ARM_REG_R0))

# SPDX-License-Identifier: Apache-2.0
"""A powered part whose core sleeps, so that tests can work its peripherals from outside."""

from __future__ import annotations

from hil.boards import REFERENCE
from hil.twin.soc.stm32l4.clock_tree import LSI_HZ
from hil.twin.uart_line import Format
from tests.twin.bare_part import PS_PER_S, BarePart


class Part(BarePart):
    """The part, on its supply."""

    def __init__(self, lsi_hz: int = LSI_HZ, board: str = REFERENCE) -> None:
        super().__init__(lsi_hz=lsi_hz, board=board)
        self.mcu.set_supply_voltage(3.0)
        self.advance(1e-3)
        assert self.mcu.mode == "sleep"

    def read(self, name: str, offset: int, width: int = 4) -> int:
        return self.mcu.peripherals.blocks[name].read(offset, width)

    def write(self, name: str, offset: int, value: int, width: int = 4) -> None:
        self.mcu.peripherals.blocks[name].write(offset, width, value)

    def set_bits(self, name: str, offset: int, bits: int) -> None:
        self.write(name, offset, self.read(name, offset) | bits)

    def put_frame(
        self, pin: str, data: int, baud: float = 115_200.0, frame: Format | None = None, stop_bits: float = 1
    ) -> None:
        """A UART's frame on a pin that idles high; afterwards it is over."""
        bit_ps = PS_PER_S / baud
        levels = (*(frame or Format()).levels(data), True)
        start_ps = self.now_ps
        for bit, level in enumerate(levels):
            self.mcu.scheduler.advance_to(round(start_ps + bit * bit_ps))
            self.pins[pin].set_external_level(level, self.now_ps)
        self.mcu.scheduler.advance_to(round(start_ps + (len(levels) - 1 + stop_bits) * bit_ps))

    def enable_clock(self, enable_offset: int, bit: int) -> None:
        self.set_bits("RCC", enable_offset, 1 << bit)

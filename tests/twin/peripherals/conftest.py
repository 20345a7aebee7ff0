# SPDX-License-Identifier: Apache-2.0
"""A powered part whose core sleeps, so that tests can work its peripherals from outside."""

from dataclasses import dataclass

import numpy as np
import pytest

from hil.twin.mcu import Stm32l476
from hil.twin.pins import Pins, make_pins
from hil.twin.uart_line import Format

PS_PER_S = 10**12
# Stack pointer, reset vector, then: cpsid i; loop: wfi; b loop. Masked interrupts still end WFI.
IDLE_PROGRAM = np.array([0x2000_8000, 0x0800_0009, 0xBF30B672, 0x0000_E7FD], dtype="<u4").view(np.uint8)


@dataclass
class Part:
    """The part and its outside."""

    mcu: Stm32l476
    pins: Pins

    @property
    def now_ps(self) -> int:
        return self.mcu.scheduler.now_ps

    def advance(self, seconds: float) -> None:
        self.mcu.scheduler.advance_to(self.now_ps + round(seconds * PS_PER_S))

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


@pytest.fixture
def part() -> Part:
    pins = make_pins()
    mcu = Stm32l476(pins, seed=1)
    mcu.core.memory.flash[: len(IDLE_PROGRAM)] = IDLE_PROGRAM
    part = Part(mcu, pins)
    mcu.set_supply_voltage(3.0)
    part.advance(1e-3)
    assert mcu.mode == "sleep"
    return part

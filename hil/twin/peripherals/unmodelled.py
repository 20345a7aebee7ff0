# SPDX-License-Identifier: Apache-2.0
"""Peripherals that the twin does not model: they read as zero, and the twin remembers that they were used."""

from typing import Final

from hil.twin.peripherals.memory_map import BASE
from hil.twin.peripherals.registers import RegisterBlock

_SIZES: Final = {"ADC2": 0x100, "ADC3": 0x100}


class Unmodelled(RegisterBlock):
    """A block without behaviour. ``used`` tells whether the firmware wrote to it with its clock on."""

    def __init__(self, name: str) -> None:
        super().__init__(name, BASE[name], _SIZES.get(name, 0x400))
        self.used = False

    def write_word(self, offset: int, value: int) -> None:
        """Nothing happens; remembered."""
        self.used = True

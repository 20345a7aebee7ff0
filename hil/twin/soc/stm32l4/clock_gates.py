# SPDX-License-Identifier: Apache-2.0
"""Which RCC bit gates, resets and keeps running in Sleep which peripheral.

The enable registers lie at 0x48 to 0x60; the reset register of each is 0x20 below, the Sleep-mode enable
register 0x20 above, all with the same bit (ST's stm32l476xx.h). The bits are the part's data (clocks.toml).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from hil.datasheet.figures import DatasheetError
from hil.parts import Blocks

Bus = Literal["AHB", "APB1", "APB2"]

AHB1ENR: Final = 0x48
_REGISTERS: Final[dict[str, tuple[int, Bus]]] = {
    "AHB1ENR": (AHB1ENR, "AHB"),
    "AHB2ENR": (0x4C, "AHB"),
    "AHB3ENR": (0x50, "AHB"),
    "APB1ENR1": (0x58, "APB1"),
    "APB1ENR2": (0x5C, "APB1"),
    "APB2ENR": (0x60, "APB2"),
}
ENABLE_REGISTERS: Final = tuple(offset for offset, _ in _REGISTERS.values())
TO_RESET: Final = -0x20
TO_SLEEP_ENABLE: Final = 0x20


@dataclass(frozen=True)
class ClockGate:
    """The position of one peripheral's bits, and its bus."""

    enable_offset: int
    bit: int
    bus: Bus


class ClockGates(dict[str, ClockGate]):
    """Every clock gate of a part by the peripheral's name."""

    def __init__(self, blocks: Blocks) -> None:
        """Raises DatasheetError for a register that the RCC has not."""
        super().__init__()
        for name, (register, bit) in blocks.gates.items():
            if register not in _REGISTERS:
                raise DatasheetError(
                    f"clocks.toml, {name}: no enable register {register!r}; expected {', '.join(_REGISTERS)}"
                )
            offset, bus = _REGISTERS[register]
            self[name] = ClockGate(offset, bit, bus)
        self._names: dict[tuple[int, int], tuple[str, ...]] = {}

    def names(self, enable_offset: int, bits: int) -> tuple[str, ...]:
        """The gates behind bits of an enable register."""
        found = self._names.get((enable_offset, bits))
        if found is None:
            found = tuple(
                name
                for name, gate in self.items()
                if gate.enable_offset == enable_offset and bits >> gate.bit & 1
            )
            self._names[enable_offset, bits] = found
        return found

    def bits_of(self, gates: Iterable[str]) -> dict[int, int]:
        """The bits of these gates by register: enable, reset and Sleep-mode enable."""
        found: dict[int, int] = {}
        for name in gates:
            gate = self[name]
            for shift in (0, TO_RESET, TO_SLEEP_ENABLE):
                offset = gate.enable_offset + shift
                found[offset] = found.get(offset, 0) | 1 << gate.bit
        return found

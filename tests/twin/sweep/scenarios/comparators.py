# SPDX-License-Identifier: Apache-2.0
"""The comparators: what their registers do to their outputs."""

from __future__ import annotations

from hil.twin.ip.comp_v3 import COMP1_CSR, COMP2_CSR
from tests.twin.sweep.registry import scenario
from tests.twin.sweep.subject import Subject

EN, WINMODE, BRGEN, SCALEN = 1, 1 << 9, 1 << 22, 1 << 23


def _compared(settings: int, codes: tuple[int, int], high: tuple[str, ...]) -> None:
    @scenario("COMP")
    def compared(s: Subject) -> None:
        """Pins on a rail, the DAC on two values, both comparators on; then a last store."""
        s.write("DAC1", 0x3C, 3 << 16 | 3)
        s.write("DAC1", 0x20, codes[1] << 16 | codes[0])
        s.write("DAC1", 0x00, 1 << 16 | 1)
        for pin in ("PB1", "PB2", "PB3", "PB4", "PB6", "PB7", "PC4", "PC5"):
            s.drive(pin, pin in high)
        for register in (COMP1_CSR, COMP2_CSR):
            s.write("COMP", register, EN | settings)
            s.sample()
        for register in (COMP1_CSR, COMP2_CSR):
            s.write("COMP", register, 0)
        s.sample()


for _settings in (0, 3 << 4 | SCALEN, 4 << 4, 5 << 4, 6 << 4, 7 << 4, 7 << 4 | WINMODE, 1 << 7 | 6 << 4):
    for _high in (("PC5", "PB4", "PB3", "PC4"), ("PB2", "PB6", "PB7", "PB1"), ("PC5", "PB6")):
        _compared(_settings, (0x700, 0x900), _high)


def _scaled(owner: int) -> None:
    @scenario("COMP")
    def scaled(s: Subject) -> None:
        """The DAC's output at the plus inputs goes past the taps of the scaler that one register enables."""
        s.begin()
        for pin in ("PB2", "PC5", "PB4", "PB6"):
            s.pins[pin].drive_analog(s.mcu.peripherals.analog.dac.channels[0])
        s.write("DAC1", 0x00, 1)
        for register in (COMP1_CSR, COMP2_CSR):
            s.write("COMP", register, EN | (BRGEN | SCALEN if register == owner else 0))
        for code in (0x100, 0x300, 0x500, 0x800):
            s.write("DAC1", 0x08, code)
            s.sample()
        for pin in ("PB2", "PC5", "PB4", "PB6"):
            s.pins[pin].drive_analog(None)


_scaled(COMP1_CSR)
_scaled(COMP2_CSR)

# SPDX-License-Identifier: Apache-2.0
"""Registers common to the three ADCs (RM0351, ADC section): clock and internal channels."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from hil.twin.peripherals.memory_map import BASE
from hil.twin.peripherals.registers import RegisterBlock, field

CSR: Final = 0x00
CCR: Final = 0x08
CDR: Final = 0x0C

_PRESCALER: Final = (1, 2, 4, 6, 8, 10, 12, 16, 32, 64, 128, 256)


class AdcCommon(RegisterBlock):
    """ADCx_CCR. ``listeners`` are called after a write."""

    resets: ClassVar[Mapping[int, int]] = {CSR: 0, CCR: 0, CDR: 0}
    writable: ClassVar[Mapping[int, int]] = {CSR: 0, CCR: 0x01FF_EF1F, CDR: 0}
    not_modelled: ClassVar[Mapping[int, int]] = {CCR: 0xEF1F}
    """Dual mode."""

    def __init__(self, hclk_hz: Callable[[], int], asynchronous_hz: Callable[[], int]) -> None:
        super().__init__("ADC123_COMMON", BASE["ADC123_COMMON"], 0x100)
        self._hclk_hz = hclk_hz
        self._asynchronous_hz = asynchronous_hz
        self.listeners: list[Callable[[], None]] = []

    @property
    def clock_hz(self) -> float:
        """The ADCs' clock: asynchronous and prescaled, or HCLK / 1, 2, 4; zero if its source is off."""
        mode = field(self.words[CCR], 16, 2)
        if mode:
            return self._hclk_hz() / (1 << (mode - 1))
        return self._asynchronous_hz() / _PRESCALER[min(field(self.words[CCR], 18, 4), len(_PRESCALER) - 1)]

    @property
    def reference_buffer_on(self) -> bool:
        """VREFEN."""
        return bool(field(self.words[CCR], 22))

    @property
    def temperature_sensor_on(self) -> bool:
        """TSEN (CH17SEL)."""
        return bool(field(self.words[CCR], 23))

    @property
    def battery_divider_on(self) -> bool:
        """VBATEN (CH18SEL)."""
        return bool(field(self.words[CCR], 24))

    def write_word(self, offset: int, value: int) -> None:
        """Write a register."""
        self.store(offset, value)
        for listener in self.listeners:
            listener()

# SPDX-License-Identifier: Apache-2.0
"""Registers common to the three ADCs (RM0351, ADC section): clock and internal channels."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final, Protocol

from hil.parts import Block
from hil.twin.ip.register_block import RegisterBlock, field
from hil.twin.ip.tick_counter import PS_PER_S
from hil.twin.signal import Signal

CSR: Final = 0x00
CCR: Final = 0x08
CDR: Final = 0x0C

_PRESCALER: Final = (1, 2, 4, 6, 8, 10, 12, 16, 32, 64, 128, 256)


_INDEPENDENT: Final = 0
SIMULTANEOUS: Final = (1, 2, 6)
INTERLEAVED: Final = (3, 7)
"""DUAL codes by what becomes of the regular sequences; below 6 injected modes are combined with them."""
_DUAL: Final = 0x1F


class Pair(Protocol):
    """ADC1 and ADC2 in dual mode."""

    @property
    def status(self) -> int:
        """CSR."""

    @property
    def active(self) -> bool:
        """Whether the slave follows the master."""

    @property
    def shares_dma(self) -> bool:
        """Whether one request moves a result of each."""

    def take_data(self) -> int:
        """CDR."""

    def is_led(self, adc: RegisterBlock) -> bool:
        """Whether the other one starts and stops this one."""

    def sequencing(self, adc: RegisterBlock, config: int) -> int:
        """The CFGR that decides what begins and repeats sequences."""

    def begun(self, adc: RegisterBlock) -> None:
        """A conversion began."""

    def schedules(self, adc: RegisterBlock) -> bool:
        """Whether the next conversion of a sequence is begun from outside."""

    def stopped(self, adc: RegisterBlock) -> None:
        """Conversions were stopped."""

    def request_dma(self) -> None:
        """A result came."""


class AdcCommon(RegisterBlock):
    """ADCx_CCR, CSR and CDR. ``changed`` tells of a write, ``pair`` is behind CSR and CDR."""

    resets: ClassVar[Mapping[int, int]] = {CSR: 0, CCR: 0, CDR: 0}
    writable: ClassVar[Mapping[int, int]] = {CSR: 0, CCR: 0x01FF_EF1F, CDR: 0}
    polled: ClassVar[frozenset[int]] = frozenset({CSR})

    def __init__(
        self,
        block: Block,
        now_ps: Callable[[], int],
        hclk_hz: Callable[[], int],
        asynchronous_hz: Callable[[], int],
    ) -> None:
        super().__init__(block)
        self.pair: Pair | None = None
        self._now_ps = now_ps
        self._hclk_hz = hclk_hz
        self._asynchronous_hz = asynchronous_hz
        self.changed: Signal[[]] = Signal(required=True)

    @property
    def clock_hz(self) -> float:
        """The ADCs' clock: asynchronous and prescaled, or HCLK / 1, 2, 4; zero if its source is off."""
        mode = field(self.words[CCR], 16, 2)
        if mode:
            return self._hclk_hz() / (1 << (mode - 1))
        return self._asynchronous_hz() / _PRESCALER[min(field(self.words[CCR], 18, 4), len(_PRESCALER) - 1)]

    def after_ps(self, cycles: float) -> int:
        """The time after so many of its cycles from now; now if it stands still."""
        return self._now_ps() + (round(cycles * PS_PER_S / self.clock_hz) if self.clock_hz else 0)

    @property
    def dual(self) -> int:
        """DUAL."""
        return self.words[CCR] & _DUAL

    @property
    def shared_dma(self) -> int:
        """MDMA."""
        return field(self.words[CCR], 14, 2)

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

    def read_word(self, offset: int) -> int:
        """CSR mirrors flags, CDR takes results."""
        if self.pair is not None and offset == CSR:
            return self.pair.status
        if self.pair is not None and offset == CDR:
            return self.pair.take_data()
        return super().read_word(offset)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register."""
        self.store(offset, value)
        injected = self.dual not in (_INDEPENDENT, *SIMULTANEOUS, *INTERLEAVED)
        if offset == CCR and injected and self.unknowns is not None:
            self.unknowns.without_effect(self, CCR, _DUAL)
        self.changed()

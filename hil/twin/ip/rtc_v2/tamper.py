# SPDX-License-Identifier: Apache-2.0
"""Tamper detection and time stamps of the RTC (RM0351, RTC section: tamper detection, time-stamp function).

Bits of RTC_TAMPCR as in ST's stm32l476xx.h. They work in the backup domain, on the pads themselves, whatever
the ports' configuration.
"""

from collections.abc import Callable, MutableMapping
from functools import partial
from typing import Final, Protocol

from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.ip.register_block import field
from hil.twin.ip.tick_counter import PS_PER_S

TAMPER_PINS: Final = ("PC13", "PA0", "PE6")
"""RTC_TAMP1 to RTC_TAMP3 (DS10198 Rev 8, Table 16); the first is also RTC_TS."""
_ENABLE_BITS: Final = (0, 3, 5)
"""TAMPxE; TAMPxTRG is the next bit."""
_OWN_BITS: Final = 16
"""TAMP1IE; NOERASE and MF follow, then those of the next pin."""
_TAMPIE, _TAMPTS, _PUDIS = 1 << 2, 1 << 7, 1 << 15
_SLOWEST_SAMPLE_TICKS: Final = 32_768
"""RTCCLK cycles between two samples for TAMPFREQ = 0, halved by each step."""


class Owner(Protocol):
    """What the detection does to the RTC."""

    @property
    def clock_hz(self) -> int:
        """RTCCLK; zero if it stands still."""

    def tampered(self, index: int, *, erase: bool, stamp: bool) -> None:
        """Pin ``index`` was tampered with."""


class TamperDetection:
    """The tamper pins; ``word`` is RTC_TAMPCR, ``level`` the level outside at a pin, None if it floats."""

    def __init__(
        self,
        scheduler: Scheduler,
        words: Callable[[], MutableMapping[int, int]],
        offset: int,
        level: Callable[[int], bool | None],
        owner: Owner,
    ) -> None:
        self._scheduler = scheduler
        self._words = words
        self._offset = offset
        self._owner = owner
        self._sampling: list[Event | None] = [None] * len(TAMPER_PINS)
        self._level_at = level

    def interrupts(self, index: int) -> bool:
        """Whether a detection at the pin asks for an interrupt."""
        return bool(self._control & _TAMPIE) or bool(field(self._control, _OWN_BITS + 3 * index))

    def masked(self, index: int) -> bool:
        """TAMPxMF: the flag is cleared by hardware, nothing is erased and no interrupt asked for."""
        return bool(field(self._control, _OWN_BITS + 3 * index + 2))

    def changed(self, index: int) -> None:
        """The level at a pin changed."""
        if not self._enabled(index):
            return
        if self._samples:
            self._watch_level(index)
        elif self._level(index) is not self._trigger(index):  # 0 is a rising edge, 1 a falling one
            self._detect(index)

    def configured(self) -> None:
        """RTC_TAMPCR was written, or RTCCLK changed: level detection begins anew."""
        for index in range(len(TAMPER_PINS)):
            self._stop(index)
            if self._enabled(index) and self._samples:
                self._watch_level(index)

    def _watch_level(self, index: int) -> None:
        """A level that stays active for so many samples in a row is a detection."""
        self._stop(index)
        hz = self._owner.clock_hz
        if self._level(index) is self._trigger(index) and hz:  # 0 is the low level, 1 the high one
            ticks = (_SLOWEST_SAMPLE_TICKS >> field(self._control, 8, 3)) * self._samples
            self._sampling[index] = self._scheduler.after(
                ticks * PS_PER_S // hz, partial(self._detect, index)
            )

    def _detect(self, index: int) -> None:
        self._stop(index)
        masked = self.masked(index)
        erase = not masked and not field(self._control, _OWN_BITS + 3 * index + 1)
        self._owner.tampered(index, erase=erase, stamp=bool(self._control & _TAMPTS))

    def _stop(self, index: int) -> None:
        event = self._sampling[index]
        if event is not None:
            event.cancel()
            self._sampling[index] = None

    @property
    def _control(self) -> int:
        return self._words()[self._offset]

    @property
    def _samples(self) -> int:
        """By TAMPFLT; zero is edge detection."""
        code = field(self._control, 11, 2)
        return 1 << code if code else 0

    def _enabled(self, index: int) -> bool:
        return bool(field(self._control, _ENABLE_BITS[index]))

    def _trigger(self, index: int) -> bool:
        return bool(field(self._control, _ENABLE_BITS[index] + 1))

    def _level(self, index: int) -> bool:
        """An undriven pin is pulled up before it is sampled, unless TAMPPUDIS."""
        level = self._level_at(index)
        return not self._control & _PUDIS if level is None else level

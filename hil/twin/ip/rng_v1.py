# SPDX-License-Identifier: Apache-2.0
"""Random number generator (RM0351, RNG section), on the 48 MHz clock; its numbers follow the bench's seed."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

import numpy as np

from hil.parts import Block
from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.ip.interrupts import InterruptSource
from hil.twin.ip.register_block import RegisterBlock
from hil.twin.ip.tick_counter import PS_PER_S

CR: Final = 0x00
SR: Final = 0x04
DR: Final = 0x08

_RNGEN, _IE = 1 << 2, 1 << 3
_DRDY, _CECS, _CEIS = 1 << 0, 1 << 1, 1 << 5
_CYCLES_PER_NUMBER: Final = 40
"""Cycles of the 48 MHz clock between two numbers (RM0351, RNG main features)."""


class Rng(RegisterBlock):
    """The RNG. ``clock_hz`` is what CLK48SEL selects; without it the clock error is flagged."""

    resets: ClassVar[Mapping[int, int]] = {CR: 0, SR: 0, DR: 0}
    writable: ClassVar[Mapping[int, int]] = {CR: _RNGEN | _IE, SR: 0, DR: 0}
    words_only: ClassVar[bool] = True
    """RM0351, RNG main features: other accesses give an AHB bus error."""

    def __init__(
        self,
        block: Block,
        scheduler: Scheduler,
        interrupt: InterruptSource,
        clock_hz: Callable[[], int],
        numbers: np.random.Generator,
    ) -> None:
        super().__init__(block)
        self._scheduler = scheduler
        self._interrupt = interrupt
        self._clock_hz = clock_hz
        self._numbers = numbers
        self._next: Event | None = None

    def reset(self) -> None:
        """System reset: off."""
        super().reset()
        self._plan()
        self._update()

    def retime(self) -> None:
        """The 48 MHz clock may have come or gone."""
        if self.words[CR] & _RNGEN and self._next is None and not self.words[SR] & _DRDY:
            self._plan()
        self._update()

    def read_word(self, offset: int) -> int:
        """RNG_DR gives each number once, and zero while there is none."""
        word = super().read_word(offset)
        if offset == DR:
            self.words[DR] = 0
            self.words[SR] &= ~_DRDY
            if self._next is None:
                self._plan()
            self._update()
        elif offset == SR and self.words[CR] & _RNGEN and not self._clock_hz():
            word |= _CECS
        return word

    def write_word(self, offset: int, value: int) -> None:
        """Write a register; the interrupt flags are cleared by zeros."""
        if offset == SR:
            self.words[SR] &= value | _DRDY
        else:
            before = self.words[CR]
            self.store(offset, value)
            if offset == CR and (before ^ value) & _RNGEN:
                self.words[SR] &= ~_DRDY
                self._plan()
        self._update()

    def _plan(self) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if not self.words[CR] & _RNGEN:
            return
        clock_hz = self._clock_hz()
        if clock_hz:
            delay_ps = _CYCLES_PER_NUMBER * PS_PER_S // clock_hz
            self._next = self._scheduler.after(delay_ps, self._ready)
        else:
            self.words[SR] |= _CEIS

    def _ready(self) -> None:
        self._next = None
        self.words[DR] = int(self._numbers.integers(1, 1 << 32))
        self.words[SR] |= _DRDY
        self._update()

    def _update(self) -> None:
        self._interrupt.set(bool(self.words[CR] & _IE and self.words[SR] & (_DRDY | _CEIS)))

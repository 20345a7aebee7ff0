# SPDX-License-Identifier: Apache-2.0
"""A timer's flags and what they ask for: interrupts and DMA transfers (RM0351, TIMx_SR, TIMx_DIER)."""

from collections.abc import Callable, MutableMapping

from hil.twin.ip.interrupts import InterruptSource
from hil.twin.ip.timer_v1.connections import DmaRequests
from hil.twin.ip.timer_v1.dma_burst import DmaBurst
from hil.twin.ip.timer_v1.registers import (
    CC1DE,
    CC1IF,
    CC1OF,
    CCDS,
    COMDE,
    COMIF,
    CR2,
    DIER,
    SR,
    TDE,
    TIF,
    UDE,
    UIE,
    UIF,
)


class TimerRequests:
    """``interrupts`` are (flags in SR, line) pairs."""

    def __init__(
        self,
        words: Callable[[], MutableMapping[int, int]],
        interrupts: tuple[tuple[int, InterruptSource], ...],
        dma: DmaRequests,
    ) -> None:
        self._words = words
        self._interrupts = interrupts
        self.burst = DmaBurst(words)
        self._dma = dma

    def flag(self, flags: int) -> None:
        """Set flags that ask for interrupts only."""
        self._words()[SR] |= flags
        self.refresh()

    def flag_update(self) -> None:
        """UIF."""
        self.flag(UIF)
        if self._words()[DIER] & UDE:
            self.burst.ask(self._dma.update)
        if self.matches_wait:
            for channel, request in enumerate(self._dma.compare):
                if self._words()[DIER] & CC1DE << channel:
                    self.burst.ask(request)

    @property
    def matches_wait(self) -> bool:
        """Whether matches ask for DMA at the update only (CCDS)."""
        return bool(self._words()[CR2] & CCDS)

    @property
    def wants_updates(self) -> bool:
        """Whether an update interrupts, or asks for DMA."""
        enables = self._words()[DIER]
        return bool(enables & (UIE | UDE)) or (self.matches_wait and bool(enables & 0xF * CC1DE))

    def flag_commutation(self) -> None:
        """COMIF."""
        self.flag(COMIF)
        if self._words()[DIER] & COMDE:
            self.burst.ask(self._dma.commutation)

    def flag_trigger(self) -> None:
        """TIF."""
        self.flag(TIF)
        if self._words()[DIER] & TDE:
            self.burst.ask(self._dma.trigger)

    def flag_channel(self, channel: int) -> None:
        """CCxIF after a match or a capture."""
        self.flag(CC1IF << channel)
        if self._words()[DIER] & CC1DE << channel and not self.matches_wait:
            self.burst.ask(self._dma.compare[channel])

    def flag_capture(self, channel: int) -> None:
        """CCxIF, and CCxOF if the value before was not read."""
        if self._words()[SR] & CC1IF << channel:
            self._words()[SR] |= CC1OF << channel
        self.flag_channel(channel)

    def refresh(self) -> None:
        """Flags or enables changed."""
        wanted = self._words()[SR] & self._words()[DIER]
        for flags, interrupt in self._interrupts:
            interrupt.set(bool(wanted & flags))

# SPDX-License-Identifier: Apache-2.0
"""A timer's flags and what they ask for: interrupts and DMA transfers (RM0351, TIMx_SR, TIMx_DIER)."""

from collections.abc import Callable, MutableMapping

from hil.twin.ip.interrupts import InterruptSource
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
    """``interrupts`` are (flags in SR, line) pairs; the DMA's callables say whether they were served."""

    def __init__(
        self,
        words: Callable[[], MutableMapping[int, int]],
        interrupts: tuple[tuple[int, InterruptSource], ...],
        channels: int,
    ) -> None:
        self._words = words
        self._interrupts = interrupts
        self.burst = DmaBurst(words)
        self.update: Callable[[], bool] = lambda: False
        """Asks the DMA to serve an update."""
        self.trigger: Callable[[], bool] = lambda: False
        """Asks it to serve a trigger."""
        self.commutation: Callable[[], bool] = lambda: False
        """Asks it to serve a commutation."""
        self.compare: list[Callable[[], bool]] = [lambda: False] * channels
        """Asks it to serve a match or a capture, per channel."""

    def flag(self, flags: int) -> None:
        """Set flags that ask for interrupts only."""
        self._words()[SR] |= flags
        self.refresh()

    def flag_update(self) -> None:
        """UIF."""
        self.flag(UIF)
        if self._words()[DIER] & UDE:
            self.burst.ask(self.update)
        if self.matches_wait:
            for channel, request in enumerate(self.compare):
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
            self.burst.ask(self.commutation)

    def flag_trigger(self) -> None:
        """TIF."""
        self.flag(TIF)
        if self._words()[DIER] & TDE:
            self.burst.ask(self.trigger)

    def flag_channel(self, channel: int) -> None:
        """CCxIF after a match or a capture."""
        self.flag(CC1IF << channel)
        if self._words()[DIER] & CC1DE << channel and not self.matches_wait:
            self.burst.ask(self.compare[channel])

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

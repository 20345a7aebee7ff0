# SPDX-License-Identifier: Apache-2.0
"""A timer's flags and what they ask for: interrupts and DMA transfers (RM0351, TIMx_SR, TIMx_DIER)."""

from collections.abc import Callable, MutableMapping

from hil.twin.peripherals.interrupts import InterruptSource
from hil.twin.peripherals.tim_registers import CC1DE, CC1IF, CC1OF, DIER, SR, TDE, TIF, UDE, UIF


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
        self.update: Callable[[], bool] = lambda: False
        """Asks the DMA to serve an update."""
        self.trigger: Callable[[], bool] = lambda: False
        """Asks it to serve a trigger."""
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
            self.update()

    def flag_trigger(self) -> None:
        """TIF."""
        self.flag(TIF)
        if self._words()[DIER] & TDE:
            self.trigger()

    def flag_channel(self, channel: int) -> None:
        """CCxIF after a match or a capture."""
        self.flag(CC1IF << channel)
        if self._words()[DIER] & CC1DE << channel:
            self.compare[channel]()

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

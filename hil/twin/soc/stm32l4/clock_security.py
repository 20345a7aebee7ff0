# SPDX-License-Identifier: Apache-2.0
"""Clock security systems on LSE and HSE (RM0351, RCC section): a clock that stops is told of."""

from collections.abc import Callable, MutableMapping
from typing import Final

from hil.twin.signal import Signal
from hil.twin.soc.stm32l4.clock_sources import ClockSources
from hil.twin.soc.stm32l4.clock_tree import SystemClock
from hil.twin.soc.stm32l4.rcc_registers import (
    BDCR,
    CFGR,
    CIER,
    CIFR,
    CR,
    CSSON,
    HSEON,
    HSION,
    LSECSSD,
    LSECSSON,
    MSION,
    PLLCFGR,
    PLLON,
)

_LSE_FAILURE: Final = 1 << 9
"""LSECSSF in RCC_CIFR, LSECSSIE in RCC_CIER."""
HSE_FAILURE: Final = 1 << 8
"""CSSF in RCC_CIFR, CSSC in RCC_CICR; it cannot be masked."""
_PLL_FROM_HSE: Final = 3


class ClockSecurity:
    """``wake_source`` is the clock that STOPWUCK names."""

    def __init__(
        self,
        words: Callable[[], MutableMapping[int, int]],
        oscillators: ClockSources,
        wake_source: Callable[[], SystemClock],
    ) -> None:
        self._words = words
        self._oscillators = oscillators
        self._wake_source = wake_source
        self.lse_failed: Signal[[bool]] = Signal(required=True)
        """Gets the level of the LSE's clock security system (EXTI line 19)."""
        self.hse_failed: Signal[[bool]] = Signal(required=True)
        """Gets CSSF, which requests the NMI and breaks timers."""

    def lse_stopped(self) -> None:
        """The LSE stopped by itself: only software can start it again, by switching it off and on."""
        words = self._words()
        self._oscillators["lse"].stall()
        if words[BDCR] & LSECSSON:
            words[BDCR] = (words[BDCR] | LSECSSD) & ~LSECSSON
            words[CIFR] |= _LSE_FAILURE & words[CIER]
            self.lse_failed(True)

    def hse_stopped(self) -> None:
        """The HSE stopped by itself. The system clock that hangs on it goes over to MSI or HSI16, at once."""
        words = self._words()
        watched = bool(words[CR] & CSSON) and self._oscillators["hse"].ready
        self._oscillators["hse"].stall()
        if not watched:
            return
        words[CR] &= ~(HSEON | CSSON)
        self._oscillators["hse"].switch(False)
        source = words[CFGR] >> 2 & 3
        by_pll = source == SystemClock.PLL and words[PLLCFGR] & 3 == _PLL_FROM_HSE
        if by_pll:
            words[CR] &= ~PLLON
            self._oscillators["pll"].switch(False)
        if by_pll or source == SystemClock.HSE:
            spare = self._wake_source()
            words[CR] |= MSION if spare is SystemClock.MSI else HSION
            self._oscillators.system_clock(spare).force_ready()
            words[CFGR] = words[CFGR] & ~0xF | spare | spare << 2
        words[CIFR] |= HSE_FAILURE
        self.hse_failed(True)

    def cleared(self) -> None:
        """Software cleared flags."""
        self.hse_failed(bool(self._words()[CIFR] & HSE_FAILURE))

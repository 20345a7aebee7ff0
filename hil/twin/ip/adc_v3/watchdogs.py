# SPDX-License-Identifier: Apache-2.0
"""An ADC's analog watchdogs (RM0351, ADC section: analog window watchdog; fields of stm32l476xx.h)."""

from collections.abc import Callable, Mapping
from typing import Final

from hil.twin.ip.adc_v3.sampling import CFGR
from hil.twin.ip.register_block import field

TR1, TR2, TR3 = 0x20, 0x24, 0x28
AWD2CR, AWD3CR = 0xA0, 0xA4
FLAGS: Final = (1 << 7, 1 << 8, 1 << 9)
"""AWD1 to AWD3 in ISR and IER."""
_AWD1SGL, _AWD1EN, _JAWD1EN = 1 << 22, 1 << 23, 1 << 24
_MOST_SIGNIFICANT: Final = 4
"""Watchdogs 2 and 3 compare 8 of 12 bits."""


class Watchdogs:
    """Reads windows and channels from the registers' ``words`` at every conversion."""

    def __init__(self, words: Callable[[], Mapping[int, int]]) -> None:
        self._words = words

    @property
    def on(self) -> bool:
        """Whether any of them may watch a conversion."""
        words = self._words()
        return bool(words[CFGR] & (_AWD1EN | _JAWD1EN) or words[AWD2CR] or words[AWD3CR])

    def flags(self, channel: int, code: int, *, injected: bool) -> int:
        """The flags that a conversion's 12-bit, left-aligned ``code`` sets."""
        words = self._words()
        found = 0
        if self._first_watches(channel, injected=injected):
            window = words[TR1]
            if not field(window, 0, 12) <= code <= field(window, 16, 12):
                found |= FLAGS[0]
        code >>= _MOST_SIGNIFICANT
        for flag, channels, thresholds in ((FLAGS[1], AWD2CR, TR2), (FLAGS[2], AWD3CR, TR3)):
            window = words[thresholds]
            if words[channels] >> channel & 1 and not field(window, 0, 8) <= code <= field(window, 16, 8):
                found |= flag
        return found

    def _first_watches(self, channel: int, *, injected: bool) -> bool:
        config = self._words()[CFGR]
        if not config & (_JAWD1EN if injected else _AWD1EN):
            return False
        return not config & _AWD1SGL or field(config, 26, 5) == channel

# SPDX-License-Identifier: Apache-2.0
"""Extended interrupts and events controller (RM0351, EXTI section), lines 0 to 39."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from hil.parts import Block
from hil.twin.ip.interrupts import InterruptSource
from hil.twin.ip.register_block import RegisterBlock
from hil.twin.signal import Signal

IMR1: Final = 0x00
EMR1: Final = 0x04
RTSR1: Final = 0x08
FTSR1: Final = 0x0C
SWIER1: Final = 0x10
PR1: Final = 0x14
BANK2: Final = 0x20
"""Offset from a register of lines 0 to 31 to that of lines 32 and up."""

_CONFIGURABLE: Final = {0x00: 0x007D_FFFF, BANK2: 0x0000_0078}
"""Lines with an edge detector and a pending bit; the others pass a peripheral's level on."""

LINE_PVD: Final = 16
LINE_RTC_ALARM: Final = 18
LINE_TAMPER: Final = 19
"""Tamper, time stamp and the failure of the LSE."""
LINE_RTC_WAKEUP: Final = 20
LINE_COMP1: Final = 21
LINE_COMP2: Final = 22
_RTC_LINES: Final = (18, 19, 20)
"""Lines with an edge detector whose inputs are flags: the RTC's alarms, tamper and time stamp, wake-up."""

_MONITORS: Final = 0x78
"""Lines 35 to 38: the peripheral voltage monitors are not modelled."""
_DIRECT: Final = 0xFF82_0000
"""Lines that pass a peripheral's request on: here it wakes the part whatever their masks say."""
_DIRECT_BANK_2: Final = 0x87


class Exti(RegisterBlock):
    """The EXTI: inputs set pending bits on their edges, pending and unmasked lines request interrupts."""

    resets: ClassVar[Mapping[int, int]] = {
        IMR1: 0xFF82_0000,
        EMR1: 0,
        RTSR1: 0,
        FTSR1: 0,
        SWIER1: 0,
        PR1: 0,
        IMR1 + BANK2: 0xFFFF_FF87,
        EMR1 + BANK2: 0,
        RTSR1 + BANK2: 0,
        FTSR1 + BANK2: 0,
        SWIER1 + BANK2: 0,
        PR1 + BANK2: 0,
    }
    write_one: ClassVar[frozenset[int]] = frozenset({PR1, PR1 + BANK2})
    not_modelled: ClassVar[Mapping[int, int]] = {
        **dict.fromkeys((IMR1, EMR1), _DIRECT),
        **dict.fromkeys((IMR1 + BANK2, EMR1 + BANK2), _DIRECT_BANK_2),
        **dict.fromkeys((RTSR1 + BANK2, FTSR1 + BANK2), _MONITORS),
    }

    def __init__(
        self, block: Block, sources: Mapping[int, InterruptSource], send_event: Callable[[], None]
    ) -> None:
        """``sources`` by line; one that is not among them requests no interrupt here."""
        super().__init__(block)
        self._send_event = send_event
        self._sources = sources
        self._levels: dict[int, bool] = {}
        self._triggered: dict[int, Signal[[]]] = {}

    def triggered(self, line: int) -> Signal[[]]:
        """Tells of a line's selected edges while its interrupt or event is unmasked (assumption
        exti_trigger).
        """
        return self._triggered.setdefault(line, Signal())

    def reset(self) -> None:
        """System reset: nothing pending, nothing unmasked but the direct lines."""
        super().reset()
        self._update()

    @property
    def wakeup_pending(self) -> bool:
        """Whether Stop is not entered: a pending bit is set, or a peripheral behind an unmasked line still
        holds the flag that would wake the part (RM0351, PWR section, entering Stop).
        """
        if self.words[PR1] | self.words[PR1 + BANK2]:
            return True
        return any(level and self._holds_flag(line) for line, level in self._levels.items())

    def set_level(self, line: int, level: bool) -> None:
        """The input of a line changed to ``level``; edges that are enabled set its pending bit."""
        if self._levels.get(line, False) == level:
            return
        self._levels[line] = level
        bank, bit = (BANK2, 1 << (line - 32)) if line >= 32 else (0, 1 << line)
        if self.words[(RTSR1 if level else FTSR1) + bank] & bit & _CONFIGURABLE[bank]:
            self._trigger(bank, bit)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register; PR clears written ones, SWIER triggers newly set ones."""
        bank, register = (BANK2, offset - BANK2) if offset >= BANK2 else (0, offset)
        if register == PR1:
            self.words[PR1 + bank] &= ~value
            self.words[SWIER1 + bank] &= ~value
        elif register == SWIER1:
            fresh = value & ~self.words[offset] & _CONFIGURABLE[bank]
            self.words[offset] |= fresh
            if fresh:
                self._trigger(bank, fresh)
        else:
            if register in (RTSR1, FTSR1):
                value &= _CONFIGURABLE[bank]
            self.store(offset, value)
        self._update()

    def _holds_flag(self, line: int) -> bool:
        """Whether the line is unmasked and its input is a peripheral's flag, not a pin or a comparator."""
        bank, bit = (BANK2, 1 << (line - 32)) if line >= 32 else (0, 1 << line)
        is_flag = line in _RTC_LINES or not _CONFIGURABLE[bank] & bit
        return is_flag and bool(self.words[IMR1 + bank] & bit)

    def _trigger(self, bank: int, bits: int) -> None:
        # A line unmasked as an event alone has no pending bit (RM0351, EXTI functional description). One that
        # is masked for both has it (assumption exti_masked_line).
        events_only = self.words[EMR1 + bank] & ~self.words[IMR1 + bank]
        self.words[PR1 + bank] |= bits & ~events_only
        unmasked = bits & (self.words[EMR1 + bank] | self.words[IMR1 + bank])
        if self.words[EMR1 + bank] & bits:
            self._send_event()
        self._update()
        if bank:
            return
        for line, triggered in self._triggered.items():
            if unmasked >> line & 1:
                triggered()

    def _update(self) -> None:
        requests = self.words[PR1] & self.words[IMR1]
        requests |= (self.words[PR1 + BANK2] & self.words[IMR1 + BANK2]) << 32
        for line, source in self._sources.items():
            source.set(bool(requests >> line & 1))

# SPDX-License-Identifier: Apache-2.0
"""Window watchdog (RM0351, WWDG section): resets the part when fed too late, or too early."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from hil.parts import Block
from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.ip.interrupts import InterruptSource
from hil.twin.ip.register_block import RegisterBlock, field
from hil.twin.ip.tick_counter import TickCounter

CR: Final = 0x00
CFR: Final = 0x04
SR: Final = 0x08

_WDGA, _EWI, _EWIF = 1 << 7, 1 << 9, 1
_COUNTER: Final = 0x7F
_EARLY_WAKEUP_AT, _RESET_AT = 0x40, 0x3F
_FIXED_DIVIDER: Final = 4096


class Wwdg(RegisterBlock):
    """The WWDG. ``bus_hz`` is PCLK1 as it reaches the block."""

    resets: ClassVar[Mapping[int, int]] = {CR: 0x7F, CFR: 0x7F, SR: 0}
    writable: ClassVar[Mapping[int, int]] = {CFR: 0x3FF}

    def __init__(
        self,
        block: Block,
        scheduler: Scheduler,
        interrupt: InterruptSource,
        bus_hz: Callable[[], int],
        on_expiry: Callable[[], None],
    ) -> None:
        super().__init__(block)
        self._scheduler = scheduler
        self._interrupt = interrupt
        self._bus_hz = bus_hz
        self._on_expiry = on_expiry
        self._ticks = TickCounter(scheduler)
        self._loaded = _COUNTER
        self._next: Event | None = None
        self._frozen = False

    def reset(self) -> None:
        """System reset: stopped."""
        super().reset()
        self._load(_COUNTER)
        self._interrupt.set(False)

    def start(self) -> None:
        """WDGA, set by WWDG_SW of the option bytes."""
        self.words[CR] |= _WDGA
        self._load(_COUNTER)

    def freeze(self, frozen: bool) -> None:
        """Stop counting while a debugger holds the core (DBGMCU)."""
        if frozen != self._frozen:
            self._frozen = frozen
            self.retime()

    def retime(self) -> None:
        """The bus clock may have changed."""
        counts = self.words[CR] & _WDGA and not self._frozen
        divider = _FIXED_DIVIDER << field(self.words[CFR], 7, 2)
        if self._ticks.set_rate(self._bus_hz() if counts else 0, divider):
            self._plan()

    def read_word(self, offset: int) -> int:
        """WWDG_CR shows the counter."""
        word = super().read_word(offset)
        return word & _WDGA | self._count if offset == CR else word

    def write_word(self, offset: int, value: int) -> None:
        """Write a register: the counter may be written only inside the window, and never below 0x40."""
        if offset == CR:
            running = self.words[CR] & _WDGA
            outside = self._count > field(self.words[CFR], 0, 7)
            self.words[CR] = running | value & _WDGA
            if (running and outside) or (self.words[CR] and value & _COUNTER <= _RESET_AT):
                self._on_expiry()
            self._load(value & _COUNTER)
        elif offset == SR:
            self.words[SR] &= value
        else:
            self.store(offset, value | self.words[CFR] & _EWI)  # EWI is cleared by a reset only
            self.retime()
        self._update_interrupt()

    @property
    def _count(self) -> int:
        return (self._loaded - self._ticks.count) & _COUNTER

    def _load(self, count: int) -> None:
        self._loaded = count
        self._ticks.set_count(0)
        self.retime()
        self._plan()

    def _plan(self) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None
        until = self._count - (_EARLY_WAKEUP_AT if self._count > _EARLY_WAKEUP_AT else _RESET_AT)
        time_ps = self._ticks.time_of(self._ticks.count + until) if until > 0 else None
        if time_ps is not None:
            self._next = self._scheduler.at(time_ps, self._reached)

    def _reached(self) -> None:
        self._next = None
        if self._count == _RESET_AT:
            self._on_expiry()
            return
        self.words[SR] |= _EWIF
        self._update_interrupt()
        self._plan()

    def _update_interrupt(self) -> None:
        self._interrupt.set(bool(self.words[SR] & _EWIF and self.words[CFR] & _EWI))

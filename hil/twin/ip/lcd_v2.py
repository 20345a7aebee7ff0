# SPDX-License-Identifier: Apache-2.0
"""LCD controller (RM0351, LCD section): its frame clock, flags, interrupts, and that it draws current.

No glass is on the bench, so that nothing sees the segments: their memory is only stored. What shapes their
voltages (bias, contrast, pulses, blinking, the converter) is named.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from hil.parts import Block
from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.ip.interrupts import InterruptSource
from hil.twin.ip.register_block import WORD, RegisterBlock, field
from hil.twin.ip.tick_counter import PS_PER_S
from hil.twin.signal import Signal

CR: Final = 0x00
FCR: Final = 0x04
SR: Final = 0x08
CLR: Final = 0x0C
RAM: Final = range(0x14, 0x54, 4)
_LCDEN, _DUTY = 1, 7 << 2
_LOCKED: Final = 0x1FE
"""Bits of CR that the enabled controller keeps (RM0351, LCD_CR)."""
_SOFIE, _UDDIE = 1 << 1, 1 << 3
_ENS, _SOF, _UDR, _UDD, _RDY, _FCRSF = (1 << bit for bit in range(6))
_PHASES: Final = (1, 2, 3, 4, 8)
"""By DUTY: static to 1/8; a frame has as many phases of ck_div."""


class Lcd(RegisterBlock):
    """The controller, on the clock that ``lcd_hz`` gives; ``power_changed``: its current may have."""

    resets: ClassVar[Mapping[int, int]] = {CR: 0, FCR: 0, SR: _FCRSF, CLR: 0, **dict.fromkeys(RAM, 0)}
    writable: ClassVar[Mapping[int, int]] = {
        CR: 0x1FF,
        FCR: 0x03FF_FFFB,
        SR: 0,
        CLR: 0,
        **{offset: 0xFFFF_FFFF if offset % 8 == 4 else 0xFF for offset in RAM},
    }
    write_one: ClassVar[frozenset[int]] = frozenset({CLR})
    polled: ClassVar[frozenset[int]] = frozenset({SR})
    not_modelled: ClassVar[Mapping[int, int]] = {CR: _LOCKED & ~_DUTY, FCR: 0x0003_FFF1}
    stored_only: ClassVar[Mapping[int, int]] = dict.fromkeys(RAM, WORD)
    """The segments, which no glass shows."""

    def __init__(
        self, block: Block, scheduler: Scheduler, interrupt: InterruptSource, lcd_hz: Callable[[], int]
    ) -> None:
        super().__init__(block)
        self._scheduler = scheduler
        self._interrupt = interrupt
        self._lcd_hz = lcd_hz
        self._frame_begins: Event | None = None
        self._synchronised: Event | None = None
        self._hz = 0
        self.power_changed: Signal[[]] = Signal(required=True)

    @property
    def works(self) -> bool:
        """Whether it is enabled and has its clock."""
        return bool(self.words[SR] & _ENS and self._lcd_hz())

    @property
    def frame_hz(self) -> float:
        """The rate of its frames; zero without a clock (RM0351, LCD frequency generator)."""
        config, duty = self.words[FCR], field(self.words[CR], 2, 3)
        phases = _PHASES[min(duty, len(_PHASES) - 1)]
        divider = (16 + field(config, 18, 4) << field(config, 22, 4)) * phases
        return self._lcd_hz() / divider

    def reset(self) -> None:
        """System reset: off."""
        super().reset()
        self._cancel()
        self._update()
        self.power_changed()

    def retime(self) -> None:
        """LCDCLK may have changed: a frame under way begins anew."""
        if self._lcd_hz() != self._hz:
            self._hz = self._lcd_hz()
            self._cancel()
            self._plan_frame()
            self._synchronise()
            self.power_changed()

    def write_word(self, offset: int, value: int) -> None:
        """Write a register; the memory only while no update of it is under way."""
        flags = self.words[SR]
        if offset == CLR:
            self.words[SR] = flags & ~(value & (_SOF | _UDD))
        elif offset == SR:
            self.words[SR] = flags | value & _UDR
        elif offset in RAM:
            if not flags & _UDR:
                self.store(offset, value)
        elif offset == CR:
            kept = self.words[CR] & _LOCKED if flags & _ENS else value & _LOCKED
            self.store(CR, value & ~_LOCKED | kept)
            if value & _LCDEN and not flags & _ENS:
                # The converter is ready at once (assumption lcd_current).
                self.words[SR] |= _ENS | _RDY
                self._plan_frame()
            self.power_changed()
        else:
            self.store(offset, value)
            if offset == FCR:
                self.words[SR] &= ~_FCRSF
                self._synchronise()
        self._update()

    def _synchronise(self) -> None:
        """FCR is in force with the next LCDCLK, which FCRSF tells."""
        if self.words[SR] & _FCRSF or self._synchronised is not None or not self._lcd_hz():
            return
        self._synchronised = self._scheduler.after(PS_PER_S // self._lcd_hz(), self._in_force)

    def _in_force(self) -> None:
        self._synchronised = None
        self.words[SR] |= _FCRSF

    def _plan_frame(self) -> None:
        if self._frame_begins is None and self.works:
            self._frame_begins = self._scheduler.after(round(PS_PER_S / self.frame_hz), self._frame)

    def _frame(self) -> None:
        """A frame begins; a disabled controller stops before it."""
        self._frame_begins = None
        if not self.words[CR] & _LCDEN:
            self.words[SR] &= ~(_ENS | _RDY)
            self.power_changed()
            return
        if self.words[SR] & _UDR:
            self.words[SR] = self.words[SR] & ~_UDR | _UDD
        self.words[SR] |= _SOF
        self._update()
        self._plan_frame()

    def _cancel(self) -> None:
        for event in (self._frame_begins, self._synchronised):
            if event is not None:
                event.cancel()
        self._frame_begins = self._synchronised = None

    def _update(self) -> None:
        flags, config = self.words[SR], self.words[FCR]
        wanted = (config & _SOFIE and flags & _SOF) or (config & _UDDIE and flags & _UDD)
        self._interrupt.set(bool(wanted))

# SPDX-License-Identifier: Apache-2.0
"""Timers (RM0351, TIM2 to TIM7 and TIM15 to TIM17 sections): time base, update events and trigger output.

Modelled: up-counting, prescaler, auto-reload with and without preload, one-pulse mode, output compare, PWM,
interrupts and DMA requests of both, TRGO. Stored without effect: capture, slave modes, down- and
centre-aligned counting, repetition, complementary outputs and break.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.peripherals.interrupts import InterruptSource
from hil.twin.peripherals.memory_map import BASE
from hil.twin.peripherals.registers import RegisterBlock, field
from hil.twin.peripherals.tick_counter import TickCounter
from hil.twin.peripherals.tim_channels import BDTR, CCER, CCMR1, OutputChannels

CR1: Final = 0x00
CR2: Final = 0x04
DIER: Final = 0x0C
SR: Final = 0x10
EGR: Final = 0x14
CNT: Final = 0x24
PSC: Final = 0x28
ARR: Final = 0x2C

_CEN, _UDIS, _URS, _OPM, _ARPE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 7
_UIF, _UIE, _UDE, _UG = 1, 1, 1 << 8, 1
_CC1IE, _CC1DE, _FLAGS = 1 << 1, 1 << 9, 0x1F
_TRGO_RESET, _TRGO_ENABLE, _TRGO_UPDATE, _TRGO_MATCH_1, _TRGO_REFERENCE_1 = range(5)
_OTHERS: Final = (0x08, 0x18, 0x1C, 0x20, 0x30, 0x34, 0x38, 0x3C, 0x40, 0x44, 0x48, 0x4C, 0x50)


class Tim(RegisterBlock):
    """One timer. ``kernel_hz`` is asked for its clock whenever :meth:`retime` says that it may differ."""

    resets: ClassVar[Mapping[int, int]] = {
        CR1: 0,
        CR2: 0,
        DIER: 0,
        SR: 0,
        EGR: 0,
        CNT: 0,
        PSC: 0,
        ARR: 0,
    } | dict.fromkeys(_OTHERS, 0)
    writable: ClassVar[Mapping[int, int]] = {CR1: 0xBFF, DIER: 0x5FFF, PSC: 0xFFFF}
    stored_only: ClassVar[Mapping[int, int]] = {
        CR1: 0x70,
        DIER: 0x60C0,
        0x08: 0x1_FF77,
        **dict.fromkeys((CCMR1, CCMR1 + 4), 0x0303),
        CCER: 0x0CCC,
        0x30: 0xFFFF,
        BDTR: 0x1000,
    }

    def __init__(
        self,
        name: str,
        scheduler: Scheduler,
        interrupt: InterruptSource,
        kernel_hz: Callable[[], int],
        *,
        counter_bits: int = 16,
        channels: int = 0,
        has_break: bool = False,
    ) -> None:
        super().__init__(name, BASE[name])
        self._scheduler = scheduler
        self._interrupt = interrupt
        self._kernel_hz = kernel_hz
        self._mask = (1 << counter_bits) - 1
        self._counter = TickCounter(scheduler)
        self._next_update: Event | None = None
        self._frozen = False
        self._looked_at = 0
        self.channels = OutputChannels(lambda: self.words, channels, has_break=has_break)
        self.channels.on_reference = self._reference_changed
        self.trgo_listeners: list[Callable[[], None]] = []
        self.request_update: Callable[[], bool] = lambda: False
        """Asks the DMA to serve an update."""
        self.request_compare: list[Callable[[], bool]] = [lambda: False] * channels
        """Asks the DMA to serve a match, per channel."""
        self._load_reset_values()

    def reset(self) -> None:
        """System reset: stopped."""
        super().reset()
        self._load_reset_values()
        self.channels.reset()
        self._interrupt.set(False)
        self.retime()

    def freeze(self, frozen: bool) -> None:
        """Stop counting while a debugger holds the core (DBGMCU)."""
        if frozen != self._frozen:
            self._frozen = frozen
            self.retime()

    def retime(self) -> None:
        """The kernel clock may have changed: continue from the present count with the present clock."""
        counting = bool(self.words[CR1] & _CEN) and not self._frozen
        self._counter.set_rate(self._kernel_hz() if counting else 0, self._prescaler + 1)
        self._schedule()

    @property
    def trgo_hz(self) -> float:
        """Rate of trigger outputs on update; zero if there are none."""
        if field(self.words[CR2], 4, 3) != _TRGO_UPDATE or not self._counter.running or not self._reload:
            return 0.0
        return self._kernel_hz() / ((self._prescaler + 1) * (self._reload + 1))

    def upcoming_updates(self, count: int, before_ps: int) -> npt.NDArray[np.int64]:
        """The times of at most ``count`` updates from the present one on that lie before ``before_ps``.

        To be asked by a listener of TRGO. Empty if every update must be told by itself (interrupt, DMA
        request, output, one-pulse mode).
        """
        if self.words[DIER] & (_UIE | _UDE) or self.words[CR1] & _OPM or self._awaited_channels():
            return np.zeros(0, dtype=np.int64)
        following_ps = self._counter.times_of(self._epoch, self._reload + 1, count)[1:]
        return np.concatenate(([self._scheduler.now_ps], following_ps[following_ps < before_ps]))

    def skip_updates(self, count: int) -> None:
        """The next ``count`` updates are dealt with: nobody is told of them, and nobody looks before them."""
        self._epoch += count * (self._reload + 1)

    def read_word(self, offset: int) -> int:
        """The register as of now."""
        self._catch_up()
        if offset == CNT:
            return (self._counter.count - self._epoch) & self._mask
        return super().read_word(offset)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and let the counter follow."""
        self._catch_up()
        if offset == SR:
            self.words[SR] &= value
        elif offset == EGR:
            if value & _UG:
                self._load_preloads()
                self._restart(0)
                self._flag_update(from_counter=False)
            self.words[SR] |= value & ((1 << self.channels.count) - 1) << 1
        elif offset == CNT:
            self._restart(value & self._mask)
        elif offset == CR1:
            enabled = value & ~self.words[CR1] & _CEN
            self.store(CR1, value)
            self.retime()
            if enabled and field(self.words[CR2], 4, 3) == _TRGO_ENABLE:
                self._trigger()
        else:
            self.store(offset, value & self._mask if offset == ARR else value)
            if offset == ARR and not self.words[CR1] & _ARPE:
                self._reload = self.words[ARR]
            self.channels.written(offset)
        self.channels.update(self._position, [])
        self._update_interrupt()
        self._schedule()

    def _load_reset_values(self) -> None:
        self.words[ARR] = self._mask
        self._reload = self._mask
        self._prescaler = 0
        self._epoch = self._looked_at = 0
        self._counter.set_count(0)

    @property
    def _position(self) -> int:
        return (self._counter.count - self._epoch) % (self._reload + 1)

    def _awaited_channels(self) -> list[int]:
        """The channels whose matches somebody is to hear of at once."""
        enables = self.words[DIER]
        awaited = self.words[CR2] >> 4 & 7 >= _TRGO_MATCH_1
        return [
            channel
            for channel in range(self.channels.count)
            if awaited or enables & (_CC1IE | _CC1DE) << channel or self.channels.has_output(channel)
        ]

    def _load_preloads(self) -> None:
        self.channels.load_preloads()
        self._reload = self.words[ARR]
        if self.words[PSC] != self._prescaler:
            self._prescaler = self.words[PSC]
            self._counter.set_rate(self._kernel_hz() if self._counter.running else 0, self._prescaler + 1)

    def _restart(self, count: int) -> None:
        self._counter.set_count(count)
        self._epoch, self._looked_at = 0, count

    def _catch_up(self) -> None:
        """Account for the matches and updates since the last look."""
        period = self._reload + 1
        elapsed = self._counter.count - self._epoch
        matched = self._matches(elapsed) if self.channels.count and self._reload else []
        if elapsed < period or self._reload == 0:
            if matched:
                self._flag_matches(matched)
            return
        if self.words[CR1] & _OPM:
            self.words[CR1] &= ~_CEN
            self._counter.set_rate(0)
            self._restart(0)
        else:
            self._epoch += elapsed - elapsed % period
        if not self.words[CR1] & _UDIS:
            self._load_preloads()
            self._flag_update(from_counter=True)
        if self.channels.count:
            self._flag_matches(matched)

    def _flag_update(self, *, from_counter: bool) -> None:
        if from_counter or not self.words[CR1] & _URS:
            self.words[SR] |= _UIF
            self._update_interrupt()
            if self.words[DIER] & _UDE:
                self.request_update()
        mode = field(self.words[CR2], 4, 3)
        if mode == _TRGO_UPDATE or (mode == _TRGO_RESET and not from_counter):
            self._trigger()

    def _matches(self, elapsed: int) -> list[int]:
        before, self._looked_at = self._looked_at - self._epoch, elapsed + self._epoch
        matched = self.channels.matched(before, elapsed, self._reload)
        return [channel for channel in matched if not self.channels.is_input(channel)]

    def _flag_matches(self, matched: list[int]) -> None:
        for channel in matched:
            self.words[SR] |= _CC1IE << channel
            if self.words[DIER] & _CC1DE << channel:
                self.request_compare[channel]()
        self._update_interrupt()
        self.channels.update(self._position, matched)
        if 0 in matched and field(self.words[CR2], 4, 3) == _TRGO_MATCH_1:
            self._trigger()

    def _reference_changed(self, channel: int, level: bool) -> None:
        if level and field(self.words[CR2], 4, 3) == _TRGO_REFERENCE_1 + channel:
            self._trigger()

    def _trigger(self) -> None:
        for listener in self.trgo_listeners:
            listener()

    def _update_interrupt(self) -> None:
        self._interrupt.set(bool(self.words[SR] & self.words[DIER] & _FLAGS))

    def _schedule(self) -> None:
        """Plan the next event that somebody is to hear of at once; :meth:`_catch_up` finds the others."""
        if self._next_update is not None:
            self._next_update.cancel()
            self._next_update = None
        if not self._reload:
            return
        channels = self._awaited_channels()
        due: list[int] = []
        told = self.words[DIER] & (_UIE | _UDE) or field(self.words[CR2], 4, 3) == _TRGO_UPDATE
        if told or channels:
            due.append(self._epoch + self._reload + 1)
        for channel in channels:
            elapsed = self._counter.count - self._epoch
            match = self.channels.next_match(channel, elapsed, self._reload)
            if match is not None:
                due.append(self._epoch + match)
        time_ps = self._counter.time_of(min(due)) if due else None
        if time_ps is not None:
            self._next_update = self._scheduler.at(time_ps, self._updated)

    def _updated(self) -> None:
        self._next_update = None
        self._catch_up()
        self._schedule()

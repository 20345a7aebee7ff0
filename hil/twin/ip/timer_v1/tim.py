# SPDX-License-Identifier: Apache-2.0
"""Timers (RM0351, TIM sections): time base, update events, trigger output; captures and breaks as they come.

Modelled beside the time base: output compare and PWM with complementary outputs, dead time and break, input
capture, slave and encoder modes, repetition, commutation, interrupts, DMA requests and bursts, TRGO. Not
modelled: centre-aligned counting (it counts up instead), combined and asymmetric PWM, the second break,
channels 5 and 6.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from hil.parts import Block
from hil.twin.core.counter_line import CounterLine
from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.ip.interrupts import InterruptSource
from hil.twin.ip.register_block import RegisterBlock
from hil.twin.ip.tick_counter import TickCounter
from hil.twin.ip.timer_v1 import registers as reg
from hil.twin.ip.timer_v1 import trigger_output
from hil.twin.ip.timer_v1.channels import OutputChannels
from hil.twin.ip.timer_v1.commutation import Commutation
from hil.twin.ip.timer_v1.connections import DmaRequests, RemappedInput, TimerPins
from hil.twin.ip.timer_v1.inputs import InputChannels
from hil.twin.ip.timer_v1.outputs import TimerOutputs
from hil.twin.ip.timer_v1.requests import TimerRequests
from hil.twin.ip.timer_v1.slave import SlaveController

_UIFCPY: Final = 1 << 31
"""CNT's copy of UIF."""
ALL_FLAGS: Final = 0xFF
"""Of SR and DIER: every interrupt."""
_CCMR: Final = (reg.CCMR1, reg.CCMR1 + 4)


class Tim(RegisterBlock):
    """One timer. ``kernel_hz`` is asked for its clock whenever :meth:`retime` says that it may differ.

    ``interrupts`` are (flags in SR, line) pairs; ``pins`` has as many channels as the timer.
    """

    resets: ClassVar[Mapping[int, int]] = dict.fromkeys(reg.REGISTERS, 0)
    writable: ClassVar[Mapping[int, int]] = reg.WRITABLE
    polled: ClassVar[frozenset[int]] = frozenset({reg.SR})
    counters: ClassVar[frozenset[int]] = frozenset({reg.CNT})
    not_modelled: ClassVar[Mapping[int, int]] = reg.NOT_MODELLED

    def __init__(
        self,
        block: Block,
        scheduler: Scheduler,
        interrupts: tuple[tuple[int, InterruptSource], ...],
        kernel_hz: Callable[[], int],
        pins: TimerPins,
        dma: DmaRequests,
        remapped: RemappedInput | None = None,
        *,
        counter_bits: int = 16,
    ) -> None:
        super().__init__(block)
        self._scheduler = scheduler
        self._kernel_hz = kernel_hz
        self._mask = (1 << counter_bits) - 1
        self._has_break = bool(pins.complementary)
        self._counter = TickCounter(scheduler)
        self._next_update: Event | None = None
        self._frozen = False
        self._looked_at = 0
        self.requests = TimerRequests(lambda: self.words, interrupts, dma)
        self.trigger_output = trigger_output.TriggerOutput(lambda: self.words)
        self._commutation = Commutation(lambda: self.words)
        self.channels = OutputChannels(
            lambda: self._commutation.in_force,
            len(pins.outputs),
            on_references=lambda: self.outputs.refresh(),
            on_reference=self.trigger_output.reference_changed,
        )
        self.outputs = TimerOutputs(
            scheduler,
            lambda: self._commutation.in_force,
            lambda: self.channels.references,
            self.channels.is_input,
            kernel_hz,
            pins,
        )
        self.inputs = InputChannels(
            scheduler,
            lambda: self.words,
            len(pins.outputs),
            pins.input_level,
            remapped,
            watched=lambda: self.slave.watches_ti1(),
            on_capture=self._capture,
        )
        self.slave = SlaveController(
            lambda: self.words, self.inputs, self, commutates=lambda: self._commutation.follows_trigger
        )
        self._load_reset_values()

    def reset(self) -> None:
        """System reset: stopped."""
        super().reset()
        self._load_reset_values()
        self._commutation.refresh()
        self.requests.burst.reset()
        self.channels.reset()
        self.inputs.reset()
        self.requests.refresh()
        self.retime()

    def freeze(self, frozen: bool) -> None:
        """Stop counting while a debugger holds the core (DBGMCU)."""
        if frozen != self._frozen:
            self._frozen = frozen
            self.retime()

    def retime(self) -> None:
        """The kernel clock may have changed: continue from the present count with the present clock."""
        counting = self.words[reg.CR1] & reg.CEN and not self._frozen
        counting = counting and not self.slave.clocked_outside and self.slave.gate_open
        if self._counter.set_rate(self._kernel_hz() if counting else 0, self._prescaler + 1):
            self._schedule()
        self.inputs.retime()

    @property
    def _event_period(self) -> int:
        """Counts from one update event to the next."""
        return (self._reload + 1) * (self._repetitions + 1)

    @property
    def trgo_hz(self) -> float:
        """Rate of trigger outputs on update; zero if there are none."""
        if self.trigger_output.mode != trigger_output.UPDATE or not self._counter.running or not self._reload:
            return 0.0
        return self._kernel_hz() / ((self._prescaler + 1) * self._event_period)

    def upcoming_updates(
        self, asker: trigger_output.Follower, count: int, before_ps: int
    ) -> npt.NDArray[np.int64]:
        """The times of at most ``count`` updates from the present one on that lie before ``before_ps``.

        To be asked by a follower of TRGO. Empty if every update must be told by itself (interrupt, DMA
        request, output, one-pulse mode).
        """
        told = self.requests.wants_updates or self.words[reg.CR1] & reg.OPM
        if told or self.trigger_output.is_followed_beside(asker) or self._awaited_channels():
            return np.zeros(0, dtype=np.int64)
        following_ps = self._counter.times_of(self._epoch, self._event_period, count)[1:]
        return np.concatenate(([self._scheduler.now_ps], following_ps[following_ps < before_ps]))

    def skip_updates(self, count: int) -> None:
        """The next ``count`` updates are dealt with: nobody is told of them, and nobody looks before them."""
        self._epoch += count * self._event_period

    def read_word(self, offset: int) -> int:
        """The register as of now; reading a captured value clears its flag."""
        self._catch_up()
        if offset == reg.CNT:
            count = self._count & self._mask
            if self.words[reg.CR1] & reg.UIFREMAP:
                count = count & ~_UIFCPY | (_UIFCPY if self.words[reg.SR] & reg.UIF else 0)
            return count
        if offset == reg.DMAR:
            behind = self.requests.burst.next_register()
            return 0 if behind is None else self.read_word(behind)
        channel = (offset - reg.CCR1) // 4
        if 0 <= channel < self.channels.count and self.channels.is_input(channel):
            self.words[reg.SR] &= ~(reg.CC1IF << channel)
            self.requests.refresh()
        return super().read_word(offset)

    def changes_at_ps(self, offset: int) -> int | None:
        """SR changes with an update or a match at the earliest, if no event comes first."""
        elapsed, period = self._counter.count - self._epoch, self._reload + 1
        compared = [self.words[reg.CCR1 + 4 * channel] for channel in range(self.channels.count)]
        awaited = {period, *compared, *(self._reload - value for value in compared)}
        following = min((at for at in awaited if at > elapsed), default=elapsed + 1)
        return self._counter.time_of(self._epoch + following)

    def counting(self, offset: int) -> CounterLine | None:
        """CNT counts evenly up to the end of its period."""
        if not self.is_clocked():
            return CounterLine(0, 0)
        if not self._reload or self.words[reg.CR1] & reg.UIFREMAP:
            return None
        base, sign = (self._reload, -1) if self.channels.counts_down else (0, 1)
        return self._counter.line(base, sign, self._epoch, self._epoch + self._reload + 1)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and let the counter follow."""
        self._catch_up()
        if offset == reg.DMAR:
            behind = self.requests.burst.next_register()
            if behind is not None:
                self.write_word(behind, value)
            return
        if offset == reg.SR:
            self.words[reg.SR] &= value
        elif offset == reg.EGR:
            self._generate(value)
        elif offset == reg.CNT:
            self._restart(value & self._mask)
        elif offset == reg.CR1:
            self._write_control(value)
        elif reg.CCR1 <= offset < reg.BDTR and self._is_captured(offset):
            return
        else:
            self._name_filters(offset, value)
            is_count = offset == reg.ARR or reg.CCR1 <= offset < reg.BDTR
            self.store(offset, value & self._mask if is_count else value)
            if offset == reg.ARR and not self.words[reg.CR1] & reg.ARPE:
                self._set_reload(self.words[reg.ARR])
            self.channels.written(offset)
            if offset == reg.CR2 and self._has_break:
                self._commutation.refresh()
            elif offset == reg.DCR:
                self.requests.burst.reset()
            if offset == reg.BDTR and self.outputs.broken:
                self.outputs.disable()  # MOE cannot be set while the break is there
            if offset in (reg.SMCR, reg.CCMR1, reg.CCMR1 + 4, reg.CCER, reg.OR1):
                self.inputs.look_at_pins()
                self.retime()
        self.channels.update(self._position, [])
        self.requests.refresh()
        self._schedule()

    def _name_filters(self, offset: int, value: int) -> None:
        """ICxF of channels that are inputs, and the digital filters' clock, are not modelled."""
        fresh = value & ~self.words.get(offset, 0)
        filters = sum(0xF0 << at for at in (0, 8) if value >> at & 3) if offset in _CCMR else 0
        if fresh & filters and self.unknowns is not None:
            self.unknowns.without_effect(self, offset, fresh & filters)

    def _set_reload(self, reload: int) -> None:
        """Without preload the reload value acts at once; a counter that counts down keeps its count."""
        count = self._count
        self._reload = reload
        if self.channels.counts_down:
            self._restart(count)

    def _is_captured(self, offset: int) -> bool:
        channel = (offset - reg.CCR1) // 4
        return channel < self.channels.count and self.channels.is_input(channel)

    def _write_control(self, value: int) -> None:
        enabled = value & ~self.words[reg.CR1] & reg.CEN
        if self.slave.clocked_outside:
            value = value & ~reg.DIR | self.words[reg.CR1] & reg.DIR  # read-only in encoder mode
        count = self._position
        if not self._has_break and value & ~self.words[reg.CR1] & reg.CKD and self.unknowns is not None:
            self.unknowns.without_effect(self, reg.CR1, value & reg.CKD)  # the input filters' clock
        self.store(reg.CR1, value)
        down = bool(value & reg.DIR) and not self.slave.clocked_outside and not value & reg.CMS
        if down is not self.channels.counts_down:
            self.channels.counts_down = down
            self._restart(count)
        self.retime()
        if enabled:
            self.trigger_output.event(trigger_output.ENABLE)

    def _generate(self, value: int) -> None:
        if value & reg.UG:
            self.reinitialise()
        for channel in range(self.channels.count):
            if value & reg.CC1IF << channel:
                if self.channels.is_input(channel):
                    self._capture(channel)
                else:
                    self.words[reg.SR] |= reg.CC1IF << channel
        if value & reg.TG:
            self.flag_trigger()
        if value & reg.BG and self._has_break:
            self._break()
        if value & reg.COMG:
            self._commutate()

    def _load_reset_values(self) -> None:
        self.words[reg.ARR] = self._mask
        self._reload = self._mask
        self._prescaler = 0
        self._repetitions = self._repetitions_left = 0
        self._external_edges = 0
        self.channels.counts_down = False
        self._epoch = self._looked_at = 0
        self._counter.set_count(0)

    @property
    def _phase(self) -> int:
        return (self._counter.count - self._epoch) % (self._reload + 1)

    @property
    def _count(self) -> int:
        """What CNT shows."""
        elapsed = self._counter.count - self._epoch
        return self._reload - elapsed if self.channels.counts_down else elapsed

    @property
    def _position(self) -> int:
        return self._reload - self._phase if self.channels.counts_down else self._phase

    def _awaited_channels(self) -> list[int]:
        """The channels whose matches somebody is to hear of at once."""
        enables = self.words[reg.DIER]
        awaited = self.trigger_output.awaits_matches
        asks = reg.CC1IE if self.requests.matches_wait else reg.CC1IE | reg.CC1DE
        return [
            channel
            for channel in range(self.channels.count)
            if not self.channels.is_input(channel)
            and (awaited or enables & asks << channel or self.outputs.drives(channel))
        ]

    def _load_preloads(self) -> None:
        self.channels.load_preloads()
        self._reload = self.words[reg.ARR]
        self._repetitions = self._repetitions_left = self.words[reg.RCR] if self._has_break else 0
        if self.words[reg.PSC] != self._prescaler:
            self._prescaler = self.words[reg.PSC]
            self._counter.set_rate(self._kernel_hz() if self._counter.running else 0, self._prescaler + 1)

    def _restart(self, count: int) -> None:
        phase = self._reload - count if self.channels.counts_down else count
        self._counter.set_count(phase)
        self._epoch, self._looked_at = 0, phase

    def _catch_up(self) -> None:
        """Account for the matches and updates since the last look."""
        period = self._reload + 1
        elapsed = self._counter.count - self._epoch
        matched = self._matches(elapsed) if self.channels.count and self._reload else []
        if elapsed < period or self._reload == 0:
            if matched:
                self._flag_matches(matched)
            return
        rounds = elapsed // period
        left = self._repetitions_left
        updated = rounds > left
        self._repetitions_left = (left - rounds) % (self._repetitions + 1) if updated else left - rounds
        if updated and self.words[reg.CR1] & reg.OPM:
            self.words[reg.CR1] &= ~reg.CEN
            self._counter.set_rate(0)
            self._restart(self._reload if self.channels.counts_down else 0)
        else:
            self._epoch += rounds * period
        if updated:
            self._overflowed()
        if self.channels.count:
            self._flag_matches(matched)

    def _overflowed(self) -> None:
        """The counter ran over as often as it takes for an update event."""
        if self.words[reg.CR1] & reg.UDIS:
            return
        left = self._repetitions_left
        self._load_preloads()
        self._repetitions_left = min(left, self._repetitions)
        self.outputs.enable_automatically()
        self._flag_update(from_counter=True)

    def _flag_update(self, *, from_counter: bool) -> None:
        if from_counter or not self.words[reg.CR1] & reg.URS:
            self.requests.flag_update()
        self.trigger_output.event(trigger_output.UPDATE)
        if not from_counter:
            self.trigger_output.event(trigger_output.RESET)

    def _matches(self, elapsed: int) -> list[int]:
        before, self._looked_at = self._looked_at - self._epoch, elapsed + self._epoch
        return self.channels.matched(before, elapsed, self._reload)

    def _flag_matches(self, matched: list[int]) -> None:
        for channel in matched:
            self.requests.flag_channel(channel)
        self.channels.update(self._position, matched)
        if 0 in matched:
            self.trigger_output.event(trigger_output.MATCH_1)

    # Captures, triggers, breaks

    def _capture(self, channel: int) -> None:
        """Keep the count; a value that nobody read before is flagged as lost."""
        if not self._kernel_hz():
            return
        self._catch_up()
        self.words[reg.CCR1 + 4 * channel] = self._count & self._mask
        self.requests.flag_capture(channel)
        if channel == 0:
            self.trigger_output.event(trigger_output.MATCH_1)

    def reinitialise(self) -> None:
        """UG, or the slave controller's reset."""
        self._catch_up()
        self._load_preloads()
        self._restart(self._reload if self.channels.counts_down else 0)
        self._flag_update(from_counter=False)
        self.channels.update(self._position, [])
        self._schedule()

    def start(self) -> None:
        """The slave controller sets CEN."""
        self.words[reg.CR1] |= reg.CEN
        self.retime()

    def step(self, direction: int) -> None:
        """An edge of an external clock, divided by the prescaler."""
        if not self.words[reg.CR1] & reg.CEN or not self._kernel_hz() or self._frozen:
            return
        self._external_edges += 1
        if self._external_edges <= self._prescaler:
            return
        self._external_edges = 0
        count, end = self._count, self._reload if direction > 0 else 0
        if count == end or count > self._reload:
            self._restart(0 if direction > 0 else self._reload)
            if self._repetitions_left:
                self._repetitions_left -= 1
            else:
                self._repetitions_left = self._repetitions
                self._overflowed()
        else:
            self._restart(count + direction)
        self._flag_matches(self.channels.at(self._count))

    def flag_trigger(self) -> None:
        """The slave controller's trigger came."""
        self.requests.flag_trigger()

    def trigger_rises(self) -> None:
        """With CCUS the trigger commutates."""
        if self._commutation.follows_trigger:
            self._commutate()
            self.channels.update(self._position, [])
            self._schedule()

    def _commutate(self) -> None:
        if self._commutation.commutate():
            self.requests.flag_commutation()

    def set_break(self, _level: bool) -> None:
        """The break input has another level now."""
        if self.outputs.broken:
            self._break()

    def _break(self) -> None:
        self.outputs.disable()
        self.requests.flag(reg.BIF)

    def _schedule(self) -> None:
        """Plan the next event that somebody is to hear of at once; :meth:`_catch_up` finds the others."""
        if self._next_update is not None:
            self._next_update.cancel()
            self._next_update = None
        if not self._reload:
            return
        channels = self._awaited_channels()
        due: list[int] = []
        on_update = self.trigger_output.mode == trigger_output.UPDATE
        told = self.requests.wants_updates or on_update or self.outputs.awaits_update
        if told or channels:
            rounds = 1 if channels else self._repetitions_left + 1
            due.append(self._epoch + rounds * (self._reload + 1))
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


class RemappedTim(Tim):
    """A timer whose TI1 software may connect to a clock (OR1)."""

    not_modelled: ClassVar[Mapping[int, int]] = {**Tim.not_modelled, reg.OR1: 0}

# SPDX-License-Identifier: Apache-2.0
"""Timers (RM0351, TIM sections): time base, update events, trigger output; captures and breaks as they come.

Modelled beside the time base: output compare and PWM with complementary outputs, dead time and break, input
capture, slave and encoder modes, repetition, commutation, interrupts, DMA requests and bursts, TRGO. Not
modelled: retriggerable one-pulse mode, the second break, channels 5 and 6.
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
from hil.twin.ip.timer_v1 import registers as reg
from hil.twin.ip.timer_v1 import trigger_output
from hil.twin.ip.timer_v1.channels import OutputChannels
from hil.twin.ip.timer_v1.commutation import Commutation
from hil.twin.ip.timer_v1.connections import DmaRequests, RemappedInput, TimerPins
from hil.twin.ip.timer_v1.course import CONTROL
from hil.twin.ip.timer_v1.inputs import InputChannels
from hil.twin.ip.timer_v1.outputs import TimerOutputs
from hil.twin.ip.timer_v1.requests import TimerRequests
from hil.twin.ip.timer_v1.slave import SlaveController
from hil.twin.ip.timer_v1.time_base import TimeBase

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
        self._base = TimeBase(scheduler)
        self._next_update: Event | None = None
        self._frozen = False
        self.requests = TimerRequests(lambda: self.words, interrupts, dma)
        self.trigger_output = trigger_output.TriggerOutput(lambda: self.words)
        self._commutation = Commutation(lambda: self.words)
        self.channels = OutputChannels(
            lambda: self._commutation.in_force,
            len(pins.outputs),
            self._base.course,
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
        self._base.reset(self._mask)
        self.words[reg.ARR] = self._mask

    def reset(self) -> None:
        """System reset: stopped."""
        super().reset()
        self._base.reset(self._mask)
        self.words[reg.ARR] = self._mask
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
        if self._base.ticks.set_rate(self._kernel_hz() if counting else 0, self._base.prescaler + 1):
            self._schedule()
        self.inputs.retime()

    @property
    def trgo_hz(self) -> float:
        """Rate of trigger outputs on update; zero if there are none."""
        base = self._base
        if self.trigger_output.mode != trigger_output.UPDATE or not base.ticks.running or base.stands_still:
            return 0.0
        return self._kernel_hz() / ((base.prescaler + 1) * base.update_period)

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
        base = self._base
        following_ps = base.ticks.times_of(base.tick_at(0), base.update_period, count)[1:]
        return np.concatenate(([self._scheduler.now_ps], following_ps[following_ps < before_ps]))

    def skip_updates(self, count: int) -> None:
        """The next ``count`` updates are dealt with: nobody is told of them, and nobody looks before them."""
        self._base.skip_updates(count)

    def read_word(self, offset: int) -> int:
        """The register as of now; reading a captured value clears its flag."""
        self._catch_up()
        if offset == reg.CNT:
            count = self._base.count & self._mask
            if self.words[reg.CR1] & reg.UIFREMAP:
                count = count & ~_UIFCPY | (_UIFCPY if self.words[reg.SR] & reg.UIF else 0)
            return count
        if offset == reg.CR1 and self._base.course.centred:
            return self.words[reg.CR1] & ~reg.DIR | (reg.DIR if self._base.course.down else 0)
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
        base = self._base
        if base.stands_still:
            return None
        matches = (self.channels.next_match(channel, base.elapsed) for channel in range(self.channels.count))
        following = min([base.course.leg, *(match for match in matches if match is not None)])
        return base.ticks.time_of(base.tick_at(following))

    def counting(self, offset: int) -> CounterLine | None:
        """CNT counts evenly up to the end of its period."""
        if not self.is_clocked():
            return CounterLine(0, 0)
        if self._base.stands_still or self.words[reg.CR1] & reg.UIFREMAP:
            return None
        return self._base.line()

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
            self._base.course.set_by_hand(value & self._mask)
            self._base.set_count(value & self._mask)
        elif offset == reg.CR1:
            self._write_control(value)
        elif reg.CCR1 <= offset < reg.BDTR and self._is_captured(offset):
            return
        else:
            self._name_filters(offset, value)
            is_count = offset == reg.ARR or reg.CCR1 <= offset < reg.BDTR
            self.store(offset, value & self._mask if is_count else value)
            if offset == reg.ARR and not self.words[reg.CR1] & reg.ARPE:
                self._base.set_reload(self.words[reg.ARR])
            self.channels.written(offset)
            if offset == reg.CR2 and self._has_break:
                self._commutation.refresh()
            elif offset == reg.DCR:
                self.requests.burst.reset()
            if offset == reg.BDTR and self.outputs.broken:
                self.outputs.disable()  # MOE cannot be set while the break is there
            if offset == reg.SMCR:
                self._choose_course(self.words[reg.CR1])
            if offset in (reg.SMCR, reg.CCMR1, reg.CCMR1 + 4, reg.CCER, reg.OR1):
                self.inputs.look_at_pins()
                self.retime()
        self.channels.update(self._base.position, [])
        self.requests.refresh()
        self._schedule()

    def _name_filters(self, offset: int, value: int) -> None:
        """ICxF of channels that are inputs, and output modes 8 to 11, are not modelled."""
        unknown = 0
        for at in (0, 8) if offset in _CCMR else ():
            if value >> at & 3:
                unknown |= value & ~self.words[offset] & 0xF0 << at
            elif value >> at & 1 << 16 and not value >> at & 1 << 6:
                unknown |= 1 << 16 + at
        if unknown and self.unknowns is not None:
            self.unknowns.without_effect(self, offset, unknown)

    def _is_captured(self, offset: int) -> bool:
        channel = (offset - reg.CCR1) // 4
        return channel < self.channels.count and self.channels.is_input(channel)

    def _write_control(self, value: int) -> None:
        enabled = value & ~self.words[reg.CR1] & reg.CEN
        if not self._has_break and value & ~self.words[reg.CR1] & reg.CKD and self.unknowns is not None:
            self.unknowns.without_effect(self, reg.CR1, value & reg.CKD)  # the input filters' clock
        if self.slave.encodes or value & reg.CMS:
            value = value & ~reg.DIR | self.read_word(reg.CR1) & reg.DIR  # read-only
        self.store(reg.CR1, value)
        self._choose_course(value)
        self.retime()
        if enabled:
            self.trigger_output.event(trigger_output.ENABLE)

    def _choose_course(self, control: int) -> None:
        base = self._base
        count, before = base.position, (base.course.centred, base.course.down)
        base.course.select(control & self.writable[reg.CR1], encoder=self.slave.encodes)
        if (base.course.centred, base.course.down) != before:
            base.set_count(count)

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

    def _awaited_channels(self) -> list[int]:
        """The channels whose matches somebody is to hear of at once."""
        enables = self.words[reg.DIER]
        awaited = self.trigger_output.awaits_matches
        asks = reg.CC1IE if self.requests.matches_wait else reg.CC1IE | reg.CC1DE
        return [
            channel
            for channel in range(self.channels.count)
            if not self.channels.is_input(channel)
            and (awaited or enables & asks << channel or self._shows(channel))
        ]

    def _shows(self, channel: int) -> bool:
        """Whether a pin follows the channel's reference, or its partner's pin does too."""
        if self.outputs.drives(channel):
            return True
        partner = channel ^ 1
        return (
            partner < self.channels.count and self.channels.combines(partner) and self.outputs.drives(partner)
        )

    def _load_preloads(self) -> None:
        self.channels.load_preloads()
        base = self._base
        base.course.reload = self.words[reg.ARR]
        base.repetitions = base.repetitions_left = self.words[reg.RCR] if self._has_break else 0
        if self.words[reg.PSC] != base.prescaler:
            base.prescaler = self.words[reg.PSC]
            base.ticks.set_rate(self._kernel_hz() if base.ticks.running else 0, base.prescaler + 1)

    def _catch_up(self) -> None:
        """Account for the matches and updates since the last look."""
        base = self._base
        if base.stands_still:
            return
        matched, flagged = self.channels.matched(*base.look()) if self.channels.count else ([], [])
        if base.elapsed < base.course.leg:
            if matched:
                self._flag_matches(matched, flagged)
            return
        one_pulse = bool(self.words[reg.CR1] & reg.OPM)
        updated = base.end_legs(at_first_update=one_pulse)
        if updated and one_pulse:
            self.words[reg.CR1] &= ~reg.CEN
        if updated:
            self._overflowed()
        if self.channels.count:
            self._flag_matches(matched, flagged)

    def _overflowed(self) -> None:
        """The counter ran over as often as it takes for an update event."""
        if self.words[reg.CR1] & reg.UDIS:
            return
        left = self._base.repetitions_left
        self._load_preloads()
        self._base.repetitions_left = min(left, self._base.repetitions)
        self.outputs.enable_automatically()
        self._flag_update(from_counter=True)

    def _flag_update(self, *, from_counter: bool) -> None:
        if from_counter or not self.words[reg.CR1] & reg.URS:
            self.requests.flag_update()
        self.trigger_output.event(trigger_output.UPDATE)
        if not from_counter:
            self.trigger_output.event(trigger_output.RESET)

    def _flag_matches(self, matched: list[int], flagged: list[int]) -> None:
        for channel in flagged:
            self.requests.flag_channel(channel)
        self.channels.update(self._base.position, matched)
        if 0 in flagged:
            self.trigger_output.event(trigger_output.MATCH_1)

    # Captures, triggers, breaks

    def _capture(self, channel: int) -> None:
        """Keep the count; a value that nobody read before is flagged as lost."""
        if not self._kernel_hz():
            return
        self._catch_up()
        self.words[reg.CCR1 + 4 * channel] = self._base.count & self._mask
        self.requests.flag_capture(channel)
        if channel == 0:
            self.trigger_output.event(trigger_output.MATCH_1)

    def reinitialise(self) -> None:
        """UG, or the slave controller's reset."""
        self._catch_up()
        self._load_preloads()
        self._base.set_count(self._base.course.restart())
        self._flag_update(from_counter=False)
        self.channels.update(self._base.position, [])
        self._schedule()

    def start(self) -> None:
        """The slave controller sets CEN."""
        self.words[reg.CR1] |= reg.CEN
        self.retime()

    def clock(self) -> None:
        """An edge of an external clock."""
        if self._is_clocked_by_edge():
            self._base.ticks.set_count(self._base.ticks.count + 1)
            self._catch_up()

    def step(self, direction: int) -> None:
        """An edge of an encoder: up (1) or down (-1)."""
        base = self._base
        if base.stands_still or not self._is_clocked_by_edge():
            return
        count, end = base.count, base.course.reload if direction > 0 else 0
        if count == end or count > base.course.reload:
            base.set_count(0 if direction > 0 else base.course.reload)
            if base.repetitions_left:
                base.repetitions_left -= 1
            else:
                base.repetitions_left = base.repetitions
                self._overflowed()
        else:
            base.set_count(count + direction)
        matched = self.channels.at(base.count)
        self._flag_matches(matched, matched)

    def _is_clocked_by_edge(self) -> bool:
        """Whether an external edge counts."""
        if not self.words[reg.CR1] & reg.CEN or not self._kernel_hz() or self._frozen:
            return False
        return self._base.divided()

    def flag_trigger(self) -> None:
        """The slave controller's trigger came."""
        self.requests.flag_trigger()

    def trigger_rises(self) -> None:
        """With CCUS the trigger commutates."""
        if self._commutation.follows_trigger:
            self._commutate()
            self.channels.update(self._base.position, [])
            self._schedule()

    def _commutate(self) -> None:
        if self._commutation.commutate():
            self.requests.flag_commutation()

    def system_break(self) -> None:
        """The part's clock failed (RM0351, TIMx_BDTR.BKE: break inputs and clock failure event)."""
        if self._has_break and self.words[reg.BDTR] & reg.BKE:
            self._break()

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
        base = self._base
        if base.stands_still:
            return
        channels = self._awaited_channels()
        due: list[int] = []
        on_update = self.trigger_output.mode == trigger_output.UPDATE
        told = self.requests.wants_updates or on_update or self.outputs.awaits_update
        if told or channels:
            legs = 1 if channels else base.repetitions_left + 1
            due.append(legs * base.course.leg)
        for channel in channels:
            match = self.channels.next_match(channel, base.elapsed)
            if match is not None:
                due.append(match)
        time_ps = base.ticks.time_of(base.tick_at(min(due))) if due else None
        if time_ps is not None:
            self._next_update = self._scheduler.at(time_ps, self._updated)

    def _updated(self) -> None:
        self._next_update = None
        self._catch_up()
        self._schedule()


class UpTim(Tim):
    """A timer that counts up only, and whose TI1 software may connect to a clock (OR1)."""

    writable: ClassVar[Mapping[int, int]] = {**Tim.writable, reg.CR1: Tim.writable[reg.CR1] & ~CONTROL}
    not_modelled: ClassVar[Mapping[int, int]] = {**Tim.not_modelled, reg.OR1: 0}

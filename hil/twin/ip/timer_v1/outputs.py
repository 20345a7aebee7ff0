# SPDX-License-Identifier: Apache-2.0
"""From a timer's references to its pins: polarity, complementary outputs, dead time, main output enable.

RM0351, TIM1 section: complementary outputs and dead-time insertion, using the break function, and its table
of output control bits; the bits are those of ST's stm32l476xx.h.
"""

from collections.abc import Callable, MutableMapping
from functools import partial
from typing import Final

from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.ip.register_block import field
from hil.twin.ip.tick_counter import PS_PER_S
from hil.twin.ip.timer_v1.connections import Drive, TimerPins
from hil.twin.ip.timer_v1.registers import AOE, BDTR, BKE, BKP, CCER, CR1, CR2, MOE, OSSI, OSSR

_DEAD_TIME_RANGES: Final = (
    (0x80, 0x7F, 0, 1),
    (0xC0, 0x3F, 64, 2),
    (0xE0, 0x1F, 32, 8),
    (0x100, 0x1F, 32, 16),
)
"""Of DTG, in steps of the dead-time clock: upper end, mask, what is added, factor (ST's HAL, DeadTime)."""
_OIS1: Final = 8
"""Position of OIS1 in CR2; OIS1N is the next bit, then channel 2's."""


class _Output:
    """One pin: a rising active edge waits for the dead time."""

    def __init__(self, scheduler: Scheduler, drive: Drive) -> None:
        self._scheduler = scheduler
        self._drive = drive
        self._waiting: Event | None = None
        self._wanted: tuple[bool | None, bool] = (None, False)

    def put(self, level: bool | None, active: bool, delay_ps: int) -> None:
        if (level, active) == self._wanted:
            return
        self._wanted = (level, active)
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        if active and delay_ps:
            self._waiting = self._scheduler.after(delay_ps, partial(self._drive, level))
        else:
            self._drive(level)


class TimerOutputs:
    """The pins of all channels; ``references`` are OCxREF, ``is_input`` tells channels without output."""

    def __init__(
        self,
        scheduler: Scheduler,
        words: Callable[[], MutableMapping[int, int]],
        references: Callable[[], list[bool]],
        is_input: Callable[[int], bool],
        kernel_hz: Callable[[], int],
        pins: TimerPins,
    ) -> None:
        self._words = words
        self._references = references
        self._is_input = is_input
        self._kernel_hz = kernel_hz
        self._complementary = len(pins.complementary)
        self._has_break = self._complementary > 0
        self._break_level = pins.break_level
        self._main = [_Output(scheduler, drive) for drive in pins.outputs]
        self._negative = [_Output(scheduler, drive) for drive in pins.complementary]

    @property
    def broken(self) -> bool:
        """Whether the break input, if it is enabled, has its active level."""
        bdtr = self._words()[BDTR]
        return self._has_break and bool(bdtr & BKE) and self._break_level() is bool(bdtr & BKP)

    def disable(self) -> None:
        """Clear MOE: the outputs go to their idle state until software, or an update with AOE, sets it."""
        self._words()[BDTR] &= ~MOE
        self.refresh()

    @property
    def awaits_update(self) -> bool:
        """Whether the next update event may set MOE."""
        return self._has_break and self._words()[BDTR] & (AOE | MOE) == AOE

    def enable_automatically(self) -> None:
        """An update event, which sets MOE if AOE is set."""
        if self._has_break and self._words()[BDTR] & AOE and not self.broken:
            self._words()[BDTR] |= MOE
            self.refresh()

    def drives(self, channel: int) -> bool:
        """Whether a pin follows the channel's reference."""
        if self._is_input(channel) or (self._has_break and not self._words()[BDTR] & MOE):
            return False
        enables = 5 if channel < self._complementary else 1
        return bool(self._words()[CCER] >> 4 * channel & enables)

    def refresh(self) -> None:
        """Registers or references changed."""
        dead_ps = self._dead_time_ps if self._has_break else 0
        for channel, output in enumerate(self._main):
            control = 0 if self._is_input(channel) else field(self._words()[CCER], 4 * channel, 4)
            negative = self._negative[channel] if channel < self._complementary else None
            # The dead time separates two outputs that both follow the reference.
            both = negative is not None and control & 5 == 5
            reference = self._references()[channel]
            output.put(*self._level(channel, 0, control, reference), dead_ps if both else 0)
            if negative is not None:
                # Alone, OCxN follows the reference; beside OCx it is the complement.
                follows = not reference if both else reference
                negative.put(*self._level(channel, 1, control >> 2, follows), dead_ps if both else 0)

    def _level(self, channel: int, negative: int, control: int, follows: bool) -> tuple[bool | None, bool]:
        """(level at the pin, whether it is the active one) of an output with enable and polarity bits."""
        enabled, inverted = bool(control & 1), bool(control & 2)
        bdtr = self._words()[BDTR] if self._has_break else MOE
        if bdtr & MOE:
            if enabled:
                return follows is not inverted, follows
            other = self._words()[CCER] >> 4 * channel & 5
            return (inverted, False) if bdtr & OSSR and other else (None, False)
        if not bdtr & OSSI or not enabled:
            return None, False
        return bool(self._words()[CR2] >> _OIS1 + 2 * channel + negative & 1), False

    @property
    def _dead_time_ps(self) -> int:
        code, hz = self._words()[BDTR] & 0xFF, self._kernel_hz()
        if not code or not hz:
            return 0
        _, mask, added, factor = next(item for item in _DEAD_TIME_RANGES if code < item[0])
        steps = (added + (code & mask)) * factor << field(self._words()[CR1], 8, 2)  # CKD
        return steps * PS_PER_S // hz

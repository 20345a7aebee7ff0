# SPDX-License-Identifier: Apache-2.0
"""A UART's line: the levels of a frame, and a receiver that samples them at a baud rate of its own.

No code decides whether two baud rates match; it follows from where the receiver samples. A receiver that is
3 % off still samples inside each bit. One that is 6 % off samples the stop bit in the last data bit, or
beyond the frame.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

PS_PER_S = 1_000_000_000_000

_SAMPLES = (8 / 16, 9 / 16, 10 / 16)
"""Where in a bit a receiver looks; the majority counts (RM0351, USART, oversampling by 16: samples 8 to
10)."""

Parity = Literal["none", "even", "odd"]


@dataclass(frozen=True)
class Format:
    """A frame between start and stop bit: ``data_bits`` count the parity bit, if there is one."""

    data_bits: int = 8
    parity: Parity = "none"
    msb_first: bool = False
    """The highest data bit comes first; the parity bit stays the last one."""
    inverted: bool = False
    """Data and parity bits are low for 1; start and stop bits are not inverted."""

    @property
    def data_mask(self) -> int:
        """The bits that are data and not parity."""
        return (1 << self.data_bits - (self.parity != "none")) - 1

    def levels(self, data: int) -> tuple[bool, ...]:
        """Start bit, data, parity; the stop bits follow, high."""
        bits = [bool(data >> bit & 1) for bit in range(self.data_mask.bit_length())]
        if self.msb_first:
            bits.reverse()
        if self.parity != "none":
            bits.append((sum(bits) % 2 == 1) is (self.parity == "even"))
        return (False, *(bit is not self.inverted for bit in bits))

    def value(self, levels: Sequence[bool]) -> tuple[int, bool]:
        """The data of the levels between start and stop bit, parity on top, and if the parity is wrong."""
        bits = [level is not self.inverted for level in levels]
        wrong = self.parity != "none" and (sum(bits) % 2 == 1) is not (self.parity == "odd")
        if self.msb_first:
            count = self.data_mask.bit_length()
            bits[:count] = bits[count - 1 :: -1]
        return sum(bit << index for index, bit in enumerate(bits)), wrong


@dataclass(frozen=True)
class Reception:
    """What a receiver makes of what it sampled; ``data`` has the parity bit on top, as in an STM32."""

    data: int
    framing_error: bool
    """The stop bit was low."""
    parity_error: bool
    noise: bool
    """The samples of a bit disagreed."""


class Event(Protocol):
    """A planned action."""

    def cancel(self) -> None:
        """Take it out of the plan."""


class Scheduler(Protocol):
    """The bench's time."""

    @property
    def now_ps(self) -> int:
        """Bench time in picoseconds."""

    def at(self, time_ps: int, action: Callable[[], None]) -> Event:
        """Call ``action`` at ``time_ps``, at once if that is past."""


class Receiver:
    """Waits for a falling edge, samples a frame, delivers it when the stop bit has been sampled.

    ``begin`` is asked at each falling edge on an idle line for the baud rate and format to receive with;
    ``None`` lets the edge pass. The start bit counts from its edge: a phase of the receiver's clock against
    it, up to a sixteenth of a bit, is not modelled.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        begin: Callable[[], tuple[float, Format] | None],
        deliver: Callable[[Reception], None],
        lag_ps: int = 0,
    ) -> None:
        """``lag_ps`` is how long after a change of the line :meth:`put` may tell of it."""
        self._lag_ps = lag_ps
        self._scheduler = scheduler
        self._begin = begin
        self._deliver = deliver
        self._level = True
        self._format = Format()
        self._bit_ps = 0.0
        self._times_ps: list[int] = []
        self._levels: list[bool] = []
        self._end: Event | None = None
        self.one_sample = False
        """Each bit is sampled once, in its middle, so that there is no noise."""

    @property
    def busy(self) -> bool:
        """Whether a frame is under way."""
        return self._end is not None

    def put(self, time_ps: int, level: bool) -> None:
        """The line has this level from ``time_ps`` on; also in the past, but in order."""
        if level is self._level:
            return
        self.known_until(time_ps)
        self._level = level
        if self._end is not None:
            self._times_ps.append(time_ps)
            self._levels.append(level)
        elif not level and (using := self._begin()) is not None:
            baud, self._format = using
            self._bit_ps = PS_PER_S / baud
            self._times_ps, self._levels = [time_ps], [False]
            self._end = self._scheduler.at(self._end_ps + self._lag_ps, self._finish)

    def known_until(self, time_ps: int) -> None:
        """All that happened before ``time_ps`` has been told: a frame over by then is delivered."""
        if self._end is not None and time_ps >= self._end_ps:
            self._finish()

    def abort(self) -> None:
        """Forget a frame under way: the receiver has been switched off."""
        if self._end is not None:
            self._end.cancel()
            self._end = None

    @property
    def _end_ps(self) -> int:
        """When the last sample of the stop bit is taken."""
        return round(self._times_ps[0] + self._bit_ps * (self._format.data_bits + 1 + _SAMPLES[-1]))

    def _finish(self) -> None:
        self.abort()
        (start, *data, stop), noise = self._bits()
        if start:
            return  # too short a pulse for a start bit
        value, parity_error = self._format.value(data)
        self._deliver(Reception(value, not stop, parity_error, noise))

    def _bits(self) -> tuple[list[bool], bool]:
        bits, noise = [], False
        for bit in range(self._format.data_bits + 2):
            samples = _SAMPLES[1:2] if self.one_sample else _SAMPLES
            votes = sum(self._level_at(self._times_ps[0] + self._bit_ps * (bit + at)) for at in samples)
            bits.append(2 * votes > len(samples))
            noise |= votes not in (0, len(samples))
        return bits, noise

    def _level_at(self, time_ps: float) -> bool:
        return self._levels[bisect_right(self._times_ps, time_ps) - 1]

# SPDX-License-Identifier: Apache-2.0
"""Input capture of a timer's channels (RM0351, TIM sections: input stage, input capture mode).

The input filters are not modelled: every edge passes at once.
"""

from collections.abc import Callable, MutableMapping
from functools import partial
from typing import Final

from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.ip.register_block import field
from hil.twin.ip.tick_counter import PS_PER_S
from hil.twin.ip.timer_v1.connections import RemappedInput
from hil.twin.ip.timer_v1.registers import CCER, CCMR1, CR2, TI1S
from hil.twin.signal import Signal

_DIRECT, _INDIRECT, _TRIGGER = 1, 2, 3
"""CCxS: the channel's own input, that of the other one of its pair, the trigger."""
_CHANNELS_OF_XOR: Final = 3


class InputChannels:
    """The inputs TI1 to TIn of a timer, numbered from 0.

    ``on_capture(channel)`` is called for every edge that a channel captures, ``edge(input, level)`` tells
    of every edge of an input. A clock at TI1 makes edges only while somebody is told of them.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        words: Callable[[], MutableMapping[int, int]],
        count: int,
        pin_level: Callable[[int], bool],
        remapped: RemappedInput | None,
        watched: Callable[[], bool],
        on_capture: Callable[[int], None],
    ) -> None:
        """``watched`` says whether somebody beside the channels wants to know the edges of TI1."""
        self._scheduler = scheduler
        self._words = words
        self.count = count
        self._pins = [False] * count
        self.levels = [False] * count
        """Of TI1 to TIn."""
        self._edges = [0] * count
        """Edges since the last capture, per channel."""
        self._remapped = remapped
        self._pin_level = pin_level
        self._watched = watched
        self._on_capture = on_capture
        self.edge: Signal[[int, bool]] = Signal(required=True)
        self._clock_edge: Event | None = None

    def reset(self) -> None:
        """Nothing is captured; the pins keep their levels."""
        self._edges = [0] * self.count
        self.retime()

    def set_pin(self, index: int, level: bool) -> None:
        """The pin behind TI(index + 1) has this level now."""
        self._pins[index] = level
        if index == 0 and self._is_remapped:
            return
        if self._words()[CR2] & TI1S and index < _CHANNELS_OF_XOR:
            self.set_level(0, sum(self._pins[:_CHANNELS_OF_XOR]) % 2 == 1)
        if index or not self._words()[CR2] & TI1S:
            self.set_level(index, level)

    @property
    def _is_remapped(self) -> bool:
        return self._remapped is not None and self._remapped.connected()

    def look_at_pins(self) -> None:
        """Pins may have been switched to or from the timer: take their levels, without making edges."""
        for index in range(self.count):
            if index or not self._is_remapped:
                self._pins[index] = self.levels[index] = self._pin_level(index)
        if self.count >= _CHANNELS_OF_XOR and self._words()[CR2] & TI1S:
            self.levels[0] = sum(self._pins[:_CHANNELS_OF_XOR]) % 2 == 1

    @property
    def captures_trigger(self) -> bool:
        """Whether a channel captures the trigger."""
        return any(self._selection(channel) == _TRIGGER for channel in range(self.count))

    def set_level(self, index: int, level: bool) -> None:
        """The input has this level now."""
        if level == self.levels[index]:
            return
        self.levels[index] = level
        for channel in (index, index ^ 1):
            selected = _DIRECT if channel == index else _INDIRECT
            if channel < self.count and self._selection(channel) == selected and self.active(channel, level):
                self._edge(channel)
        self.edge(index, level)

    def triggered(self) -> None:
        """The trigger that channels with CCxS = 3 capture."""
        for channel in range(self.count):
            if self._selection(channel) == _TRIGGER:
                self._edge(channel)

    def active(self, channel: int, rising: bool) -> bool:
        """Whether an edge is one that the channel's polarity bits select: rising, falling or both."""
        polarity = field(self._words()[CCER], 4 * channel, 4)
        return polarity & 0xA == 0xA or rising is not bool(polarity & 2)

    def filtered(self, index: int) -> bool:
        """The level of TIxFPx: inverted by the polarity of the input's own channel."""
        return self.levels[index] is not bool(field(self._words()[CCER], 4 * index + 1))

    def retime(self) -> None:
        """The clock at TI1, or who wants to know its edges, may have changed."""
        if self._clock_edge is not None:
            self._clock_edge.cancel()
            self._clock_edge = None
        if self._remapped is None:
            return
        told = self._captures(0) or self._captures(1) or self._watched()
        hz = self._remapped.clock_hz() if told else 0
        if hz:
            self._plan_clock_edge(2 * hz)

    def _captures(self, channel: int) -> bool:
        wanted = _DIRECT if channel == 0 else _INDIRECT
        enabled = channel < self.count and field(self._words()[CCER], 4 * channel)
        return bool(enabled) and self._selection(channel) == wanted

    def _plan_clock_edge(self, half_hz: int) -> None:
        """Edges of a clock are where they would be if it had run since time zero; even ones rise.

        Where one channel captures one kind of edge, those that its prescaler swallows are left out.
        """
        edge = self._scheduler.now_ps * half_hz // PS_PER_S + 1
        channel = self._only_capturing
        if channel is not None:
            edge += (edge % 2 == 0) is not self.active(channel, True)
            swallowed = (1 << field(self._mode_field(channel), 2, 2)) - 1 - self._edges[channel]
            edge += 2 * swallowed
            self._edges[channel] += swallowed
        time_ps = -(-edge * PS_PER_S // half_hz)
        self._clock_edge = self._scheduler.at(time_ps, partial(self._clocked, edge % 2 == 0))

    @property
    def _only_capturing(self) -> int | None:
        """The channel that alone captures TI1, and one kind of edge only."""
        capturing = [channel for channel in (0, 1) if self._captures(channel)]
        if len(capturing) != 1 or self._watched():
            return None
        both = self.active(capturing[0], True) and self.active(capturing[0], False)
        return None if both else capturing[0]

    def _clocked(self, rising: bool) -> None:
        self._clock_edge = None
        self.levels[0] = not rising
        self.set_level(0, rising)
        self.retime()

    def _edge(self, channel: int) -> None:
        if not field(self._words()[CCER], 4 * channel):
            return
        self._edges[channel] += 1
        if self._edges[channel] >= 1 << field(self._mode_field(channel), 2, 2):  # ICPSC
            self._edges[channel] = 0
            self._on_capture(channel)

    def _selection(self, channel: int) -> int:
        return self._mode_field(channel) & 3

    def _mode_field(self, channel: int) -> int:
        return field(self._words()[CCMR1 + channel // 2 * 4], channel % 2 * 8, 8)

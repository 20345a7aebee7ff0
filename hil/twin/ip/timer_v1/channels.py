# SPDX-License-Identifier: Apache-2.0
"""Output compare of a timer's channels (RM0351, TIM sections: output compare mode, PWM mode).

The counter is followed by its phase: how many counts it is past its last update. Counting up the phase is the
count, counting down it is the reload value less the count.
"""

from collections.abc import Callable, MutableMapping
from typing import Final

from hil.twin.ip.register_block import field
from hil.twin.ip.timer_v1.registers import CCMR1, CCR1

_PRELOAD: Final = 1 << 3
_ACTIVE_ON_MATCH, _INACTIVE_ON_MATCH, _TOGGLE, _INACTIVE, _ACTIVE, _PWM1, _PWM2 = range(1, 8)


class OutputChannels:
    """Channels 0 to ``count - 1``: their compare values in force, and the references that follow.

    ``words`` are the timer's registers. ``on_references`` is called when any OCxREF may have changed,
    ``on_reference(channel, level)`` with every change of one.
    """

    def __init__(
        self,
        words: Callable[[], MutableMapping[int, int]],
        count: int,
        on_references: Callable[[], None],
        on_reference: Callable[[int, bool], None],
    ) -> None:
        self._words = words
        self.count = count
        self._compare = [0] * count
        self.references = [False] * count
        self.counts_down = False
        self._on_references = on_references
        self._on_reference = on_reference

    def reset(self) -> None:
        """All off."""
        self._compare = [0] * self.count
        self.references = [False] * self.count
        self._on_references()

    def written(self, offset: int) -> None:
        """The register at ``offset`` was written: a compare value without preload is in force at once."""
        channel = (offset - CCR1) // 4
        if 0 <= channel < self.count and not self._mode_field(channel) & _PRELOAD:
            self._compare[channel] = self._words()[offset]

    def load_preloads(self) -> None:
        """An update event: every compare value is in force."""
        for channel in range(self.count):
            self._compare[channel] = self._words()[CCR1 + 4 * channel]

    def matched(self, before: int, now: int, reload: int) -> list[int]:
        """The output channels whose value the counter reached at a phase in (before, now]."""
        period = reload + 1
        return [
            channel
            for channel, compare in enumerate(self._compare)
            if compare <= reload
            and not self.is_input(channel)
            and (now - self._phase(compare, reload)) // period
            > (before - self._phase(compare, reload)) // period
        ]

    def next_match(self, channel: int, now: int, reload: int) -> int | None:
        """The first phase after ``now`` at which the channel matches; None if it never does."""
        compare = self._compare[channel]
        if compare > reload:
            return None
        return now + 1 + (self._phase(compare, reload) - now - 1) % (reload + 1)

    def at(self, count: int) -> list[int]:
        """The output channels that a counter standing at ``count`` matches."""
        compares = enumerate(self._compare)
        return [channel for channel, compare in compares if compare == count and not self.is_input(channel)]

    def is_input(self, channel: int) -> bool:
        """Whether the channel is a capture input."""
        return bool(self._mode_field(channel) & 3)

    def update(self, count: int, matched: list[int]) -> None:
        """Bring the references to the counter's ``count`` after the channels in ``matched`` matched."""
        for channel in range(self.count):
            level = self._level(channel, count, channel in matched)
            if level != self.references[channel]:
                self.references[channel] = level
                self._on_reference(channel, level)
        self._on_references()

    def _phase(self, compare: int, reload: int) -> int:
        return reload - compare if self.counts_down else compare

    def _level(self, channel: int, count: int, matched: bool) -> bool:
        mode_field, now = self._mode_field(channel), self.references[channel]
        mode = field(mode_field, 4, 3)
        if mode_field & 3:
            return False  # an input: the bits above are its filter
        if mode in (_PWM1, _PWM2):
            compare = self._compare[channel]
            below = count <= compare if self.counts_down else count < compare
            return below is (mode == _PWM1)
        if mode in (_INACTIVE, _ACTIVE):
            return mode == _ACTIVE
        if not matched:
            return now
        return {_ACTIVE_ON_MATCH: True, _INACTIVE_ON_MATCH: False, _TOGGLE: not now}.get(mode, now)

    def _mode_field(self, channel: int) -> int:
        return field(self._words()[CCMR1 + channel // 2 * 4], channel % 2 * 8, 8)

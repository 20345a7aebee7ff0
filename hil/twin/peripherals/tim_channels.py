# SPDX-License-Identifier: Apache-2.0
"""Output compare of a timer's channels (RM0351, TIM sections: output compare mode, PWM mode)."""

from collections.abc import Callable, MutableMapping
from typing import Final

from hil.twin.peripherals.registers import field

CCMR1: Final = 0x18
CCER: Final = 0x20
CCR1: Final = 0x34
BDTR: Final = 0x44

_PRELOAD: Final = 1 << 3
_MOE: Final = 1 << 15
_ACTIVE_ON_MATCH, _INACTIVE_ON_MATCH, _TOGGLE, _INACTIVE, _ACTIVE, _PWM1, _PWM2 = range(1, 8)


class OutputChannels:
    """Channels 0 to ``count - 1``: their compare values in force, and what they put out.

    ``words`` are the timer's registers. ``on_output(channel, level)`` gets the level at the pin, None while
    the output is off; ``on_reference(channel, level)`` gets every change of OCxREF.
    """

    def __init__(self, words: Callable[[], MutableMapping[int, int]], count: int, *, has_break: bool) -> None:
        self._words = words
        self.count = count
        self._has_break = has_break
        self._compare = [0] * count
        self._reference = [False] * count
        self._driven: list[bool | None] = [None] * count
        self.on_output: Callable[[int, bool | None], None] = lambda channel, level: None
        self.on_reference: Callable[[int, bool], None] = lambda channel, level: None

    def reset(self) -> None:
        """All off."""
        self._compare = [0] * self.count
        self._reference = [False] * self.count
        for channel in range(self.count):
            self._drive(channel, None)

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
        """The channels whose value the counter reached in (before, now], counted from an update event."""
        period = reload + 1
        return [
            channel
            for channel, compare in enumerate(self._compare)
            if compare <= reload and (now - compare) // period > (before - compare) // period
        ]

    def next_match(self, channel: int, now: int, reload: int) -> int | None:
        """The first count after ``now`` at which the channel matches; None if it never does."""
        compare = self._compare[channel]
        return None if compare > reload else now + 1 + (compare - now - 1) % (reload + 1)

    def has_output(self, channel: int) -> bool:
        """Whether the channel drives its pin."""
        enabled = self._words()[CCER] >> 4 * channel & 1
        return bool(enabled) and (not self._has_break or bool(self._words()[BDTR] & _MOE))

    def is_input(self, channel: int) -> bool:
        """Whether the channel is a capture input."""
        return bool(self._mode_field(channel) & 3)

    def update(self, position: int, matched: list[int]) -> None:
        """Bring the outputs to the counter's ``position`` after the channels in ``matched`` matched."""
        for channel in range(self.count):
            level = self._level(channel, position, channel in matched)
            if level != self._reference[channel]:
                self._reference[channel] = level
                self.on_reference(channel, level)
            inverted = bool(self._words()[CCER] >> 4 * channel + 1 & 1)
            self._drive(channel, level is not inverted if self.has_output(channel) else None)

    def _drive(self, channel: int, level: bool | None) -> None:
        if level is not self._driven[channel]:
            self._driven[channel] = level
            self.on_output(channel, level)

    def _level(self, channel: int, position: int, matched: bool) -> bool:
        mode_field, now = self._mode_field(channel), self._reference[channel]
        mode = field(mode_field, 4, 3)
        if mode in (_PWM1, _PWM2):
            return (position < self._compare[channel]) is (mode == _PWM1)
        if mode in (_INACTIVE, _ACTIVE):
            return mode == _ACTIVE
        if not matched:
            return now
        return {_ACTIVE_ON_MATCH: True, _INACTIVE_ON_MATCH: False, _TOGGLE: not now}.get(mode, now)

    def _mode_field(self, channel: int) -> int:
        return field(self._words()[CCMR1 + channel // 2 * 4], channel % 2 * 8, 8)

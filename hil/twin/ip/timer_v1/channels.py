# SPDX-License-Identifier: Apache-2.0
"""Output compare of a timer's channels (RM0351, TIM sections: output compare, PWM and its variants).

Modes 8 and 9 (retriggerable one-pulse) are not modelled; a channel in one of them keeps its level.
"""

from collections.abc import Callable, MutableMapping
from typing import Final

from hil.twin.ip.register_block import field
from hil.twin.ip.timer_v1.course import Course
from hil.twin.ip.timer_v1.registers import CCMR1, CCR1

_PRELOAD: Final = 1 << 3
_ACTIVE_ON_MATCH, _INACTIVE_ON_MATCH, _TOGGLE, _INACTIVE, _ACTIVE, _PWM1, _PWM2 = range(1, 8)
_COMBINED_1, _COMBINED_2, _ASYMMETRIC_1, _ASYMMETRIC_2 = range(12, 16)
_COMPARES_LIKE: Final = {_COMBINED_1: _PWM1, _COMBINED_2: _PWM2, _ASYMMETRIC_1: _PWM1, _ASYMMETRIC_2: _PWM2}


class OutputChannels:
    """Channels 0 to ``count - 1``: their compare values in force, and the references that follow.

    ``words`` are the timer's registers. ``on_references`` is called when any OCxREFC may have changed,
    ``on_reference(channel, level)`` with every change of one.
    """

    def __init__(
        self,
        words: Callable[[], MutableMapping[int, int]],
        count: int,
        course: Course,
        on_references: Callable[[], None],
        on_reference: Callable[[int, bool], None],
    ) -> None:
        self._words = words
        self.count = count
        self._course = course
        self._compare = [0] * count
        self._own = [False] * count
        """OCxREF."""
        self.references = [False] * count
        """OCxREFC: OCxREF, combined with that of the channel's partner where the mode says so."""
        self._on_references = on_references
        self._on_reference = on_reference

    def reset(self) -> None:
        """All off."""
        self._compare = [0] * self.count
        self._own = [False] * self.count
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

    def matched(self, before: int, now: int) -> tuple[list[int], list[int]]:
        """The output channels whose value the counter reached at a phase in (before, now], and those of them
        that set their flags.
        """
        period = self._course.period
        matched, flagged = [], []
        for channel, compare in enumerate(self._compare):
            if self.is_input(channel):
                continue
            reached = [
                flags
                for phase, flags in self._course.matches(compare)
                if (now - phase) // period > (before - phase) // period
            ]
            if reached:
                matched.append(channel)
            if any(reached):
                flagged.append(channel)
        return matched, flagged

    def next_match(self, channel: int, now: int) -> int | None:
        """The first phase after ``now`` at which the channel matches; None if it never does."""
        phases = [phase for phase, _ in self._course.matches(self._compare[channel])]
        return min((now + 1 + (phase - now - 1) % self._course.period for phase in phases), default=None)

    def at(self, count: int) -> list[int]:
        """The output channels that a counter standing at ``count`` matches."""
        compares = enumerate(self._compare)
        return [channel for channel, compare in compares if compare == count and not self.is_input(channel)]

    def is_input(self, channel: int) -> bool:
        """Whether the channel is a capture input."""
        return bool(self._mode_field(channel) & 3)

    def combines(self, channel: int) -> bool:
        """Whether the channel's output depends on its partner's reference."""
        return not self.is_input(channel) and self._mode(channel) >= _COMBINED_1

    def update(self, count: int, matched: list[int]) -> None:
        """Bring the references to the counter's ``count`` after the channels in ``matched`` matched."""
        for channel in range(self.count):
            self._own[channel] = self._level(channel, count, channel in matched)
        for channel in range(self.count):
            level = self._combined(channel)
            if level != self.references[channel]:
                self.references[channel] = level
                self._on_reference(channel, level)
        self._on_references()

    def _combined(self, channel: int) -> bool:
        own, mode = self._own[channel], 0 if self.is_input(channel) else self._mode(channel)
        partner = self._own[channel ^ 1] if channel ^ 1 < self.count else own
        if mode == _COMBINED_1:
            return own or partner
        if mode == _COMBINED_2:
            return own and partner
        if mode in (_ASYMMETRIC_1, _ASYMMETRIC_2):
            return partner if self._course.down else own
        return own

    def _level(self, channel: int, count: int, matched: bool) -> bool:
        now = self._own[channel]
        if self.is_input(channel):
            return False
        mode = _COMPARES_LIKE.get(self._mode(channel), self._mode(channel))
        if mode in (_PWM1, _PWM2):
            compare = self._compare[channel]
            below = count <= compare if self._course.down else count < compare
            return below is (mode == _PWM1)
        if mode in (_INACTIVE, _ACTIVE):
            return mode == _ACTIVE
        if not matched:
            return now
        return {_ACTIVE_ON_MATCH: True, _INACTIVE_ON_MATCH: False, _TOGGLE: not now}.get(mode, now)

    def _mode(self, channel: int) -> int:
        """OCxM, whose highest bit lies apart."""
        word = self._words()[CCMR1 + channel // 2 * 4] >> channel % 2 * 8
        return field(word, 4, 3) | field(word, 16) << 3

    def _mode_field(self, channel: int) -> int:
        return field(self._words()[CCMR1 + channel // 2 * 4], channel % 2 * 8, 8)

# SPDX-License-Identifier: Apache-2.0
"""A timer's trigger output, TRGO (RM0351, TIMx_CR2.MMS), and who follows it."""

from collections.abc import Callable, MutableMapping
from typing import Final, Protocol

from hil.twin.ip.register_block import field
from hil.twin.ip.timer_v1.registers import CR2

RESET, ENABLE, UPDATE, MATCH_1, REFERENCE_1 = range(5)
"""MMS codes; those above are the references of channels 2 to 4."""
_FIRST_CHANNEL: Final = 0


class Follower(Protocol):
    """A timer or a converter that TRGO can act on; ``index`` says by which of its triggers."""

    def listens(self, index: int) -> bool:
        """Whether a pulse on trigger ``index`` would do anything."""

    def internal_trigger(self, index: int) -> None:
        """A pulse."""


class TriggerOutput:
    """Sends pulses to the converters and to other timers."""

    def __init__(self, words: Callable[[], MutableMapping[int, int]]) -> None:
        self._words = words
        self.converters: list[tuple[Follower, int]] = []
        """ADCs and DAC, and the trigger selection by which TRGO reaches each; they are told first."""
        self.followers: list[tuple[Follower, int]] = []
        """Other timers, and the internal trigger by which TRGO reaches each."""
        self.reference_followers: list[tuple[Follower, int]] = []
        """Others that OC1 reaches instead."""

    @property
    def mode(self) -> int:
        """MMS."""
        return field(self._words()[CR2], 4, 3)

    def is_followed_beside(self, asker: Follower) -> bool:
        """Whether somebody else than ``asker`` acts on every pulse."""
        followers = (*self.converters, *self.followers)
        return any(follower is not asker and follower.listens(index) for follower, index in followers)

    @property
    def awaits_matches(self) -> bool:
        """Whether somebody wants to know every match, or change of a reference, at once."""
        if self.mode >= MATCH_1:
            return True
        return any(follower.listens(index) for follower, index in self.reference_followers)

    def event(self, mode: int) -> None:
        """Something happened that is a pulse if ``mode`` is selected."""
        if self.mode == mode:
            for follower, index in (*self.converters, *self.followers):
                follower.internal_trigger(index)

    def reference_changed(self, channel: int, level: bool) -> None:
        """OCxREF."""
        if level:
            self.event(REFERENCE_1 + channel)
            if channel == _FIRST_CHANNEL:
                for follower, index in self.reference_followers:
                    follower.internal_trigger(index)

# SPDX-License-Identifier: Apache-2.0
"""A timer's counting direction (RM0351, TIM sections: upcounting, downcounting, centre-aligned mode).

The counter is followed by its phase: how many counts it is past its last overflow or underflow, which is
where a leg ends. Counting up the phase is the count, counting down it is the reload value less the count.
Edge-aligned legs are all alike and have one count more than the reload value. Centre-aligned ones alternate:
0 up to the reload value less one, then the reload value down to 1.
"""

from typing import Final

from hil.twin.ip.register_block import field
from hil.twin.ip.timer_v1.registers import CMS, DIR

_FLAGS_DOWN, _FLAGS_UP, _FLAGS_BOTH = 1, 2, 3
"""CMS: on which legs a match sets flags."""
_EDGE_ALIGNED: Final = 0


class Course:
    """The reload value in force, the direction, and what follows from them."""

    def __init__(self) -> None:
        self.reload = 0
        self.down = False
        """The present direction."""
        self._alignment = _EDGE_ALIGNED

    def reset(self, reload: int) -> None:
        """Edge-aligned, up."""
        self.reload = reload
        self.down = False
        self._alignment = _EDGE_ALIGNED

    def select(self, control: int, *, encoder: bool) -> None:
        """CR1 was written: DIR counts only while it is not the hardware's (RM0351, TIMx_CR1)."""
        self._alignment = _EDGE_ALIGNED if encoder else field(control, 5, 2)
        if encoder:
            self.down = False
        elif not self.centred:
            self.down = bool(control & DIR)

    @property
    def centred(self) -> bool:
        """Whether the counter goes up and down by itself."""
        return self._alignment != _EDGE_ALIGNED

    @property
    def leg(self) -> int:
        """Counts from one overflow or underflow to the next."""
        return self.reload if self.centred else self.reload + 1

    def end(self, legs: int) -> None:
        """So many legs are over."""
        if self.centred and legs % 2:
            self.down = not self.down

    def restart(self) -> int:
        """The count after software's or the trigger's update: zero, or the reload value counting down."""
        if self.centred:
            self.down = False
        return self.reload if self.down else 0

    def set_by_hand(self, count: int) -> None:
        """Software wrote CNT: an end of the course turns it (RM0351, hints on centre-aligned mode)."""
        if self.centred and count in (0, self.reload):
            self.down = count != 0

    def count(self, phase: int) -> int:
        """What CNT shows at a phase of the present leg."""
        return self.reload - phase if self.down else phase

    phase = count
    """The phase at a count; the rule is its own inverse."""

    def matches(self, compare: int) -> list[tuple[int, bool]]:
        """(phase, whether it sets flags) of every match from here to where the course repeats itself."""
        if compare > self.reload:
            return []
        if not self.centred:
            return [(self.phase(compare), True)]
        found = []
        for leg, down in ((0, self.down), (1, not self.down)):
            # A leg down begins at the reload value, a leg up at zero; each leaves the other's begin out.
            if compare != (0 if down else self.reload):
                phase = self.reload - compare if down else compare
                wanted = (_FLAGS_DOWN if down else _FLAGS_UP, _FLAGS_BOTH)
                found.append((leg * self.reload + phase, self._alignment in wanted))
        return found

    @property
    def period(self) -> int:
        """Counts until the course repeats itself."""
        return 2 * self.reload if self.centred else self.reload + 1


CONTROL: Final = CMS | DIR
"""The bits of CR1 that select the course."""

# SPDX-License-Identifier: Apache-2.0
"""What a timer is connected to outside: its pins, its DMA requests, and the clock that TI1 may measure."""

from collections.abc import Callable
from typing import NamedTuple

Drive = Callable[[bool | None], None]
"""Takes the level of a pin, ``None`` while the timer lets go of it."""


class TimerPins(NamedTuple):
    """The pins; one that is switched to something else takes what it is given and shows nothing."""

    outputs: tuple[Drive, ...]
    """OC1 and on."""
    complementary: tuple[Drive, ...]
    """OC1N and on."""
    input_level: Callable[[int], bool]
    """The level at the pin of an input now; low where no pin is switched to it."""
    break_level: Callable[[], bool | None]
    """The level at the break input; ``None`` where no pin is switched to it."""


class DmaRequests(NamedTuple):
    """Each asks the DMA for one transfer, and says whether it was served."""

    update: Callable[[], bool]
    trigger: Callable[[], bool]
    commutation: Callable[[], bool]
    compare: tuple[Callable[[], bool], ...]
    """For a match or a capture, per channel."""


class RemappedInput(NamedTuple):
    """What software may connect to TI1 in place of its pin."""

    connected: Callable[[], bool]
    """Whether it did."""
    clock_hz: Callable[[], int]
    """The clock there; zero if none or if it stands still."""

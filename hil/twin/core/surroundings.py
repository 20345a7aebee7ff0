# SPDX-License-Identifier: Apache-2.0
"""What the part around a core answers and does, where the core alone cannot."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Surroundings:
    """Given to a core when it is made; all of them are needed."""

    refuses_sleep: Callable[[bool], bool]
    """Asked at WFI and WFE with SCR.SLEEPDEEP: true lets the program go on as if they were NOPs."""
    sleeps: Callable[[bool], None]
    """Told with SCR.SLEEPDEEP that the core sleeps."""
    wakes: Callable[[], int]
    """Told that the core has a reason to go on; returns how long waking takes, in ps."""
    changed: Callable[[], None]
    """Told that the core's state is another."""
    system_reset: Callable[[str], None]
    """Asked for a system reset, with its cause; the core itself is reset in turn."""
    flash_is_closed: Callable[[], bool]
    """Asked before the program goes on: true makes every fetch from flash, vectors included, fail."""
    closed_to_debugger: Callable[[int, int], str | None]
    """Asked about every range (address, bytes) that the debug port wants: why it must not have it."""
    flash_written: Callable[[int, int, int], None]
    """Told address, width and value of a store into flash or system memory, which changes nothing itself."""

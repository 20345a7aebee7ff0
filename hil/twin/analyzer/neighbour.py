# SPDX-License-Identifier: Apache-2.0
"""Channel 2 of the mainframe, where it is somebody else's: it is on, and feeds what we know nothing of."""

from __future__ import annotations

from hil.twin.analyzer.commands import CHANNELS
from hil.twin.signal import Signal

NEIGHBOUR = 2
"""Its channel."""


class Neighbour:
    """Another user's channel, or none. Whoever switches it off harms that user."""

    def __init__(self, *, on: bool) -> None:
        self.on = on
        self.channels = (*CHANNELS, NEIGHBOUR) if on else CHANNELS
        """The channels that hold a module."""
        self.harmed: Signal[[str]] = Signal()
        """Told what has been done to the other user."""

    def switch(self, on: bool, command: str) -> None:
        """Switch its output; ``command`` is what asked for it."""
        if self.on and not on:
            self.harmed(f"{command} has switched off channel {NEIGHBOUR}, which feeds another user's bench")
        self.on = on and NEIGHBOUR in self.channels

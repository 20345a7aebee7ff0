# SPDX-License-Identifier: Apache-2.0
"""What ends WFI and WFE: Armv7-M Architecture Reference Manual (DDI 0403), B1.5.17 to B1.5.19."""

from __future__ import annotations

from hil.twin.core import state_layout as words
from hil.twin.core.emulator import Emulator
from hil.twin.core.exceptions import Exceptions
from hil.twin.core.nvic import Nvic


class WakeUp:
    """Decides whether a core that executed WFI or WFE goes on."""

    def __init__(self, emulator: Emulator, nvic: Nvic, exceptions: Exceptions) -> None:
        self._emulator = emulator
        self._nvic = nvic
        self._exceptions = exceptions
        self.for_event = False
        """It was WFE."""

    def is_due(self) -> bool:
        """Tell whether there is a reason to go on.

        WFI: an exception that would be taken if PRIMASK were 0.  WFE: the event register or an exception that
        can be taken.
        """
        primask, faultmask, basepri = self._exceptions.masks()
        if not self.for_event:
            return self._nvic.preempting(0, faultmask, basepri) is not None
        if self._emulator.state[words.EVENT_REGISTER]:
            return True
        return self._nvic.preempting(primask, faultmask, basepri) is not None

# SPDX-License-Identifier: Apache-2.0
"""USB OTG_FS (RM0351, OTG_FS section): the core's resets, which need the 48 MHz clock, and its mode.

No cable is on the bench. The registers that a driver sets up before it waits for one keep what they are
given, and each of their bits is named; the others name themselves.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar, Final

from hil.parts import Block
from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.ip.register_block import WORD, RegisterBlock
from hil.twin.ip.tick_counter import PS_PER_S

GAHBCFG: Final = 0x08
GUSBCFG: Final = 0x0C
GRSTCTL: Final = 0x10
GINTSTS: Final = 0x14
GINTMSK: Final = 0x18
GCCFG: Final = 0x38
_CSRST, _RXFFLSH, _TXFFLSH, _AHBIDL = 1, 1 << 4, 1 << 5, 1 << 31
_FHMOD, _FDMOD = 1 << 29, 1 << 30
_CMOD, _NPTXFE, _PTXFE = 1, 1 << 5, 1 << 26
_SELF_CLEARING: Final = {_CSRST: 3, _RXFFLSH: 8, _TXFFLSH: 8}
"""Requests, and the PHY clocks until the core has done them (RM0351, OTG_GRSTCTL)."""


class OtgFs(RegisterBlock):
    """The core; ``phy_hz`` is its 48 MHz clock, zero if there is none."""

    resets: ClassVar[Mapping[int, int]] = {
        GAHBCFG: 0,
        GUSBCFG: 0,
        GRSTCTL: _AHBIDL,
        GINTSTS: _NPTXFE | _PTXFE,
        GINTMSK: 0,
        GCCFG: 0,
    }
    writable: ClassVar[Mapping[int, int]] = {GRSTCTL: 0, GINTSTS: 0}
    not_modelled: ClassVar[Mapping[int, int]] = {
        **dict.fromkeys((GAHBCFG, GINTMSK, GCCFG), WORD),
        GUSBCFG: WORD & ~(_FHMOD | _FDMOD),
        GRSTCTL: 0x7C0,
    }

    def __init__(self, block: Block, scheduler: Scheduler, phy_hz: Callable[[], int]) -> None:
        super().__init__(block)
        self._scheduler = scheduler
        self._phy_hz = phy_hz
        self._clearing: dict[int, Event] = {}

    def reset(self) -> None:
        """System reset."""
        super().reset()
        self._stop_clearing()

    def retime(self) -> None:
        """The clock may have come or gone: what is under way begins anew, or waits."""
        self._stop_clearing()
        self._clear_later()

    def write_word(self, offset: int, value: int) -> None:
        """Write a register."""
        if offset == GRSTCTL:
            self.words[GRSTCTL] |= value & sum(_SELF_CLEARING)
            self._clear_later()
        else:
            self.store(offset, value)
        if offset == GUSBCFG:
            host = value & _FHMOD and not value & _FDMOD
            self.words[GINTSTS] = self.words[GINTSTS] & ~_CMOD | (_CMOD if host else 0)

    def _clear_later(self) -> None:
        hz = self._phy_hz()
        for request, clocks in _SELF_CLEARING.items():
            if hz and self.words[GRSTCTL] & request and request not in self._clearing:
                delay_ps = clocks * PS_PER_S // hz
                self._clearing[request] = self._scheduler.after(delay_ps, partial(self._done, request))

    def _done(self, request: int) -> None:
        del self._clearing[request]
        self.words[GRSTCTL] &= ~request

    def _stop_clearing(self) -> None:
        for event in self._clearing.values():
            event.cancel()
        self._clearing.clear()

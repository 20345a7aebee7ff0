# SPDX-License-Identifier: Apache-2.0
"""A USART's modem lines: CTS holds the transmitter, RTS tells of a full receiver, or DE enables a driver.

Source: RM0351, USART section, hardware flow control and RS485 driver enable. An input that no pin is switched
to reads low, so that it holds nothing (assumption serial_lines).
"""

from collections.abc import Callable, MutableMapping
from typing import Final

from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.ip.register_block import field
from hil.twin.ip.tick_counter import PS_PER_S
from hil.twin.ip.usart_v3.registers import (
    CR1,
    CR3,
    CTS,
    CTSE,
    CTSIF,
    DEAT_AT,
    DEDT_AT,
    DEM,
    DEP,
    ISR,
    OVER8,
    RTSE,
    RXNE,
    UE,
)

_FIELD: Final = 5
"""The width of DEAT and DEDT in bits."""


class FlowControl:
    """The transmitter asks it before every frame; ``on_clear`` tells that it may ask again."""

    def __init__(
        self,
        scheduler: Scheduler,
        words: Callable[[], MutableMapping[int, int]],
        on_clear: Callable[[], None],
        cts_level: Callable[[], bool | None],
        drive_rts: Callable[[bool | None], None],
    ) -> None:
        self._scheduler = scheduler
        self._words = words
        self._on_clear = on_clear
        self._driving = False
        self._release: Event | None = None
        self._cts_level = cts_level
        self._drive_rts = drive_rts

    @property
    def clear_to_send(self) -> bool:
        """Whether the next frame may begin: CTS is low, and DE is not about to change."""
        held = self._words()[CR3] & CTSE and self._cts_level()
        return not held and self._release is None

    def cts_changed(self, level: bool) -> None:
        """CTS has a new level."""
        words = self._words()
        if words[CR1] & UE and words[CR3] & CTSE:
            words[ISR] = words[ISR] & ~CTS | CTSIF | (0 if level else CTS)
            self._on_clear()

    def frame_begins(self, bit_s: float) -> int:
        """A frame is to begin; returns how long DE has to be active before, in ps."""
        words = self._words()
        if not words[CR3] & DEM or self._driving:
            return 0
        self._driving = True
        self.refresh()
        return self._time_ps(DEAT_AT, bit_s)

    def frames_over(self, bit_s: float) -> None:
        """No frame follows the one that has ended: DE stays active for DEDT."""
        if self._driving:
            self._release = self._scheduler.after(self._time_ps(DEDT_AT, bit_s), self._released)

    def refresh(self) -> None:
        """Registers or flags changed: drive RTS or DE."""
        words = self._words()
        control = words[CR3]
        if not words[CR1] & UE or not control & (RTSE | DEM):
            self._drive_rts(None)
        elif control & DEM:
            self._drive_rts(self._driving is not bool(control & DEP))
        else:
            self._drive_rts(bool(words[ISR] & RXNE))

    def look_at_cts(self) -> None:
        """ISR.CTS shows the input while CTSE is set."""
        words = self._words()
        shows = words[CR1] & UE and words[CR3] & CTSE and not self._cts_level()
        words[ISR] = words[ISR] & ~CTS | (CTS if shows else 0)

    def abort(self) -> None:
        """The transmitter was switched off."""
        if self._release is not None:
            self._release.cancel()
        self._release = None
        self._driving = False
        self.refresh()

    def _released(self) -> None:
        self._release = None
        self._driving = False
        self.refresh()
        self._on_clear()

    def _time_ps(self, position: int, bit_s: float) -> int:
        control = self._words()[CR1]
        samples_per_bit = 8 if control & OVER8 else 16
        return round(field(control, position, _FIELD) * bit_s * PS_PER_S / samples_per_bit)

# SPDX-License-Identifier: Apache-2.0
"""A USART's transmitter: one frame after the other, each at its bit time (RM0351, USART transmitter)."""

from collections.abc import Callable, MutableMapping
from typing import Final, Protocol

from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.ip.register_block import field
from hil.twin.ip.tick_counter import PS_PER_S
from hil.twin.ip.usart_v3 import registers as reg
from hil.twin.ip.usart_v3.flow import FlowControl

BREAK: Final = -1
"""In the place of data: the line is low for a whole frame."""
_LIN_BREAK_BITS: Final = 13
STOP_BITS: Final = (1.0, 0.5, 2.0, 1.5)
"""By CR2.STOP."""


class Owner(Protocol):
    """The USART that the transmitter belongs to."""

    @property
    def baud(self) -> float:
        """Its rate now; zero without a clock."""

    @property
    def frame_bits(self) -> float:
        """The length of a frame in bits, start and stop bits included."""

    def refresh(self) -> None:
        """Flags changed: renew the interrupt."""

    def frame_sent(self, end_ps: int, data: int, baud: float) -> None:
        """A frame has left: when it ended, its data (or ``BREAK``), and its rate."""

    def feed_from_dma(self) -> None:
        """The data register is free."""


class Transmitter:
    """Sends what its owner writes; CTS may hold it, and RTS or DE goes with it."""

    def __init__(
        self,
        scheduler: Scheduler,
        words: Callable[[], MutableMapping[int, int]],
        kernel_hz: Callable[[], int],
        owner: Owner,
        cts_level: Callable[[], bool | None],
        drive_rts: Callable[[bool | None], None],
    ) -> None:
        self._scheduler = scheduler
        self._words = words
        self._kernel_hz = kernel_hz
        self._owner = owner
        self._frame_end: Event | None = None
        self._shifting: int | None = None
        self._waiting: int | None = None
        self._break_wanted = False
        self._clock_hz = 0
        self.flow = FlowControl(scheduler, words, self._go_on, cts_level, drive_rts)

    @property
    def enabled(self) -> bool:
        """Whether UE and TE are set."""
        return self._words()[reg.CR1] & (reg.UE | reg.TE) == reg.UE | reg.TE

    @property
    def sending(self) -> bool:
        """Whether a frame is under way."""
        return self._frame_end is not None

    def retime(self) -> bool:
        """The kernel clock may have changed; returns whether it has. A frame under way is then lost."""
        clock_hz = self._kernel_hz()
        if clock_hz == self._clock_hz:
            return False
        self._clock_hz = clock_hz
        if self._frame_end is not None:
            self._frame_end.cancel()
            self._frame_end = None
            self._shifting = None
        return True

    def write(self, data: int) -> None:
        """TDR."""
        if self.enabled:
            self._waiting = data
            self._words()[reg.ISR] &= ~(reg.TXE | reg.TC)
            self._go_on()

    def forget_waiting(self) -> None:
        """TXFRQ."""
        self._waiting = None
        self._words()[reg.ISR] |= reg.TXE

    def send_break(self) -> None:
        """SBKRQ: after the frame under way, the line is low for a frame."""
        if self.enabled:
            self._break_wanted = True
            self._words()[reg.ISR] |= reg.SBKF
            self._go_on()

    def send_idle(self) -> None:
        """Enabling the transmitter sends an idle frame first (RM0351, USART transmitter)."""
        self._shift(None)

    def next_frame(self) -> None:
        """Begin the frame that waits, if there is one and nothing holds it."""
        if not self._clock_hz or not self.flow.clear_to_send:
            return
        if self._break_wanted:
            self._break_wanted = False
            self._words()[reg.ISR] &= ~reg.TC
            self._shift(BREAK)
        elif self._waiting is not None:
            data, self._waiting = self._waiting, None
            self._words()[reg.ISR] |= reg.TXE
            self._shift(data)
            self._owner.refresh()
            self._owner.feed_from_dma()

    def abort(self) -> None:
        """The USART was switched off: a frame under way is lost."""
        if self._frame_end is not None:
            self._frame_end.cancel()
        self._frame_end = None
        self._shifting = self._waiting = None
        self._break_wanted = False
        self.flow.abort()

    def _go_on(self) -> None:
        if self._frame_end is None:
            self.next_frame()
        self._owner.refresh()

    def _shift(self, data: int | None) -> None:
        baud = self._owner.baud
        self._clock_hz = self._kernel_hz()
        if not baud:
            return
        self._shifting = data
        bits = self._owner.frame_bits
        if data == BREAK and self._words()[reg.CR2] & reg.LINEN:
            bits = _LIN_BREAK_BITS + STOP_BITS[field(self._words()[reg.CR2], reg.STOP_AT, 2)]
        before_ps = 0 if data is None else self.flow.frame_begins(1 / baud)
        self._frame_end = self._scheduler.after(before_ps + round(bits * PS_PER_S / baud), self._frame_sent)

    def _frame_sent(self) -> None:
        data, self._shifting, self._frame_end = self._shifting, None, None
        baud = self._owner.baud
        if data == BREAK:
            self._words()[reg.ISR] &= ~reg.SBKF
        if data is not None:
            self._owner.frame_sent(self._scheduler.now_ps, data, baud)
        self.next_frame()
        if self._frame_end is not None:
            return
        if self._waiting is None and not self._break_wanted:
            self._words()[reg.ISR] |= reg.TC
        self._owner.refresh()
        if baud:
            self.flow.frames_over(1 / baud)

# SPDX-License-Identifier: Apache-2.0
"""What is at the other end of a UART's wires: it samples what the part sends, and drives the receive pin.

It runs at a rate and in a format of its own. What the part transmits otherwise is sampled as a UART samples
it, and what it transmits itself is on the part's pin bit by bit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Protocol

from hil.twin.signal import Signal
from hil.twin.uart_line import PS_PER_S, Format, Receiver, Reception, Scheduler


class Usart(Protocol):
    """The part's end of the UART."""

    @property
    def transmitted(self) -> Signal[[int, int, float]]:
        """Tells of each frame: its end in ps, its data, its baud rate."""

    @property
    def frame_bits(self) -> float:
        """The length of its frames in bits."""

    def levels(self, data: int) -> tuple[bool, ...]:
        """The levels of a frame, a bit each, up to the stop bit."""

    @property
    def idle_level(self) -> bool:
        """The level between frames."""


class FarEnd:
    """A UART of somebody else, wired to one of the part's."""

    def __init__(
        self,
        scheduler: Scheduler,
        usart: Usart,
        put_level: Callable[[bool], None],
        received: Callable[[Reception], None],
        *,
        baud: int,
        connected: Callable[[], bool],
        frame: Format | None = None,
    ) -> None:
        """The line idles: the caller has put its level.

        Args:
            scheduler: bench time.
            usart: the part's UART.
            put_level: puts a level on the part's receive pin.
            received: told what has been sampled of each frame.
            baud: at which it sends and samples.
            connected: whether what the part sends arrives.
            frame: between start and stop bit; 8 bits without parity by default.
        """
        self._scheduler, self._usart, self._put_level = scheduler, usart, put_level
        self._connected = connected
        self._format = frame or Format()
        self._bits = self._format.data_bits + 2
        self._frame_ps = self._bits * PS_PER_S // baud
        self._free_ps = 0
        self.waiting: deque[int] = deque()
        """Bytes that are still to be sent, that under way first."""
        self.sent: Signal[[int]] = Signal()
        """Tells of each byte that has been sent."""
        # A frame is told of at its end: what follows it may come as late as the frame after it.
        self.receiver = Receiver(scheduler, lambda: (baud, self._format), received, lag_ps=2 * self._frame_ps)
        usart.transmitted.connect(self._transmitted)

    def send(self, data: Iterable[int]) -> None:
        """Put bytes on the line, one frame time after the other, behind those that wait."""
        idle = not self.waiting
        self.waiting.extend(data)
        if idle and self.waiting:
            self._plan()

    def forget(self) -> None:
        """Send nothing after the byte that is under way."""
        while len(self.waiting) > 1:
            self.waiting.pop()

    def _plan(self) -> None:
        begin_ps = max(self._free_ps, self._scheduler.now_ps)
        self._free_ps = begin_ps + self._frame_ps
        before = True
        for bit, level in enumerate((*self._format.levels(self.waiting[0]), True)):
            if level != before:
                self._scheduler.at(
                    begin_ps + bit * self._frame_ps // self._bits, partial(self._put_level, level)
                )
            before = level
        self._scheduler.at(self._free_ps, self._is_sent)

    def _is_sent(self) -> None:
        self.sent(self.waiting.popleft())
        if self.waiting:
            self._plan()

    def _transmitted(self, end_ps: int, data: int, baud: float) -> None:
        if not self._connected():
            return
        bit_ps = PS_PER_S / baud
        start_ps = end_ps - self._usart.frame_bits * bit_ps
        for bit, level in enumerate((*self._usart.levels(data), self._usart.idle_level)):
            self.receiver.put(round(start_ps + bit * bit_ps), level)
        self.receiver.known_until(end_ps)

# SPDX-License-Identifier: Apache-2.0
"""A USART's receiver: frames, idle lines, time-outs, and its wake-up from Stop (RM0351, USART receiver)."""

from collections.abc import Callable, MutableMapping
from typing import Final, Protocol

from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.ip.register_block import field
from hil.twin.ip.tick_counter import PS_PER_S
from hil.twin.ip.usart_v3 import registers as reg
from hil.twin.ip.usart_v3.detectors import Addressing, AutoBaud, BreakDetector
from hil.twin.uart_line import Format, Receiver, Reception

_WAKE_ON_ADDRESS, _WAKE_ON_START_BIT, _WAKE_ON_RXNE = 0, 2, 3
_TIMEOUT_FROM_BITS: Final = (1.0, 0.0, 2.0, 1.0)
"""By CR2.STOP: bits from the beginning of the stop bits to where the receiver time-out counts from (RM0351,
USART_CR2.RTOEN)."""
_STOP_SAMPLED: Final = 10 / 16
"""Where in the stop bit a frame is delivered."""
_ERRORS: Final = reg.PE | reg.FE | reg.NF | reg.ORE


class Owner(Protocol):
    """The USART that the receiver belongs to."""

    @property
    def frame_format(self) -> Format:
        """What is between the start and the stop bit."""

    @property
    def frame_bits(self) -> float:
        """The length of a frame in bits, start and stop bits included."""

    def baud_at(self, kernel_hz: int) -> float:
        """The baud rate at a kernel clock; zero if there is none."""

    def input_routed(self) -> bool:
        """Whether a pin is switched to what the receiver listens to."""

    def refresh(self) -> None:
        """Flags changed: renew the interrupt."""


class UsartReceiver:
    """``stop_hz`` is the clock it may receive with in Stop; ``request_dma`` asks for one transfer."""

    def __init__(
        self,
        scheduler: Scheduler,
        words: Callable[[], MutableMapping[int, int]],
        kernel_hz: Callable[[], int],
        stop_hz: Callable[[], int],
        request_dma: Callable[[], bool],
        owner: Owner,
    ) -> None:
        self._scheduler = scheduler
        self._words = words
        self._kernel_hz = kernel_hz
        self._stop_hz = stop_hz
        self._request_dma = request_dma
        self._owner = owner
        self._frames = Receiver(scheduler, self._begins, self._received)
        self._level = True
        self._in_stop = False
        self._line_idle: Event | None = None
        self._timeout: Event | None = None
        self._timeout_from_ps = 0.0
        self._breaks = BreakDetector(words)
        self._auto_baud = AutoBaud(words)
        self._addressing = Addressing(words)

    def put(self, time_ps: int, level: bool) -> None:
        """The line has this level from ``time_ps`` on, after RXINV."""
        if level is self._level:
            return
        self._level = level
        if self._breaks.line_changed(time_ps, level, self._baud):
            self._owner.refresh()
        if not self._auto_baud.waits:
            self._frames.put(time_ps, level)
            return
        for edge_ps, edge in self._auto_baud.take(time_ps, level, self._kernel_hz()):
            self._frames.put(edge_ps, edge)
        self._owner.refresh()

    def known_until(self, time_ps: int) -> None:
        """The line was told of up to ``time_ps``: a frame over by then is received."""
        self._frames.known_until(time_ps)

    def retime(self) -> None:
        """The kernel clock has changed: a frame under way is lost, unless it has a clock of its own."""
        if not self._in_stop:
            self._frames.abort()

    def control_changed(self) -> None:
        """CR1 to CR3 were written."""
        words = self._words()
        self._frames.one_sample = bool(words[reg.CR3] & reg.ONEBIT)
        if not words[reg.CR1] & reg.RE:
            self._frames.abort()
        if not words[reg.CR1] & reg.UE:
            self.abort()
        if not words[reg.CR2] & reg.RTOEN and self._timeout is not None:
            self._timeout.cancel()
            self._timeout = None
        if not self._auto_baud.waits:
            self._auto_baud.restart()
        self._addressing.refresh()

    def timeout_changed(self) -> None:
        """RTOR was written: a time-out under way has the new length, from where it began."""
        if self._timeout is not None:
            self._timeout.cancel()
            self._plan_timeout(self._baud)

    def request(self, requests: int) -> None:
        """RQR."""
        words = self._words()
        if requests & reg.ABRRQ:
            words[reg.ISR] &= ~(reg.ABRF | reg.ABRE)
            self._auto_baud.restart()
        if requests & reg.MMRQ:
            self._addressing.mute(line_idle=self._line_idle is None and not self._frames.busy)
        if requests & reg.RXFRQ:
            words[reg.ISR] &= ~reg.RXNE

    def ask_dma(self) -> None:
        """RXNE asks for DMA, unless DDRE holds it back while an error is flagged."""
        words = self._words()
        held = words[reg.CR3] & reg.DDRE and words[reg.ISR] & _ERRORS
        if words[reg.CR3] & reg.DMAR and words[reg.ISR] & reg.RXNE and not held:
            self._request_dma()

    def abort(self) -> None:
        """The USART was switched off."""
        self._frames.abort()
        for event in (self._line_idle, self._timeout):
            if event is not None:
                event.cancel()
        self._line_idle = self._timeout = None

    @property
    def _baud(self) -> float:
        return self._owner.baud_at(self._stop_hz() if self._in_stop else self._kernel_hz())

    def _wakes_on(self, selected: int) -> bool:
        return self._in_stop and field(self._words()[reg.CR3], reg.WUS_AT, 2) == selected

    def _begins(self) -> tuple[float, Format] | None:
        """A falling edge: receive with this rate and format, or let it pass."""
        control = self._words()[reg.CR1]
        if not control & reg.UE or not control & reg.RE or not self._owner.input_routed():
            return None
        self._in_stop = bool(control & reg.UESM and self._stop_hz())
        if not self._baud:
            return None
        for event in (self._line_idle, self._timeout):
            if event is not None:
                event.cancel()
        self._line_idle = self._timeout = None
        if self._wakes_on(_WAKE_ON_START_BIT):
            self._words()[reg.ISR] |= reg.WUF
            self._owner.refresh()
        return self._baud, self._owner.frame_format

    def _received(self, frame: Reception) -> None:
        words, form = self._words(), self._owner.frame_format
        data = frame.data & form.data_mask
        self._auto_baud.check(data)
        if self._wakes_on(_WAKE_ON_ADDRESS) and self._addressing.matches(data, form):
            words[reg.ISR] |= reg.WUF
        taken = self._addressing.takes(data, form)
        if taken:
            self._take(frame)
        if self._baud:
            self._wait_for_idle(self._baud)
        self._owner.refresh()
        if taken:
            self.ask_dma()

    def _take(self, frame: Reception) -> None:
        words = self._words()
        flags = words[reg.ISR]
        flags |= reg.FE * frame.framing_error | reg.PE * frame.parity_error | reg.NF * frame.noise
        if flags & reg.RXNE and not words[reg.CR3] & reg.OVRDIS:
            flags |= reg.ORE
        else:
            words[reg.RDR] = frame.data
            flags |= reg.RXNE
        if self._wakes_on(_WAKE_ON_RXNE):
            flags |= reg.WUF
        words[reg.ISR] = flags

    def _wait_for_idle(self, baud: float) -> None:
        idle_ps = round(self._owner.frame_bits * PS_PER_S / baud)
        self._line_idle = self._scheduler.after(idle_ps, self._idle)
        words = self._words()
        if words[reg.CR2] & reg.RTOEN:
            bits = _TIMEOUT_FROM_BITS[field(words[reg.CR2], reg.STOP_AT, 2)] - _STOP_SAMPLED
            self._timeout_from_ps = self._scheduler.now_ps + bits * PS_PER_S / baud
            self._plan_timeout(baud)

    def _plan_timeout(self, baud: float) -> None:
        bits = self._words()[reg.RTOR] & 0xFF_FFFF
        if baud:
            due_ps = round(self._timeout_from_ps + bits * PS_PER_S / baud)
            self._timeout = self._scheduler.at(max(due_ps, self._scheduler.now_ps), self._timed_out)

    def _idle(self) -> None:
        """No frame followed for the length of one."""
        self._line_idle = None
        if not self._addressing.line_idle():
            self._words()[reg.ISR] |= reg.IDLE
        self._owner.refresh()

    def _timed_out(self) -> None:
        self._timeout = None
        self._words()[reg.ISR] |= reg.RTOF
        self._owner.refresh()

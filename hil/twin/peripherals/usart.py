# SPDX-License-Identifier: Apache-2.0
"""USART in asynchronous mode (RM0351, USART section).

What is received is sampled from the level of the RX pin, bit by bit, at the USART's own rate. What is sent
leaves as whole frames, each at its bit time; their bits do not appear on the pin. Stored without effect: LIN,
smartcard, IrDA, synchronous mode, flow control, auto baud rate, address match.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.peripherals.interrupts import InterruptSource
from hil.twin.peripherals.memory_map import BASE
from hil.twin.peripherals.registers import RegisterBlock, field
from hil.twin.peripherals.tick_counter import PS_PER_S
from hil.twin.uart_line import Format, Receiver, Reception

CR1: Final = 0x00
CR2: Final = 0x04
CR3: Final = 0x08
BRR: Final = 0x0C
RQR: Final = 0x18
ISR: Final = 0x1C
ICR: Final = 0x20
RDR: Final = 0x24
TDR: Final = 0x28

_UE, _UESM, _RE, _TE, _IDLEIE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4
_RXNEIE, _TCIE, _TXEIE, _M0, _OVER8, _M1 = 1 << 5, 1 << 6, 1 << 7, 1 << 12, 1 << 15, 1 << 28
_PEIE, _PS, _PCE = 1 << 8, 1 << 9, 1 << 10
_EIE, _DMAR, _DMAT, _OVRDIS = 1 << 0, 1 << 6, 1 << 7, 1 << 12
_PE, _FE, _NF, _ORE, _IDLE, _RXNE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5
_TC, _TXE, _BUSY = 1 << 6, 1 << 7, 1 << 16
_WUF, _TEACK, _REACK, _WUFIE = 1 << 20, 1 << 21, 1 << 22, 1 << 22
_WAKE_ON_START_BIT, _WAKE_ON_RXNE = 2, 3
_ISR_RESET: Final = _TXE | _TC
_LPUART_MIN_BRR: Final = 0x300
"""Values below are forbidden (RM0351, LPUART_BRR)."""
_STOP_HALF_BITS: Final = (2, 1, 4, 3)

OnTransmit = Callable[[int, int, float], None]
"""Called with the end of the frame in ps, its data (or ``BREAK``) and the baud rate that it was sent at."""

BREAK: Final = -1
"""In the place of data: the line is low for a whole frame."""


class Usart(RegisterBlock):
    """One USART or UART.

    ``kernel_hz`` is its clock now, ``stop_hz`` the one it may receive with in Stop; ``request_tx`` and
    ``request_rx`` ask the DMA for one transfer and say whether it was served. ``on_transmit`` gets each frame
    that leaves the part through its pin; ``tx_routed`` and ``rx_routed`` say whether the pins are switched to
    the USART; ``on_tx_idle`` is told the idle level of the TX line.
    """

    resets: ClassVar[Mapping[int, int]] = dict.fromkeys(
        (CR1, CR2, CR3, BRR, 0x10, 0x14, RQR, ICR, RDR, TDR), 0
    ) | {ISR: _ISR_RESET}
    polled: ClassVar[frozenset[int]] = frozenset({ISR})
    writable: ClassVar[Mapping[int, int]] = {BRR: 0xFFFF, ISR: 0, ICR: 0, RDR: 0, RQR: 0}
    write_one: ClassVar[frozenset[int]] = frozenset({ICR, RQR})
    not_modelled: ClassVar[Mapping[int, int]] = {
        CR1: 0x0FFF_6800,
        CR2: 0xFFFF_CF70,
        CR3: 0x000E_EF3E,
        0x10: 0xFFFF,
        0x14: 0xFFFF_FFFF,
        RQR: 0x05,
    }

    def __init__(
        self,
        name: str,
        scheduler: Scheduler,
        interrupt: InterruptSource,
        kernel_hz: Callable[[], int],
        stop_hz: Callable[[], int],
        request_tx: Callable[[], bool],
        request_rx: Callable[[], bool],
    ) -> None:
        super().__init__(name, BASE[name])
        self._scheduler = scheduler
        self._interrupt = interrupt
        self._kernel_hz = kernel_hz
        self._stop_hz = stop_hz
        self._request_tx = request_tx
        self._request_rx = request_rx
        self._receiver = Receiver(scheduler, self._reception_begins, self._received)
        self._receives_in_stop = False
        self._line_idle: Event | None = None
        self._frame_end: Event | None = None
        self._shifting: int | None = None
        self._waiting: int | None = None
        self._break_wanted = False
        self._clock_hz = 0
        self.on_transmit: OnTransmit = lambda time_ps, byte, baud: None
        self.on_tx_idle: Callable[[bool | None], None] = lambda level: None
        self.tx_routed: Callable[[], bool] = lambda: True
        self.rx_routed: Callable[[], bool] = lambda: True

    def reset(self) -> None:
        """System reset: off, a frame under way is lost."""
        super().reset()
        self._abort()
        self.on_tx_idle(None)
        self._update()

    def retime(self) -> None:
        """The kernel clock may have changed: a frame under way whose clock changes is lost."""
        clock_hz = self._kernel_hz()
        if clock_hz != self._clock_hz:
            self._clock_hz = clock_hz
            if not self._receives_in_stop:
                self._receiver.abort()
            if self._frame_end is not None:
                self._frame_end.cancel()
                self._frame_end = None
                self._shifting = None
            self._next_frame()

    @property
    def baud(self) -> float:
        """The baud rate by USART_BRR and the kernel clock; zero if there is none."""
        return self._baud_at(self._kernel_hz())

    def _baud_at(self, kernel_hz: int) -> float:
        brr = self.words[BRR]
        if self.words[CR1] & _OVER8:
            divider = (brr & 0xFFF0) | (brr & 7) << 1
            return 2 * kernel_hz / divider if divider >= 16 else 0.0
        return kernel_hz / brr if brr >= 16 else 0.0

    @property
    def frame_format(self) -> Format:
        """What is between the start and the stop bit."""
        control = self.words[CR1]
        data_bits = 9 if control & _M0 else 7 if control & _M1 else 8
        if not control & _PCE:
            return Format(data_bits)
        return Format(data_bits, "odd" if control & _PS else "even")

    def levels(self, data: int) -> tuple[bool, ...]:
        """The levels of a frame that ``on_transmit`` told of, a bit each, up to the stop bit."""
        if data == BREAK:
            return (False,) * (self.frame_format.data_bits + 2)
        return self.frame_format.levels(data)

    def line_changed(self, time_ps: int, level: bool) -> None:
        """The level of the RX pin changes."""
        self._receiver.put(time_ps, level)

    def _reception_begins(self) -> tuple[float, Format] | None:
        """A falling edge: receive with this rate and format, or let it pass."""
        control = self.words[CR1]
        if not control & _UE or not control & _RE or not self.rx_routed():
            return None
        self._receives_in_stop = bool(control & _UESM and self._stop_hz())
        baud = self._baud_at(self._stop_hz()) if self._receives_in_stop else self.baud
        if not baud:
            return None
        if self._line_idle is not None:
            self._line_idle.cancel()
            self._line_idle = None
        if self._receives_in_stop and field(self.words[CR3], 20, 2) == _WAKE_ON_START_BIT:
            self.words[ISR] |= _WUF
            self._update()
        return baud, self.frame_format

    def _received(self, frame: Reception) -> None:
        flags = self.words[ISR]
        flags |= _FE * frame.framing_error | _PE * frame.parity_error | _NF * frame.noise
        if flags & _RXNE and not self.words[CR3] & _OVRDIS:
            flags |= _ORE
        else:
            self.words[RDR] = frame.data
            flags |= _RXNE
        if self._receives_in_stop and field(self.words[CR3], 20, 2) == _WAKE_ON_RXNE:
            flags |= _WUF
        self.words[ISR] = flags
        baud = self._baud_at(self._stop_hz()) if self._receives_in_stop else self.baud
        if baud:
            idle_ps = round(self._half_bits * PS_PER_S / (2 * baud))
            self._line_idle = self._scheduler.after(idle_ps, self._idle)
        self._update()
        if self.words[CR3] & _DMAR:
            self._request_rx()

    def read_word(self, offset: int) -> int:
        """USART_RDR clears RXNE."""
        word = super().read_word(offset)
        if offset == RDR:
            self.words[ISR] &= ~_RXNE
            self._update()
        return word

    def write_word(self, offset: int, value: int) -> None:
        """Write a register; USART_TDR queues a frame."""
        if offset == TDR:
            self._write_data(value & self.frame_format.data_mask)
        elif offset == ICR:
            self.words[ISR] &= ~(value & 0x0012_1B5F)
        elif offset == RQR:
            if value & 1 << 1:
                self._send_break()
            if value & 1 << 3:
                self.words[ISR] &= ~_RXNE
            if value & 1 << 4:
                self._waiting = None
                self.words[ISR] |= _TXE
        else:
            before = self.words[CR1]
            self.store(offset, value)
            if offset == CR1:
                self._control_changed(before)
        self._update()
        self._feed_from_dma()

    def _control_changed(self, before: int) -> None:
        control = self.words[CR1]
        sending = control & _UE and control & _TE
        if not control & _RE:
            self._receiver.abort()
        if not control & _UE:
            self._abort()
            self.words[ISR] = _ISR_RESET
        elif sending and not (before & _UE and before & _TE):
            # Enabling the transmitter sends an idle frame first (RM0351, USART transmitter).
            self._shift(None)
        acknowledged = (_TEACK if sending else 0) | (_REACK if control & _UE and control & _RE else 0)
        self.words[ISR] = (self.words[ISR] & ~(_TEACK | _REACK)) | acknowledged
        self.on_tx_idle(True if sending else None)

    def _write_data(self, data: int) -> None:
        if not self.words[CR1] & _UE or not self.words[CR1] & _TE:
            return
        self._waiting = data
        self.words[ISR] &= ~(_TXE | _TC)
        if self._frame_end is None:
            self._next_frame()

    def _send_break(self) -> None:
        """SBKRQ: after the frame under way, the line is low for a frame."""
        if self.words[CR1] & _UE and self.words[CR1] & _TE:
            self._break_wanted = True
            if self._frame_end is None:
                self._next_frame()

    def _next_frame(self) -> None:
        if self._break_wanted and self._clock_hz:
            self._break_wanted = False
            self.words[ISR] &= ~_TC
            self._shift(BREAK)
            return
        if self._waiting is not None and self._clock_hz:
            data, self._waiting = self._waiting, None
            self.words[ISR] |= _TXE
            self._shift(data)
            self._update()
            self._feed_from_dma()

    def _shift(self, data: int | None) -> None:
        baud = self.baud
        self._clock_hz = self._kernel_hz()
        if not baud:
            return
        self._shifting = data
        self._frame_end = self._scheduler.after(
            round(self._half_bits * PS_PER_S / (2 * baud)), self._frame_sent
        )

    @property
    def frame_bits(self) -> float:
        """The length of a frame in bits, start and stop bits included."""
        return self._half_bits / 2

    @property
    def _half_bits(self) -> int:
        """The length of a frame in halves of a bit."""
        return 2 * (1 + self.frame_format.data_bits) + _STOP_HALF_BITS[field(self.words[CR2], 12, 2)]

    def _idle(self) -> None:
        """No frame followed for the length of one."""
        self._line_idle = None
        self.words[ISR] |= _IDLE
        self._update()

    def _frame_sent(self) -> None:
        data, self._shifting, self._frame_end = self._shifting, None, None
        if data is not None and self.tx_routed():
            self.on_transmit(self._scheduler.now_ps, data, self.baud)
        self._next_frame()
        if self._frame_end is None:
            self.words[ISR] |= _TC
            self._update()

    def _feed_from_dma(self) -> None:
        while self.words[CR3] & _DMAT and self.words[ISR] & _TXE and self.words[CR1] & _TE:
            if not self._request_tx():
                return

    def _abort(self) -> None:
        if self._frame_end is not None:
            self._frame_end.cancel()
        self._frame_end = None
        self._shifting = self._waiting = None
        self._break_wanted = False
        self._receiver.abort()
        if self._line_idle is not None:
            self._line_idle.cancel()
            self._line_idle = None

    def _update(self) -> None:
        flags, control = self.words[ISR], self.words[CR1]
        wanted = (
            (control & _TXEIE and flags & _TXE)
            or (control & _TCIE and flags & _TC)
            or (control & _RXNEIE and flags & (_RXNE | _ORE))
            or (control & _IDLEIE and flags & _IDLE)
            or (self.words[CR3] & _WUFIE and flags & _WUF)
            or (control & _PEIE and flags & _PE)
            or (self.words[CR3] & _EIE and flags & (_FE | _NF | _ORE))
        )
        self._interrupt.set(bool(wanted))


class Lpuart(Usart):
    """LPUART1: as a USART, with a baud rate divider of 20 bits in 256ths (RM0351, LPUART section)."""

    writable: ClassVar[Mapping[int, int]] = {**Usart.writable, BRR: 0xF_FFFF}

    def _baud_at(self, kernel_hz: int) -> float:
        brr = self.words[BRR]
        return 256 * kernel_hz / brr if brr >= _LPUART_MIN_BRR else 0.0

# SPDX-License-Identifier: Apache-2.0
"""USART in asynchronous mode (RM0351, USART section).

What is received is sampled from the level of the RX pin, bit by bit, at the USART's own rate. What is sent
leaves as whole frames, each at its bit time; their bits do not appear on the pin. Not modelled: smartcard,
IrDA, and synchronous mode.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final, NamedTuple, Protocol

from hil.parts import Block
from hil.twin.core.scheduler import Scheduler
from hil.twin.ip.interrupts import InterruptSource
from hil.twin.ip.register_block import RegisterBlock, field
from hil.twin.ip.tick_counter import PS_PER_S
from hil.twin.ip.usart_v3 import registers as reg
from hil.twin.ip.usart_v3.receiver import UsartReceiver
from hil.twin.ip.usart_v3.transmitter import BREAK, STOP_BITS, Transmitter
from hil.twin.signal import Signal
from hil.twin.uart_line import Format

_LPUART_MIN_BRR: Final = 0x300
"""Values below are forbidden (RM0351, LPUART_BRR)."""


class UartPin(Protocol):
    """One of the pins that software may switch to the USART."""

    def routed(self) -> bool:
        """Whether a pin is."""

    def drive(self, level: bool | None) -> None:
        """Put a level on it, or let go."""


class UartPins(NamedTuple):
    """The pins that software may switch to a USART."""

    tx: UartPin
    rx: UartPin
    cts_level: Callable[[], bool | None]
    """The level at CTS, ``None`` where no pin is switched to it."""
    drive_rts: Callable[[bool | None], None]
    """Puts a level on RTS, or DE, or lets go."""


class Usart(RegisterBlock):
    """One USART or UART.

    ``kernel_hz`` is its clock now, ``stop_hz`` the one it may receive with in Stop; ``request_tx`` and
    ``request_rx`` ask the DMA for one transfer and say whether it was served. ``transmitted`` tells of each
    frame that leaves the part through its TX pin, ``transmitted_swapped`` through its RX pin: the end of the
    frame in ps, its data (or ``BREAK``) and the baud rate that it was sent at.
    """

    resets: ClassVar[Mapping[int, int]] = dict.fromkeys(
        (
            *(reg.CR1, reg.CR2, reg.CR3, reg.BRR, reg.GTPR, reg.RTOR),
            *(reg.RQR, reg.ICR, reg.RDR, reg.TDR),
        ),
        0,
    ) | {reg.ISR: reg.ISR_RESET}
    polled: ClassVar[frozenset[int]] = frozenset({reg.ISR})
    writable: ClassVar[Mapping[int, int]] = {
        reg.BRR: 0xFFFF,
        **dict.fromkeys((reg.ISR, reg.ICR, reg.RDR, reg.RQR), 0),
    }
    write_one: ClassVar[frozenset[int]] = frozenset({reg.ICR, reg.RQR})
    not_modelled: ClassVar[Mapping[int, int]] = {
        reg.CR1: reg.EOBIE,
        reg.CR2: reg.SYNCHRONOUS,
        reg.CR3: reg.IRDA_AND_SMARTCARD,
        reg.GTPR: 0xFFFF,
        reg.RTOR: 0xFF00_0000,
    }

    def __init__(
        self,
        block: Block,
        scheduler: Scheduler,
        interrupt: InterruptSource,
        kernel_hz: Callable[[], int],
        stop_hz: Callable[[], int],
        request_tx: Callable[[], bool],
        request_rx: Callable[[], bool],
        pins: UartPins,
    ) -> None:
        super().__init__(block)
        self._scheduler = scheduler
        self._interrupt = interrupt
        self._kernel_hz = kernel_hz
        self._request_tx = request_tx
        self._receiver = UsartReceiver(scheduler, lambda: self.words, kernel_hz, stop_hz, request_rx, self)
        self._transmitter = Transmitter(
            scheduler, lambda: self.words, kernel_hz, self, pins.cts_level, pins.drive_rts
        )
        self.flow = self._transmitter.flow
        self._levels = {"TX": True, "RX": True}
        """At the two pins."""
        self.transmitted: Signal[[int, int, float]] = Signal()
        self.transmitted_swapped: Signal[[int, int, float]] = Signal()
        self._pins = {"TX": pins.tx, "RX": pins.rx}

    def reset(self) -> None:
        """System reset: off, a frame under way is lost."""
        super().reset()
        self._transmitter.abort()
        self._receiver.abort()
        self._drive_idle()
        self.refresh()

    def retime(self) -> None:
        """The kernel clock may have changed: a frame under way whose clock changes is lost."""
        if self._transmitter.retime():
            self._receiver.retime()
            self._transmitter.next_frame()

    @property
    def baud(self) -> float:
        """The baud rate by USART_BRR and the kernel clock; zero if there is none."""
        return self.baud_at(self._kernel_hz())

    def baud_at(self, kernel_hz: int) -> float:
        """The baud rate at a kernel clock; zero if there is none."""
        brr = self.words[reg.BRR]
        if self.words[reg.CR1] & reg.OVER8:
            divider = (brr & 0xFFF0) | (brr & 7) << 1
            return 2 * kernel_hz / divider if divider >= 16 else 0.0
        return kernel_hz / brr if brr >= 16 else 0.0

    @property
    def frame_format(self) -> Format:
        """What is between the start and the stop bit."""
        control, control_2 = self.words[reg.CR1], self.words[reg.CR2]
        data_bits = 9 if control & reg.M0 else 7 if control & reg.M1 else 8
        order, inverted = bool(control_2 & reg.MSBFIRST), bool(control_2 & reg.DATAINV)
        if not control & reg.PCE:
            return Format(data_bits, "none", order, inverted)
        return Format(data_bits, "odd" if control & reg.PS else "even", order, inverted)

    @property
    def frame_bits(self) -> float:
        """The length of a frame in bits, start and stop bits included."""
        return 1 + self.frame_format.data_bits + STOP_BITS[field(self.words[reg.CR2], reg.STOP_AT, 2)]

    @property
    def idle_level(self) -> bool:
        """The level of the TX line between frames: high, unless TXINV is set."""
        return not self.words[reg.CR2] & reg.TXINV

    def levels(self, data: int) -> tuple[bool, ...]:
        """The levels of a frame that ``transmitted`` told of, a bit each, up to the stop bit."""
        if data == BREAK:
            bits = 13 if self.words[reg.CR2] & reg.LINEN else self.frame_format.data_bits + 2
            return (not self.idle_level,) * bits
        return tuple(level is self.idle_level for level in self.frame_format.levels(data))

    def pin_changed(self, pin: str, time_ps: int, level: bool) -> None:
        """The level of the TX or RX pin changes; one of them is the receiver's."""
        self._levels[pin] = level
        if pin == self._input_pin:
            self._receiver.put(time_ps, level is not self._inverts_input)

    def cts_changed(self, level: bool) -> None:
        """The level of the CTS pin changes."""
        self.flow.cts_changed(level)

    def input_routed(self) -> bool:
        """Whether a pin is switched to what the receiver listens to."""
        return self._pins[self._input_pin].routed()

    @property
    def _output_pin(self) -> str:
        return "RX" if self.words[reg.CR2] & reg.SWAP else "TX"

    @property
    def _input_pin(self) -> str:
        """The other pin, but in half-duplex mode, where one pin does both."""
        swapped = bool(self.words[reg.CR2] & reg.SWAP)
        return "TX" if swapped is not bool(self.words[reg.CR3] & reg.HDSEL) else "RX"

    @property
    def _inverts_input(self) -> bool:
        return bool(self.words[reg.CR2] & reg.RXINV)

    def read_word(self, offset: int) -> int:
        """USART_RDR clears RXNE."""
        word = super().read_word(offset)
        if offset == reg.RDR:
            self.words[reg.ISR] &= ~reg.RXNE
            self.refresh()
        return word

    def write_word(self, offset: int, value: int) -> None:
        """Write a register; USART_TDR queues a frame."""
        if offset == reg.TDR:
            self._transmitter.write(value & self.frame_format.data_mask)
        elif offset == reg.ICR:
            self.words[reg.ISR] &= ~(value & reg.CLEARABLE)
            self._receiver.ask_dma()
        elif offset == reg.RQR:
            self._receiver.request(value)
            if value & reg.SBKRQ:
                self._transmitter.send_break()
            if value & reg.TXFRQ:
                self._transmitter.forget_waiting()
        else:
            before = self.words[reg.CR1]
            self.store(offset, value)
            if offset in (reg.CR1, reg.CR2, reg.CR3):
                self._control_changed(before)
            elif offset == reg.RTOR:
                self._receiver.timeout_changed()
        self.refresh()
        self.feed_from_dma()

    def _control_changed(self, before: int) -> None:
        control = self.words[reg.CR1]
        sending = self._transmitter.enabled
        self._receiver.control_changed()
        if not control & reg.UE:
            self._transmitter.abort()
            self.words[reg.ISR] = reg.ISR_RESET
        elif sending and not (before & reg.UE and before & reg.TE):
            self._transmitter.send_idle()
        acknowledged = reg.TEACK if sending else 0
        acknowledged |= reg.REACK if control & reg.UE and control & reg.RE else 0
        self.words[reg.ISR] = self.words[reg.ISR] & ~(reg.TEACK | reg.REACK) | acknowledged
        self.flow.look_at_cts()
        self._drive_idle()
        self._receiver.put(self._scheduler.now_ps, self._levels[self._input_pin] is not self._inverts_input)

    def _drive_idle(self) -> None:
        """The transmitter holds its line between frames; in half-duplex mode it lets go (open drain)."""
        holds = self._transmitter.enabled and not self.words[reg.CR3] & reg.HDSEL
        for name, pin in self._pins.items():
            pin.drive(self.idle_level if holds and name == self._output_pin else None)

    def frame_sent(self, end_ps: int, data: int, baud: float) -> None:
        """The transmitter has sent a frame: it is on the pins, and whoever listens is told."""
        output = self._output_pin
        if not self._pins[output].routed():
            return
        if self.words[reg.CR3] & reg.HDSEL:
            self._hear_itself(end_ps, data, baud)
        (self.transmitted if output == "TX" else self.transmitted_swapped)(end_ps, data, baud)

    def _hear_itself(self, end_ps: int, data: int, baud: float) -> None:
        """In half-duplex mode the receiver, if it is on, gets the frame that was sent, at its end."""
        start_ps = end_ps - self.frame_bits * PS_PER_S / baud
        for bit, level in enumerate((*self.levels(data), self.idle_level)):
            self._receiver.put(round(start_ps + bit * PS_PER_S / baud), level is not self._inverts_input)
        self._receiver.known_until(end_ps)

    def feed_from_dma(self) -> None:
        """Ask for DMA as long as the data register is free."""
        words = self.words
        while words[reg.CR3] & reg.DMAT and words[reg.ISR] & reg.TXE and words[reg.CR1] & reg.TE:
            if not self._request_tx():
                return

    def refresh(self) -> None:
        """Flags changed: renew the interrupt, and RTS."""
        flags, control, control_3 = self.words[reg.ISR], self.words[reg.CR1], self.words[reg.CR3]
        wanted = (
            (control & reg.TXEIE and flags & reg.TXE)
            or (control & reg.TCIE and flags & reg.TC)
            or (control & reg.RXNEIE and flags & (reg.RXNE | reg.ORE))
            or (control & reg.IDLEIE and flags & reg.IDLE)
            or (control_3 & reg.WUFIE and flags & reg.WUF)
            or (control & reg.PEIE and flags & reg.PE)
            or (control & reg.CMIE and flags & reg.CMF)
            or (control & reg.RTOIE and flags & reg.RTOF)
            or (control_3 & reg.EIE and flags & (reg.FE | reg.NF | reg.ORE))
            or (control_3 & reg.CTSIE and flags & reg.CTSIF)
            or (self.words[reg.CR2] & reg.LBDIE and flags & reg.LBDF)
        )
        self._interrupt.set(bool(wanted))
        if control_3 & (reg.RTSE | reg.DEM):
            self.flow.refresh()


class Lpuart(Usart):
    """LPUART1: as a USART, with a baud rate divider of 20 bits in 256ths (RM0351, LPUART section).

    It has no LIN, no auto baud rate, no receiver time-out and no single samples. The unit of its DEAT and
    DEDT is not on file, so that they are named.
    """

    writable: ClassVar[Mapping[int, int]] = {
        **Usart.writable,
        reg.BRR: 0xF_FFFF,
        reg.CR1: 0x1000_7FFF,
        reg.CR2: 0xFF0F_B010,
        reg.CR3: 0x0070_F7C9,
        reg.GTPR: 0,
        reg.RTOR: 0,
    }
    not_modelled: ClassVar[Mapping[int, int]] = {
        reg.CR1: reg.EOBIE | reg.RTOIE | 0x3FF << reg.DEDT_AT,
        reg.CR2: reg.SYNCHRONOUS | reg.LBDL | reg.LBDIE | reg.LINEN | reg.RTOEN | 7 << 20,
        reg.CR3: reg.IRDA_AND_SMARTCARD | reg.ONEBIT,
        reg.GTPR: 0xFFFF,
        reg.RTOR: 0xFFFF_FFFF,
        reg.RQR: reg.ABRRQ,
    }

    def baud_at(self, kernel_hz: int) -> float:
        """The baud rate at a kernel clock; zero if there is none."""
        brr = self.words[reg.BRR]
        return 256 * kernel_hz / brr if brr >= _LPUART_MIN_BRR else 0.0

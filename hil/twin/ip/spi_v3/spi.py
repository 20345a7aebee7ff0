# SPDX-License-Identifier: Apache-2.0
"""SPI (RM0351, SPI section): FIFOs, frames of 4 to 16 bits, one or two data lines, CRC, NSS.

As a controller it clocks devices, and other SPIs that it is wired to, which are targets. Not modelled: TI
mode and DMA of packed frames of odd number.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final, Protocol

from hil.parts import Block
from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.ip.bus_devices import SpiDevice
from hil.twin.ip.interrupts import InterruptSource
from hil.twin.ip.register_block import RegisterBlock, field
from hil.twin.ip.spi_v3.line import crc_of, exchange_with_devices, reversed_bits
from hil.twin.ip.spi_v3.target import UNDERRUN, TargetSide
from hil.twin.ip.tick_counter import PS_PER_S
from hil.twin.pins import Pin

CR1: Final = 0x00
CR2: Final = 0x04
SR: Final = 0x08
DR: Final = 0x0C
CRCPR: Final = 0x10
RXCRCR: Final = 0x14
TXCRCR: Final = 0x18

_CPHA, _CPOL, _MSTR, _SPE, _LSBFIRST, _SSI, _SSM = 1, 2, 1 << 2, 1 << 6, 1 << 7, 1 << 8, 1 << 9
_RXONLY, _CRCL, _CRCNEXT, _CRCEN, _BIDIOE, _BIDIMODE = (1 << bit for bit in range(10, 16))
_SSOE, _NSSP = 1 << 2, 1 << 3
_RXDMAEN, _TXDMAEN, _RXNEIE, _TXEIE, _ERRIE, _FRXTH = 1, 2, 1 << 6, 1 << 7, 1 << 5, 1 << 12
_RXNE, _TXE, _CRCERR, _MODF, _OVR, _BSY = 1, 2, 1 << 4, 1 << 5, 1 << 6, 1 << 7
_FIFO_BYTES: Final = 4
RISING_EDGE_MODES: Final = frozenset({0, 3})
"""SPI modes (CPOL * 2 + CPHA) in which a bit is sampled at the rising edge of SCK."""


class PinSignal(Protocol):
    """The clock or the NSS, on the pins that software may switch to the SPI."""

    def routed(self) -> bool:
        """Whether a pin is."""

    def read(self) -> bool | None:
        """The level at the pin; ``None`` where none is switched to it."""

    def drive(self, level: bool | None) -> None:
        """Put a level on it, or let go."""


class Spi(RegisterBlock):
    """One SPI with its clock and its NSS pin."""

    resets: ClassVar[Mapping[int, int]] = {
        CR1: 0,
        CR2: 0x700,
        SR: _TXE,
        DR: 0,
        CRCPR: 7,
        RXCRCR: 0,
        TXCRCR: 0,
    }
    writable: ClassVar[Mapping[int, int]] = {
        CR1: 0xFFFF,
        CR2: 0x7FFF,
        SR: 0,
        DR: 0,
        CRCPR: 0xFFFF,
        RXCRCR: 0,
        TXCRCR: 0,
    }
    not_modelled: ClassVar[Mapping[int, int]] = {CR2: 0x6010}

    def __init__(
        self,
        block: Block,
        scheduler: Scheduler,
        interrupt: InterruptSource,
        bus_hz: Callable[[], int],
        request_tx: Callable[[], bool],
        request_rx: Callable[[], bool],
        clock: PinSignal,
        nss: PinSignal,
    ) -> None:
        super().__init__(block)
        self._scheduler = scheduler
        self._interrupt = interrupt
        self._bus_hz = bus_hz
        self._request_tx = request_tx
        self._request_rx = request_rx
        self._to_send: list[int] = []
        self._received: list[int] = []
        self._shifting: Event | None = None
        self._errors = 0
        self._crc_sent = False
        self._pause: Event | None = None
        """NSS is high between two frames (NSSP)."""
        self._answers: list[tuple[Spi, int]] = []
        """The targets that the frame under way clocks, and what they send."""
        self._wired: list[Spi] = []
        self.target = TargetSide(self)
        self._devices: list[tuple[Pin, SpiDevice, frozenset[int]]] = []
        self._clock = clock
        self._nss = nss

    def attach(self, device: SpiDevice, chip_select: Pin, modes: frozenset[int] = RISING_EDGE_MODES) -> None:
        """Put a device on the bus, which understands the SPI ``modes`` (CPOL * 2 + CPHA).

        ``chip_select`` is the part's pin that selects it while low.
        """
        self._devices.append((chip_select, device, modes))
        chip_select.level_out_changed.connect(lambda _time_ps, level: device.select(level is False))

    def wire(self, other: "Spi") -> None:
        """Connect SCK and the data lines with those of another SPI; in half-duplex mode the one line."""
        self._wired.append(other)
        other._wired.append(self)

    def reset(self) -> None:
        """System reset: off."""
        super().reset()
        self._clear()
        self._errors = 0
        self._drive()
        self._update()

    def nss_changed(self, level: bool) -> None:
        """The level at the NSS pin changed: a controller that finds it low gives up, a high one deselects."""
        self._check_nss()
        if level and not self.words[CR1] & (_MSTR | _SSM):
            self.target.reset()

    def read(self, offset: int, width: int) -> int:
        """SPI_DR gives as many frames as the access is wide."""
        if offset != DR or not self.is_clocked():
            return super().read(offset, width)
        frames = [self._received.pop(0) for _ in range(self._frames_in(width)) if self._received]
        self._errors &= ~_OVR
        self._update()
        return sum(frame << 8 * index for index, frame in enumerate(frames))

    def write(self, offset: int, width: int, value: int) -> None:
        """SPI_DR takes as many frames as the access is wide."""
        if offset != DR or not self.is_clocked():
            super().write(offset, width, value)
            return
        count = self._frames_in(width)
        mask = (1 << self._frame_bits) - 1
        self._to_send.extend(value >> 8 * index & mask for index in range(count))
        self._start()
        self._update()

    def read_word(self, offset: int) -> int:
        """SPI_SR is composed of the FIFOs' levels."""
        return self._status() if offset == SR else super().read_word(offset)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register; SPE starts what waits."""
        before = self.words[CR1]
        if offset == SR:
            self._errors &= ~(_CRCERR & ~value)
        elif offset == CRCPR and before & _SPE:
            return  # write-protected while the block works
        else:
            self.store(offset, value)
        if offset == CR1:
            self._errors &= ~_MODF
            self._control_changed(before)
        self._check_nss()
        self._drive()
        self._start()
        self._update()
        self._feed_from_dma()

    def _control_changed(self, before: int) -> None:
        control = self.words[CR1]
        if not control & _SPE:
            self._clear()
        elif not self.is_target_selected:
            self.target.reset()
        if control & _CRCEN and not before & _CRCEN:
            self.words[RXCRCR] = self.words[TXCRCR] = 0
        if control & _CRCNEXT and not before & _CRCNEXT:
            self._crc_sent = False

    @property
    def is_target_selected(self) -> bool:
        """Whether it is a target that follows the clock: its NSS, or SSI in its place, is low."""
        control = self.words[CR1]
        if control & (_SPE | _MSTR) != _SPE or not self._bus_hz() or not self._clock.routed():
            return False
        return not (control & _SSI if control & _SSM else self._nss.read())

    def next_frame(self) -> tuple[int, int, bool]:
        """The next frame that it shifts out as a target."""
        control, bits, is_crc = self.words[CR1], self._frame_bits, False
        if self._to_send:
            frame = self._to_send.pop(0)
        elif control & _CRCEN and control & _CRCNEXT and not self._crc_sent:
            frame, bits, is_crc = self.words[TXCRCR], self._crc_bits, True
        else:
            frame = UNDERRUN
        self._update()
        self._feed_from_dma()
        return (reversed_bits(frame, bits) if control & _LSBFIRST else frame), bits, is_crc

    def frame_over(self, sent: int, received: int, *, is_crc: bool) -> None:
        """A frame was shifted out and in, as a target."""
        bits = self._crc_bits if is_crc else self._frame_bits
        if self.words[CR1] & _LSBFIRST:
            sent, received = reversed_bits(sent, bits), reversed_bits(received, bits)
        self._take(sent, received, is_crc)

    def _check_nss(self) -> None:
        """Mode fault: a controller whose NSS is low becomes a target, switched off (RM0351, SPI_SR.MODF).

        Without a pin the input is low, as inputs of alternate functions are that no pin leads to
        (assumption spi_open_lines).
        """
        control = self.words[CR1]
        if control & (_SPE | _MSTR) != _SPE | _MSTR or (self.words[CR2] & _SSOE and not control & _SSM):
            return
        selected = control & _SSI if control & _SSM else self._nss.read()
        if not selected:
            self._errors |= _MODF
            self.words[CR1] &= ~(_SPE | _MSTR)
            self._clear()
            self._drive()
            self._update()

    def _drive(self) -> None:
        """SCK idles at CPOL's level while the controller is on, and NSS is low if it is an output."""
        control = self.words[CR1]
        works = control & (_SPE | _MSTR) == _SPE | _MSTR
        self._clock.drive(bool(control & _CPOL) if works else None)
        as_output = control & _MSTR and self.words[CR2] & _SSOE and not control & _SSM
        idle = self._pulses and self._shifting is None
        self._nss.drive((not works or idle) if as_output else None)

    @property
    def _frame_bits(self) -> int:
        return max(field(self.words[CR2], 8, 4), 3) + 1

    @property
    def _frame_bytes(self) -> int:
        return 2 if self._frame_bits > 8 else 1

    def _frames_in(self, width: int) -> int:
        """Frames of at most 8 bits are packed by two in a 16-bit access (RM0351, data packing)."""
        return 2 if width >= 2 and self._frame_bytes == 1 else 1

    def _status(self) -> int:
        waiting, arrived = (len(fifo) * self._frame_bytes for fifo in (self._to_send, self._received))
        threshold = 1 if self.words[CR2] & _FRXTH else 2
        levels = min(arrived, 3) << 9 | min(waiting, 3) << 11
        status = levels | (_RXNE if arrived >= threshold else 0) | self._errors
        status |= _TXE if waiting <= _FIFO_BYTES // 2 else 0
        busy = self.target.busy or (waiting and self.words[CR1] & _MSTR)
        return status | (_BSY if self._shifting is not None or busy else 0)

    @property
    def _receives_only(self) -> bool:
        """The clock runs on its own: RXONLY, or the one data line is an input."""
        control = self.words[CR1]
        if control & _BIDIMODE:
            return not control & _BIDIOE
        return bool(control & _RXONLY)

    def _start(self) -> None:
        control = self.words[CR1]
        if self._shifting is not None or self._pause is not None:
            return
        if control & (_SPE | _MSTR) != _SPE | _MSTR:
            return
        bus_hz = self._bus_hz()
        if not bus_hz:
            return
        send_crc = False
        if self._receives_only:
            frame = (1 << self._frame_bits) - 1
        elif self._to_send:
            frame = self._to_send.pop(0)
        elif control & _CRCEN and control & _CRCNEXT and not self._crc_sent:
            send_crc, frame = True, self.words[TXCRCR]
        else:
            return
        divider = 2 << field(control, 3, 3)
        bits = self._crc_bits if send_crc else self._frame_bits
        if self._pulses:
            self._nss.drive(False)
        self._answers = [
            (other, other.target.shift_out(bits)) for other in self._wired if other.is_target_selected
        ]
        delay_ps = bits * divider * PS_PER_S // bus_hz
        self._shifting = self._scheduler.after(delay_ps, lambda: self._shifted(frame, bits, send_crc))

    def _shifted(self, frame: int, bits: int, is_crc: bool) -> None:
        self._shifting = None
        self._take(frame, self._exchange(frame, bits), is_crc, again=self._start_next)

    def _start_next(self) -> None:
        """Begin the next frame, in NSS pulse mode one clock later."""
        bus_hz = self._bus_hz()
        if not self._pulses or not bus_hz:
            self._start()
            return
        self._nss.drive(True)
        delay_ps = (2 << field(self.words[CR1], 3, 3)) * PS_PER_S // bus_hz
        self._pause = self._scheduler.after(delay_ps, self._pause_over)

    def _pause_over(self) -> None:
        self._pause = None
        self._start()
        self._update()

    @property
    def _pulses(self) -> bool:
        """NSS pulse mode, which works with NSS as an output and the first edge only (RM0351, NSSP)."""
        control = self.words[CR1]
        by_hardware = self.words[CR2] & _SSOE and not control & _SSM
        return bool(self.words[CR2] & _NSSP and by_hardware and control & _MSTR and not control & _CPHA)

    def _take(self, sent: int, received: int, is_crc: bool, again: Callable[[], None] = lambda: None) -> None:
        """Account for a frame that is over; ``again`` begins the next one."""
        control = self.words[CR1]
        if is_crc:
            self._crc_sent = True
            self._errors |= _CRCERR if received != self.words[RXCRCR] else 0
            self.words[CR1] &= ~_CRCNEXT
        elif control & _CRCEN:
            self.words[TXCRCR] = self._crc(self.words[TXCRCR], sent)
            self.words[RXCRCR] = self._crc(self.words[RXCRCR], received)
        if control & (_BIDIMODE | _BIDIOE) != _BIDIMODE | _BIDIOE:
            if len(self._received) * self._frame_bytes >= _FIFO_BYTES:
                self._errors |= _OVR
            else:
                self._received.append(received)
        again()
        self._update()
        if self.words[CR2] & _RXDMAEN and self._status() & _RXNE:
            self._request_rx()
        self._feed_from_dma()

    @property
    def _crc_bits(self) -> int:
        return 16 if self.words[CR1] & _CRCL else 8

    def _crc(self, crc: int, frame: int) -> int:
        """Take a frame into a CRC, first bit on the line first (RM0351, SPI CRC)."""
        bits = self._frame_bits
        if self.words[CR1] & _LSBFIRST:
            frame = reversed_bits(frame, bits)
        return crc_of(crc, frame, bits, self.words[CRCPR], self._crc_bits)

    def _exchange(self, frame: int, bits: int) -> int:
        """Send a frame to who is selected; return what came back meanwhile."""
        control = self.words[CR1]
        turned = control & _LSBFIRST
        line = reversed_bits(frame, bits) if turned else frame
        if self._answers:
            value = self._exchange_with_target(line, bits)
        else:
            present = self._devices if self._clock.routed() else []
            selected = [(device, modes) for pin, device, modes in present if pin.level_out is False]
            value = exchange_with_devices(selected, line, bits, control & 3)  # CPOL is bit 1, CPHA bit 0
        return reversed_bits(value, bits) if turned else value

    def _exchange_with_target(self, frame: int, bits: int) -> int:
        """Send a frame, first bit highest, to the SPIs that follow; return what came back meanwhile.

        A line that nobody drives is high. One that samples at the other edge is one clock late.
        """
        ones = (1 << bits) - 1
        value = ones
        for other, answer in self._answers:
            late = (self.words[CR1] ^ other.words[CR1]) & (_CPOL | _CPHA) in (_CPOL, _CPHA)
            if not self._clock.routed():
                continue
            joined = not (self.words[CR1] ^ other.words[CR1]) & _BIDIMODE
            if joined and other._drives_data:
                value &= answer >> 1 | 1 << bits - 1 if late else answer
            told = frame if joined and self._drives_data else ones
            other.target.shift_in(told >> 1 if late else told, bits)
        self._answers = []
        return value

    @property
    def _drives_data(self) -> bool:
        """Whether it sends: not if it only receives, on two lines or on one."""
        control = self.words[CR1]
        return bool(control & _BIDIOE) if control & _BIDIMODE else not control & _RXONLY

    def _feed_from_dma(self) -> None:
        while self.words[CR2] & _TXDMAEN and self.words[CR1] & _SPE and self._status() & _TXE:
            if not self._request_tx():
                return

    def _clear(self) -> None:
        if self._shifting is not None:
            self._shifting.cancel()
            self._shifting = None
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        self._answers = []
        self.target.reset()
        self._to_send.clear()
        self._received.clear()
        self._errors &= ~_OVR
        self._crc_sent = False

    def _update(self) -> None:
        status, control = self._status(), self.words[CR2]
        wanted = (
            (control & _RXNEIE and status & _RXNE)
            or (control & _TXEIE and status & _TXE)
            or (control & _ERRIE and status & (_OVR | _MODF | _CRCERR))
        )
        self._interrupt.set(bool(wanted))

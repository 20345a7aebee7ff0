# SPDX-License-Identifier: Apache-2.0
"""SPI as a controller (RM0351, SPI section): full duplex with FIFOs, frames of 4 to 16 bits.

Stored without effect: CRC, TI mode, target mode, one-line modes, NSS driven by the block.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.peripherals.bus_devices import SpiDevice
from hil.twin.peripherals.interrupts import InterruptSource
from hil.twin.peripherals.memory_map import BASE
from hil.twin.peripherals.registers import RegisterBlock, field
from hil.twin.peripherals.tick_counter import PS_PER_S
from hil.twin.pins import Pin

CR1: Final = 0x00
CR2: Final = 0x04
SR: Final = 0x08
DR: Final = 0x0C

_MSTR, _SPE = 1 << 2, 1 << 6
_RXDMAEN, _TXDMAEN, _RXNEIE, _TXEIE, _ERRIE, _FRXTH = 1, 2, 1 << 6, 1 << 7, 1 << 5, 1 << 12
_RXNE, _TXE, _OVR, _BSY = 1, 2, 1 << 6, 1 << 7
_FIFO_BYTES: Final = 4
_FLOATING: Final = 0xFF
"""What an undriven MISO reads as: an assumption."""


class Spi(RegisterBlock):
    """One SPI. ``routed`` says whether its pins are switched to it."""

    resets: ClassVar[Mapping[int, int]] = {CR1: 0, CR2: 0x700, SR: _TXE, DR: 0, 0x10: 7, 0x14: 0, 0x18: 0}
    writable: ClassVar[Mapping[int, int]] = {CR1: 0xFFFF, CR2: 0x7FFF, SR: 0, DR: 0, 0x14: 0, 0x18: 0}
    not_modelled: ClassVar[Mapping[int, int]] = {CR1: 0xFF83, CR2: 0x601C, 0x10: 0xFFFF}

    def __init__(
        self,
        name: str,
        scheduler: Scheduler,
        interrupt: InterruptSource,
        bus_hz: Callable[[], int],
        request_tx: Callable[[], bool],
        request_rx: Callable[[], bool],
    ) -> None:
        super().__init__(name, BASE[name])
        self._scheduler = scheduler
        self._interrupt = interrupt
        self._bus_hz = bus_hz
        self._request_tx = request_tx
        self._request_rx = request_rx
        self._to_send: list[int] = []
        self._received: list[int] = []
        self._shifting: Event | None = None
        self._overrun = False
        self._devices: list[tuple[Pin, SpiDevice]] = []
        self.routed: Callable[[], bool] = lambda: True

    def attach(self, device: SpiDevice, chip_select: Pin) -> None:
        """Put a device on the bus; ``chip_select`` is the part's pin that selects it while low."""
        self._devices.append((chip_select, device))
        chip_select.listeners.append(lambda _time_ps, level: device.select(level is False))

    def reset(self) -> None:
        """System reset: off."""
        super().reset()
        self._clear()
        self._update()

    def read(self, offset: int, width: int) -> int:
        """SPI_DR gives as many frames as the access is wide."""
        if offset != DR or not self.is_clocked():
            return super().read(offset, width)
        frames = [self._received.pop(0) for _ in range(self._frames_in(width)) if self._received]
        self._overrun = False
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
        self.store(offset, value)
        if not self.words[CR1] & _SPE:
            self._clear()
        self._start()
        self._update()
        self._feed_from_dma()

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
        status = levels | (_RXNE if arrived >= threshold else 0) | (_OVR if self._overrun else 0)
        status |= _TXE if waiting <= _FIFO_BYTES // 2 else 0
        return status | (_BSY if self._shifting is not None or waiting else 0)

    def _start(self) -> None:
        control = self.words[CR1]
        if self._shifting is not None or not self._to_send or control & (_SPE | _MSTR) != _SPE | _MSTR:
            return
        bus_hz = self._bus_hz()
        if bus_hz:
            divider = 2 << field(control, 3, 3)
            delay_ps = self._frame_bits * divider * PS_PER_S // bus_hz
            frame = self._to_send.pop(0)
            self._shifting = self._scheduler.after(delay_ps, lambda: self._shifted(frame))

    def _shifted(self, frame: int) -> None:
        self._shifting = None
        received = self._exchange(frame)
        if len(self._received) * self._frame_bytes >= _FIFO_BYTES:
            self._overrun = True
        else:
            self._received.append(received)
        self._start()
        self._update()
        if self.words[CR2] & _RXDMAEN and self._status() & _RXNE:
            self._request_rx()
        self._feed_from_dma()

    def _exchange(self, frame: int) -> int:
        selected = [device for pin, device in self._devices if pin.level_out is False]
        value = 0
        for byte in frame.to_bytes(self._frame_bytes, "big"):
            answers = [device.exchange(byte) for device in selected] if self.routed() else []
            value = value << 8 | (answers[0] if answers else _FLOATING)
        return value & (1 << self._frame_bits) - 1

    def _feed_from_dma(self) -> None:
        while self.words[CR2] & _TXDMAEN and self.words[CR1] & _SPE and self._status() & _TXE:
            if not self._request_tx():
                return

    def _clear(self) -> None:
        if self._shifting is not None:
            self._shifting.cancel()
            self._shifting = None
        self._to_send.clear()
        self._received.clear()
        self._overrun = False

    def _update(self) -> None:
        status, control = self._status(), self.words[CR2]
        wanted = (
            (control & _RXNEIE and status & _RXNE)
            or (control & _TXEIE and status & _TXE)
            or (control & _ERRIE and status & _OVR)
        )
        self._interrupt.set(bool(wanted))

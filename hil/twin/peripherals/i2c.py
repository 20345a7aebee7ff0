# SPDX-License-Identifier: Apache-2.0
"""I2C as a controller with 7-bit addresses (RM0351, I2C section: I2C master mode).

A byte takes nine clocks by I2C_TIMINGR, without the synchronisation delays of the lines; the next byte starts
when the data register was served. Stored without effect: 10-bit addresses, SMBus, wake from Stop; nobody on
the bus addresses the part, so that its own addresses are never matched.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.peripherals.bus_devices import I2cDevice
from hil.twin.peripherals.interrupts import InterruptSource
from hil.twin.peripherals.memory_map import BASE
from hil.twin.peripherals.registers import RegisterBlock, field
from hil.twin.peripherals.tick_counter import PS_PER_S

CR1: Final = 0x00
CR2: Final = 0x04
TIMINGR: Final = 0x10
ISR: Final = 0x18
ICR: Final = 0x1C
RXDR: Final = 0x24
TXDR: Final = 0x28

_PE, _TXIE, _RXIE, _NACKIE, _STOPIE, _TCIE = 1 << 0, 1 << 1, 1 << 2, 1 << 4, 1 << 5, 1 << 6
_TXDMAEN, _RXDMAEN = 1 << 14, 1 << 15
_RD_WRN, _START, _STOP, _RELOAD, _AUTOEND = 1 << 10, 1 << 13, 1 << 14, 1 << 24, 1 << 25
_TXE, _TXIS, _RXNE, _NACKF, _STOPF, _TC, _TCR, _BUSY = 1, 2, 4, 1 << 4, 1 << 5, 1 << 6, 1 << 7, 1 << 15
_CLEARABLE: Final = 0x3F38
_BITS_OF_BYTE, _BITS_OF_ADDRESS, _BITS_OF_STOP = 9, 10, 1
"""With the acknowledge bit; with the START condition."""


class I2c(RegisterBlock):
    """One I2C; ``devices`` are on its bus, with pull-ups. ``routed`` says whether the pins are its."""

    resets: ClassVar[Mapping[int, int]] = dict.fromkeys(range(0, 0x2C, 4), 0) | {ISR: _TXE}
    writable: ClassVar[Mapping[int, int]] = {ISR: 0, ICR: 0, RXDR: 0, TXDR: 0xFF, CR2: 0x07FF_FFFF}
    write_one: ClassVar[frozenset[int]] = frozenset({ICR})
    not_modelled: ClassVar[Mapping[int, int]] = {
        CR1: 0x00FF_1F08,
        CR2: 0x0400_1800,
        0x08: 0x87FF,
        0x0C: 0x87FE,
        0x14: 0x8FFF_9FFF,
        ISR: 0x3,
    }
    stored_only: ClassVar[Mapping[int, int]] = {TIMINGR: 0x00FF_0000, CR1: 1 << 7, CR2: 0x8301}
    """SDADEL and SCLDEL, set-up and hold times that no device on the bench looks at; ERRIE, because no bus
    error and no other controller occur here; address bits that 7-bit addressing ignores; NACK, which only a
    target uses."""

    def __init__(
        self,
        name: str,
        scheduler: Scheduler,
        event_interrupt: InterruptSource,
        kernel_hz: Callable[[], int],
        request_tx: Callable[[], bool],
        request_rx: Callable[[], bool],
    ) -> None:
        super().__init__(name, BASE[name])
        self._scheduler = scheduler
        self._interrupt = event_interrupt
        self._kernel_hz = kernel_hz
        self._request_tx = request_tx
        self._request_rx = request_rx
        self._under_way: Event | None = None
        self._target: I2cDevice | None = None
        self._left = 0
        self.devices: list[I2cDevice] = []
        self.routed: Callable[[], bool] = lambda: True

    def reset(self) -> None:
        """System reset: off."""
        super().reset()
        self._abort()

    def read_word(self, offset: int) -> int:
        """I2C_RXDR frees the place for the next byte."""
        word = super().read_word(offset)
        if offset == RXDR and self.words[ISR] & _RXNE:
            self.words[ISR] &= ~_RXNE
            if self._target is not None and self._left:
                self._after(_BITS_OF_BYTE, self._received)
            self._update()
        return word

    def write_word(self, offset: int, value: int) -> None:
        """Write a register; I2C_CR2 starts, continues and stops transfers."""
        if offset == ICR:
            self.words[ISR] &= ~(value & _CLEARABLE)
        elif offset == TXDR:
            self.store(TXDR, value)
            if self.words[ISR] & _TXIS:
                self.words[ISR] &= ~(_TXIS | _TXE)
                self._after(_BITS_OF_BYTE, self._sent)
        elif offset == CR2:
            pending = self.words[CR2] & (_START | _STOP)  # set by software, cleared by hardware
            self.store(CR2, value | pending)
            if self.words[CR1] & _PE:
                self._command(value)
        else:
            self.store(offset, value)
            if offset == CR1 and not value & _PE:
                self._abort()
        self._update()

    def _command(self, value: int) -> None:
        if value & _START and self._under_way is None:
            self.words[ISR] = (self.words[ISR] & ~(_TC | _TCR)) | _BUSY
            self._after(_BITS_OF_ADDRESS, self._addressed)
        elif value & _STOP and self.words[ISR] & _BUSY and self._under_way is None:
            self._after(_BITS_OF_STOP, self._stopped)
        elif self.words[ISR] & _TCR and field(value, 16, 8):
            self.words[ISR] &= ~_TCR
            self._left = field(value, 16, 8)
            self._continue()

    def _after(self, bits: int, action: Callable[[], None]) -> None:
        timing, kernel_hz = self.words[TIMINGR], self._kernel_hz()
        if not kernel_hz:
            return
        cycles = (field(timing, 8, 8) + field(timing, 0, 8) + 2) * (field(timing, 28, 4) + 1)
        self._under_way = self._scheduler.after(bits * cycles * PS_PER_S // kernel_hz, action)

    def _addressed(self) -> None:
        self._under_way = None
        control = self.words[CR2]
        self.words[CR2] &= ~_START
        address, read = field(control, 1, 7), bool(control & _RD_WRN)
        on_bus = self.devices if self.routed() else []
        self._target = next((device for device in on_bus if device.address == address), None)
        self._left = field(control, 16, 8)
        if self._target is None or not self._target.start(read=read):
            self._refused()
        else:
            self._continue()
        self._update()

    def _continue(self) -> None:
        if not self._left:
            self._complete()
        elif self.words[CR2] & _RD_WRN:
            self._after(_BITS_OF_BYTE, self._received)
        else:
            self._ask_for_data()

    def _ask_for_data(self) -> None:
        self.words[ISR] |= _TXIS | _TXE
        if self.words[CR1] & _TXDMAEN:
            self._request_tx()

    def _sent(self) -> None:
        self._under_way = None
        self.words[ISR] |= _TXE
        self._left -= 1
        if self._target is None or not self._target.write(self.words[TXDR]):
            self._refused()
        else:
            self._continue()
        self._update()

    def _received(self) -> None:
        self._under_way = None
        if self._target is None:
            return
        self.words[RXDR] = self._target.read() & 0xFF
        self._left -= 1
        self.words[ISR] |= _RXNE
        if not self._left:
            self._complete()
        self._update()
        if self.words[CR1] & _RXDMAEN:
            self._request_rx()

    def _complete(self) -> None:
        control = self.words[CR2]
        if control & _RELOAD:
            self.words[ISR] |= _TCR
        elif control & (_AUTOEND | _STOP):
            self._after(_BITS_OF_STOP, self._stopped)
        else:
            self.words[ISR] |= _TC

    def _refused(self) -> None:
        """No acknowledge: the controller flags it and sends a STOP by itself."""
        self.words[ISR] |= _NACKF
        self._after(_BITS_OF_STOP, self._stopped)

    def _stopped(self) -> None:
        self._under_way = None
        if self._target is not None:
            self._target.stop()
            self._target = None
        self.words[CR2] &= ~_STOP
        self.words[ISR] = (self.words[ISR] & ~(_BUSY | _TC | _TXIS)) | _STOPF
        self._update()

    def _abort(self) -> None:
        if self._under_way is not None:
            self._under_way.cancel()
            self._under_way = None
        self._target = None
        self.words[ISR] = _TXE
        self.words[CR2] &= ~(_START | _STOP)
        self._update()

    def _update(self) -> None:
        flags, control = self.words[ISR], self.words[CR1]
        wanted = (
            (control & _TXIE and flags & _TXIS)
            or (control & _RXIE and flags & _RXNE)
            or (control & _NACKIE and flags & _NACKF)
            or (control & _STOPIE and flags & _STOPF)
            or (control & _TCIE and flags & (_TC | _TCR))
        )
        self._interrupt.set(bool(wanted))

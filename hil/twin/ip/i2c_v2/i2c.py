# SPDX-License-Identifier: Apache-2.0
"""I2C as a controller (RM0351, I2C section: I2C master mode), and what it shares with its target side.

A byte takes nine clocks by I2C_TIMINGR, without the synchronisation delays of the lines; the next byte starts
when the data register was served and the target let go of the clock. A START waits for a free bus. Not
modelled: SMBus, the noise filters, and controllers that arbitrate.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from hil.parts import Block
from hil.twin.core.scheduler import Event, Scheduler
from hil.twin.ip.bus_devices import I2cDevice
from hil.twin.ip.i2c_v2 import registers as reg
from hil.twin.ip.i2c_v2.bus import I2cAddress, I2cBus, I2cTarget
from hil.twin.ip.i2c_v2.target import TargetMode
from hil.twin.ip.interrupts import InterruptSource
from hil.twin.ip.register_block import RegisterBlock, field
from hil.twin.ip.tick_counter import PS_PER_S

_BITS_OF_BYTE, _BITS_OF_ADDRESS, _BITS_OF_STOP = 9, 10, 1
"""With the acknowledge bit; with the START condition."""
_BY_SOFTWARE: Final = reg.START | reg.STOP | reg.NACK
"""Bits of CR2 that software sets and hardware clears."""


class I2c(RegisterBlock):
    """One I2C on a bus of its own, until :meth:`join`. ``routed`` says whether the pins are its.

    ``kernel_hz`` is its clock now, ``stop_hz`` the one that an address may wake it with in Stop.
    """

    resets: ClassVar[Mapping[int, int]] = dict.fromkeys(range(0, 0x2C, 4), 0) | {reg.ISR: reg.TXE}
    writable: ClassVar[Mapping[int, int]] = {
        **dict.fromkeys((reg.ISR, reg.ICR, reg.RXDR), 0),
        reg.TXDR: 0xFF,
        reg.CR2: 0x07FF_FFFF,
        reg.OAR1: 0x87FF,
        reg.OAR2: 0x87FE,
    }
    write_one: ClassVar[frozenset[int]] = frozenset({reg.ICR})
    not_modelled: ClassVar[Mapping[int, int]] = {
        reg.CR1: reg.NOISE_FILTERS | reg.SMBUS,
        reg.CR2: reg.PECBYTE,
        reg.TIMEOUTR: 0x8FFF_9FFF,
    }
    stored_only: ClassVar[Mapping[int, int]] = {reg.TIMINGR: 0x00FF_0000}
    """SDADEL and SCLDEL, set-up and hold times that no device on the bench looks at."""

    def __init__(
        self,
        block: Block,
        scheduler: Scheduler,
        event_interrupt: InterruptSource,
        error_interrupt: InterruptSource,
        kernel_hz: Callable[[], int],
        stop_hz: Callable[[], int],
        request_tx: Callable[[], bool],
        request_rx: Callable[[], bool],
        routed: Callable[[], bool],
    ) -> None:
        super().__init__(block)
        self._scheduler = scheduler
        self._interrupt = event_interrupt
        self._error_interrupt = error_interrupt
        self._kernel_hz = kernel_hz
        self._stop_hz = stop_hz
        self._request_tx = request_tx
        self._request_rx = request_rx
        self._under_way: Event | None = None
        self._other: I2cTarget | None = None
        """The target that answered this controller."""
        self._left = 0
        self.target = TargetMode(lambda: self.words, self._hears, self._update, request_tx, request_rx)
        self.bus = I2cBus()
        self.bus.members.append(self)
        self._routed = routed

    @property
    def devices(self) -> list[I2cDevice]:
        """The devices on its bus."""
        return self.bus.devices

    def join(self, other: "I2c") -> None:
        """Wire its lines to those of another I2C: from now on both are on that one's bus."""
        if self.bus is other.bus:
            return
        other.bus.devices.extend(self.bus.devices)
        self.bus = other.bus
        self.bus.members.append(self)

    def reset(self) -> None:
        """System reset: off."""
        super().reset()
        self._abort()

    def bus_taken(self, taken: bool) -> None:
        """A START or STOP of somebody else was on the bus."""
        if self.words[reg.CR1] & reg.PE and self._routed():
            self.words[reg.ISR] = self.words[reg.ISR] & ~reg.BUSY | (reg.BUSY if taken else 0)

    def bus_free(self) -> None:
        """Its own START, which has waited, may be sent."""
        if self.words[reg.CR2] & reg.START:
            self._start()

    def _hears(self) -> bool:
        """Whether it would notice its address: it is on, and has a clock, or HSI16 starts to wake it."""
        control = self.words[reg.CR1]
        clocked = self._kernel_hz() or (control & reg.WUPEN and self._stop_hz())
        return bool(control & reg.PE and clocked and self._routed())

    def read_word(self, offset: int) -> int:
        """I2C_RXDR frees the place for the next byte."""
        word = super().read_word(offset)
        if offset == reg.RXDR and self.words[reg.ISR] & reg.RXNE:
            self.words[reg.ISR] &= ~reg.RXNE
            if self._other is not None and self._left:
                self._wait_for_byte()
            self.target.data_read()
            self._update()
        return word

    def write_word(self, offset: int, value: int) -> None:
        """Write a register; I2C_CR2 starts, continues and stops transfers."""
        if offset == reg.ICR:
            self.words[reg.ISR] &= ~(value & reg.CLEARABLE)
            if value & reg.ADDR:
                self.target.address_cleared()
        elif offset == reg.ISR:
            self._write_flags(value)
        elif offset == reg.TXDR:
            self._write_data(value)
        elif offset == reg.CR2:
            pending = self.words[reg.CR2] & _BY_SOFTWARE
            self.store(reg.CR2, value | pending)
            if self.target.addressed:
                self.target.count_written()
            elif self.words[reg.CR1] & reg.PE:
                self._command(value)
        else:
            self.store(offset, value)
            if offset == reg.CR1 and not value & reg.PE:
                self._abort()
        self._update()

    def _write_flags(self, value: int) -> None:
        """TXE flushes the data register; TXIS, without stretching, asks for data (RM0351, I2C_ISR)."""
        if value & reg.TXE:
            self.words[reg.ISR] |= reg.TXE
        if value & reg.TXIS and self.words[reg.CR1] & reg.NOSTRETCH:
            self.words[reg.ISR] |= reg.TXIS
            if self.words[reg.CR1] & reg.TXDMAEN:
                self._request_tx()

    def _write_data(self, value: int) -> None:
        self.store(reg.TXDR, value)
        asked = self.words[reg.ISR] & reg.TXIS
        self.words[reg.ISR] &= ~(reg.TXIS | reg.TXE)
        if self.target.addressed:
            self.target.data_written()
        elif asked and self._other is not None:
            self._after(_BITS_OF_BYTE, self._sent)

    def _command(self, value: int) -> None:
        if value & reg.START and self._under_way is None:
            if self.bus.take(self):
                self._start()
        elif value & reg.STOP and self.words[reg.ISR] & reg.BUSY and self._under_way is None:
            self._after(_BITS_OF_STOP, self._stopped)
        elif self.words[reg.ISR] & reg.TCR and field(value, 16, 8):
            self.words[reg.ISR] &= ~reg.TCR
            self._left = field(value, 16, 8)
            self._continue()

    def _start(self) -> None:
        self.bus.own(self)
        self.words[reg.ISR] = (self.words[reg.ISR] & ~(reg.TC | reg.TCR)) | reg.BUSY
        control = self.words[reg.CR2]
        bits = _BITS_OF_ADDRESS
        if control & reg.ADD10 and not (control & reg.RD_WRN and control & reg.HEAD10R):
            # The header and the rest of the address, to read then a repeated START with the header.
            bits += _BITS_OF_BYTE + (_BITS_OF_ADDRESS if control & reg.RD_WRN else 0)
        self._after(bits, self._addressed)

    def _after(self, bits: int, action: Callable[[], None]) -> None:
        timing, kernel_hz = self.words[reg.TIMINGR], self._kernel_hz()
        if not kernel_hz:
            return
        cycles = (field(timing, 8, 8) + field(timing, 0, 8) + 2) * (field(timing, 28, 4) + 1)
        self._under_way = self._scheduler.after(bits * cycles * PS_PER_S // kernel_hz, action)

    def _when_released(self, action: Callable[[], None]) -> None:
        """Go on at once, or when the target lets go of the clock."""
        if self._other is None:
            return
        if self._other.holds_clock:
            self._other.on_release(lambda: self._go_on(action))
        else:
            action()

    def _go_on(self, action: Callable[[], None]) -> None:
        if self._other is not None:
            action()
            self._update()

    def _addressed(self) -> None:
        self._under_way = None
        control = self.words[reg.CR2]
        self.words[reg.CR2] &= ~reg.START
        read, ten_bits = bool(control & reg.RD_WRN), bool(control & reg.ADD10)
        address = I2cAddress(field(control, 0, 10) if ten_bits else field(control, 1, 7), ten_bits)
        self._other = self.bus.answering(self, address, read=read) if self._routed() else None
        self._left = field(control, 16, 8)
        if self._other is None:
            self._refused()
        else:
            self._when_released(self._continue)
        self._update()

    def _continue(self) -> None:
        if not self._left:
            self._complete()
        elif self.words[reg.CR2] & reg.RD_WRN:
            self._wait_for_byte()
        else:
            self._ask_for_data()

    def _wait_for_byte(self) -> None:
        if self._other is not None:
            self._other.prepare()
            self._when_released(lambda: self._after(_BITS_OF_BYTE, self._received))

    def _ask_for_data(self) -> None:
        if not self.words[reg.ISR] & reg.TXE:  # written before it was asked for
            self._after(_BITS_OF_BYTE, self._sent)
            return
        self.words[reg.ISR] |= reg.TXIS
        if self.words[reg.CR1] & reg.TXDMAEN:
            self._request_tx()

    def _sent(self) -> None:
        self._under_way = None
        self.words[reg.ISR] |= reg.TXE
        self._left -= 1
        if self._other is not None:
            self._other.receive(self.words[reg.TXDR])
            self._when_released(self._answered)
        self._update()

    def _answered(self) -> None:
        """The acknowledge bit of a byte that was sent."""
        if self._other is None or not self._other.acknowledges():
            self._refused()
        else:
            self._continue()

    def _received(self) -> None:
        self._under_way = None
        if self._other is None:
            return
        self._left -= 1
        last = not self._left and not self.words[reg.CR2] & reg.RELOAD
        self.words[reg.RXDR] = self._other.send(last=last) & 0xFF
        self.words[reg.ISR] |= reg.RXNE
        if not self._left:
            self._complete()
        self._update()
        if self.words[reg.CR1] & reg.RXDMAEN:
            self._request_rx()

    def _complete(self) -> None:
        control = self.words[reg.CR2]
        if control & reg.RELOAD:
            self.words[reg.ISR] |= reg.TCR
        elif control & (reg.AUTOEND | reg.STOP):
            self._after(_BITS_OF_STOP, self._stopped)
        else:
            self.words[reg.ISR] |= reg.TC

    def _refused(self) -> None:
        """No acknowledge: the controller flags it and sends a STOP by itself."""
        self.words[reg.ISR] |= reg.NACKF
        self._after(_BITS_OF_STOP, self._stopped)

    def _stopped(self) -> None:
        self._under_way = None
        if self._other is not None:
            self._other.stop()
            self._other = None
        self.words[reg.CR2] &= ~reg.STOP
        self.words[reg.ISR] = (self.words[reg.ISR] & ~(reg.BUSY | reg.TC | reg.TXIS)) | reg.STOPF
        self._update()
        self.bus.stopped()

    def _abort(self) -> None:
        if self._under_way is not None:
            self._under_way.cancel()
            self._under_way = None
        self._other = None
        self.words[reg.ISR] = reg.TXE
        self.words[reg.CR2] &= ~_BY_SOFTWARE
        self.target.abort()
        self.bus.give_up(self)
        self._update()

    def _update(self) -> None:
        flags, control = self.words[reg.ISR], self.words[reg.CR1]
        wanted = (
            (control & reg.TXIE and flags & reg.TXIS)
            or (control & reg.RXIE and flags & reg.RXNE)
            or (control & reg.ADDRIE and flags & reg.ADDR)
            or (control & reg.NACKIE and flags & reg.NACKF)
            or (control & reg.STOPIE and flags & reg.STOPF)
            or (control & reg.TCIE and flags & (reg.TC | reg.TCR))
        )
        self._interrupt.set(bool(wanted))
        self._error_interrupt.set(bool(control & reg.ERRIE and flags & reg.OVR))

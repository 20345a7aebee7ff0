# SPDX-License-Identifier: Apache-2.0
"""I2C and SPI, with a device on the bus."""

from __future__ import annotations

from hil.twin.ip.i2c_v2.bus import I2cAddress
from tests.twin.bare_part import BLOCKS
from tests.twin.sweep.registry import scenario
from tests.twin.sweep.subject import Subject


class Device:
    """A device on a bus, which notes all that it is told."""

    address = 0x48

    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    def start(self, *, read: bool) -> bool:
        self._subject.note("start", read)
        return True

    def write(self, byte: int) -> bool:
        self._subject.note("write", byte)
        return byte != 0x99

    def read(self) -> int:
        return 0x5A

    def stop(self) -> None:
        self._subject.note("stop")

    def select(self, selected: bool) -> None:
        self._subject.note("select", selected)

    def exchange(self, byte: int) -> int:
        self._subject.note("exchange", byte)
        return byte ^ 0x3C


I2C_CR1, I2C_CR2, TIMINGR, I2C_ISR, I2C_ICR, RXDR, TXDR = 0x00, 0x04, 0x10, 0x18, 0x1C, 0x24, 0x28


def _i2c(s: Subject) -> None:
    bus = s.mcu.peripherals.i2cs["I2C1"]
    bus.devices[:] = [Device(s)]
    bus._routed = lambda: True


@scenario("I2C1")
def transfers(s: Subject) -> None:
    """Bytes to a target and back, by interrupts."""
    _i2c(s)
    s.begin()
    s.write("I2C1", TIMINGR, 0x0030_0F12)
    s.write("I2C1", I2C_CR1, 0x77)
    s.write("I2C1", I2C_CR2, 0x0203_2090)
    for byte in (0x55, 0x99, 0x33):
        s.advance(150e-6)
        s.write("I2C1", TXDR, byte)
    s.advance(300e-6)
    s.write("I2C1", I2C_ICR, 0x30)
    s.write("I2C1", I2C_CR2, 0x0003_2490)
    s.advance(150e-6)
    s.note(s.read("I2C1", RXDR))
    s.write("I2C1", I2C_CR2, 0x0003_6490)
    s.advance(300e-6)
    s.note(s.read("I2C1", RXDR))


@scenario("I2C1", I2C_CR1, I2C_ICR)
def silent_transfers(s: Subject) -> None:
    """The same, where no interrupt is enabled; then to an address that nobody has."""
    _i2c(s)
    s.begin()
    s.write("I2C1", TIMINGR, 0x0030_0F12)
    s.write("I2C1", I2C_CR1, 1)
    for control in (0x0001_2090, 0x0001_2490, 0x0201_2020):
        s.write("I2C1", I2C_CR2, control)
        s.advance(150e-6)
        s.write("I2C1", TXDR, 0x55)
        s.advance(150e-6)
        s.write("I2C1", I2C_CR2, 1 << 14)
        s.advance(150e-6)
    s.write("I2C1", I2C_ICR, 0)


@scenario("I2C1", I2C_CR1)
def transfers_by_dma(s: Subject) -> None:
    """DMA waits for both directions."""
    _i2c(s)
    s.dma("I2C1_RX", BLOCKS["I2C1"].base + RXDR, width=1)
    s.dma("I2C1_TX", BLOCKS["I2C1"].base + TXDR, width=1, to_peripheral=True)
    s.write("I2C1", TIMINGR, 0x0030_0F12)
    s.write("I2C1", I2C_CR1, 1)
    for control in (0x0202_2090, 0x0202_2490):
        s.write("I2C1", I2C_CR2, control)
        s.advance(400e-6)


@scenario("I2C1", I2C_CR2)
def refused(s: Subject) -> None:
    """A write to a target that nobody is, then one that is broken off."""
    s.begin()
    s.write("I2C1", TIMINGR, 0x0030_0F12)
    s.write("I2C1", I2C_CR1, 0xF7)
    s.write("I2C1", I2C_CR2, 0x0202_2090)
    s.advance(300e-6)
    s.write("I2C1", I2C_ICR, 0x30)
    s.write("I2C1", I2C_CR2, 0x0001_2490)
    s.advance(300e-6)


@scenario("I2C1", I2C_CR2)
def long_write(s: Subject) -> None:
    """More bytes by DMA than are asked for at first."""
    _i2c(s)
    s.dma("I2C1_TX", BLOCKS["I2C1"].base + TXDR, width=1, to_peripheral=True)
    s.write("I2C1", TIMINGR, 0x0030_0F12)
    s.write("I2C1", I2C_CR1, 1 | 1 << 14)
    s.write("I2C1", I2C_CR2, 0x0001_2090)
    s.advance(300e-6)
    s.write("I2C1", I2C_CR2, 0x0001_0090)
    s.advance(200e-6)


OAR1, OAR2 = 0x08, 0x0C
OWN = 0x3A


def _loop(s: Subject) -> None:
    """I2C2 on the bus of I2C1."""
    i2cs = s.mcu.peripherals.i2cs
    i2cs["I2C2"].join(i2cs["I2C1"])
    i2cs["I2C1"].devices.clear()
    for name in ("I2C1", "I2C2"):
        i2cs[name]._routed = lambda: True
        s.write(name, TIMINGR, 0x0000_0F12)
    s.write("I2C2", I2C_CR1, 1)


def _addressed(own: int, second: int, control: int, control_2: int, command: int) -> None:
    @scenario("I2C1", I2C_CR1, I2C_CR2, OAR1, OAR2, I2C_ICR, I2C_ISR)
    def addressed(s: Subject) -> None:
        """I2C2 addresses I2C1 and sends or asks for two bytes; the second is read late."""
        _loop(s)
        s.begin()
        s.write("I2C1", OAR1, own)
        s.write("I2C1", OAR2, second)
        s.write("I2C1", I2C_CR1, control)
        s.write("I2C1", I2C_CR2, control_2)
        s.write("I2C1", TXDR, 0x5A)
        s.write("I2C1", I2C_ISR, 0)
        s.write("I2C2", I2C_CR2, command | 2 << 16 | 1 << 25 | 1 << 13)
        s.advance(300e-6)
        s.write("I2C1", I2C_ICR, 0)
        s.advance(1e-6)
        s.blocks["I2C1"].write(I2C_ICR, 4, 0x08)
        s.write("I2C1", I2C_CR2, control_2)
        for byte in (0x11, 0x22):
            s.write("I2C2", TXDR, byte)
            s.advance(150e-6)
        s.write("I2C1", I2C_ICR, 0)
        s.sample()
        s.note(s.read("I2C1", RXDR), s.read("I2C2", RXDR), s.read("I2C2", I2C_ISR))
        s.advance(150e-6)
        s.note(s.read("I2C1", RXDR), s.read("I2C2", RXDR), s.read("I2C2", I2C_ISR))


_addressed(1 << 15 | OWN << 1, 0, 1, 0, OWN << 1)
_addressed(1 << 15 | OWN << 1, 0, 0x20001, 0, OWN << 1)
_addressed(1 << 15 | OWN << 1, 0, 0x20003, 0, OWN << 1 | 1 << 10)
_addressed(1 << 15 | OWN << 1, 0, 1, 1 << 24 | 1 << 16, OWN << 1)
_addressed(1 << 15 | 1 << 10 | 0x2A5, 0, 1, 0, 0x2A5 | 1 << 11)
_addressed(0, 1 << 15 | 0x51 << 1, 1, 0, 0x51 << 1)
_addressed(0, 1 << 15 | 7 << 8 | 0x51 << 1, 1, 0, 0x11 << 1)
_addressed(0, 0, 1, 0, 0)


@scenario("I2C1", I2C_CR2)
def ten_bit_target(s: Subject) -> None:
    """I2C1 reads from an address of ten bits."""
    _loop(s)
    s.begin()
    s.write("I2C2", OAR1, 1 << 15 | 1 << 10 | 0x2A5)
    s.write("I2C1", I2C_CR1, 1)
    s.write("I2C1", I2C_CR2, 0x2A5 | 1 << 10 | 1 << 11 | 1 << 16 | 1 << 25 | 1 << 13)
    s.advance(150e-6)
    s.note(s.read("I2C2", I2C_ISR))
    s.advance(150e-6)
    s.note(s.read("I2C2", I2C_ISR))


@scenario("I2C1", I2C_CR1)
def addressed_in_stop(s: Subject) -> None:
    """Its address comes in Stop 1, where HSI16 may start for it."""
    _loop(s)
    s.write("RCC", 0x88, 2 << 12)
    s.write("I2C1", OAR1, 1 << 15 | OWN << 1)
    s.write("I2C1", I2C_CR1, 1)
    s.sleep_deeply(1)
    s.note(s.mcu.peripherals.i2cs["I2C1"].bus.answering(None, I2cAddress(OWN), read=False) is not None)


SPI_CR1, SPI_CR2, SPI_SR, SPI_DR, CRCPR = 0x00, 0x04, 0x08, 0x0C, 0x10
ON = 0x344


def _spi(s: Subject) -> None:
    bus = s.mcu.peripherals.spis["SPI1"]
    bus._devices[:] = [(s.pins["PA8"], Device(s), frozenset({0, 3}))]
    s.alternates("GPIOA", {4: 5, 5: 5})
    s.write("GPIOA", 0x00, s.blocks["GPIOA"].words[0] & ~(2 << 16))


def _exchange(settings: int, control_2: int, *registers: int) -> None:
    @scenario("SPI1", *registers)
    def exchange(s: Subject) -> None:
        """Frames to a device that answers, of which some are read; the CRC of the last is asked for."""
        _spi(s)
        s.begin()
        s.write("SPI1", CRCPR, 0x1021)
        s.write("SPI1", SPI_CR2, control_2)
        s.write("SPI1", SPI_CR1, settings)
        for index in range(6):
            s.write("SPI1", SPI_DR, 0x5A + index)
            s.advance(17e-6)
            if index < 2:
                s.note(s.read("SPI1", SPI_DR))
        s.write("SPI1", SPI_CR1, settings | (1 << 12 if settings & 1 << 13 else 0))
        s.advance(17e-6)
        s.write("SPI1", SPI_SR, 0)
        s.note(s.read("SPI1", SPI_DR))


_exchange(ON, 0x700, SPI_CR1, SPI_CR2, SPI_DR, SPI_SR)
_exchange(ON | 0x10, 0x7E0, SPI_CR1, SPI_CR2)
_exchange(ON | 1 << 13, 0x700, SPI_CR1, CRCPR, SPI_SR)
_exchange(ON | 1 << 13 | 1 << 11, 0x700, CRCPR)
_exchange(ON | 1 << 15, 0x700, SPI_CR1)
_exchange(ON, 0xF00, SPI_CR2, SPI_DR)
_exchange(ON & ~(1 << 9), 0x700, SPI_CR1, SPI_CR2)


@scenario("SPI1", SPI_CR2)
def nss_pulses(s: Subject) -> None:
    """Two frames, with NSS as an output."""
    _spi(s)
    s.write("SPI1", SPI_CR2, 0x1704)
    s.write("SPI1", SPI_CR1, 0x44)
    for byte in (0x55, 0x66):
        s.blocks["SPI1"].write(SPI_DR, 1, byte)
    s.advance(50e-6)


@scenario("SPI1", SPI_CR1)
def clocked_by_another(s: Subject) -> None:
    """SPI2 sends two bytes and takes what comes back."""
    spis = s.mcu.peripherals.spis
    spis["SPI1"]._wired[:] = [spis["SPI2"]]
    spis["SPI2"]._wired[:] = [spis["SPI1"]]
    spis["SPI2"]._clock.routed = lambda: True
    _spi(s)
    s.write("SPI2", SPI_CR2, 0x1700)
    s.write("SPI2", SPI_CR1, ON)
    s.write("SPI1", SPI_CR2, 0x1700)
    s.write("SPI1", SPI_CR1, 0x240)
    for byte in (0x35, 0x36):
        s.blocks["SPI1"].write(SPI_DR, 1, byte)
    for byte in (0xA6, 0xA7):
        s.blocks["SPI2"].write(SPI_DR, 1, byte)
    s.advance(50e-6)
    s.note([s.blocks[name].read(SPI_DR, 1) for name in ("SPI1", "SPI2") for _ in range(2)])


@scenario("SPI1", SPI_CR2)
def exchange_by_dma(s: Subject) -> None:
    """DMA waits for both directions."""
    _spi(s)
    s.dma("SPI1_RX", BLOCKS["SPI1"].base + SPI_DR, width=1)
    s.dma("SPI1_TX", BLOCKS["SPI1"].base + SPI_DR, width=1, to_peripheral=True)
    s.write("SPI1", SPI_CR2, 0x1700)
    s.write("SPI1", SPI_CR1, ON)
    s.blocks["SPI1"].write(SPI_DR, 1, 0x55)
    s.advance(50e-6)

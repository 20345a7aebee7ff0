# SPDX-License-Identifier: Apache-2.0
"""Every I2C and SPI of the part: its own pins, clock gate, interrupt and DMA requests."""

import pytest

from hil.twin.devices.lsm6dsl import Lsm6dsl
from tests.twin.bare_part import BLOCKS

WHO_AM_I, IDENTITY = 0x0F, 0x6A
AUTOEND, START, READ, ADDRESS = 1 << 25, 1 << 13, 1 << 10, 0x6A << 1
# Enable bit in APB1ENR1, SCL and SDA with alternate function 4, interrupt of events.
I2CS = {"I2C1": (21, "PB8", "PB9", 31), "I2C2": (22, "PB10", "PB11", 33), "I2C3": (23, "PC0", "PC1", 72)}
# Enable register and bit, SCK and its alternate function, interrupt.
SPIS = {
    "SPI1": (0x60, 12, "PA5", 5, 35),
    "SPI2": (0x58, 14, "PB13", 5, 36),
    "SPI3": (0x58, 15, "PC10", 6, 51),
}


def route(part, pin, function):
    port, index = f"GPIO{pin[1]}", int(pin[2:])
    part.enable_clock(0x4C, "ABCDEFGH".index(pin[1]))
    register, shift = 0x20 + 4 * (index // 8), 4 * (index % 8)
    part.write(port, register, part.read(port, register) & ~(0xF << shift) | function << shift)
    part.write(port, 0x00, part.read(port, 0x00) & ~(3 << 2 * index) | 2 << 2 * index)


def pending(part, irq):
    return bool(part.mcu.core.debug_read(0xE000_E200 + 4 * (irq // 32), 4) >> irq % 32 & 1)


@pytest.mark.parametrize("name", I2CS)
def test_each_i2c_reads_a_device(part, name):
    bit, scl, sda, irq = I2CS[name]
    part.mcu.peripherals.i2cs[name].devices.append(Lsm6dsl(part.mcu.scheduler))
    part.enable_clock(0x58, bit)
    part.write(name, 0x10, 0x0000_0303)
    part.write(name, 0x00, 1 | 1 << 2)  # PE, RXIE
    route(part, scl, 4)
    part.write(name, 0x04, ADDRESS | START | 1 << 16 | AUTOEND)
    part.advance(1e-3)
    assert part.read(name, 0x18) & 1 << 4  # NACKF: SDA is not connected
    part.write(name, 0x1C, 0x3F38)
    route(part, sda, 4)
    part.write(name, 0x04, ADDRESS | START | 1 << 16)
    part.advance(1e-3)
    part.write(name, 0x28, WHO_AM_I)
    part.advance(1e-3)
    part.write(name, 0x04, ADDRESS | READ | START | 1 << 16 | AUTOEND)
    part.advance(1e-3)
    assert pending(part, irq)
    assert part.read(name, 0x24) == IDENTITY


@pytest.mark.parametrize("name", SPIS)
def test_each_spi_reads_a_device(part, name):
    register, bit, sck, function, irq = SPIS[name]
    part.mcu.peripherals.spis[name].attach(Lsm6dsl(part.mcu.scheduler), part.pins["PB6"])
    part.enable_clock(register, bit)
    route(part, sck, function)
    part.enable_clock(0x4C, 1)
    part.write("GPIOB", 0x00, part.read("GPIOB", 0x00) & ~(3 << 12) | 1 << 12)  # PB6 low: selected
    part.write(name, 0x04, 7 << 8 | 1 << 12 | 1 << 6)  # 8 bit, RXNE by byte, RXNEIE
    part.write(name, 0x00, 1 << 2 | 1 << 6 | 3 << 8)
    for byte in (0x80 | WHO_AM_I, 0):
        part.write(name, 0x0C, byte, width=1)
    part.advance(1e-3)
    assert pending(part, irq)
    assert [part.read(name, 0x0C, width=1) for _ in range(2)] == [0xFF, IDENTITY]


def test_every_instance_is_connected_to_its_dma_requests(part):
    wanted = {f"{name}_{way}" for name in (*I2CS, *SPIS) for way in ("RX", "TX")}
    assert wanted <= set(BLOCKS.dma_requests)

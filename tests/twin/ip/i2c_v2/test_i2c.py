# SPDX-License-Identifier: Apache-2.0
"""I2C1 with the accelerometer of ST's sensor boards."""

import pytest

from hil.twin.devices.lsm6dsl import Lsm6dsl

CR1, CR2, TIMINGR, ISR, ICR, RXDR, TXDR = 0x00, 0x04, 0x10, 0x18, 0x1C, 0x24, 0x28
TXIS, RXNE, NACKF, STOPF, TC, TCR, BUSY = 2, 4, 1 << 4, 1 << 5, 1 << 6, 1 << 7, 1 << 15
READ, START, STOP, RELOAD, AUTOEND = 1 << 10, 1 << 13, 1 << 14, 1 << 24, 1 << 25
SENSOR = 0x6A
WHO_AM_I, CTRL1_XL, STATUS_REG, OUTX_L_XL = 0x0F, 0x10, 0x1E, 0x28


@pytest.fixture
def i2c(part):
    """I2C1 at PB8 and PB9, 100 kHz; ``sensor`` feels what ``acceleration_g`` is."""
    part.enable_clock(0x4C, 1)
    part.enable_clock(0x58, 21)
    part.write("GPIOB", 0x24, 0x44)
    part.write("GPIOB", 0x04, 3 << 8)
    part.write("GPIOB", 0x00, part.read("GPIOB", 0x00) & ~(5 << 16))
    part.acceleration_g = (0.0, 0.0, 1.0)
    part.sensor = Lsm6dsl(part.mcu.scheduler, lambda time_ps: part.acceleration_g)
    part.mcu.peripherals.i2cs["I2C1"].devices.append(part.sensor)
    part.write("I2C1", TIMINGR, 19 << 8 | 19)
    part.write("I2C1", CR1, 1)
    return part


def wait(part, flag):
    limit_ps = part.now_ps + 10**10
    assert part.mcu.scheduler.advance_until(lambda: bool(part.read("I2C1", ISR) & flag), limit_ps)


def write_registers(part, first, *values):
    part.write("I2C1", CR2, SENSOR << 1 | (1 + len(values)) << 16 | START | AUTOEND)
    for byte in (first, *values):
        wait(part, TXIS)
        part.write("I2C1", TXDR, byte)
    wait(part, STOPF)
    part.write("I2C1", ICR, STOPF)


def read_registers(part, first, count):
    part.write("I2C1", CR2, SENSOR << 1 | 1 << 16 | START)
    wait(part, TXIS)
    part.write("I2C1", TXDR, first)
    wait(part, TC)
    part.write("I2C1", CR2, SENSOR << 1 | count << 16 | READ | START | AUTOEND)
    values = []
    for _ in range(count):
        wait(part, RXNE)
        values.append(part.read("I2C1", RXDR))
    wait(part, STOPF)
    part.write("I2C1", ICR, STOPF)
    return values


def test_the_sensor_says_who_it_is(i2c):
    assert read_registers(i2c, WHO_AM_I, 1) == [0x6A]
    assert not i2c.read("I2C1", ISR) & BUSY


def test_nobody_at_the_address_is_a_nack_and_a_stop(i2c):
    i2c.write("I2C1", CR2, 0x1D << 1 | START | AUTOEND)
    started_ps = i2c.now_ps
    assert i2c.read("I2C1", ISR) & BUSY
    wait(i2c, STOPF)
    assert i2c.now_ps - started_ps == 11 * 10_000_000  # START, address, acknowledge, STOP at 100 kHz
    assert i2c.read("I2C1", ISR) & NACKF
    assert not i2c.read("I2C1", ISR) & BUSY


def test_pins_that_are_not_routed_reach_nobody(i2c):
    i2c.write("GPIOB", 0x00, 0xFFFF_FFFF)
    i2c.write("I2C1", CR2, SENSOR << 1 | START | AUTOEND)
    wait(i2c, STOPF)
    assert i2c.read("I2C1", ISR) & NACKF


def test_acceleration_is_read_in_the_full_scale_at_the_data_rate(i2c):
    write_registers(i2c, CTRL1_XL, 4 << 4 | 2 << 2)  # 104 Hz, 4 g
    assert read_registers(i2c, STATUS_REG, 1) == [0]
    i2c.advance(1 / 104)
    assert read_registers(i2c, STATUS_REG, 1) == [1]
    i2c.acceleration_g = (-1.0, 0.5, 1.0)
    i2c.advance(1 / 104)
    raw = bytes(read_registers(i2c, OUTX_L_XL, 6))
    axes = [int.from_bytes(raw[at : at + 2], "little", signed=True) for at in (0, 2, 4)]
    assert [axis * 0.122e-3 for axis in axes] == pytest.approx([-1.0, 0.5, 1.0], abs=0.122e-3)
    assert read_registers(i2c, STATUS_REG, 1) == [0]


def test_reload_continues_a_long_transfer(i2c):
    i2c.write("I2C1", CR2, SENSOR << 1 | 1 << 16 | START | RELOAD)
    wait(i2c, TXIS)
    i2c.write("I2C1", TXDR, CTRL1_XL)
    wait(i2c, TCR)
    i2c.write("I2C1", CR2, SENSOR << 1 | 1 << 16 | AUTOEND)
    wait(i2c, TXIS)
    i2c.write("I2C1", TXDR, 0x40)
    wait(i2c, STOPF)
    assert read_registers(i2c, CTRL1_XL, 1) == [0x40]


def test_dma_receives(i2c):
    i2c.enable_clock(0x48, 0)
    i2c.write("DMA1", 0xA8, 3 << 24)  # channel 7, request 3
    i2c.write("DMA1", 0x84, 2)
    i2c.write("DMA1", 0x88, 0x4000_5424)
    i2c.write("DMA1", 0x8C, 0x2000_0100)
    i2c.write("DMA1", 0x80, 1 | 1 << 7)
    i2c.write("I2C1", CR2, SENSOR << 1 | 1 << 16 | START)
    wait(i2c, TXIS)
    i2c.write("I2C1", TXDR, WHO_AM_I)
    wait(i2c, TC)
    i2c.write("I2C1", CR1, 1 | 1 << 15)
    i2c.write("I2C1", CR2, SENSOR << 1 | 2 << 16 | READ | START | AUTOEND)
    wait(i2c, STOPF)
    assert i2c.mcu.core.memory.read(0x2000_0100, 2) == 0x006A


def test_data_ready_drives_its_pin(part):
    pin = part.pins["PB5"]
    sensor = Lsm6dsl(part.mcu.scheduler, int1=pin)
    for register, value in ((0x0D, 1), (CTRL1_XL, 1 << 4)):
        sensor.start(read=False)
        sensor.write(register)
        sensor.write(value)
    part.advance(0.079)
    assert pin.external_level is None
    part.advance(0.002)
    assert pin.external_level is True
    sensor.select(True)
    sensor.exchange(0x80 | OUTX_L_XL)
    sensor.exchange(0)
    assert pin.external_level is False

# SPDX-License-Identifier: Apache-2.0
"""docs/how_to_add_a_bus_device.md, followed word by word in a temporary folder."""

import importlib.util
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "how_to_add_a_bus_device.md"
CR1, CR2, TIMINGR, ISR, RXDR, TXDR = 0x00, 0x04, 0x10, 0x18, 0x24, 0x28
TXIS, RXNE, NACKF, STOPF = 2, 4, 1 << 4, 1 << 5
READ, START, AUTOEND = 1 << 10, 1 << 13, 1 << 25


@pytest.fixture
def page(tmp_path):
    """The page's blocks as one module of somebody's."""
    blocks = re.findall(r"```python .*?\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    file = tmp_path / "thermometer.py"
    file.write_text("\n\n".join(blocks), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("thermometer", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def bus(part, page):
    """I2C1 at PB8 and PB9, 100 kHz, with the page's device on it."""
    part.enable_clock(0x4C, 1)
    part.enable_clock(0x58, 21)
    part.write("GPIOB", 0x24, 0x44)
    part.write("GPIOB", 0x04, 3 << 8)
    part.write("GPIOB", 0x00, part.read("GPIOB", 0x00) & ~(5 << 16))
    part.temperature_c = 25.0
    page.connect(part.mcu, lambda: part.temperature_c)
    part.write("I2C1", TIMINGR, 19 << 8 | 19)
    part.write("I2C1", CR1, 1)
    return part


def wait(part, flag):
    limit_ps = part.now_ps + 10**10
    assert part.mcu.scheduler.advance_until(lambda: bool(part.read("I2C1", ISR) & flag), limit_ps)


def read_bytes(part, count):
    part.write("I2C1", CR2, 0x48 << 1 | count << 16 | READ | START | AUTOEND)
    received = []
    for _ in range(count):
        wait(part, RXNE)
        received.append(part.read("I2C1", RXDR))
    wait(part, STOPF)
    return received


@pytest.mark.parametrize(
    ("temperature_c", "received"), [(25.0, [0x00, 50]), (-0.5, [0xFF, 0xFF]), (130.0, [0x01, 0x04])]
)
def test_the_part_reads_the_temperature(bus, temperature_c, received):
    bus.temperature_c = temperature_c
    assert read_bytes(bus, 2) == received


def test_the_bus_is_high_after_the_last_byte(bus):
    assert read_bytes(bus, 3) == [0x00, 50, 0xFF]


def test_a_write_is_not_acknowledged(bus):
    bus.write("I2C1", CR2, 0x48 << 1 | 1 << 16 | START | AUTOEND)
    wait(bus, TXIS)
    bus.write("I2C1", TXDR, 0)
    wait(bus, STOPF)
    assert bus.read("I2C1", ISR) & NACKF

# SPDX-License-Identifier: Apache-2.0
"""docs/how_to_add_a_bus_device.md, followed word by word in a temporary folder."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

from hil.twin import board_devices
from hil.twin.bench_config import parse
from hil.twin.errors import BenchConfigError

PAGE = Path(__file__).parents[3] / "docs" / "how_to_add_a_bus_device.md"
CR1, CR2, TIMINGR, ISR, RXDR, TXDR = 0x00, 0x04, 0x10, 0x18, 0x24, 0x28
TXIS, RXNE, NACKF, STOPF = 2, 4, 1 << 4, 1 << 5
READ, START, AUTOEND = 1 << 10, 1 << 13, 1 << 25


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Somebody's package with the page's blocks, as `pip install .` leaves it."""
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"```python run-by: \S+bus_device.py\n(.*?)```", text, re.DOTALL)
    package, rig = re.findall(r"```toml run-by: \S+bus_device.py\n(.*?)```", text, re.DOTALL)
    (tmp_path / "thermometer.py").write_text("\n\n".join(blocks), encoding="utf-8")
    metadata = tmp_path / "thermometer-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: thermometer\nVersion: 1\n")
    ((group, points),) = tomllib.loads(package)["project"]["entry-points"].items()
    lines = "".join(f"{name} = {point}\n" for name, point in points.items())
    (metadata / "entry_points.txt").write_text(f"[{group}]\n{lines}")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tomllib.loads(rig)
    sys.modules.pop("thermometer", None)


def attach_all(part, tables):
    for device in parse(tables, "their.toml").devices:
        board_devices.attach(device, part.mcu, part.pins, lambda time_ps: 0.0)


@pytest.fixture
def bus(part, installed):
    """I2C1 at PB8 and PB9, 100 kHz, with the page's device on it, which is as warm as the part."""
    part.enable_clock(0x4C, 1)
    part.enable_clock(0x58, 21)
    part.write("GPIOB", 0x24, 0x44)
    part.write("GPIOB", 0x04, 3 << 8)
    part.write("GPIOB", 0x00, part.read("GPIOB", 0x00) & ~(5 << 16))
    attach_all(part, installed)
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
    ("temperature_c", "received"), [(25.0, [0x00, 50]), (-0.5, [0xFF, 0xFF]), (105.0, [0x00, 210])]
)
def test_the_part_reads_the_temperature(bus, temperature_c, received):
    bus.mcu.set_temperature(temperature_c)
    assert read_bytes(bus, 2) == received


def test_the_bus_is_high_after_the_last_byte(bus):
    assert read_bytes(bus, 3) == [0x00, 50, 0xFF]


def test_a_write_is_not_acknowledged(bus):
    bus.write("I2C1", CR2, 0x48 << 1 | 1 << 16 | START | AUTOEND)
    wait(bus, TXIS)
    bus.write("I2C1", TXDR, 0)
    wait(bus, STOPF)
    assert bus.read("I2C1", ISR) & NACKF


def refusal(part, **entry):
    device = {"kind": "lsm6dsl", "bus": "I2C1", "pins": {"scl": "PB8", "sda": "PB9"}} | entry
    with pytest.raises(BenchConfigError) as refused:
        attach_all(part, {"board": {"devices": [device]}})
    return str(refused.value)


def test_what_no_device_can_be_is_refused(part):
    assert "no model of kind 'lsm6dls'; expected one of lsm6dsl" in refusal(part, kind="lsm6dls")
    assert "expected a bus of I2C1" in refusal(part, bus="I2C9")
    uart = {"bus": "USART2", "pins": {"tx": "PA2", "rx": "PA3"}, "baud": 9600}
    assert "expected a bus of I2C1" in refusal(part, **uart), "the console's"
    uart = {"bus": "USART3", "pins": {"tx": "PC10", "rx": "PC11"}}
    assert "baud: expected the rate of a device on a UART" in refusal(part, **uart)
    assert "baud: expected the rate of a device on a UART" in refusal(part, baud=9600)
    assert "a lsm6dsl has no UART, which USART3 is" in refusal(part, **uart, baud=9600)
    assert "I2C1 needs sda too" in refusal(part, pins={"scl": "PB8"})
    assert "has no pin 'PE9'" in refusal(part, pins={"scl": "PB8", "sda": "PE9"})
    assert "no key 'pin'; known are kind" in refusal(part, pin="PB8")
    assert "address: expected int" in refusal(part, address="0x6B")


def test_a_device_of_another_bus_is_refused(part, installed):
    pins = {"sck": "PB3", "miso": "PB4", "mosi": "PB5", "cs": "PA4"}
    said = refusal(part, kind="toy_thermometer", bus="SPI1", pins=pins)
    assert said == "device toy_thermometer: a toy_thermometer has no SPI, which SPI1 is"

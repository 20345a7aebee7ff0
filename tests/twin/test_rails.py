# SPDX-License-Identifier: Apache-2.0
"""A device on a rail of its own works while the rail is on, and draws its current there."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from hil.twin.bench import Bench
from hil.twin.bench_config import parse
from hil.twin.devices import lsm6dsl
from hil.twin.errors import BenchConfigError

RIG = tomllib.loads((Path(__file__).parents[2] / "rig_configs" / "sim-sensor-rail.toml").read_text("utf-8"))
CTRL1_XL, CTRL2_G, WHO_AM_I = 0x10, 0x11, 0x0F
ODR_1660_HZ, ODR_104_HZ = 0x80, 0x40


@pytest.fixture
def bench() -> Bench:
    return Bench(parse(RIG, "sim-sensor-rail.toml"))


def sensor(bench: Bench) -> lsm6dsl.Lsm6dsl:
    (device,) = bench.mcu.peripherals.i2cs["I2C1"].devices
    assert isinstance(device, lsm6dsl.Lsm6dsl)
    return device


def write(device: lsm6dsl.Lsm6dsl, register: int, value: int) -> None:
    assert device.start(read=False)
    device.write(register)
    device.write(value)


def drawn_a(bench: Bench) -> float:
    """What the rail's own analyzer reads, over a tenth of a second."""
    bench.advance(0.2)
    return float(bench.rails[0].analyzer.execute(b"MEAS:CURR? (@1)"))


def test_it_answers_while_its_rail_is_on(bench: Bench) -> None:
    device, (rail,) = sensor(bench), bench.rails
    assert not device.start(read=False)
    rail.power_on()
    bench.advance(0.1)
    assert rail.voltage_v == pytest.approx(3.0, abs=5e-3)
    assert device.start(read=False)
    device.write(WHO_AM_I)
    assert device.read() == 0x6A
    write(device, CTRL1_XL, ODR_1660_HZ)
    rail.analyzer.execute(b"OUTP OFF,(@1)")
    bench.advance(0.1)
    assert not device.start(read=False)
    rail.power_on()
    bench.advance(0.1)
    assert device.start(read=False)
    device.write(CTRL1_XL)
    assert device.read() == 0, "a device without a supply forgets its settings"


def test_its_current_is_in_its_rail_and_not_in_the_parts(bench: Bench) -> None:
    device, (rail,) = sensor(bench), bench.rails
    part_a = bench.mcu.supply.current_a
    rail.analyzer.execute(b"SENS:CURR:RANG:AUTO ON,(@1)")
    assert drawn_a(bench) == pytest.approx(0.0, abs=50e-9)
    rail.power_on()
    for settings, expected_a in (
        ({}, lsm6dsl.POWER_DOWN_A),
        ({CTRL1_XL: ODR_104_HZ}, lsm6dsl.ACCELEROMETER_A),
        ({CTRL1_XL: ODR_1660_HZ}, lsm6dsl.FAST_ACCELEROMETER_A),
        ({CTRL2_G: ODR_104_HZ}, lsm6dsl.BOTH_A),
    ):
        bench.advance(0.1)
        for register, value in settings.items():
            write(device, register, value)
        assert drawn_a(bench) == pytest.approx(expected_a, rel=0.01, abs=0.2e-6)
    assert bench.mcu.supply.current_a == part_a


def test_the_instruments_of_two_rails_have_errors_of_their_own(bench: Bench) -> None:
    (rail,) = bench.rails
    assert rail.analyzer.execute(b"*IDN?") != bench.analyzer.execute(b"*IDN?")
    bench.analyzer.execute(b"VOLT 3,(@1);:OUTP ON,(@1)")
    rail.power_on()
    bench.advance(0.1)
    assert rail.source.board_v != bench.source.board_v


@pytest.mark.parametrize(
    ("rail", "said"),
    [
        ({"feeds": ["x"]}, "expected devices that hang on no other rail, of lsm6dsl, not 'x'"),
        ({"power_analyzer": {"driver": "x"}}, "the virtual bench has no 'x'"),
        ({"feeds": [], "colour": "red"}, "has no key 'colour'"),
        ({"ammeter": {}}, "supply what they measure"),
    ],
)
def test_what_it_cannot_be_is_refused(rail: dict[str, Any], said: str) -> None:
    tables = {**RIG, "rails": {"sensor": {"voltage": "3.0 V", **rail}}}
    with pytest.raises(BenchConfigError) as refused:
        parse(tables, "x.toml")
    assert said in str(refused.value)


def test_a_powershield_can_feed_a_rail() -> None:
    rails = {"sensor": {**RIG["rails"]["sensor"], "power_analyzer": {"driver": "lpm01a"}}}
    bench = Bench(parse({**RIG, "rails": rails}, "x.toml"))
    bench.rails[0].power_on()
    bench.advance(0.1)
    assert bench.rails[0].voltage_v == pytest.approx(3.0, rel=0.011)
    assert sensor(bench).start(read=False)

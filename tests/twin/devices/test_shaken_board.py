# SPDX-License-Identifier: Apache-2.0
"""A signal of the DAQ that drives a shaker reaches the accelerometer that the rig file names."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hil.twin.bench import Bench
from hil.twin.bench_config import BenchConfig, load, parse
from hil.twin.devices.lsm6dsl import STANDARD_GRAVITY_M_S2, Lsm6dsl
from hil.twin.errors import BenchConfigError

RIGS = Path(__file__).parents[3] / "rig_configs"
TONE_HZ, AMPLITUDE_V, RATE_HZ = 200.0, 0.4, 10_000.0
CTRL1_XL, OUTZ_L_XL = 0x10, 0x2C
ODR_1660_HZ = 0x80
G_PER_STEP = 61e-6
"""At 2 g full scale (LSM6DSL, mechanical characteristics)."""


def bench_of(config: BenchConfig) -> tuple[Bench, Lsm6dsl]:
    bench = Bench(config)
    devices = [device for bus in bench.mcu.peripherals.i2cs.values() for device in bus.devices]
    (sensor,) = (device for device in devices if isinstance(device, Lsm6dsl))
    return bench, sensor


def felt_g(bench: Bench, sensor: Lsm6dsl, output: str) -> np.ndarray:
    """What the chip's z register says, sample by sample, while the DAQ plays a tone around 1.5 V."""
    samples_v = 1.5 + AMPLITUDE_V * np.sin(2 * math.pi * TONE_HZ * np.arange(1000) / RATE_HZ)
    ticks = round(100e6 / RATE_HZ)
    bench.daq.analog_outputs[output].generate(bench.scheduler.now_ps, ticks, samples_v, None)
    sensor.select(True)
    sensor.exchange(CTRL1_XL)
    sensor.exchange(ODR_1660_HZ)
    felt = []
    for _ in range(200):
        bench.advance(1 / 1660.0)
        sensor.select(True)
        sensor.exchange(0x80 | OUTZ_L_XL)
        low, high = sensor.exchange(0), sensor.exchange(0)
        felt.append(int.from_bytes(bytes((low, high)), "little", signed=True) * G_PER_STEP)
    return np.array(felt)


@pytest.mark.parametrize(("rig", "output"), [("sim-lsm6dsl", "ao0"), ("sim-iot01a", "ao1")])
def test_the_accelerometer_feels_what_the_shaker_does(rig: str, output: str) -> None:
    config = load(RIGS / f"{rig}.toml")
    bench, sensor = bench_of(config)
    felt = felt_g(bench, sensor, output)
    amplitude_g = AMPLITUDE_V * config.wires["shaker"].m_per_s2_per_v / STANDARD_GRAVITY_M_S2
    assert felt.mean() == pytest.approx(1.0, abs=0.03)  # gravity; the constant 1.5 V moves nothing
    assert math.sqrt(2) * felt.std() == pytest.approx(amplitude_g, rel=0.05)


def test_an_open_wire_to_the_shaker_leaves_the_board_at_rest() -> None:
    config = load(RIGS / "sim-lsm6dsl.toml")
    wires = {**config.wires, "shaker": replace(config.wires["shaker"], is_open=True)}
    bench, sensor = bench_of(replace(config, wires=wires))
    assert np.allclose(felt_g(bench, sensor, "ao0"), 1.0, atol=G_PER_STEP)


def test_a_shaker_says_how_much_it_moves_and_nothing_else_does() -> None:
    with pytest.raises(BenchConfigError, match=r"\[wiring\] sensor.sensitivity: sensor is no shaker"):
        parse({"wiring": {"sensor": {"pin": "PA0", "terminal": "Dev1/ao0", "sensitivity": "1 m/s/s/V"}}}, "x")
    with pytest.raises(BenchConfigError, match="sensitivity: expected a number with a unit"):
        parse({"wiring": {"shaker": {"terminal": "Dev1/ao0", "sensitivity": 12}}}, "x")

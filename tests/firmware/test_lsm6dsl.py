# SPDX-License-Identifier: Apache-2.0
"""The build with an accelerometer on I2C1, on the emulated part with the sensor beside it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from hil.firmware.build import build
from hil.firmware.image import Image
from hil.golden.features import features
from hil.golden.run_model import run_model
from hil.golden.tflite_model import read_model
from hil.twin.devices.lsm6dsl import Lsm6dsl
from tests.firmware.emulated_part import LSE_START_S, PS_PER_S, Part

RATE_HZ = 1660.0
SAMPLES = 1024
WINDOW_S = SAMPLES / RATE_HZ
G_PER_CODE = 61e-6 * 16
"""Of the 12-bit code: 61 µg a step at 2 g full scale (LSM6DSL, mechanical characteristics), 16 bits to 12."""
TONE_HZ = 200.0
ERROR_SENSOR = "ERR code=26"
SRAM1 = 0x2000_0000


def tone_g(time_ps: int) -> tuple[float, float, float]:
    """A machine that shakes along z; x and y would be seen at once if they were taken for it."""
    return (1.9, -1.9, 1.0 + 0.5 * math.sin(2 * math.pi * TONE_HZ * time_ps / PS_PER_S))


@pytest.fixture
def make_part() -> Callable[[bool], Part]:
    def make(with_sensor: bool) -> Part:
        part = Part(Image.load(build(sensor="lsm6dsl")))
        if with_sensor:
            sensor = Lsm6dsl(part.mcu.scheduler, tone_g, int1=part.pins["PB5"])
            part.mcu.peripherals.i2cs["I2C1"].devices.append(sensor)
        return part

    return make


def samples(part: Part) -> npt.NDArray[np.uint16]:
    start = part.image.symbol("application_samples") - SRAM1
    return part.mcu.core.memory["sram1"][start : start + 2 * SAMPLES].view("<u2").copy()


def test_window_is_what_the_sensor_felt(make_part: Callable[[bool], Part]) -> None:
    part = make_part(True)
    part.advance(LSE_START_S + 2.0)
    assert "wake=1 " in part.console
    codes = samples(part).astype(float)
    centred_g = (codes - 2048) * G_PER_CODE
    assert centred_g.mean() == pytest.approx(1.0, abs=0.01)
    times_s = np.arange(SAMPLES) / RATE_HZ
    waves = np.exp(-2j * np.pi * TONE_HZ * times_s)
    amplitude_g = 2 * abs(np.mean((centred_g - centred_g.mean()) * waves))
    assert amplitude_g == pytest.approx(0.5, rel=0.02)


def test_verdict_is_the_golden_models(make_part: Callable[[bool], Part]) -> None:
    part = make_part(True)
    part.advance(LSE_START_S + 2.0)
    part.wake_console()
    part.ask("RUN")
    model = read_model(part_model(part))
    inputs = features(samples(part)[np.newaxis])
    difference = inputs[0].astype(int) - run_model(model, inputs)[0].astype(int)
    assert part.ask("STATUS")["score"] == str(int((difference * difference).sum()))


def part_model(part: Part) -> bytes:
    start, end = part.image.symbol("hil_model"), part.image.symbol("hil_model_end")
    return part.mcu.core.memory["flash"][start - 0x0800_0000 : end - 0x0800_0000].tobytes()


def test_part_is_in_stop_2_while_the_fifo_fills(make_part: Callable[[bool], Part]) -> None:
    part = make_part(True)
    part.advance(LSE_START_S + 3.0)
    begun_s = part.rises("PB10")[-1]
    by_clock = part.charge_by_clock(begun_s + 9.5, begun_s + 11.5)
    awake_s = sum(time_s for (mode, _), (time_s, _) in by_clock.items() if mode != "stop2")
    assert len(part.rises("PB10")) == 2
    falls = [time_s for time_s, name, level in part.edges if name == "PB10" and level is False]
    assert falls[-1] - part.rises("PB10")[-1] > WINDOW_S
    assert awake_s < 0.35 * WINDOW_S
    average_a = sum(charge_c for _, charge_c in by_clock.values()) / 10.0
    print(f"the wake's share of a 10 s average: {1e6 * average_a:.2f} µA")
    assert part.mcu.supply.current_a < 2e-6  # Stop 2 again, and nothing left on


def test_absent_sensor_is_an_error_and_never_a_hang(make_part: Callable[[bool], Part]) -> None:
    part = make_part(False)
    part.advance(LSE_START_S + 12.0)
    assert part.console.count(ERROR_SENSOR) == 2
    assert part.mcu.mode == "stop2"
    part.wake_console()
    answer = part.ask("RUN")
    assert (answer["kind"], answer["error"]) == ("NAK", "26")


def test_sensor_whose_interrupt_is_not_wired_is_given_up(make_part: Callable[[bool], Part]) -> None:
    part = make_part(False)
    part.mcu.peripherals.i2cs["I2C1"].devices.append(Lsm6dsl(part.mcu.scheduler, tone_g))
    part.pins["PB5"].set_external_level(False, part.mcu.scheduler.now_ps)
    part.advance(LSE_START_S + 12.0)
    assert part.console.count(ERROR_SENSOR) == 1
    part.advance(20.0)
    assert part.console.count(ERROR_SENSOR) >= 2
    assert "BOOT" not in part.console[10:]


def test_window_of_two_segments_is_two_windows_long(make_part: Callable[[bool], Part]) -> None:
    part = make_part(True)
    part.advance(LSE_START_S + 2.0)
    part.wake_console()
    assert part.ask("SET", window_ms=512)["error"] == "25"
    assert part.ask("SET", window_ms=1232)["kind"] == "ACK"
    started_s = part.now_s
    assert part.ask("RUN")["kind"] == "ACK"
    assert 2 * WINDOW_S < part.now_s - started_s < 2 * WINDOW_S + 0.4

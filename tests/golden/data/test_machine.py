# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from hil.golden.data.machine import FULL_LOAD_SLIP, SYNCHRONOUS_HZ, Machine, Moment, healthy_spectrum
from hil.golden.data.sensor import SENSOR, STANDARD_GRAVITY_M_S2


def velocity_mm_s(spectrum_g: np.ndarray, moment: Moment) -> float:
    """rms of the velocity from 10 to 1000 Hz, the quantity of ISO 10816."""
    frequency_hz = moment.frequency_hz
    band = (frequency_hz >= 10) & (frequency_hz <= 1000)
    lines = np.abs(spectrum_g[band]) * STANDARD_GRAVITY_M_S2 / (2 * np.pi * frequency_hz[band])
    return float(1e3 * np.sqrt(2 * np.sum(lines**2)) / moment.time_s.size)


def test_healthy_machines_lie_in_zones_a_and_b():
    for seed in range(30):
        rng = np.random.default_rng(seed)
        machine, moment = Machine.drawn(rng), Moment(4.096, rng)
        spectrum = healthy_spectrum(machine, moment, SENSOR, rng)
        assert 0.7 < velocity_mm_s(spectrum, moment) < 2.8, seed  # ISO 10816-3, group 2, rigid


def test_speed_follows_the_load_within_a_window():
    moment = Moment(4.096, np.random.default_rng(3))
    speed_hz = np.diff(moment.shaft_rad) / (2 * np.pi) / moment.time_s[1]
    load = (moment.load[1:] + moment.load[:-1]) / 2
    slope = np.polyfit(load, speed_hz, 1)[0]
    assert slope == pytest.approx(-SYNCHRONOUS_HZ * FULL_LOAD_SLIP, rel=1e-3)
    # It moves within 512 ms, and returns to where it began.
    window = round(0.512 / moment.time_s[1])
    assert np.ptp(moment.load[:window]) > 0.005
    around = moment.shaft_rad[-1] + 2 * np.pi * speed_hz[-1] * moment.time_s[1] - moment.shaft_rad[0]
    assert around == pytest.approx(2 * np.pi * moment.turns, abs=1e-3)


def test_the_time_of_a_turn_inverts_the_angle():
    moment = Moment(4.096, np.random.default_rng(4))
    turns = np.array([0.25, 17.5, moment.turns - 0.01])
    angle = np.interp(moment.time_of_turn(turns), moment.time_s, moment.shaft_rad)
    assert (angle - moment.shaft_rad[0]) / (2 * np.pi) == pytest.approx(turns, abs=1e-6)


def test_a_line_s_acceleration_is_that_of_its_velocity():
    moment = Moment(4.096, np.random.default_rng(5))
    line_g = moment.line(3, moment.peak_g_of_velocity(3, 4.5e-3), 0.7)
    assert velocity_mm_s(np.fft.rfft(line_g), moment) == pytest.approx(4.5, rel=2e-3)


def test_the_sensor_s_noise_is_there_without_a_machine():
    quiet = Machine((), 0.0, (0.0, 0.0), 0.0, ())
    rng = np.random.default_rng(6)
    moment = Moment(4.096, rng)
    noise_g = np.fft.irfft(healthy_spectrum(quiet, moment, SENSOR, rng), moment.time_s.size)
    assert noise_g.std() == pytest.approx(25e-6 * 960**0.5, rel=0.05)

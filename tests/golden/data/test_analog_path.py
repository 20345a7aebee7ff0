# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np

from hil.golden.data.analog_path import IDEAL_PATH, AnalogPath, adc_codes, sampled_windows
from hil.golden.data.pin_signal import PinSignal

RAMP = PinSignal("ramp", np.linspace(0.5, 2.5, 50_000))


def test_adc_codes_are_those_of_an_ideal_converter():
    volts = np.array([-0.1, 0.0, 0.0003, 0.0004, 1.5, 2.9999, 3.2])
    assert adc_codes(volts).tolist() == [0, 0, 0, 1, 2048, 4095, 4095]
    assert adc_codes(np.array([1.65]), vdda_v=3.3).tolist() == [2048]


def test_an_ideal_path_takes_every_fifth_held_sample():
    starts_s = np.array([0.0, 1.0, 4.9])
    windows = sampled_windows(RAMP, starts_s, np.random.default_rng(1), IDEAL_PATH)
    assert windows.shape == (3, 1024)
    assert np.array_equal(windows[1], adc_codes(RAMP.volts[10_000 : 10_000 + 5 * 1024 : 5]))
    # The buffer repeats: the third window runs over its end.
    assert np.array_equal(windows[2], adc_codes(np.roll(RAMP.volts, -49_000)[: 5 * 1024 : 5]))


def test_each_window_has_imperfections_of_its_own():
    flat = PinSignal("flat", np.full(10_000, 2.0))
    path = AnalogPath(noise_v=2e-3, gain_spread=0.02, offset_spread_v=0.01, clock_spread=0.0)
    windows = sampled_windows(flat, np.zeros(400), np.random.default_rng(2), path).astype(float)
    volts = windows * 3.0 / 4096
    means = volts.mean(axis=1)
    assert 0.02 < np.ptp(means) < 2 * (0.02 * 2.0 + 0.01 + 1e-3)
    # The noise within a window is the stated one; the quantisation step of 0.7 mV adds little.
    assert abs(np.median(volts.std(axis=1)) - 2e-3) < 1e-4


def test_the_clock_error_stretches_the_window():
    path = AnalogPath(noise_v=0.0, gain_spread=0.0, offset_spread_v=0.0, clock_spread=0.05)
    windows = sampled_windows(RAMP, np.zeros(200), np.random.default_rng(3), path).astype(int)
    rise = windows[:, -1] - windows[:, 0]
    nominal = 1023 * 5 * 2.0 / 50_000 * 4096 / 3.0
    assert 0.95 * nominal - 2 < rise.min() < 0.97 * nominal
    assert 1.03 * nominal < rise.max() < 1.05 * nominal + 2

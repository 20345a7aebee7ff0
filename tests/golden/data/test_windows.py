# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from itertools import pairwise

import numpy as np

from hil.golden.data.analog_path import IDEAL_PATH, adc_codes
from hil.golden.data.pin_signal import PinSignal
from hil.golden.data.vibration import vibration_signal
from hil.golden.data.windows import machine_windows, periodic_windows


def test_windows_of_a_buffer_do_not_overlap():
    signal = PinSignal("count", np.arange(40_960) * 7e-5)
    windows = periodic_windows(signal, 8, np.random.default_rng(1), IDEAL_PATH)
    assert np.unique(windows[:, 0]).size == 8
    # Every code of the rising buffer is in one window only, apart from rounding at their borders.
    spans = sorted(
        (int(window.min()), int(window.max()))
        for window in windows
        if np.all(np.diff(window.astype(int)) >= 0)
    )
    assert len(spans) >= 7
    assert all(first[1] <= second[0] + 1 for first, second in pairwise(spans))


def test_machine_windows_are_cut_from_the_signal_that_is_played():
    windows = machine_windows([7], 4, "ball", 0.8, moment=2)
    played = np.sort(adc_codes(vibration_signal(7, "ball", 0.8, moment=2).volts)).astype(float)
    # Up to the path's errors of gain (1 %) and offset (5 mV), the same voltages.
    for window in np.sort(windows.astype(float), axis=1):
        quantiles = np.quantile(played, [0.1, 0.5, 0.9])
        assert np.allclose(np.quantile(window, [0.1, 0.5, 0.9]), quantiles, atol=120)
    assert np.array_equal(windows, machine_windows([7], 4, "ball", 0.8, moment=2))

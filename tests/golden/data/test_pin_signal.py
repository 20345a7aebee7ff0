# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from hil.golden.data.pin_signal import PinSignal


def test_a_looped_signal_repeats_without_a_step():
    ramp = PinSignal("ramp", np.linspace(1.0, 2.0, 20_000))
    looped = ramp.looped(0.1)
    assert looped.duration_s == pytest.approx(1.9)
    # Across the seam it goes on as the end went on; then it returns to the ramp.
    assert abs(looped.volts[0] - looped.volts[-1]) < 3e-3
    assert np.array_equal(looped.volts[1_000:], ramp.volts[1_000:19_000])


def test_too_short_a_signal_is_refused():
    with pytest.raises(ValueError, match="too short"):
        PinSignal("short", np.zeros(900)).looped(0.05)

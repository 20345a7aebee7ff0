# SPDX-License-Identifier: Apache-2.0
"""The floor of a current of which nothing is known."""

import numpy as np
import pytest

from hil.measurement.current_log import SETTLING_S, CurrentLog
from hil.measurement.waveform import Waveform

PERIOD_S = 1e-3


def duty_cycle(settling_a: float = 0.0) -> Waveform:
    """Four times 4 s at 2 µA and 50 ms at 1 mA; each sleep begins with a current that decays."""
    rng = np.random.default_rng(1)
    asleep = 2e-6 + settling_a * np.exp(-np.arange(4000) * PERIOD_S / 0.1)
    one = np.concatenate([asleep, np.full(50, 1e-3)])
    current_a = np.tile(one, 4)
    return Waveform(0.0, PERIOD_S, current_a + rng.normal(0, 1e-8, current_a.size))


def test_the_floor_is_that_of_settled_sleep() -> None:
    log = CurrentLog.of(duty_cycle(settling_a=20e-6), 3.0)
    assert float(log.floor_samples_a.mean()) == pytest.approx(2e-6, rel=0.02)
    assert log.floor_samples_a.size == pytest.approx(4 * (4 - SETTLING_S) / PERIOD_S, rel=0.01)
    assert log.wakes == 4


def test_a_current_that_does_not_change_has_no_phases_and_is_all_floor() -> None:
    flat = Waveform(0.0, PERIOD_S, np.full(1000, 3e-6))
    log = CurrentLog.of(flat, 3.0)
    assert (log.phases, log.wakes, log.floor_samples_a.size) == ((), 0, 1000)

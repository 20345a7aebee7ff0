# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from hil.golden.data.faults import FAULTS
from hil.golden.data.sensor import SENSOR, Sensor
from hil.golden.data.vibration import vibration, vibration_signal

DURATION_S, RATE_HZ = 4.096, 10_000.0


def buffer(fault: str | None = None, severity: float = 0.0, seed: int = 5, **more: object) -> np.ndarray:
    return vibration(DURATION_S, RATE_HZ, fault=fault, severity=severity, seed=seed, **more)


@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_the_buffer_repeats_without_a_step(fault: str | None):
    volts = buffer(fault, 0.5)
    # The spectrum ends at the sensor's edge: nothing leaks as a step would.
    spectrum = np.abs(np.fft.rfft(volts - SENSOR.bias_v))
    frequency = np.fft.rfftfreq(volts.size, 1 / RATE_HZ)
    assert spectrum[frequency > 960.5].max() < 1e-9 * spectrum.max()
    step = abs(volts[0] - volts[-1])
    assert step <= np.abs(np.diff(volts)).max()
    # A kink would raise the curvature.
    across_the_seam = np.diff(np.concatenate([volts[-3:], volts[:3]]), 2)
    assert np.abs(across_the_seam).max() <= np.abs(np.diff(volts, 2)).max()


@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_stays_within_the_sensor_rails_unclipped(fault: str | None):
    for seed in range(4):
        volts = buffer(fault, 1.0, seed)
        assert volts.min() > 0.05
        assert volts.max() < 2.95
        assert volts.mean() == pytest.approx(SENSOR.bias_v, abs=1e-9)


def test_the_waveform_does_not_depend_on_the_rate():
    slow = vibration(DURATION_S, 2_000.0, fault="inner_race", severity=0.7, seed=3)
    assert np.allclose(buffer("inner_race", 0.7, 3)[::5], slow, atol=1e-12)


def test_seeds_decide():
    assert np.array_equal(buffer(seed=1), buffer(seed=1))
    assert not np.allclose(buffer(seed=1), buffer(seed=2), atol=0.01)
    # Severity 0 of any fault is the normal machine of that seed.
    assert np.array_equal(buffer(seed=1), buffer("looseness", 0.0, seed=1))


def test_a_machine_is_the_same_at_another_moment():
    first, second = buffer(seed=1), buffer(seed=1, moment=1)
    assert not np.allclose(first, second, atol=0.01)
    # The mesh line is the machine's own and grows with the load only; machines differ by up to half.
    assert np.array_equal(vibration_signal(1, moment=1).volts, second)


def test_the_sensor_s_range_clips():
    volts = buffer("looseness", 1.0, sensor=Sensor(sensitivity_v_per_g=4.0))
    assert (volts.min(), volts.max()) == (0.05, 2.95)
    assert 0.001 < np.mean((volts == 0.05) | (volts == 2.95)) < 0.5


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"duration_s": 0.1}, "0.1 s"),
        ({"rate_hz": 1000.0}, "1000.0 Hz"),
        ({"duration_s": 1.00001}, "whole number"),
        ({"fault": "cavitation"}, "cavitation.*outer_race"),
        ({"fault": "imbalance", "severity": 1.5}, "1.5"),
        ({"severity": -0.5, "fault": "ball"}, "-0.5"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict, complaint: str):
    wanted = {"duration_s": 1.0, "rate_hz": 2000.0, "seed": 1, **arguments}
    with pytest.raises(ValueError, match=complaint):
        vibration(**wanted)

# SPDX-License-Identifier: Apache-2.0
"""Pulses in a fine capture, of which the edges are known."""

import numpy as np
import pytest

from hil.errors import MeasurementError
from hil.measurement.pulse import Pulse, find_pulse
from hil.measurement.uncertainty import Estimate, normalized_error
from hil.measurement.waveform import Waveform

PERIOD_S = 5.12e-6
LATENCY_S = 200e-6
NOISE_A = 2.5e-6
"""Of one sample of 5.12 µs in the 100 mA range of the virtual N6781A."""
COUNTER_U_S = 13e-9


CODE_A = 20e-6
"""By how much the code behind the pulse draws less than the network."""


def captured(
    latency_s: float, height_a: float, rng: np.random.Generator, lag: float = 0.0, cold_a: float = 0.0
) -> Pulse:
    """What a 3 mA phase of 2 ms shows of a pulse near its end, with edges anywhere in a sample.

    The code's own current falls ``lag`` samples after the marker, and is ``cold_a`` higher in the sample that
    holds the rise.
    """
    count = 400
    begins = 320 + rng.uniform()
    ends = begins + latency_s / PERIOD_S
    index = np.arange(count)
    inside = np.clip(np.minimum(index + 1, ends) - np.maximum(index, begins), 0.0, 1.0)
    behind = np.clip(index + 1 - ends - lag, 0.0, 1.0)
    current_a = 3e-3 - CODE_A * behind + height_a * inside + NOISE_A * rng.standard_normal(count)
    current_a[int(begins)] += cold_a
    return find_pulse(Waveform(100.0, PERIOD_S, current_a), height_a)


def test_the_length_of_a_pulse_is_known_far_better_than_a_sample() -> None:
    rng = np.random.default_rng(3)
    found = [captured(LATENCY_S, 60e-6, rng) for _ in range(60)]
    inside = [
        abs(pulse.duration_s.value - LATENCY_S) <= pulse.duration_s.expanded_uncertainty for pulse in found
    ]
    assert np.mean(inside) >= 0.93
    assert max(pulse.duration_s.expanded_uncertainty for pulse in found) < 0.05 * LATENCY_S
    assert np.mean([pulse.height_a for pulse in found]) == pytest.approx(70e-6, rel=0.02)


def test_code_that_changes_its_current_beside_the_edge_is_in_the_uncertainty() -> None:
    rng = np.random.default_rng(6)
    late = [captured(LATENCY_S, 60e-6, rng, 1.0).duration_s.value for _ in range(20)]
    assert np.mean(late) - LATENCY_S > 0.2 * PERIOD_S  # it does move the edge
    durations = [captured(LATENCY_S, 60e-6, rng, rng.uniform(-1, 1)).duration_s for _ in range(100)]
    assert np.mean([abs(one.value - LATENCY_S) <= one.expanded_uncertainty for one in durations]) >= 0.93


@pytest.mark.parametrize("cold_a", [35e-6, -35e-6])
def test_code_that_draws_another_current_for_a_sample_is_in_the_uncertainty(cold_a: float) -> None:
    rng = np.random.default_rng(7)
    durations = [captured(LATENCY_S, 60e-6, rng, cold_a=cold_a).duration_s for _ in range(100)]
    assert (
        abs(np.mean([one.value for one in durations]) - LATENCY_S) > 0.4 * PERIOD_S
    )  # it does move the edge
    assert np.mean([abs(one.value - LATENCY_S) <= one.expanded_uncertainty for one in durations]) >= 0.93


def test_a_network_that_is_a_third_slower_than_the_counter_says_is_caught() -> None:
    pulse = captured(1.3 * LATENCY_S, 60e-6, np.random.default_rng(4))
    assert normalized_error(Estimate(LATENCY_S, COUNTER_U_S), pulse.duration_s) > 1
    assert pulse.duration_s.value == pytest.approx(1.3 * LATENCY_S, rel=0.01)


def test_a_flat_current_holds_no_pulse() -> None:
    with pytest.raises(MeasurementError, match="a step up and a step down that stand out"):
        captured(LATENCY_S, 1e-6, np.random.default_rng(5))


def test_a_stretch_without_room_for_a_pulse_is_refused() -> None:
    with pytest.raises(MeasurementError, match="5 samples"):
        find_pulse(Waveform(0.0, PERIOD_S, np.ones(5)), 60e-6)

# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from numpy.typing import NDArray

from hil.measurement.budget import Budget
from hil.measurement.part_alone import MarkerLoads, part_alone
from hil.measurement.phases import PhaseName, segment
from hil.measurement.uncertainty import Estimate
from hil.measurement.waveform import Waveform

PERIOD_S = 102.4e-6
ASLEEP_A, SAMPLING_A, COMPUTING_A = 2e-6, 80e-6, 5e-3
LOADS = MarkerLoads(Estimate(60e-6, 0.2e-6), Estimate(30e-6, 0.1e-6))
INFERENCE_S = 20 * PERIOD_S
"""Of the 100 samples that the network's clock is on, the marker is high for so long."""


def waveform(loads: MarkerLoads | None) -> Waveform:
    """Two wakes, with what the markers' wires draw or without; the marker is high somewhere in the phase."""
    asleep = np.full(20_000, ASLEEP_A)
    awake = np.concatenate([np.full(5000, SAMPLING_A), np.full(100, COMPUTING_A)])
    if loads is not None:
        awake = awake + loads.active_a.value
        awake[5040:5060] += loads.inference_a.value
    rng = np.random.default_rng(1)
    current_a = np.concatenate([asleep, awake, asleep, awake, asleep])
    return Waveform(0.0, PERIOD_S, current_a + 1e-9 * rng.standard_normal(current_a.size))


def test_what_is_left_is_the_part_alone() -> None:
    measured, true = waveform(LOADS), waveform(None)
    alone = part_alone(measured, segment(measured), LOADS, [INFERENCE_S, INFERENCE_S])
    assert measured.mean_a > 1.3 * true.mean_a
    assert alone.waveform.mean_a == pytest.approx(true.mean_a, rel=1e-9)
    for phase, expected in zip(alone.phases, segment(true), strict=True):
        assert phase.name is expected.name
        assert phase.charge_c == pytest.approx(expected.charge_c, rel=1e-6)


def test_a_marker_that_never_pulsed_draws_nothing() -> None:
    measured = waveform(None)
    loads = MarkerLoads(Estimate(0.0, 0.0), Estimate(30e-6, 0.0))
    alone = part_alone(measured, segment(measured), loads, [])
    assert np.array_equal(alone.waveform.current_a, measured.current_a)


def test_the_uncertainty_of_the_loads_is_in_that_of_a_mean_as_far_as_it_is_awake() -> None:
    measured = waveform(LOADS)
    alone = part_alone(measured, segment(measured), LOADS, [INFERENCE_S])
    accuracy = alone.mean_accuracy(lambda samples_a: Budget())
    asleep = alone.phases[0]
    awake = next(phase for phase in alone.phases if phase.name is PhaseName.SAMPLING)
    one_a = np.hypot(0.2e-6, 0.1e-6) / 1.959964

    def of_mean(samples_a: NDArray[np.float64]) -> float:
        return accuracy(samples_a).standard_uncertainty

    assert of_mean(alone.waveform.slice(asleep.start_s, asleep.end_s).current_a) == 0.0
    assert of_mean(alone.waveform.slice(awake.start_s, awake.end_s).current_a) == pytest.approx(one_a)
    share = 2 * 5100 / len(measured)
    assert of_mean(alone.waveform.current_a) == pytest.approx(one_a * share, rel=1e-3)
    difference = alone.difference_accuracy(lambda first, second, period_s: Budget())
    whole = alone.waveform.current_a
    assert difference(whole, whole, PERIOD_S).standard_uncertainty == 0.0
    longer = difference(whole, whole[:20_000], PERIOD_S).standard_uncertainty
    assert longer == pytest.approx(one_a * 2 * 5100 * PERIOD_S)


def test_the_instrument_is_asked_about_what_it_measured() -> None:
    measured = waveform(LOADS)
    alone = part_alone(measured, segment(measured), LOADS, [INFERENCE_S])
    seen: list[float] = []
    alone.mean_accuracy(lambda samples_a: seen.append(float(samples_a.max())) or Budget())(
        alone.waveform.current_a
    )
    assert seen[0] == pytest.approx(COMPUTING_A + 60e-6, rel=0.01)

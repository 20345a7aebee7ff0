# SPDX-License-Identifier: Apache-2.0
"""Segmentation against waveforms whose phases are known because they are put together here."""

import itertools

import numpy as np
import pytest

from hil.errors import MeasurementError
from hil.measurement import duty_cycle
from hil.measurement.phases import PhaseName, first_of, segment
from hil.measurement.waveform import Waveform

PERIOD_S = 102.4e-6
SLEEP, RUN, SAMPLING, FAST = 1.67e-6, 0.55e-3, 0.19e-3, 9.3e-3

Levels = list[tuple[float, float]]
QUIET_WAKE: Levels = [(RUN, 2e-3), (SAMPLING, 0.512), (FAST, 7e-3)]
REPORTING_WAKE: Levels = [*QUIET_WAKE, (RUN, 8e-3)]


def waveform_of(levels: Levels, noise: float = 0.0) -> Waveform:
    """Exact means of a piecewise-constant current over the sample periods, with relative noise."""
    edges = np.cumsum([0.0] + [duration for _, duration in levels])
    charge = np.cumsum([0.0] + [current * duration for current, duration in levels])
    ticks = np.arange(int(edges[-1] / PERIOD_S) + 1) * PERIOD_S
    current_a = np.diff(np.interp(ticks, edges, charge)) / PERIOD_S
    current_a *= 1 + noise * np.random.default_rng(3).standard_normal(current_a.size)
    return Waveform(50.0, PERIOD_S, current_a)


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_a_wake_with_report_has_all_phases_with_their_times(noise: float) -> None:
    phases = segment(waveform_of([(SLEEP, 2.0), *REPORTING_WAKE, (SLEEP, 1.0)], noise))
    assert [phase.name for phase in phases] == [
        PhaseName.SLEEP, PhaseName.WAKE_UP, PhaseName.SAMPLING, PhaseName.INFERENCE, PhaseName.REPORT,
        PhaseName.SLEEP,
    ]  # fmt: skip
    expected_s = [2.0, 2e-3, 0.512, 7e-3, 8e-3, 1.0]
    for phase, duration_s in zip(phases, expected_s, strict=True):
        assert phase.duration_s == pytest.approx(duration_s, abs=2 * PERIOD_S)
    assert phases[3].mean_a == pytest.approx(FAST, rel=0.03)


def test_a_quiet_wake_has_no_report() -> None:
    phases = segment(waveform_of([(SLEEP, 2.0), *QUIET_WAKE, (SLEEP, 1.0)]))
    assert PhaseName.REPORT not in [phase.name for phase in phases]


def test_a_peak_at_the_wake_up_is_no_inference() -> None:
    phases = segment(waveform_of([(SLEEP, 2.0), (5e-3, 1e-3), *QUIET_WAKE, (RUN, 8e-3), (SLEEP, 1.0)]))
    inference = next(phase for phase in phases if phase.name is PhaseName.INFERENCE)
    assert inference.start_s == pytest.approx(50.0 + 2.0 + 1e-3 + 2e-3 + 0.512, abs=2 * PERIOD_S)
    assert inference.duration_s == pytest.approx(7e-3, abs=2 * PERIOD_S)


def test_what_is_too_short_for_a_report_is_wind_down() -> None:
    phases = segment(waveform_of([(SLEEP, 2.0), *QUIET_WAKE, (RUN, 0.6e-3), (SLEEP, 1.0)]))
    assert phases[-2].name is PhaseName.WIND_DOWN
    assert phases[-2].duration_s == pytest.approx(0.6e-3, abs=2 * PERIOD_S)


def test_phases_cover_the_waveform_and_its_charge() -> None:
    waveform = waveform_of([(SLEEP, 1.0), *QUIET_WAKE, (SLEEP, 2.0), *REPORTING_WAKE, (SLEEP, 1.0)], 0.02)
    phases = segment(waveform)
    assert phases[0].start_s == waveform.start_s
    assert phases[-1].end_s == pytest.approx(waveform.end_s)
    for before, after in itertools.pairwise(phases):
        assert before.end_s == after.start_s
    assert sum(phase.charge_c for phase in phases) == pytest.approx(waveform.charge_c, rel=1e-9)
    assert phases[0].energy_j(3.0) == pytest.approx(3.0 * phases[0].charge_c)


def test_a_waveform_that_begins_in_a_wake_is_segmented() -> None:
    phases = segment(waveform_of([(SAMPLING, 0.3), (FAST, 7e-3), (SLEEP, 3.0)]))
    assert [phase.name for phase in phases] == [PhaseName.SAMPLING, PhaseName.INFERENCE, PhaseName.SLEEP]


def test_noise_around_zero_is_sleep() -> None:
    waveform = waveform_of([(SLEEP, 2.0), *QUIET_WAKE, (SLEEP, 1.0)])
    noise = np.random.default_rng(1).normal(0, 2e-6, len(waveform))
    noisy = Waveform(waveform.start_s, PERIOD_S, waveform.current_a + noise)
    assert segment(noisy)[0].name is PhaseName.SLEEP
    assert len(duty_cycle.wake_times_s(segment(noisy))) == 1


def test_a_constant_current_has_no_phases() -> None:
    with pytest.raises(MeasurementError, match="expected a waveform with sleep and activity"):
        segment(Waveform(0.0, PERIOD_S, np.full(1000, RUN)))


def test_the_duty_cycle_is_taken_over_whole_periods() -> None:
    asleep_s = 10.0 - sum(duration for _, duration in QUIET_WAKE)
    levels = [
        (SLEEP, 3.0),
        *QUIET_WAKE,
        (SLEEP, asleep_s),
        *QUIET_WAKE,
        (SLEEP, asleep_s),
        *QUIET_WAKE,
        (SLEEP, 0.5),
    ]
    waveform = waveform_of(levels)
    phases = segment(waveform)
    cycle = duty_cycle.measure(waveform, phases)
    true_mean = (SLEEP * asleep_s + sum(current * duration for current, duration in QUIET_WAKE)) / 10.0
    assert len(cycle.wake_times_s) == 3
    assert cycle.period_s == pytest.approx(10.0, abs=PERIOD_S)
    assert cycle.average_a == pytest.approx(true_mean, rel=1e-4)
    assert len(duty_cycle.awake_stretches(phases)) == 3


def test_one_wake_is_no_period() -> None:
    waveform = waveform_of([(SLEEP, 2.0), *QUIET_WAKE, (SLEEP, 1.0)])
    with pytest.raises(MeasurementError, match=r"1 wake-up\(s\) in 3\.5 s"):
        duty_cycle.measure(waveform, segment(waveform))


def test_a_wake_cut_by_the_end_is_no_whole_stretch() -> None:
    waveform = waveform_of([(SLEEP, 2.0), *QUIET_WAKE, (SLEEP, 1.0), *QUIET_WAKE[:2]])
    assert len(duty_cycle.awake_stretches(segment(waveform))) == 1


def test_a_phase_is_found_from_a_time_on_or_missed_by_name() -> None:
    phases = segment(waveform_of([(SLEEP, 2.0), *QUIET_WAKE, (SLEEP, 1.0)]))
    fast = first_of(phases, PhaseName.INFERENCE)
    assert first_of(phases, PhaseName.SLEEP) is phases[0]
    assert first_of(phases, PhaseName.SLEEP, fast.end_s) is phases[-1]
    with pytest.raises(MeasurementError, match="no report phase after -inf s; its phases are sleep, wake-up"):
        first_of(phases, PhaseName.REPORT)

# SPDX-License-Identifier: Apache-2.0
"""Segmentation against waveforms whose phases are known because they are put together here."""

import itertools

import numpy as np
import pytest

from hil.errors import MeasurementError
from hil.measurement import duty_cycle
from hil.measurement.budget import Budget, rectangle
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


PLANS: dict[str, Levels] = {
    "80 MHz": [(70e-6, 0.5e-3), (RUN, 0.2e-3), (10.3e-3, 3.1e-3), (RUN, 0.1e-3)],
    "80 MHz, two levels": [(RUN, 0.2e-3), (10.3e-3, 3e-3), (8e-3, 0.6e-3)],
    "80 MHz, a thousandth of a second": [(RUN, 0.3e-3), (10.3e-3, 1.1e-3)],
    "26 MHz": [(RUN, 0.2e-3), (2.9e-3, 8.5e-3), (RUN, 0.1e-3)],
    "low-power run": [(70e-6, 0.5e-3), (240e-6, 95e-3)],
    "low-power run beside sampling at 150 µA": [(240e-6, 95e-3)],
}
"""What follows the sampling, by how the part computes."""


def bench_noise(waveform: Waveform) -> Waveform:
    """Noise of an instrument with ranges: a quarter of each range's offset accuracy per 5.12 µs sample."""
    deviation = np.select(
        [waveform.current_a <= 10e-6, waveform.current_a <= 1e-3], [2e-9, 25e-9], default=2.5e-6
    )
    rng = np.random.default_rng(5)
    return Waveform(
        waveform.start_s, PERIOD_S, waveform.current_a + deviation * rng.standard_normal(len(waveform))
    )


@pytest.mark.parametrize("report", [[], [(110e-6, 7e-3)]], ids=["quiet", "report"])
@pytest.mark.parametrize("plan", PLANS)
def test_every_clock_plan_is_told_from_sampling_and_report(plan: str, report: Levels) -> None:
    sampling_a = 150e-6 if "150" in plan else 40e-6
    after = PLANS[plan]
    computing = [(current, duration) for current, duration in after if current > 200e-6 and current != RUN]
    levels = [(SLEEP, 2.0), (RUN, 0.4e-3), (sampling_a, 0.512), *after, *report, (SLEEP, 1.0)]
    phases = segment(bench_noise(waveform_of(levels)))
    names = [phase.name for phase in phases]
    tail = [PhaseName.REPORT] if report else []
    if names[-2] is PhaseName.WIND_DOWN:
        assert not report
        names.pop(-2)
    assert names == [
        PhaseName.SLEEP, PhaseName.WAKE_UP, PhaseName.SAMPLING, PhaseName.INFERENCE, *tail, PhaseName.SLEEP,
    ]  # fmt: skip
    inference = first_of(phases, PhaseName.INFERENCE)
    assert inference.duration_s == pytest.approx(sum(time for _, time in computing), abs=2 * PERIOD_S)
    assert first_of(phases, PhaseName.SAMPLING).start_s == pytest.approx(50.0 + 2.0004, abs=2 * PERIOD_S)


def test_a_report_may_carry_more_charge_than_the_computing() -> None:
    levels = [(SLEEP, 2.0), (RUN, 2e-3), (40e-6, 0.512), (10.3e-3, 1e-3), (0.6e-3, 30e-3), (SLEEP, 1.0)]
    phases = segment(waveform_of(levels))
    assert first_of(phases, PhaseName.INFERENCE).duration_s == pytest.approx(1e-3, abs=2 * PERIOD_S)
    assert first_of(phases, PhaseName.REPORT).duration_s == pytest.approx(30e-3, abs=2 * PERIOD_S)


def test_a_sampling_that_is_interrupted_is_one_sampling() -> None:
    """A short burst every 4 ms, as of a part that wakes for every buffer half."""
    buffers = [(SAMPLING, 3.9e-3), (RUN, 0.25e-3)] * 120
    phases = segment(waveform_of([(SLEEP, 2.0), (RUN, 2e-3), *buffers, (FAST, 3e-3), (SLEEP, 1.0)], 0.002))
    assert [phase.name for phase in phases] == [
        PhaseName.SLEEP, PhaseName.WAKE_UP, PhaseName.SAMPLING, PhaseName.INFERENCE, PhaseName.SLEEP,
    ]  # fmt: skip
    assert phases[2].duration_s == pytest.approx(120 * 4.15e-3, abs=0.3e-3)


def test_a_wake_that_computes_nothing_has_no_inference() -> None:
    for tail in ([], [(20e-6, 1e-3)]):
        phases = segment(waveform_of([(SLEEP, 2.0), (RUN, 2e-3), (SAMPLING, 0.5), *tail, (SLEEP, 1.0)]))
        with pytest.raises(MeasurementError, match="no inference phase"):
            first_of(phases, PhaseName.INFERENCE)


def test_a_report_at_the_clock_of_the_computing_is_counted_there() -> None:
    levels = [(SLEEP, 2.0), (RUN, 2e-3), (40e-6, 0.512), (240e-6, 95e-3), (250e-6, 7e-3), (SLEEP, 1.0)]
    inference = first_of(segment(waveform_of(levels)), PhaseName.INFERENCE)
    assert inference.duration_s == pytest.approx(102e-3, abs=2 * PERIOD_S)


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
    average = cycle.average_a(lambda samples: Budget.of(rectangle("instrument", 1e-9, "A", "test")))
    assert average.value == pytest.approx(true_mean, rel=1e-4)
    assert abs(average.value - true_mean) < average.expanded_uncertainty < 0.01 * true_mean
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

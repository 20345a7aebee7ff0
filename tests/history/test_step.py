# SPDX-License-Identifier: Apache-2.0
"""Steps in nightly series: found where they are, by their size, once, and not where there are none."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.trend import history
from hil.history.series import Series, relative
from hil.history.step import Watch

NIGHTS, STEP_ON = 60, 40
"""Of the benchmark's histories."""
SEED = 2_026


def stepped(seed: int, size: float = 0.03) -> Series:
    return history(np.random.default_rng([SEED, seed]), size)


def quiet(nights: int = 45, temperature: bool = True) -> Series:
    """A series without noise: only what a test adds to it moves."""
    return Series(
        np.ones(nights),
        np.full(nights, 0.003),
        np.zeros(nights, dtype=np.int64),
        np.full(nights, 23.0) if temperature else None,
    )


@pytest.mark.parametrize("size", [0.03, -0.03])
def test_a_step_is_named_with_its_night_and_its_size(size: float) -> None:
    found = [step for seed in range(6) for step in Watch().steps(stepped(seed, size))]
    assert [step.night for step in found] == [STEP_ON] * 6
    for step in found:
        assert step.told_on >= STEP_ON + 2  # three nights of the new level
        # 0.012 is five of the 0.0024 that the benchmark's sizes scatter by.
        assert step.size == pytest.approx(size, abs=0.012)
        assert 0.001 < step.expanded_uncertainty < 0.01


def test_unchanged_histories_raise_no_alarm() -> None:
    assert [list(Watch().steps(stepped(seed, 0.0))) for seed in range(8)] == [[]] * 8


def test_one_step_is_told_once_and_a_second_one_again() -> None:
    series = quiet(60)
    series.value[20:] += 0.05
    series.value[40:] -= 0.04
    assert [(step.night, step.told_on, round(step.size, 3)) for step in Watch().steps(series)] == [
        (20, 22, 0.05),
        (40, 42, -0.04),
    ]


def test_one_night_far_out_is_no_step() -> None:
    series = quiet()
    series.value[30] += 0.5
    assert list(Watch().steps(series)) == []


def test_two_nights_far_out_wait_for_a_third() -> None:
    series = quiet()
    series.value[43:] += 0.05
    assert list(Watch().steps(series)) == []
    assert len(list(Watch(nights_after=2).steps(series))) == 1


def test_what_follows_the_temperature_is_no_step() -> None:
    series = quiet()
    assert series.temperature_c is not None
    series.temperature_c[30:] += 6.0
    series.value[30:] += 6.0 * 0.004
    assert list(Watch().steps(series)) == []
    constant = replace(series, temperature_c=np.full(len(series), 23.0))
    assert [step.night for step in Watch().steps(constant)] == [30]


def test_what_a_calibration_shifts_is_no_step() -> None:
    series = quiet()
    series.value[30:] += 0.012
    assert [step.night for step in Watch().steps(series)] == [30]
    series.calibration[30:] = 1
    assert list(Watch().steps(series)) == []


def test_a_step_too_small_to_matter_is_told_to_nobody() -> None:
    series = quiet()
    series.value[30:] += 0.008
    assert list(Watch().steps(series)) == []
    assert [step.night for step in Watch(least_size=0.005).steps(series)] == [30]


def test_without_a_temperature_a_slow_drift_is_no_step_and_a_step_still_is() -> None:
    series = quiet(temperature=False)
    series.value[:] += 0.0015 * np.arange(len(series))
    assert list(Watch().steps(series)) == []
    series.value[30:] += 0.05
    assert [step.night for step in Watch().steps(series)] == [30]


def test_stated_uncertainties_decide_what_a_night_counts() -> None:
    """The same nights, of which the last are stated to be rough, tell nothing."""
    series = quiet()
    series.value[40:] += 0.02
    assert [step.night for step in Watch().steps(series)] == [40]
    series.standard_uncertainty[40:] = 0.02
    assert list(Watch().steps(series)) == []


def test_a_week_of_nights_says_nothing_yet() -> None:
    series = quiet(8)
    series.value[4:] += 0.5
    assert list(Watch().steps(series)) == []


def test_a_series_of_currents_is_one_of_logarithms() -> None:
    series = relative([1e-6, 1.03e-6], [0.01e-6, 0.0103e-6], [0, 0])
    assert series.value[1] - series.value[0] == pytest.approx(np.log(1.03))
    assert series.standard_uncertainty == pytest.approx([0.01, 0.01])


@pytest.mark.parametrize(
    ("values", "uncertainties", "said"),
    [
        ([1.0, 0.0], [0.1, 0.1], "above zero"),
        ([1.0, 2.0], [0.1, 0.0], "uncertainty is above zero"),
        ([1.0, 2.0], [0.1], "shape"),
        ([1.0, float("inf")], [0.1, 0.1], "night 1 is no number"),
    ],
)
def test_what_is_no_series_is_refused(values: list[float], uncertainties: list[float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        relative(values, uncertainties, [0] * len(values))

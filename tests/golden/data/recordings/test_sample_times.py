# SPDX-License-Identifier: Apache-2.0
"""Times as loggers write them: the unit, the rate, jitter undone or refused."""

from __future__ import annotations

import numpy as np
import pytest

from hil.golden.data.recordings.sample_times import SampleTimes, UnevenTimesError, on_even_times

INDEX = np.arange(4000, dtype=np.float64)


def test_times_on_an_even_grid_are_left_alone() -> None:
    even = SampleTimes(INDEX / 4000.0, "s").even()
    assert (even.rate_hz, even.positions, even.note) == (pytest.approx(4000.0), None, None)


@pytest.mark.parametrize(
    ("step", "unit", "rate_hz", "told"),
    [
        (0.00025, None, 4000.0, None),  # seconds
        (0.25, None, 4000.0, "'time' has no unit: read as ms, 4000 Hz"),
        (250.0, None, 4000.0, "'time' has no unit: read as us, 4000 Hz"),
        (250.0, "us", 4000.0, None),
        (250_000.0, "ns", 4000.0, None),
    ],
)
def test_a_time_without_a_unit_is_read_as_the_only_likely_one(
    step: float, unit: str | None, rate_hz: float, told: str | None
) -> None:
    even = SampleTimes(INDEX * step, unit).even()
    assert even.rate_hz == pytest.approx(rate_hz)
    assert even.note == told


def test_two_likely_units_are_a_question() -> None:
    with pytest.raises(UnevenTimesError, match=r"steps of 16: 62\.5 Hz if in ms or 62500 Hz if in us"):
        SampleTimes(INDEX * 16.0, None).even()


def test_stamps_that_are_coarser_than_the_samples_still_give_the_rate() -> None:
    even = SampleTimes(np.floor(INDEX * 0.4), "ms").even()  # 2.5 kHz, stamped in whole milliseconds
    assert even.rate_hz == pytest.approx(2500.0, rel=1e-3)
    assert even.positions is None
    assert even.note == "its times have one digit for 2.5 samples: a missing sample would not show"


def test_jitter_is_undone() -> None:
    rng = np.random.default_rng(4)
    taken_s = (INDEX + rng.uniform(-0.2, 0.2, INDEX.size)) / 4000.0
    even = SampleTimes(taken_s, "s").even()
    assert even.rate_hz == pytest.approx(4000.0, rel=1e-4)
    assert even.note is not None
    assert "% of a period uneven: resampled" in even.note
    assert even.positions is not None
    wave = np.sin(2 * np.pi * 300.0 * taken_s)
    mended = on_even_times(wave, even.positions)[10:-10]
    start_s = np.ceil(even.positions[0]) / even.rate_hz
    start_s += np.polyfit(INDEX, taken_s, 1)[1]
    truth = np.sin(2 * np.pi * 300.0 * (start_s + np.arange(10, 10 + mended.size) / even.rate_hz))
    left_alone = wave[10 : 10 + mended.size]
    assert np.abs(mended - truth).max() < 0.01
    assert np.abs(left_alone - truth).max() > 0.05


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (np.array([0.0, 0.0]), "its times do not rise"),
        (np.where(INDEX < 50, INDEX, INDEX + 1)[:100], "between samples 50 and 51 lie 1.9\\d periods"),
        (np.where(INDEX == 50, 48.7, INDEX)[:100], r"between samples 5\d and 5\d lie (-0\.30|2\.30)"),
        (np.where(INDEX == 50, np.nan, INDEX)[:100], "its times do not rise"),
    ],
)
def test_a_missing_sample_is_refused_with_its_place(values: np.ndarray, told: str) -> None:
    with pytest.raises(UnevenTimesError, match=told):
        SampleTimes(values, "ms").even()

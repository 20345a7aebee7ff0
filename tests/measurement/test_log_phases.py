# SPDX-License-Identifier: Apache-2.0
"""A log on disk gives the phases that the same waveform gives in memory."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hil.errors import MeasurementError
from hil.measurement import log_phases
from hil.measurement.log_phases import segment_log
from hil.measurement.phases import Phase, segment
from hil.measurement.waveform import Waveform
from hil.results import waveform_file
from hil.results.waveform_file import OpenWaveform, StoredWaveform

ROUND = ((1.7e-6, 20_000), (190e-6, 5_000), (9e-3, 70), (0.5e-3, 80))


@pytest.fixture(scope="module")
def waveform() -> Waveform:
    rng = np.random.default_rng(5)
    levels = np.concatenate([np.full(count, current_a) for current_a, count in ROUND * 12])
    current_a = levels * (1 + 0.005 * rng.standard_normal(levels.size))
    current_a[100_003] = 1e-3  # a lone spike asleep
    return Waveform(7.0, 1e-4, current_a.astype(np.float32).astype(np.float64))


@pytest.fixture(scope="module")
def log(waveform: Waveform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenWaveform]:
    path = tmp_path_factory.mktemp("log") / "w.hlog"
    waveform_file.save(path, StoredWaveform("w", waveform, (), 3.0))
    with waveform_file.opened(path) as kept:
        yield kept


def bounds(phases: list[Phase]) -> list[tuple[str, float, float]]:
    return [(str(phase.name), phase.start_s, phase.end_s) for phase in phases]


def test_phases_are_those_of_the_waveform_in_memory(waveform: Waveform, log: OpenWaveform) -> None:
    streamed, whole = segment_log(log), segment(waveform)
    assert len(streamed) > 40
    assert bounds(streamed) == bounds(whole)
    for one, other in zip(streamed, whole, strict=True):
        assert one.charge_c == pytest.approx(other.charge_c, rel=1e-9)
        assert one.mean_a == pytest.approx(other.mean_a, rel=1e-9)


def test_a_current_that_does_not_change_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.hlog"
    waveform_file.save(path, StoredWaveform("w", Waveform(0.0, 1e-3, np.full(1000, 1e-6)), (), 3.0))
    with waveform_file.opened(path) as kept, pytest.raises(MeasurementError, match="within a factor"):
        segment_log(kept)


def test_a_stretch_that_does_not_fit_the_memory_is_refused(
    log: OpenWaveform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_phases, "LONGEST_AWAKE", 1000)
    with pytest.raises(MeasurementError, match="stays up for"):
        segment_log(log)

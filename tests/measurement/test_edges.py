# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from hil.measurement.edges import edge_s
from hil.measurement.waveform import Waveform

PERIOD_S = 102.4e-6


def stepping(at: float, low_a: float, high_a: float) -> Waveform:
    """Forty samples with a step inside the sample that holds ``at``, in samples."""
    after = np.clip(np.arange(40) + 1 - at, 0.0, 1.0)
    return Waveform(7.0, PERIOD_S, low_a + (high_a - low_a) * after)


@pytest.mark.parametrize("at", [20.0, 20.1, 20.5, 20.99])
@pytest.mark.parametrize("levels_a", [(1.78e-6, 40e-6), (40e-6, 3e-3), (3e-3, 1.78e-6)])
@pytest.mark.parametrize("border", [20, 21])
def test_an_edge_is_found_from_either_side_of_its_sample(
    at: float, levels_a: tuple[float, float], border: int
) -> None:
    found_s = edge_s(stepping(at, *levels_a), 7.0 + border * PERIOD_S)
    assert (found_s - 7.0) / PERIOD_S == pytest.approx(at, abs=1e-6)


def test_a_border_without_a_step_stays() -> None:
    assert edge_s(stepping(20.5, 1e-3, 1.01e-3), 7.0 + 20 * PERIOD_S) == 7.0 + 20 * PERIOD_S
    assert edge_s(stepping(20.5, 1e-6, 1e-3), 7.0) == 7.0

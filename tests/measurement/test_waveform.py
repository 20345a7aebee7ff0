# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from hil.measurement.waveform import Waveform


def test_charge_is_mean_times_duration() -> None:
    waveform = Waveform(2.0, 0.5, np.array([1.0, 2.0, 3.0, 6.0]))
    assert waveform.duration_s == 2.0
    assert waveform.end_s == 4.0
    assert waveform.mean_a == 3.0
    assert waveform.charge_c == pytest.approx(waveform.mean_a * waveform.duration_s)


def test_slice_keeps_samples_that_begin_inside() -> None:
    waveform = Waveform(1.0, 0.1, np.arange(10.0))
    part = waveform.slice(1.2, 1.5)  # 1.2 and 1.5 are not exact in binary: the boundary must not move
    assert part.current_a.tolist() == [2.0, 3.0, 4.0]
    assert part.start_s == pytest.approx(1.2)


def test_slices_of_neighbouring_spans_share_no_charge() -> None:
    waveform = Waveform(0.3, 102.4e-6, np.random.default_rng(1).uniform(0, 1, 1000))
    cut = 0.3 + 123.4 * 102.4e-6
    left, right = waveform.slice(0.0, cut), waveform.slice(cut, 9.0)
    assert left.charge_c + right.charge_c == pytest.approx(waveform.charge_c, rel=1e-12)


def test_a_span_outside_is_refused_with_both_spans_named() -> None:
    with pytest.raises(ValueError, match=r"between 5 s and 6 s: the waveform spans 0.0 s to 1.0 s"):
        Waveform(0.0, 0.1, np.zeros(10)).slice(5, 6)


@pytest.mark.parametrize(("period_s", "shape"), [(0.0, (3,)), (-1.0, (3,)), (1.0, (0,)), (1.0, (2, 2))])
def test_what_is_no_waveform_is_refused(period_s: float, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="a waveform needs"):
        Waveform(0.0, period_s, np.zeros(shape))

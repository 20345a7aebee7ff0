# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from hil.golden.data.bearing import BEARING_6205
from hil.golden.data.faults import FAULTS, Scene, fault_spectrum
from hil.golden.data.machine import BROADBAND_G, GEAR_TEETH, Machine, Moment
from hil.golden.data.sensor import STANDARD_GRAVITY_M_S2

IMPACTS = {
    "outer_race": BEARING_6205.bpfo,
    "inner_race": BEARING_6205.bpfi,
    "ball": 2 * BEARING_6205.bsf,
    "tooth_crack": 1.0,
}
VELOCITIES = ("imbalance", "misalignment", "looseness")


def scene(seed: int = 5) -> Scene:
    rng = np.random.default_rng(seed)
    return Scene(Machine.drawn(rng), Moment(4.096, rng), rng)


def alone_g(fault: str, severity: float, where: Scene) -> np.ndarray:
    """The fault without its machine, below the sensor's edge."""
    spectrum = fault_spectrum(fault, severity, where)
    spectrum[where.moment.frequency_hz > 960] = 0
    return np.asarray(np.fft.irfft(spectrum, where.moment.time_s.size))


def line(signal: np.ndarray, where: Scene, order: float) -> float:
    """Greatest line within 1 Hz of an order of the shaft."""
    lines = 2 * np.abs(np.fft.rfft(signal)) / signal.size
    return float(lines[np.abs(where.moment.frequency_hz - order * where.moment.shaft_hz) <= 1.0].max())


def squared_envelope(signal: np.ndarray, where: Scene) -> np.ndarray:
    """Of the band around the housing's mode at 790 Hz."""
    spectrum = np.fft.rfft(signal)
    outside = np.abs(where.moment.frequency_hz - 790) > 140
    one_sided = np.zeros(signal.size, dtype=complex)
    one_sided[: spectrum.size] = np.where(outside, 0, 2 * spectrum)
    envelope = np.abs(np.fft.ifft(one_sided)) ** 2
    return np.asarray(envelope - envelope.mean())


@pytest.mark.parametrize("fault", VELOCITIES)
@pytest.mark.parametrize("severity", [0.5, 1.0])
def test_severity_is_velocity(fault: str, severity: float):
    where = scene()
    frequency_hz = where.moment.frequency_hz[1:]
    lines_g = np.abs(np.fft.rfft(alone_g(fault, severity, where)))[1:]
    lines_m_s = lines_g * STANDARD_GRAVITY_M_S2 / (2 * np.pi * frequency_hz)
    rms_m_s = np.sqrt(2 * np.sum(lines_m_s**2)) / where.moment.time_s.size
    assert rms_m_s == pytest.approx(severity * 9e-3, rel=0.02)


@pytest.mark.parametrize(
    ("fault", "times"), [("outer_race", 8), ("inner_race", 8), ("ball", 8), ("tooth_crack", 12)]
)
def test_severity_is_an_impact_s_peak(fault: str, times: float):
    peaks = [np.abs(alone_g(fault, 0.5, scene(seed))).max() for seed in range(6)]
    # Two modes ring together, and neighbouring impacts overlap: the peak is about what is stated.
    assert np.median(peaks) == pytest.approx(0.5 * times * BROADBAND_G, rel=0.35)


@pytest.mark.parametrize("fault", IMPACTS)
def test_impacts_repeat_at_their_defect_frequency(fault: str):
    where = scene()
    envelope = squared_envelope(alone_g(fault, 0.5, where), where)
    background = np.median(2 * np.abs(np.fft.rfft(envelope))[: round(250 * 4.096)] / envelope.size)
    assert line(envelope, where, IMPACTS[fault]) > 8 * background
    assert line(envelope, where, IMPACTS[fault] / 2) < 0.3 * line(envelope, where, IMPACTS[fault])
    for other in IMPACTS.values():
        if fault != "tooth_crack" and other not in (IMPACTS[fault], 1.0):
            assert line(envelope, where, other) < 0.5 * line(envelope, where, IMPACTS[fault])


@pytest.mark.parametrize(("fault", "sideband"), [("inner_race", 1.0), ("ball", BEARING_6205.ftf)])
def test_a_spall_that_moves_through_the_load_zone_is_modulated(fault: str, sideband: float):
    where = scene()
    envelope = squared_envelope(alone_g(fault, 0.5, where), where)
    assert line(envelope, where, IMPACTS[fault] - sideband) > 0.2 * line(envelope, where, IMPACTS[fault])


@pytest.mark.parametrize(
    ("fault", "orders"),
    [
        ("imbalance", [1]),
        ("misalignment", [2, 1, 3]),
        ("looseness", [0.5, 1.5, 3, 7, 11]),
        ("gear_wear", [GEAR_TEETH + side for side in (-2, -1, 0, 1, 2)]),
    ],
)
def test_lines_are_where_the_fault_puts_them(fault: str, orders: list[float]):
    where = scene(8)
    signal = alone_g(fault, 1.0, where)
    wanted = [line(signal, where, order) for order in orders]
    assert min(wanted) > 10 * line(signal, where, 13.6)
    assert wanted[0] == max(wanted) or fault in ("looseness", "gear_wear")


@pytest.mark.parametrize("fault", FAULTS)
def test_severity_is_linear(fault: str):
    half, whole = (alone_g(fault, severity, scene()) for severity in (0.5, 1.0))
    np.testing.assert_allclose(whole, 2 * half, atol=1e-12)
    assert not alone_g(fault, 0.0, scene()).any()

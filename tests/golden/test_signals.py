# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from hil.golden.signals import BEARING_6205, BIAS_V, FAULTS, SHAFT_HZ, adc_codes, vibration

DURATION_S, RATE_HZ = 4.096, 10_000.0


def buffer(fault: str | None = None, severity: float = 0.0, seed: int = 5) -> np.ndarray:
    return vibration(DURATION_S, RATE_HZ, fault=fault, severity=severity, seed=seed)


def amplitude_v(volts: np.ndarray, frequency_hz: float, width_hz: float = 1.0) -> float:
    """Greatest line within width_hz of frequency_hz."""
    lines = 2 * np.abs(np.fft.rfft(volts)) / volts.size
    frequency = np.fft.rfftfreq(volts.size, 1 / RATE_HZ)
    return float(lines[np.abs(frequency - frequency_hz) <= width_hz].max())


def shaft_hz(volts: np.ndarray) -> float:
    """Measured shaft speed: the strongest line near the nominal one."""
    spectrum = np.abs(np.fft.rfft(volts))
    frequency = np.fft.rfftfreq(volts.size, 1 / RATE_HZ)
    near = np.abs(frequency - SHAFT_HZ) < 1.5
    return float(frequency[near][np.argmax(spectrum[near])])


def envelope_amplitude(volts: np.ndarray, frequency_hz: float) -> float:
    """Line of the squared envelope of the band around the housing's mode at 790 Hz."""
    return amplitude_v(squared_envelope(volts), frequency_hz, 0.8)


def squared_envelope(volts: np.ndarray) -> np.ndarray:
    spectrum = np.fft.fft(volts - volts.mean())
    frequency = np.fft.fftfreq(volts.size, 1 / RATE_HZ)
    spectrum[(frequency < 650) | (frequency > 930)] = 0
    envelope = np.abs(np.fft.ifft(2 * spectrum)) ** 2
    return envelope - envelope.mean()


def test_bearing_frequencies_match_the_published_multiples():
    # Case Western Reserve University Bearing Data Center, drive end bearing.
    assert BEARING_6205.bpfo == pytest.approx(3.5848, abs=5e-4)
    assert BEARING_6205.bpfi == pytest.approx(5.4152, abs=5e-4)


@pytest.mark.parametrize(("fault", "order"), [("outer_race", "bpfo"), ("inner_race", "bpfi")])
def test_race_faults_ring_at_their_defect_frequency(fault: str, order: str):
    faulty, normal = buffer(fault, 0.5), buffer()
    defect_hz = shaft_hz(normal) * getattr(BEARING_6205, order)
    # A repeated impact shows in the envelope at its rate; the same place is empty on the normal machine.
    assert envelope_amplitude(faulty, defect_hz) > 10 * envelope_amplitude(normal, defect_hz)
    lines = 2 * np.abs(np.fft.rfft(squared_envelope(faulty))) / faulty.size
    background = np.median(lines[: round(250 * DURATION_S)])
    assert envelope_amplitude(faulty, defect_hz) > 5 * background


def test_inner_race_impacts_are_modulated_by_the_shaft():
    volts = buffer("inner_race", 0.5)
    turn_hz = shaft_hz(buffer())
    defect_hz = BEARING_6205.bpfi * turn_hz
    sideband = envelope_amplitude(volts, defect_hz - turn_hz)
    assert sideband > 0.2 * envelope_amplitude(volts, defect_hz)


def test_imbalance_raises_the_shaft_line_with_severity():
    turn_hz = shaft_hz(buffer())
    amplitudes = [amplitude_v(buffer("imbalance", severity), turn_hz) for severity in (0.0, 0.5, 1.0)]
    assert amplitudes[1] > 8 * amplitudes[0]
    assert amplitudes[2] == pytest.approx(2 * amplitudes[1], rel=0.15)


def test_looseness_fills_harmonics_and_half_orders():
    normal, loose = buffer(), buffer("looseness", 0.5)
    turn_hz = shaft_hz(normal)
    for order in (0.5, 1.5, 3, 7, 11):
        assert amplitude_v(loose, order * turn_hz) > 3 * amplitude_v(normal, order * turn_hz)


def test_gear_wear_raises_the_sidebands_of_the_mesh():
    normal, worn = buffer(), buffer("gear_wear", 0.5)
    turn_hz = shaft_hz(normal)
    for side in (-2, -1, 1, 2):
        assert amplitude_v(worn, (20 + side) * turn_hz) > 3 * amplitude_v(normal, (20 + side) * turn_hz)


@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_the_buffer_repeats_without_a_step(fault: str | None):
    volts = buffer(fault, 0.5)
    # The spectrum ends at the sensor's edge: nothing leaks as a step would.
    spectrum = np.abs(np.fft.rfft(volts - BIAS_V))
    frequency = np.fft.rfftfreq(volts.size, 1 / RATE_HZ)
    assert spectrum[frequency > 960.5].max() < 1e-9 * spectrum.max()
    step = abs(volts[0] - volts[-1])
    assert step <= np.abs(np.diff(volts)).max()
    # A kink would raise the curvature.
    across_the_seam = np.diff(np.concatenate([volts[-3:], volts[:3]]), 2)
    assert np.abs(across_the_seam).max() <= np.abs(np.diff(volts, 2)).max()


@pytest.mark.parametrize(("fault", "orders"), [("imbalance", (1, 2)), ("gear_wear", range(15, 26))])
def test_shaft_lines_are_whole_in_the_buffer(fault: str, orders: tuple[int, ...]):
    # The fault alone, without the machine's noise: a buffer with a broken turn would leak between its lines.
    alone = buffer(fault, 1.0) - buffer()
    lines = 2 * np.abs(np.fft.rfft(alone)) / alone.size
    frequency = np.fft.rfftfreq(alone.size, 1 / RATE_HZ)
    for order in orders:
        lines[np.abs(frequency - order * shaft_hz(buffer())) < 8.0] = 0.0
    assert lines.max() < 1e-6


@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_stays_within_the_sensor_rails_unclipped(fault: str | None):
    for seed in range(4):
        volts = buffer(fault, 1.0, seed)
        assert volts.min() > 0.05
        assert volts.max() < 2.95
        assert volts.mean() == pytest.approx(BIAS_V, abs=1e-9)


def test_the_waveform_does_not_depend_on_the_rate():
    slow = vibration(DURATION_S, 2_000.0, fault="inner_race", severity=0.7, seed=3)
    assert np.allclose(buffer("inner_race", 0.7, 3)[::5], slow, atol=1e-12)


def test_seeds_decide():
    assert np.array_equal(buffer(seed=1), buffer(seed=1))
    assert not np.allclose(buffer(seed=1), buffer(seed=2), atol=0.01)
    # Severity 0 of any fault is the normal machine of that seed.
    assert np.array_equal(buffer(seed=1), buffer("looseness", 0.0, seed=1))


def test_adc_codes_are_those_of_an_ideal_converter():
    volts = np.array([-0.1, 0.0, 0.0003, 0.0004, 1.5, 2.9999, 3.2])
    assert adc_codes(volts).tolist() == [0, 0, 0, 1, 2048, 4095, 4095]
    assert adc_codes(np.array([1.65]), vdda_v=3.3).tolist() == [2048]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"duration_s": 0.1}, "0.1 s"),
        ({"rate_hz": 1000.0}, "1000.0 Hz"),
        ({"duration_s": 1.00001}, "whole number"),
        ({"fault": "cavitation"}, "cavitation.*outer_race"),
        ({"fault": "imbalance", "severity": 1.5}, "1.5"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict, complaint: str):
    wanted = {"duration_s": 1.0, "rate_hz": 2000.0, "seed": 1, **arguments}
    with pytest.raises(ValueError, match=complaint):
        vibration(**wanted)

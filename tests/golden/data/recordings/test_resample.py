# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hil.errors import RecordingError
from hil.golden.data.recordings.resample import at_the_pin_s_rate

FILE = Path("tone.npy")


def tone(frequency_hz: float, rate_hz: float, duration_s: float = 3.0) -> np.ndarray:
    """One and a half volts, and a tone of half a volt."""
    return 1.5 + 0.5 * np.sin(2 * np.pi * frequency_hz * np.arange(round(duration_s * rate_hz)) / rate_hz)


@pytest.mark.parametrize("rate_hz", [2_000.0, 2_048.0, 9_997.0, 10_000.0, 25_600.0, 44_100.0, 97_656.0])
def test_a_tone_keeps_its_frequency_and_size(rate_hz: float):
    volts = at_the_pin_s_rate(tone(123.0, rate_hz), rate_hz, FILE)
    assert volts.size == pytest.approx(30_000, rel=1e-3)
    lines = 2 * np.abs(np.fft.rfft(volts[5_000:25_000])) / 20_000
    assert lines[0] / 2 == pytest.approx(1.5, abs=1e-3)
    assert 1 + np.argmax(lines[1:]) == 123 * 2
    assert lines[1:].max() == pytest.approx(0.5, rel=0.01)


@pytest.mark.parametrize("tone_hz", [1_040.0, 1_877.0, 3_990.0, 8_123.0])
def test_what_would_fold_back_is_taken_out(tone_hz: float):
    volts = at_the_pin_s_rate(tone(tone_hz, 20_000.0), 20_000.0, FILE)
    assert np.abs(volts[5_000:25_000] - 1.5).max() < 0.5 * 10 ** (-75 / 20)


@pytest.mark.parametrize("tone_hz", [10.0, 450.0, 890.0])
def test_what_the_firmware_sees_passes(tone_hz: float):
    volts = at_the_pin_s_rate(tone(tone_hz, 20_000.0), 20_000.0, FILE)
    assert np.ptp(volts[5_000:25_000]) == pytest.approx(1.0, rel=2e-3)


@pytest.mark.parametrize(
    ("rate_hz", "told"), [(1_990.0, "at least the firmware's 2000 Hz"), (31e6, "no simple proportion")]
)
def test_rates_that_do_not_do_are_refused(rate_hz: float, told: str):
    with pytest.raises(RecordingError, match=told):
        at_the_pin_s_rate(np.zeros(100), rate_hz, FILE)

# SPDX-License-Identifier: Apache-2.0
"""A recording at any rate becomes a signal at the pin's rate, without what the firmware must not see."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hil.golden.data.pin_signal import PLAY_RATE_HZ
from hil.golden.data.recordings.channel import not_installed, refused
from hil.golden.features import SAMPLE_RATE_HZ

PASS_HZ, STOP_HZ = 900.0, SAMPLE_RATE_HZ / 2
"""Passed without change, and gone: what is above half the firmware's rate would fold back into its band. On a
board the sensor's low-pass has to see to that, and it is as far from ideal as this filter."""
STOP_DB = 80.0
_RATE_TOLERANCE = 1e-3
"""Relative; a tenth of what hil.golden.data.analog_path lets the firmware's own clock err."""
_LARGEST_RATIO = 1000


def at_the_pin_s_rate(values: npt.NDArray[np.float64], rate_hz: float, file: Path) -> npt.NDArray[np.float64]:
    """`values` at PLAY_RATE_HZ without what is above STOP_HZ.

    Raises:
        RecordingError: sampled below the firmware's rate, at a rate in no simple proportion to the pin's, or
            scipy is not installed.
    """
    if rate_hz < SAMPLE_RATE_HZ * (1 - _RATE_TOLERANCE):
        raise refused(
            file,
            f"sampled at {rate_hz:g} Hz",
            expected=f"at least the firmware's {SAMPLE_RATE_HZ} Hz, which sees up to {STOP_HZ:g} Hz",
        )
    ratio = Fraction(PLAY_RATE_HZ / rate_hz).limit_denominator(_LARGEST_RATIO)
    if ratio == 0 or abs(float(ratio) * rate_hz / PLAY_RATE_HZ - 1) > _RATE_TOLERANCE:
        raise refused(
            file,
            f"sampled at {rate_hz:.9g} Hz, which is in no simple proportion to {PLAY_RATE_HZ:g} Hz",
            hint="resample it to a round rate first",
        )
    try:
        from scipy import signal
    except ImportError as error:
        raise not_installed(file, "scipy") from error
    # The filter runs at the common multiple of both rates. A Kaiser window, which is told its attenuation.
    common_hz = rate_hz * ratio.numerator
    taps, beta = signal.kaiserord(STOP_DB, (STOP_HZ - PASS_HZ) / (common_hz / 2))
    coefficients = signal.firwin(taps | 1, (PASS_HZ + STOP_HZ) / 2, window=("kaiser", beta), fs=common_hz)
    resampled = signal.resample_poly(
        values, ratio.numerator, ratio.denominator, window=coefficients, padtype="line"
    )
    return np.asarray(resampled, dtype=np.float64)

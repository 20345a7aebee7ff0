# SPDX-License-Identifier: Apache-2.0
"""Windows of ADC codes of the machine of hil.golden.signals, as the bench's analog path delivers them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from hil.golden.analog_path import AnalogPath, sampled_windows
from hil.golden.signals import vibration

BUFFER_S = 4.096
"""Length of one played buffer: eight windows of the firmware."""
BUFFER_RATE_HZ = 10_000.0
"""Rate at which the DAQ plays it: five samples per ADC sample, whole in BUFFER_S."""

_PATH_STREAM = 1  # keeps the path's random numbers apart from the machine's


def machine_windows(
    seeds: Iterable[int], per_buffer: int, fault: str | None = None, severity: float = 0.0
) -> npt.NDArray[np.uint16]:
    """`per_buffer` windows of each seed's machine: uint16 [len(seeds) * per_buffer, 1024], in that order.

    Raises:
        ValueError: unknown fault, or severity outside 0 .. 1.
    """
    path = AnalogPath()
    windows = []
    for seed in seeds:
        volts = vibration(BUFFER_S, BUFFER_RATE_HZ, fault=fault, severity=severity, seed=seed)
        rng = np.random.default_rng([seed, _PATH_STREAM])
        windows.append(sampled_windows(volts, BUFFER_RATE_HZ, per_buffer, rng, path))
    return np.concatenate(windows)

# SPDX-License-Identifier: Apache-2.0
"""Windows of ADC codes of a signal at the pin, as the bench's analog path delivers them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from hil.golden.data.analog_path import AnalogPath, sampled_windows
from hil.golden.data.pin_signal import PinSignal
from hil.golden.data.vibration import vibration_signal

PATH_STREAM = 99
"""Keeps the path's random numbers apart from the machine's."""


def periodic_windows(
    signal: PinSignal, count: int, rng: np.random.Generator, path: AnalogPath | None = None
) -> npt.NDArray[np.uint16]:
    """`count` windows, uint16 [count, 1024], evenly spread over a repeating signal from a random start."""
    starts_s = (rng.uniform() + np.arange(count, dtype=np.float64)) * (signal.duration_s / count)
    return sampled_windows(signal, starts_s, rng, path or AnalogPath())


def machine_windows(
    seeds: Iterable[int], per_buffer: int, fault: str | None = None, severity: float = 0.0, moment: int = 0
) -> npt.NDArray[np.uint16]:
    """`per_buffer` windows of each seed's machine: uint16 [len(seeds) * per_buffer, 1024], in that order.

    Raises:
        ValueError: unknown fault, or severity outside 0 .. 1.
    """
    windows = []
    for seed in seeds:
        signal = vibration_signal(seed, fault, severity, moment)
        rng = np.random.default_rng([seed, PATH_STREAM, moment])
        windows.append(periodic_windows(signal, per_buffer, rng))
    return np.concatenate(windows)

# SPDX-License-Identifier: Apache-2.0
"""The converter's noise by range and averaging time, as Keysight's specification table has it.

Source: N6700 Specifications Guide, page 52, "Measurement Accuracy and Resolution (with shorter measurement
intervals)". The voltage row is the N6781A's. Its current rows were not in reach: those of the N6785A stand
for them (ASSUMPTION), the row of its 8 A range in proportion for 3 A, that of its 1 mA range in proportion
for 10 µA. The table gives what to add to the accuracy; it is taken here as a standard deviation (ASSUMPTION,
on the safe side).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TIMES_S = np.array([5.12e-6, 51.2e-6, 102.4e-6, 169e-6, 512e-6, 998.4e-6, 1.7e-3, 10e-3, 16.7e-3])

_1_MA = np.array([1.4e-6, 594.3e-9, 306.2e-9, 191.0e-9, 67.7e-9, 38.8e-9, 23.8e-9, 8.2e-9, 6.9e-9])
_100_MA = np.array([13.5e-6, 7.1e-6, 5.4e-6, 4.1e-6, 2.5e-6, 1.7e-6, 1.3e-6, 644.2e-9, 471.5e-9])
_8_A = np.array([1.2e-3, 552.2e-6, 409.7e-6, 313.8e-6, 198.9e-6, 138.0e-6, 94.4e-6, 45.6e-6, 43.5e-6])
_20_V = np.array([2.3e-3, 1.2e-3, 993.7e-6, 894.8e-6, 533.4e-6, 297.5e-6, 276.6e-6, 87.4e-6, 69.6e-6])

CURRENT_A = {10e-6: _1_MA / 100, 1e-3: _1_MA, 100e-3: _100_MA, 3.0: _8_A * 3 / 8}
"""Noise at :data:`TIMES_S` by full scale, in amperes."""
VOLTAGE_V = {20.0: _20_V}
"""The same for voltages, in volts."""


def noise_rms(row: NDArray[np.float64], sample_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """The noise of averages over ``sample_s``: on straight lines between the table's logarithms.

    Beyond the table's ends it goes on as white noise does.
    """
    inside = np.clip(sample_s, TIMES_S[0], TIMES_S[-1])
    table: NDArray[np.float64] = np.exp(np.interp(np.log(inside), np.log(TIMES_S), np.log(row)))
    white: NDArray[np.float64] = table * np.sqrt(inside / sample_s)
    return white

# SPDX-License-Identifier: Apache-2.0
"""One measurand over many nights, with what may have moved it besides the device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """A measurand's values in the order of time, each with what it was taken under.

    Values are relative to a level (1.03 is three percent more), or logarithms: currents and energies spread
    in proportion to their size, and a step of 0.03 is then three percent either way.
    """

    value: Values
    """Shape (nights,)."""
    standard_uncertainty: Values
    """Of each value, as its run stated it, in the unit of ``value``; shape (nights,), above zero."""
    calibration: NDArray[np.int64]
    """Which calibration of the instruments each night stood on; shape (nights,)."""
    temperature_c: Values | None = None
    """Of the part or its room; shape (nights,). None where nobody measured it."""

    def __post_init__(self) -> None:
        """Raise ValueError for shapes that differ, and for what is no number."""
        nights = self.value.shape
        for name in ("value", "standard_uncertainty", "calibration", "temperature_c"):
            column = getattr(self, name)
            if column is not None and column.shape != nights:
                raise ValueError(f"{name} has shape {column.shape}, value has {nights}")
            if column is not None and not np.isfinite(column).all():
                raise ValueError(f"{name} of night {int(np.argmin(np.isfinite(column)))} is no number")
        if (self.standard_uncertainty <= 0).any():
            raise ValueError("a standard uncertainty is above zero")

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, nights: slice) -> Series:
        """Some of the nights."""
        return Series(
            self.value[nights],
            self.standard_uncertainty[nights],
            self.calibration[nights],
            None if self.temperature_c is None else self.temperature_c[nights],
        )


def relative(
    values: Sequence[float],
    standard_uncertainties: Sequence[float],
    calibration: Sequence[int],
    temperature_c: Sequence[float] | None = None,
) -> Series:
    """A series of a positive quantity's logarithms, from values with standard uncertainties.

    Raises ValueError for a value that is not positive, or an uncertainty that is not above zero.
    """
    value = np.asarray(values, dtype=np.float64)
    uncertainty = np.asarray(standard_uncertainties, dtype=np.float64)
    if uncertainty.shape != value.shape:
        raise ValueError(f"standard_uncertainties have shape {uncertainty.shape}, values {value.shape}")
    if (value <= 0).any():
        raise ValueError("a logarithm needs values above zero")
    return Series(
        np.log(value),
        uncertainty / value,
        np.asarray(calibration, dtype=np.int64),
        None if temperature_c is None else np.asarray(temperature_c, dtype=np.float64),
    )

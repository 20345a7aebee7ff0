# SPDX-License-Identifier: Apache-2.0
"""Measurement uncertainty after the GUM (JCGM 100:2008).

Every contribution is brought to a *standard* uncertainty, contributions that know nothing of each other are
added as root sum of squares, and a result is stated with the *expanded* uncertainty for k = 2 (about 95 %).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

COVERAGE_FACTOR = 2.0
"""k of every expanded uncertainty in this project; about 95 % for a normal distribution (JCGM 100:2008,
6.3.3)."""


_STUDENT = (
    *enumerate((13.97, 4.53, 3.31, 2.87, 2.65, 2.52, 2.43, 2.37, 2.32, 2.28), start=1),
    (15, 2.28),
    (20, 2.18),
    (50, 2.13),
    (100, 2.05),
)
"""Highest degrees of freedom and the factor for 95.45 % that is safe up to them: the factor of the row before
where rows are left out (JCGM 100:2008, table G.2)."""


@dataclass(frozen=True)
class Estimate:
    """A value with its expanded uncertainty (k = 2), both in one unit."""

    value: float
    expanded_uncertainty: float


def rectangular(half_width: float) -> float:
    """Return the standard uncertainty of a quantity known to lie within ``±half_width``, no value more
    likely.

    This is what an accuracy specification without a stated distribution gives (JCGM 100:2008, 4.3.7).
    """
    return abs(half_width) / math.sqrt(3.0)


def resolution(step: float) -> float:
    """Return the standard uncertainty of a reading that was rounded to multiples of ``step`` (JCGM 100:2008,
    F.2.2.1).
    """
    return rectangular(step / 2.0)


def counted(tick: float) -> float:
    """Return the standard uncertainty of an interval counted in ticks of a clock that neither edge knows.

    The count is off by less than one tick either way, zero most likely: a triangle (JCGM 100:2008, 4.3.9).
    """
    return abs(tick) / math.sqrt(6.0)


def type_a_of_mean(samples: NDArray[np.float64]) -> float:
    """Return the standard uncertainty of the mean of independent readings (JCGM 100:2008, 4.2.3).

    A few readings know their own scatter badly. They are given Student's factor instead of 2 (G.3.2), as
    an uncertainty that is larger by the quotient of both, so that k = 2 goes on meaning about 95 %.

    Raises:
        ValueError: with fewer than two readings there is no scatter to estimate.
    """
    if samples.size < 2:
        raise ValueError(f"the scatter of a mean needs at least two readings, got {samples.size}")
    return student(samples.size - 1) * float(np.std(samples, ddof=1)) / math.sqrt(samples.size)


def student(degrees_of_freedom: int) -> float:
    """Return by how much a scatter known with so few degrees of freedom is to be enlarged, so that k = 2
    goes on meaning about 95 % (JCGM 100:2008, G.3.2).

    Raises:
        ValueError: with none there is no scatter to enlarge.
    """
    if degrees_of_freedom < 1:
        raise ValueError(f"{degrees_of_freedom} degrees of freedom")
    return next((f for freedom, f in _STUDENT if degrees_of_freedom <= freedom), COVERAGE_FACTOR) / (
        COVERAGE_FACTOR
    )


def combine(*standard_uncertainties: float) -> float:
    """Return the combined standard uncertainty of uncorrelated contributions (JCGM 100:2008, 5.1.2)."""
    return math.hypot(*standard_uncertainties)


def expanded(standard_uncertainty: float) -> float:
    """Return the expanded uncertainty for k = 2."""
    return COVERAGE_FACTOR * standard_uncertainty


def normalized_error(first: float, first_expanded: float, second: float, second_expanded: float) -> float:
    """Return E_n, how far two results of one quantity lie apart in units of their expanded uncertainties.

    Results agree where ``E_n <= 1`` (ISO/IEC 17043:2010, B.3.1.3). Both uncertainties must use the same k.
    """
    return abs(first - second) / math.hypot(first_expanded, second_expanded)

# SPDX-License-Identifier: Apache-2.0
"""Values with their measurement uncertainty, after the GUM (JCGM 100:2008).

An uncertainty is stated as the *expanded* one for 95 %: the interval around the value that holds the true one
with this probability. :mod:`hil.measurement.budget` says how it comes about.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from hil.measurement.budget import Budget, Distribution, Term

_NORMAL_FACTOR = 1.959964
"""Coverage factor for 95 % of a normal distribution (JCGM 100:2008, table G.1)."""


@dataclass(frozen=True)
class Estimate:
    """A value with its expanded uncertainty for 95 %, both in one unit."""

    value: float
    expanded_uncertainty: float
    budget: Budget | None = field(default=None, compare=False)
    """Where the uncertainty comes from; None where only its size is known."""

    @classmethod
    def of(cls, value: float, budget: Budget) -> Estimate:
        """Return the estimate that a budget makes of a value."""
        return cls(value, budget.expanded_uncertainty, budget)

    @property
    def standard_uncertainty(self) -> float:
        """In the value's unit; without a budget, that of a normal distribution."""
        if self.budget is not None:
            return self.budget.standard_uncertainty
        return self.expanded_uncertainty / _NORMAL_FACTOR

    def scaled(self, factor: float) -> Estimate:
        """Return ``factor`` times this value."""
        budget = None if self.budget is None else self.budget.scaled(factor)
        return Estimate(factor * self.value, abs(factor) * self.expanded_uncertainty, budget)

    def contribution(self, name: str, unit: str, sensitivity: float = 1.0) -> Budget:
        """Return what this value's uncertainty adds to a result that is computed from it.

        Args:
            name: of the value, where it has no budget of its own.
            unit: its unit.
            sensitivity: by how much the result changes with the value.
        """
        if self.budget is not None:
            return self.budget.scaled(sensitivity)
        term = Term(
            name, self.standard_uncertainty, unit, Distribution.NORMAL, "an earlier result", sensitivity
        )
        return Budget.of(term)


def normalized_error(first: Estimate, second: Estimate) -> float:
    """Return E_n, how far two results of one quantity lie apart in units of their expanded uncertainties.

    Results agree where ``E_n <= 1`` (ISO/IEC 17043:2010, B.3.1.3).
    """
    apart = abs(first.value - second.value)
    return apart / math.hypot(first.expanded_uncertainty, second.expanded_uncertainty)

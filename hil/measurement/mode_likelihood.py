# SPDX-License-Identifier: Apache-2.0
"""Which low-power mode a current speaks for.

A datasheet prints a typical and a maximum current of every mode. Between both, any current is as likely as
another: no document says more. Outside, the likelihood falls like a normal distribution. Its standard
deviation is a third of the way from typical to maximum, in the logarithm: ST's maxima from characterisation
are three standard deviations above the mean (DS10198 Rev 8, section 6.1.1). Assumption: what spreads is
leakage, whose logarithm is normal.

Modes overlap: a sound part in one may draw what another part draws in the next. The current then tells
neither, and says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from hil.datasheet.figures import Figure

STRONG = 20.0
"""A ratio of two likelihoods from which on the evidence is strong (R. E. Kass, A. E. Raftery, Bayes Factors,
Journal of the American Statistical Association 90, 1995, section 3.2)."""
_SIGMAS_TO_MAXIMUM = 3.0
_LEAST_A = 1e-12
"""A current around zero has no logarithm; below this it counts as this."""


@dataclass(frozen=True)
class ModeLikelihood:
    """What a current says about the modes in which a part may have drawn it."""

    logarithms: Mapping[str, float]
    """Natural logarithm of the likelihood of each mode."""

    @property
    def likeliest(self) -> str:
        """The mode that explains the current best."""
        return max(self.logarithms, key=lambda name: self.logarithms[name])

    @property
    def possible(self) -> tuple[str, ...]:
        """All modes that the current does not speak against, the likeliest first."""
        best = self.logarithms[self.likeliest]
        able = [name for name, value in self.logarithms.items() if best - value <= math.log(STRONG)]
        return tuple(sorted(able, key=lambda name: -self.logarithms[name]))


def mode_likelihood(
    current_a: float, standard_uncertainty_a: float, figures: Mapping[str, Figure]
) -> ModeLikelihood:
    """Return the likelihood of every mode for a measured current.

    Args:
        current_a: what was measured.
        standard_uncertainty_a: how well, conditions such as the temperature included.
        figures: typical and maximum current of each mode under the conditions of the measurement. A mode
            without a printed maximum is taken to have its typical current alone.
    """
    level = math.log(max(current_a, _LEAST_A))
    blur = standard_uncertainty_a / max(current_a, _LEAST_A)
    return ModeLikelihood({name: _logarithm(level, blur, figure) for name, figure in figures.items()})


def _logarithm(level: float, blur: float, figure: Figure) -> float:
    typical = math.log(figure.typ)
    width = 0.0 if figure.max is None else max(math.log(figure.max) - typical, 0.0)
    sigma = max(math.hypot(width / _SIGMAS_TO_MAXIMUM, blur), 1e-9)
    outside = max(typical - level, level - typical - width, 0.0) / sigma
    # A flat top with half a normal distribution on either side.
    return -0.5 * outside**2 - math.log(width + sigma * math.sqrt(2 * math.pi))

# SPDX-License-Identifier: Apache-2.0
"""Decision rules: what is stated of a value whose uncertainty may reach across a limit.

JCGM 106:2012 describes the rules and the probability of conformance, ILAC-G8:09/2019 the words of the
statement. A rule is part of a requirement, so that it is agreed on before anything is measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

from hil.measurement.budget import COVERAGE

COVERAGE_FACTOR = NormalDist().inv_cdf((1 + COVERAGE) / 2)
"""Of a normal distribution; it makes a standard uncertainty of one that is stated without a budget."""


class RuleKind(StrEnum):
    """How a value is held against its limit."""

    GUARDED = "guarded"
    """Pass and fail are stated where the whole interval of the expanded uncertainty lies on one side (guarded
    acceptance and guarded rejection, JCGM 106:2012, 8.3; ISO 14253-1)."""
    SIMPLE = "simple"
    """The value alone decides (simple acceptance, 8.2): up to half of what is stated may be wrong."""
    PROBABILITY = "probability"
    """Pass is stated from a probability of conformance on, fail from the same of non-conformance on."""


@dataclass(frozen=True)
class DecisionRule:
    """The rule of one requirement."""

    kind: RuleKind = RuleKind.GUARDED
    least_probability: float | None = None
    """Of :attr:`RuleKind.PROBABILITY`, above one half."""

    def __post_init__(self) -> None:
        wants = self.kind is RuleKind.PROBABILITY
        if wants is not (self.least_probability is not None):
            raise ValueError(f"a {self.kind} rule {'needs a' if wants else 'has no'} least probability")
        if self.least_probability is not None and not 0.5 < self.least_probability < 1:
            raise ValueError(f"a least probability of {self.least_probability!r} is not between 0.5 and 1")

    def __str__(self) -> str:
        if self.least_probability is not None:
            return f"probability of at least {100 * self.least_probability:g} %"
        return f"{self.kind} acceptance"


GUARDED = DecisionRule()
"""The rule where a requirement names none."""


def conformance_probability(
    value: float, standard_uncertainty: float, lower: float | None, upper: float | None
) -> float:
    """Return p_c, how probable it is that the true value conforms, after a measurement with a normal
    distribution (JCGM 106:2012, 7.3).
    """
    low, high = -math.inf if lower is None else lower, math.inf if upper is None else upper
    if standard_uncertainty == 0:
        return 1.0 if low <= value <= high else 0.0
    spread = standard_uncertainty * math.sqrt(2.0)
    # By the complementary error function, which keeps its digits far from the limit.
    beyond = 0.5 * math.erfc((high - value) / spread) + 0.5 * math.erfc((value - low) / spread)
    return max(0.0, 1.0 - beyond)

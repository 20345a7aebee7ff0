# SPDX-License-Identifier: Apache-2.0
"""Limits, and the decision whether a measured value conforms to one.

Where a limit names no other rule, it is ISO 14253-1's with a guard band as wide as the expanded uncertainty:
conformance is stated where the whole interval ``value ± U`` lies inside the limit, non-conformance where it
lies outside as a whole, and where it straddles the limit the measurement is *inconclusive* (JCGM 106:2012,
8.3: guarded acceptance and guarded rejection). An inconclusive result asks for a better measurement; it is
not a pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from hil.measurement.decision import (
    COVERAGE_FACTOR,
    GUARDED,
    DecisionRule,
    RuleKind,
    conformance_probability,
)


class Outcome(StrEnum):
    """What a measurement says about its limit."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    NOT_JUDGED = "not judged"
    """There is no limit: the value is recorded for the reader."""


@dataclass(frozen=True)
class Limit:
    """An interval of allowed values; ``None`` leaves that side open."""

    lower: float | None
    upper: float | None
    source: str
    """Where the numbers come from: a document with its table, or a requirement by name."""
    rule: DecisionRule = GUARDED
    """How a value is held against the limit."""

    def __post_init__(self) -> None:
        if self.lower is None and self.upper is None:
            raise ValueError("a limit needs a lower or an upper bound")
        if any(bound is not None and not math.isfinite(bound) for bound in (self.lower, self.upper)):
            raise ValueError(f"a bound is a finite number: {self.lower!r} to {self.upper!r}")
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise ValueError(f"lower bound {self.lower!r} lies above upper bound {self.upper!r}")
        if not self.source:
            raise ValueError("a limit needs a source")

    @classmethod
    def at_most(cls, upper: float, source: str) -> Limit:
        """Return an upper limit."""
        return cls(None, upper, source)

    @classmethod
    def at_least(cls, lower: float, source: str) -> Limit:
        """Return a lower limit."""
        return cls(lower, None, source)

    @classmethod
    def exactly(cls, value: float, source: str) -> Limit:
        """Return a limit for something counted or compared, where any difference is a fault."""
        return cls(value, value, source)

    def worst(self, values: Iterable[float]) -> float:
        """Return the value with the least room to a bound, or the farthest beyond one.

        Raises:
            ValueError: if there are no values.
        """

        def room(value: float) -> float:
            below = math.inf if self.upper is None else self.upper - value
            above = math.inf if self.lower is None else value - self.lower
            return min(below, above)

        return min(values, key=room)

    def conformance_probability(self, value: float, standard_uncertainty: float) -> float:
        """Return how probable it is that the true value conforms."""
        return conformance_probability(value, standard_uncertainty, self.lower, self.upper)

    def judge(self, value: float, expanded_uncertainty: float) -> Outcome:
        """Return the outcome for ``value ± expanded_uncertainty`` under the limit's rule."""
        if self.rule.kind is RuleKind.SIMPLE:
            return self._guarded(value, 0.0)
        least = self.rule.least_probability
        if least is None:
            return self._guarded(value, expanded_uncertainty)
        probability = self.conformance_probability(value, expanded_uncertainty / COVERAGE_FACTOR)
        if probability >= least:
            return Outcome.PASS
        return Outcome.FAIL if 1.0 - probability >= least else Outcome.INCONCLUSIVE

    def _guarded(self, value: float, expanded_uncertainty: float) -> Outcome:
        low, high = value - expanded_uncertainty, value + expanded_uncertainty
        lower = -math.inf if self.lower is None else self.lower
        upper = math.inf if self.upper is None else self.upper
        if lower <= low and high <= upper:
            return Outcome.PASS
        if high < lower or low > upper:
            return Outcome.FAIL
        return Outcome.INCONCLUSIVE

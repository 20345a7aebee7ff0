# SPDX-License-Identifier: Apache-2.0
"""A measurement: a named value with unit and expanded uncertainty, the limit it is held against, and the
outcome.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from hil.measurement.budget import Budget
from hil.measurement.decision import COVERAGE_FACTOR
from hil.measurement.limit import Limit, Outcome
from hil.measurement.text import uncertain, with_unit
from hil.measurement.uncertainty import Estimate


@dataclass(frozen=True)
class Measurement:
    """One result. ``value``, ``expanded_uncertainty`` and the limit share ``unit``; 95 %."""

    name: str
    value: float
    unit: str
    """SI unit symbol ("A", "s", "V"), or a word for counted things ("differences")."""
    expanded_uncertainty: float
    limit: Limit | None = None
    notes: tuple[str, ...] = ()
    """How the uncertainty came about and what else a reader needs, one statement each."""
    headline: bool = False
    """One of the few results that a reader looks for first; the report shows it large."""
    budget: Budget | None = field(default=None, compare=False)
    """Where the uncertainty comes from; None for what is counted or compared."""

    @classmethod
    def of(
        cls,
        name: str,
        estimate: Estimate,
        unit: str,
        limit: Limit | None = None,
        notes: tuple[str, ...] = (),
        *,
        headline: bool = False,
    ) -> Measurement:
        """Return the measurement of an estimate, with its budget."""
        return cls(
            name,
            estimate.value,
            unit,
            estimate.expanded_uncertainty,
            limit,
            notes,
            headline=headline,
            budget=estimate.budget,
        )

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and math.isfinite(self.expanded_uncertainty)):
            raise ValueError(
                f"{self.name}: {self.value!r} ± {self.expanded_uncertainty!r} is not a finite number"
            )
        if self.expanded_uncertainty < 0:
            raise ValueError(
                f"{self.name}: an uncertainty cannot be negative ({self.expanded_uncertainty!r})"
            )

    @property
    def outcome(self) -> Outcome:
        """What the value says about the limit, guard band included."""
        if self.limit is None:
            return Outcome.NOT_JUDGED
        return self.limit.judge(self.value, self.expanded_uncertainty)

    @property
    def standard_uncertainty(self) -> float:
        """In :attr:`unit`; without a budget, that of a normal distribution."""
        if self.budget is not None:
            return self.budget.standard_uncertainty
        return self.expanded_uncertainty / COVERAGE_FACTOR

    @property
    def conformance_probability(self) -> float | None:
        """p_c, how probable it is that the true value keeps the limit; None without a limit."""
        if self.limit is None:
            return None
        return self.limit.conformance_probability(self.value, self.standard_uncertainty)

    @property
    def risk(self) -> float | None:
        """How probable it is that the stated outcome is wrong: a false pass or a false fail. None where
        neither is stated.
        """
        probability = self.conformance_probability
        if probability is None or self.outcome not in (Outcome.PASS, Outcome.FAIL):
            return None
        return 1.0 - probability if self.outcome is Outcome.PASS else probability

    @property
    def statement(self) -> str | None:
        """What is stated of conformity, in the words of ILAC-G8:09/2019; None without a limit.

        Where a guard band leaves the outcome open, the value is on one side of the limit: that makes a
        conditional pass or a conditional fail.
        """
        if self.limit is None:
            return None
        if self.outcome is not Outcome.INCONCLUSIVE:
            return str(self.outcome)
        inside = self.limit.judge(self.value, 0.0) is Outcome.PASS
        return "conditional pass" if inside else "conditional fail"

    @property
    def uncertainty_ratio(self) -> float | None:
        """Expanded uncertainty against the width of the tolerance; None where that has one end only."""
        limit = self.limit
        if limit is None or limit.lower is None or limit.upper is None or limit.lower == limit.upper:
            return None
        return self.expanded_uncertainty / (limit.upper - limit.lower)

    def sentence(self) -> str:
        """Say the result in one sentence that stands on its own in a log."""
        result = f"{self.name} is {uncertain(self.value, self.expanded_uncertainty, self.unit)}"
        if self.limit is None:
            return f"{result}."
        return f"{result}, {self._relation()} {self._bounds(self.limit)} ({self.limit.source})."

    def _relation(self) -> str:
        return {
            Outcome.PASS: "within the limit of",
            Outcome.FAIL: "outside the limit of",
            Outcome.INCONCLUSIVE: "too close for this uncertainty to the limit of",
        }[self.outcome]

    def _bounds(self, limit: Limit) -> str:
        if limit.lower is None and limit.upper is not None:
            return f"at most {with_unit(limit.upper, self.unit)}"
        if limit.upper is None and limit.lower is not None:
            return f"at least {with_unit(limit.lower, self.unit)}"
        assert limit.lower is not None
        assert limit.upper is not None
        if limit.lower == limit.upper:
            return f"exactly {with_unit(limit.lower, self.unit)}"
        return f"{with_unit(limit.lower, self.unit)} to {with_unit(limit.upper, self.unit)}"

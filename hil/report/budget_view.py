# SPDX-License-Identifier: Apache-2.0
"""An uncertainty budget as the report shows it: the largest contributions first."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hil.measurement.budget import COVERAGE, Budget, Distribution, Term
from hil.measurement.measurement import Measurement
from hil.measurement.text import with_unit

_SIGNS = {
    Distribution.RECTANGULAR: "±",
    Distribution.TRIANGULAR: "±",
    Distribution.NORMAL: "s =",
    Distribution.STUDENT: "s =",
}


@dataclass(frozen=True)
class BudgetLine:
    """One contribution in words and digits."""

    name: str
    source: str
    bound: str
    distribution: str
    sensitivity: str
    standard_uncertainty: str
    degrees_of_freedom: str
    share: str


def budget_lines(budget: Budget, unit: str) -> list[BudgetLine]:
    """Return the contributions to a result in ``unit``, the largest first."""
    terms = sorted(budget.terms, key=lambda term: -term.standard_uncertainty)
    return [_line(budget, term, unit) for term in terms]


def budget_sum(budget: Budget, unit: str) -> str:
    """Say what the contributions make together."""
    return (
        f"u = {_quantity(budget.standard_uncertainty, unit)}, effective degrees of freedom "
        f"{_freedom(budget.degrees_of_freedom)}, k = {budget.coverage_factor:.2f} for {100 * COVERAGE:g} %, "
        f"U = {_quantity(budget.expanded_uncertainty, unit)}"
    )


def conformity(measurement: Measurement) -> str:
    """Say what is stated of a measurement with a limit, by which rule, and how sure that is."""
    assert measurement.limit is not None
    assert measurement.conformance_probability is not None
    told = [
        f"{measurement.limit.rule}: {measurement.statement}",
        f"probability of conformance {_probability(measurement.conformance_probability)}",
    ]
    if measurement.risk is not None:
        told.append(f"risk of a false {measurement.outcome} {_probability(measurement.risk)}")
    if measurement.uncertainty_ratio is not None:
        told.append(f"U is {100 * measurement.uncertainty_ratio:.2g} % of the tolerance")
    return ", ".join(told)


def _probability(number: float) -> str:
    """Far from a limit, neither certainty nor a row of digits."""
    if number > 0.999:
        return "> 99.9 %"
    return "< 0.1 %" if number < 0.001 else f"{100 * number:.1f} %"


def _line(budget: Budget, term: Term, unit: str) -> BudgetLine:
    per = f"{unit}/{term.unit}" if term.unit and term.unit != unit else "" if term.unit else unit
    return BudgetLine(
        name=term.name,
        source=term.source,
        bound=f"{_SIGNS[term.distribution]} {_quantity(term.bound, term.unit)}",
        distribution=f"{term.distribution}, divisor {term.divisor:.3g}",
        sensitivity=f"{term.sensitivity:.3g} {per}".strip(),
        standard_uncertainty=_quantity(term.standard_uncertainty, unit),
        degrees_of_freedom=_freedom(term.degrees_of_freedom),
        share=f"{100 * budget.share(term):.1f} %",
    )


def _quantity(value: float, unit: str) -> str:
    return with_unit(value, unit) if unit else f"{100 * value:.3g} %"


def _freedom(number: float) -> str:
    return f"{number:.3g}" if math.isfinite(number) else "∞"

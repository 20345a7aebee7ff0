# SPDX-License-Identifier: Apache-2.0
"""Uncertainty budgets as the journal spells them."""

from __future__ import annotations

import math
from typing import Any

from hil.measurement.budget import COVERAGE, Budget, Distribution, Term


def to_json(budget: Budget) -> dict[str, Any]:
    """Return a budget with everything that an auditor asks for, what follows from the terms included.

    Infinite degrees of freedom, which JSON has no number for, are null.
    """
    return {
        "coverage": COVERAGE,
        "coverage_factor": budget.coverage_factor,
        "degrees_of_freedom": _finite(budget.degrees_of_freedom),
        "terms": [
            {
                "name": term.name,
                "source": term.source,
                "distribution": str(term.distribution),
                "bound": term.bound,
                "unit": term.unit,
                "divisor": term.divisor,
                "sensitivity": term.sensitivity,
                "degrees_of_freedom": _finite(term.degrees_of_freedom),
                "standard_uncertainty": term.standard_uncertainty,
                "share": budget.share(term),
            }
            for term in budget.terms
        ],
    }


def from_json(fields: dict[str, Any] | None) -> Budget | None:
    """Read a budget back; a journal of an earlier version has none. What follows from the terms is not read.

    Raises:
        KeyError, TypeError, ValueError: it is no budget.
    """
    if fields is None:
        return None
    return Budget(
        tuple(
            Term(
                name=str(term["name"]),
                bound=float(term["bound"]),
                unit=str(term["unit"]),
                distribution=Distribution(term["distribution"]),
                source=str(term["source"]),
                sensitivity=float(term["sensitivity"]),
                degrees_of_freedom=_number(term["degrees_of_freedom"]),
            )
            for term in fields["terms"]
        )
    )


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _number(value: float | None) -> float:
    return math.inf if value is None else float(value)

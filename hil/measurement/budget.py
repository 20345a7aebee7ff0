# SPDX-License-Identifier: Apache-2.0
"""Uncertainty budgets as data: every contribution to a result with source, distribution and share.

Contributions of one name are one error that acts several times: their sensitivities add, with their signs.
Contributions of different names know nothing of each other and add as root sum of squares (JCGM 100:2008,
5.1.2). The coverage factor for 95 % comes from the distribution that the contributions really make together
(JCGM 101:2008, 7): 1.65 where one rectangle dominates, 1.96 for a normal distribution, more where few
readings know their own scatter.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

COVERAGE = 0.95
"""Probability with which a value lies within its expanded uncertainty, in every result of this project."""
DRAWS = 100_000
"""Of the Monte Carlo method (JCGM 101:2008, 7.2). They leave 0.3 % in a coverage factor, which is less than
the two digits show with which an uncertainty is stated."""
BATCHES = 30
"""Into which readings are divided to find the scatter of their mean."""
_SEED = 20081
"""One seed: the same budget always has the same coverage factor."""


class Distribution(StrEnum):
    """What is known of an error."""

    RECTANGULAR = "rectangular"
    """It lies within a bound, no value more likely (JCGM 100:2008, 4.3.7)."""
    TRIANGULAR = "triangular"
    """It lies within a bound, zero most likely (4.3.9)."""
    NORMAL = "normal"
    """The bound is its standard deviation."""
    STUDENT = "Student's t"
    """The bound is a standard deviation that was estimated from few readings (G.3.2)."""


_DIVISORS = {
    Distribution.RECTANGULAR: math.sqrt(3.0),
    Distribution.TRIANGULAR: math.sqrt(6.0),
    Distribution.NORMAL: 1.0,
    Distribution.STUDENT: 1.0,
}
_ALONE = {
    Distribution.RECTANGULAR: COVERAGE * math.sqrt(3.0),
    Distribution.TRIANGULAR: (1.0 - math.sqrt(1.0 - COVERAGE)) * math.sqrt(6.0),
    Distribution.NORMAL: 1.959964,
}
"""Coverage factor of a contribution that is alone (JCGM 100:2008, 4.3.9 and G.1.3)."""


@dataclass(frozen=True)
class Term:
    """One contribution."""

    name: str
    """What may be wrong; one name is one error."""
    bound: float
    """How far, in ``unit``: a half width, or a standard deviation, as :attr:`distribution` says."""
    unit: str
    """SI unit symbol of the bound; empty for a ratio."""
    distribution: Distribution
    source: str
    """The document, the key of the rig file or the readings that the bound comes from."""
    sensitivity: float = 1.0
    """By how much the result changes with the quantity, in the result's unit per ``unit``."""
    degrees_of_freedom: float = math.inf

    @property
    def divisor(self) -> float:
        """What makes a standard uncertainty of the bound."""
        return _DIVISORS[self.distribution]

    @property
    def standard_uncertainty(self) -> float:
        """In the result's unit."""
        return abs(self.bound * self.sensitivity) / self.divisor


@dataclass(frozen=True)
class Budget:
    """The contributions to one result; :meth:`of` puts one together."""

    terms: tuple[Term, ...] = ()

    @classmethod
    def of(cls, *parts: Term | Budget) -> Budget:
        """Return the budget of a sum: contributions of one name become one."""
        merged: dict[tuple[object, ...], Term] = {}
        for term in _terms(parts):
            key = (term.name, term.bound, term.unit, term.distribution, term.degrees_of_freedom)
            known = merged.get(key)
            merged[key] = (
                term if known is None else replace(term, sensitivity=known.sensitivity + term.sensitivity)
            )
        return cls(tuple(merged.values()))

    def scaled(self, factor: float) -> Budget:
        """Return the budget of ``factor`` times the result, in whatever unit that has."""
        return Budget(tuple(replace(term, sensitivity=factor * term.sensitivity) for term in self.terms))

    @property
    def standard_uncertainty(self) -> float:
        """Combined, in the result's unit."""
        return math.hypot(*(term.standard_uncertainty for term in self.terms))

    @property
    def degrees_of_freedom(self) -> float:
        """Effective ones, after Welch and Satterthwaite (JCGM 100:2008, G.4.1)."""
        combined = self.standard_uncertainty
        spent = sum(
            (term.standard_uncertainty / combined) ** 4 / term.degrees_of_freedom
            for term in self.terms
            if term.standard_uncertainty > 0
        )
        return 1.0 / spent if spent > 0 else math.inf

    @property
    def coverage_factor(self) -> float:
        """What the standard uncertainty is multiplied with for 95 %."""
        combined = self.standard_uncertainty
        if combined == 0:
            return _ALONE[Distribution.NORMAL]
        shares = sorted(
            (round(term.standard_uncertainty / combined, 3), term.distribution, term.degrees_of_freedom)
            for term in self.terms
        )
        return _coverage_factor(tuple(share for share in shares if share[0] > 0))

    @property
    def expanded_uncertainty(self) -> float:
        """For 95 %, in the result's unit."""
        return self.coverage_factor * self.standard_uncertainty

    def share(self, term: Term) -> float:
        """Which part of the variance a contribution makes, 0 to 1."""
        combined = self.standard_uncertainty
        return (term.standard_uncertainty / combined) ** 2 if combined > 0 else 0.0


def rectangle(name: str, half_width: float, unit: str, source: str, sensitivity: float = 1.0) -> Term:
    """Return a contribution that lies within ``±half_width``: what a specification gives."""
    return Term(name, half_width, unit, Distribution.RECTANGULAR, source, sensitivity)


def scatter_of_mean(name: str, readings: NDArray[np.float64], unit: str) -> Term:
    """Return what the scatter of readings leaves in their mean, as far as the readings tell.

    Neighbouring readings may be alike: noise of an amplifier, a load that comes and goes. Many readings are
    therefore divided into batches of equal length, whose means scatter as the mean of all does, as long as a
    batch is longer than what makes neighbours alike (non-overlapping batch means: C. Alexopoulos, Statistical
    analysis of simulation output, Winter Simulation Conference 2006).

    Raises:
        ValueError: with fewer than two readings there is no scatter to estimate.
    """
    if readings.size < 2:
        raise ValueError(f"the scatter of a mean needs at least two readings, got {readings.size}")
    length = readings.size // BATCHES if readings.size >= 2 * BATCHES else 1
    count = readings.size // length
    means = readings[: count * length].reshape(count, length).mean(axis=1)
    return Term(
        name,
        float(np.std(means, ddof=1)) / math.sqrt(count),
        unit,
        Distribution.STUDENT,
        f"{readings.size} readings" if length == 1 else f"{count} batches of {length} readings",
        degrees_of_freedom=count - 1,
    )


def _terms(parts: tuple[Term | Budget, ...]) -> Iterator[Term]:
    for part in parts:
        yield from (part,) if isinstance(part, Term) else part.terms


@functools.lru_cache(maxsize=1024)
def _coverage_factor(shares: tuple[tuple[float, Distribution, float], ...]) -> float:
    """Of contributions by their parts of the combined standard uncertainty, whose squares add up to one."""
    if len(shares) == 1 and shares[0][1] in _ALONE:
        return _ALONE[shares[0][1]]
    if all(distribution is Distribution.NORMAL for _, distribution, _ in shares):
        return _ALONE[Distribution.NORMAL]
    rng = np.random.default_rng(_SEED)
    total = np.zeros(DRAWS)
    for share, distribution, degrees_of_freedom in shares:
        if distribution is Distribution.RECTANGULAR:
            total += share * rng.uniform(-math.sqrt(3.0), math.sqrt(3.0), DRAWS)
        elif distribution is Distribution.TRIANGULAR:
            total += share * rng.triangular(-math.sqrt(6.0), 0.0, math.sqrt(6.0), DRAWS)
        elif distribution is Distribution.STUDENT and math.isfinite(degrees_of_freedom):
            total += share * rng.standard_t(degrees_of_freedom, DRAWS)
        else:
            total += share * rng.standard_normal(DRAWS)
    return float(np.quantile(np.abs(total), COVERAGE))

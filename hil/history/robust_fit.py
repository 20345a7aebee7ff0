# SPDX-License-Identifier: Apache-2.0
"""A linear fit with prior knowledge of its coefficients, which a few outliers do not move.

Errors are a mixture: most have the stated uncertainty, a few a wider one. The most probable coefficients are
found by expectation and maximisation: each value counts by the probability that it is no outlier (Dempster,
Laird and Rubin, 1977).  Many models for the same values are fitted at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

OUTLIER_SHARE = 0.05
"""How many nights are expected to be outliers (assumption; benchmarks/trend.py draws 3 %)."""
OUTLIER_WIDTH = 10.0
"""An outlier's uncertainty in stated ones (assumption). It bounds what one night can add to the evidence."""
_ROUNDS = 8
_CONVERGED = 1e-7


@dataclass(frozen=True)
class Fits:
    """The best coefficients of each model."""

    coefficients: Values
    """Shape (models, columns)."""
    evidence: Values
    """Logarithm of the posterior density, but for a constant that all models share; shape (models,)."""
    precision: Values
    """Inverse covariance of the coefficients; shape (models, columns, columns)."""
    sound: Values
    """The probability that a value is no outlier of a model; shape (models, values)."""


def fit(designs: Values, priors: Values, values: Values, sigma: Values, start: Values) -> Fits:
    """Fit models to the same values.

    Args:
        designs: one matrix a model, shape (models, values, columns).
        priors: precision of each coefficient's prior, which is centred at zero; shape (columns,).
        values: shape (values,).
        sigma: standard uncertainty of each value; shape (values,).
        start: coefficients to begin with, shape (models, columns).
    """
    prior = np.diag(priors)
    coefficients = start
    for _ in range(_ROUNDS):
        squared = ((values - np.einsum("mvc,mc->mv", designs, coefficients)) / sigma) ** 2
        narrow = _sound(squared)
        weights = (narrow + (1 - narrow) / OUTLIER_WIDTH**2) / sigma**2
        weighted = designs * weights[:, :, None]
        precision = np.swapaxes(weighted, 1, 2) @ designs + prior
        moments = np.einsum("mvc,v->mc", weighted, values)
        found = np.linalg.solve(precision, moments[:, :, None])[:, :, 0]
        change = np.abs(found - coefficients).max(initial=0.0)
        coefficients = found
        if change < _CONVERGED:
            break
    squared = ((values - np.einsum("mvc,mc->mv", designs, coefficients)) / sigma) ** 2
    evidence = np.log(_densities(squared)).sum(axis=1)
    evidence -= 0.5 * np.einsum("mc,c,mc->m", coefficients, priors, coefficients)
    return Fits(coefficients, evidence, precision, _sound(squared))


def least_squares(design: Values, priors: Values, values: Values, sigma: Values) -> Values:
    """Where a fit of one model begins: weighted least squares, once more with far values weighing less."""
    share = np.ones(len(values))
    for _ in range(2):
        weighted = design * (share / sigma**2)[:, None]
        normal = weighted.T @ design + np.diag(priors)
        found: Values = np.asarray(np.linalg.solve(normal, weighted.T @ values), dtype=np.float64)
        residuals = np.abs(values - design @ found) / sigma
        share = np.minimum(1, 2 / np.maximum(residuals, 1e-9))
    return found


def _densities(squared: Values) -> Values:
    """Of the mixture at so many squared standard uncertainties."""
    narrow = (1 - OUTLIER_SHARE) * np.exp(-squared / 2)
    wide = OUTLIER_SHARE / OUTLIER_WIDTH * np.exp(-squared / 2 / OUTLIER_WIDTH**2)
    # Far out both underflow; the floor keeps the logarithm finite.
    return np.maximum(narrow + wide, np.finfo(np.float64).tiny)


def _sound(squared: Values) -> Values:
    narrow = (1 - OUTLIER_SHARE) * np.exp(-squared / 2)
    return narrow / _densities(squared)

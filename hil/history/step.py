# SPDX-License-Identifier: Apache-2.0
"""Did a measurand step, on which night, and by how much?

Two models of the same nights are compared. Both have a level, a temperature coefficient and one shift at each
change of calibration, fitted together; one has a step as well.  Their likelihood ratio says how much better a
step explains the nights (:mod:`hil.history.robust_fit`).  Example::

    for step in Watch().steps(series):
        print(f"night {step.night}: {step.size:+.1%} ± {step.expanded_uncertainty:.1%}")

False alarms: ``python -m benchmarks trend`` counts the unchanged histories that raise one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.history import robust_fit
from hil.history.series import Series

Values = NDArray[np.float64]

_LEVEL_PRIOR = 1e-9
"""Nothing is known of the level beforehand."""
_SCALE_BOUNDS = (0.5, 5.0)
"""How far the scatter may differ from the stated uncertainties, either way (assumption)."""
_BEFORE = 20
"""Nights before a step whose median stands for the old level where the fit begins."""
_NORMAL = 1.4826
"""A normal distribution's standard deviation in median absolute deviations."""


@dataclass(frozen=True)
class Step:
    """A lasting change of a measurand."""

    night: int
    """The first night after it, counted from 0 in the whole series."""
    told_on: int
    """The night on which it was found."""
    size: float
    """In the unit of the series."""
    expanded_uncertainty: float
    """Of the size, k = 2."""
    evidence: float
    """Twice the logarithm of the likelihood ratio."""


@dataclass(frozen=True)
class Watch:
    """What counts as a step."""

    bound: float = 25.0
    """Of the evidence. 25 gave one false alarm in 200 unchanged histories of 60 nights."""
    least_size: float = 0.01
    """A smaller step is told to nobody: 1 %."""
    nights_after: int = 3
    """So many nights show the new level, none of them an outlier of it, before a step is told."""
    first_night: int = 14
    """No test before this night: a level wants nights to be known by."""
    look_back: int = 30
    """A step is looked for on the last nights only."""
    window: int = 90
    """Older nights are left out of the fit."""
    temperature_coefficient: float = 0.01
    """Standard uncertainty of the unknown coefficient, per kelvin, before anything was measured. A sleep
    current wants 0.05: leakage grows by some percent per kelvin (DS10198 Rev 8, tables 36 ff.)."""
    calibration_shift: float = 0.004
    """Standard uncertainty of what a calibration may shift."""
    drift: float = 0.002
    """Where no temperature is known: how much a slow drift may bend, per night, every ten nights."""

    def steps(self, series: Series) -> Iterator[Step]:
        """Go through a series night by night, as a lab does, and yield each step when it is found.

        After a step the series begins anew at its night, so that it is told once.
        """
        begin = 0
        for now in range(1, len(series) + 1):
            found = self.step_now(series[begin:now])
            if found is not None:
                yield Step(
                    begin + found.night, now - 1, found.size, found.expanded_uncertainty, found.evidence
                )
                begin += found.night

    def step_now(self, series: Series) -> Step | None:
        """Return the step that the last nights of a series show, or None."""
        if len(series) <= self.first_night:
            return None
        left_out = max(0, len(series) - self.window)
        recent = series[left_out:]
        values = recent.value
        design, priors = self._design(recent)
        sigma, start = _scatter(recent, design, priors)
        nights = len(recent)
        candidates = np.arange(max(1, nights - self.look_back), nights - self.nights_after + 1)
        without = robust_fit.fit(design[None], priors, values, sigma, start[None])
        after = (np.arange(nights) >= candidates[:, None]).astype(np.float64)
        designs = np.concatenate(
            [np.broadcast_to(design, (len(candidates), *design.shape)), after[:, :, None]], axis=2
        )
        residuals = values - design @ without.coefficients[0]
        jumps = [np.median(residuals[k:]) - np.median(residuals[max(0, k - _BEFORE) : k]) for k in candidates]
        starts = np.column_stack([np.repeat(without.coefficients, len(candidates), axis=0), jumps])
        fits = robust_fit.fit(designs, np.append(priors, 0.0), values, sigma, starts)
        evidence = 2 * (fits.evidence - without.evidence[0])
        evidence[((fits.sound > 0.5) & (after > 0)).sum(axis=1) < self.nights_after] = 0.0
        best = int(np.argmax(evidence))
        size = float(fits.coefficients[best, -1])
        if evidence[best] <= self.bound or abs(size) < self.least_size:
            return None
        spread = float(np.sqrt(np.linalg.inv(fits.precision[best])[-1, -1]))
        night = left_out + int(candidates[best])
        return Step(night, len(series) - 1, size, 2 * spread, float(evidence[best]))

    def _design(self, series: Series) -> tuple[Values, Values]:
        """What moves a measurand besides a step, one column each, and how well each is known beforehand."""
        nights = np.arange(len(series))
        columns, priors = [np.ones(len(series))], [_LEVEL_PRIOR]
        if series.temperature_c is not None:
            columns.append(series.temperature_c - series.temperature_c.mean())
            priors.append(self.temperature_coefficient**-2)
        else:
            for bend in range(0, len(series), 10):
                columns.append(np.maximum(nights - bend, 0).astype(np.float64))
                priors.append(self.drift**-2)
        for calibration in np.unique(series.calibration)[1:]:
            columns.append((series.calibration >= calibration).astype(np.float64))
            priors.append(self.calibration_shift**-2)
        return np.column_stack(columns), np.array(priors)


def _scatter(series: Series, design: Values, priors: Values) -> tuple[Values, Values]:
    """Each night's standard uncertainty, scaled to how the nights really scatter, and a fit to begin with.

    The scale comes from differences of successive residuals, on which a step tells once only. Differences of
    the values themselves would take the room's temperature for scatter.
    """
    stated = series.standard_uncertainty
    of_difference = np.hypot(stated[1:], stated[:-1])
    sigma = stated
    for _ in range(2):
        coefficients = robust_fit.least_squares(design, priors, series.value, sigma)
        residuals = series.value - design @ coefficients
        scale = _NORMAL * np.median(np.abs(np.diff(residuals)) / of_difference)
        sigma = stated * np.clip(scale, *_SCALE_BOUNDS)
    return sigma, robust_fit.least_squares(design, priors, series.value, sigma)

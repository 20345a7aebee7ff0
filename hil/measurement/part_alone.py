# SPDX-License-Identifier: Apache-2.0
"""The current of the part alone, from a current that also feeds what hangs on its marker pins.

The DAQ pulls its inputs down. A marker that is high feeds that resistance through the part's pin, and the
power analyzer cannot tell this current from the part's own. How large it is was measured beforehand
(:mod:`hil.rig.marker_loads`). ``marker_active`` is high from the wake-up to the entry into sleep, which the
current itself shows. ``marker_inference`` is high for a part of the inference phase that a counter times; its
charge is taken out of that phase evenly.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hil.measurement.budget import Budget
from hil.measurement.phases import Phase, PhaseName
from hil.measurement.uncertainty import Estimate
from hil.measurement.waveform import Waveform

MeanAccuracy = Callable[[NDArray[np.float64]], Budget]
"""What the instrument and the room leave open in the mean of samples, in amperes."""
DifferenceAccuracy = Callable[[NDArray[np.float64], NDArray[np.float64], float], Budget]
"""The same for the difference of the charges of two waveforms with one sample period, in coulomb."""


@dataclass(frozen=True)
class MarkerLoads:
    """What the wires at the markers draw while their marker is high, in amperes."""

    active_a: Estimate
    inference_a: Estimate


@dataclass(frozen=True, eq=False)
class PartAlone:
    """A waveform and its phases without what the markers' wires drew."""

    waveform: Waveform
    phases: tuple[Phase, ...]
    loads: MarkerLoads
    awake_above_a: float
    """Samples above this belong to an awake stretch."""

    def mean_accuracy(self, instrument: MeanAccuracy) -> MeanAccuracy:
        """The budget of a mean of samples of :attr:`waveform`: of the instrument, and of what was subtracted
        from those that are awake.

        An error of the instrument that is in the current and in the load that was subtracted counts once, for
        what is left. The inference is part of the awake time; its load is taken as if it were all of it,
        which is more than it can be.
        """

        def of_mean(samples_a: NDArray[np.float64]) -> Budget:
            awake = samples_a > self.awake_above_a
            # The instrument measured the sum, and chose its range by that.
            measured_a = samples_a + awake * self.loads.active_a.value
            return Budget.of(instrument(measured_a), self._wires(-float(np.mean(awake))))

        return of_mean

    def difference_accuracy(self, instrument: DifferenceAccuracy) -> DifferenceAccuracy:
        """The same for the difference of two charges: what both have in common cancels."""

        def of_difference(
            first_a: NDArray[np.float64], second_a: NDArray[np.float64], period_s: float
        ) -> Budget:
            awake = [np.count_nonzero(samples_a > self.awake_above_a) for samples_a in (first_a, second_a)]
            longer_s = (awake[0] - awake[1]) * period_s
            return Budget.of(instrument(first_a, second_a, period_s), self._wires(-longer_s))

        return of_difference

    def _wires(self, sensitivity: float) -> Budget:
        loads = self.loads
        return Budget.of(
            loads.active_a.contribution("current into the wire at marker_active", "A", sensitivity),
            loads.inference_a.contribution("current into the wire at marker_inference", "A", sensitivity),
        )


def part_alone(
    waveform: Waveform, phases: Sequence[Phase], loads: MarkerLoads, inference_s: Sequence[float]
) -> PartAlone:
    """Take the markers' loads out of a waveform whose phases are known.

    Args:
        waveform: what the analyzer measured.
        phases: its phases.
        loads: what each wire draws while its marker is high.
        inference_s: how long ``marker_inference`` was high, by counter, in each inference phase in turn; the
            last one holds for those that follow, and none means that it was never high.

    Where an awake stretch begins or ends inside a sample, the load is taken out of that sample in the
    proportion in which its current lies between those of its neighbours.
    """
    current_a = waveform.current_a.copy()
    widths_s = list(inference_s)
    for awake, stretch in itertools.groupby(phases, key=lambda phase: phase.name is not PhaseName.SLEEP):
        if not awake:
            continue
        parts = list(stretch)
        first, last = _samples(waveform, parts[0].start_s), _samples(waveform, parts[-1].end_s)
        share = np.ones(last - first)
        share[0] = _share(waveform.current_a, first, first - 1, first + 1)
        share[-1] = _share(waveform.current_a, last - 1, last, last - 2)
        current_a[first:last] -= loads.active_a.value * share
        for phase in parts:
            if phase.name is PhaseName.INFERENCE and widths_s:
                width_s = widths_s.pop(0) if len(widths_s) > 1 else widths_s[0]
                inside = slice(_samples(waveform, phase.start_s), _samples(waveform, phase.end_s))
                current_a[inside] -= loads.inference_a.value * min(1.0, width_s / phase.duration_s)
    alone = Waveform(waveform.start_s, waveform.period_s, current_a)
    corrected = tuple(_corrected(alone, phase) for phase in phases)
    return PartAlone(alone, corrected, loads, _border_a(corrected))


def _samples(waveform: Waveform, time_s: float) -> int:
    """How many samples begin before ``time_s``, which is a border between two."""
    return round((time_s - waveform.start_s) / waveform.period_s)


def _share(current_a: NDArray[np.float64], edge: int, asleep: int, awake: int) -> float:
    """Which part of the sample ``edge`` is awake, from the samples on either side of it."""
    if not (0 <= asleep < len(current_a) and 0 <= awake < len(current_a)):
        return 1.0
    step_a = float(current_a[awake] - current_a[asleep])
    if step_a <= 0:
        return 1.0
    return float(np.clip((current_a[edge] - current_a[asleep]) / step_a, 0.0, 1.0))


def _corrected(alone: Waveform, phase: Phase) -> Phase:
    part_a = alone.current_a[_samples(alone, phase.start_s) : _samples(alone, phase.end_s)]
    return replace(phase, mean_a=float(part_a.mean()), charge_c=float(part_a.sum()) * alone.period_s)


def _border_a(phases: Sequence[Phase]) -> float:
    """Between the currents of sleep and of the quietest awake phase, in the middle of their logarithms."""
    asleep_a = max((phase.mean_a for phase in phases if phase.name is PhaseName.SLEEP), default=0.0)
    awake_a = min((phase.mean_a for phase in phases if phase.name is not PhaseName.SLEEP), default=0.0)
    return float(np.sqrt(max(asleep_a, 0.0) * max(awake_a, 0.0)))

# SPDX-License-Identifier: Apache-2.0
"""Waking on time, the average current that follows, and how long a battery lasts."""

import numpy as np

from hil.datasheet import batteries
from hil.fixtures.accuracy import RigAccuracy
from hil.fixtures.acquisitions import Acquisitions
from hil.fixtures.recording import Recorder
from hil.fixtures.requirements import Requirements
from hil.instruments.protocols import PowerAnalyzer
from hil.measurement import battery, duty_cycle
from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.measurement.phases import PhaseName
from hil.measurement.uncertainty import combine, expanded, rectangular, type_a_of_mean

EXPECTED_PHASES = (PhaseName.SLEEP, PhaseName.SAMPLING, PhaseName.INFERENCE, PhaseName.REPORT)


def average_current_a(acquisitions: Acquisitions, rig_accuracy: RigAccuracy) -> tuple[float, float]:
    """Average over whole periods and its standard uncertainty, in amperes."""
    log = acquisitions.duty_cycle()
    cycle = duty_cycle.measure(log.waveform, log.phases)
    whole = cycle.whole_periods
    # Where a period begins is known to a sample: at most one sample of the highest current more or less.
    boundary_a = float(whole.current_a.max()) * whole.period_s / whole.duration_s
    per_period = [
        log.waveform.slice(begin, end).mean_a
        for begin, end in zip(cycle.wake_times_s[:-1], cycle.wake_times_s[1:], strict=True)
    ]
    scatter_a = type_a_of_mean(np.array(per_period)) if len(per_period) > 1 else 0.0
    accuracy_a = rig_accuracy.mean_current_a(whole.current_a)
    return whole.mean_a, combine(accuracy_a, rectangular(boundary_a), scatter_a)


def test_wake_period(
    acquisitions: Acquisitions,
    power_analyzer: PowerAnalyzer,
    requirements: Requirements,
    rig_accuracy: RigAccuracy,
    measure: Recorder,
) -> None:
    """The device wakes when it should, by a counter between rising edges of marker_active."""
    periods_s = acquisitions.duty_cycle().periods_s
    worst_s = requirements.wake_period_s.worst(periods_s.tolist())
    measure(
        Measurement(
            "wake period",
            worst_s,
            "s",
            expanded(rig_accuracy.interval_s(worst_s)),
            requirements.wake_period_s,
            (f"counter on marker_active, the worst of {len(periods_s)}",),
            headline=True,
        )
    )


def test_phases_are_all_there(
    acquisitions: Acquisitions, power_analyzer: PowerAnalyzer, measure: Recorder
) -> None:
    """The current shows every phase of a wake that reports, as often as the device woke."""
    log = acquisitions.duty_cycle()
    wakes = len(duty_cycle.awake_stretches(log.phases))
    seen = {name: sum(phase.name is name for phase in log.phases) for name in EXPECTED_PHASES}
    measure(
        *(
            Measurement(
                f"{name} phases in the current",
                seen[name],
                "",
                0,
                Limit.at_least(wakes, "one per wake that the log holds whole"),
            )
            for name in EXPECTED_PHASES
        ),
        Measurement(
            "wakes in the log", wakes, "", 0, Limit.at_least(2, "the log spans more than two periods")
        ),
    )


def test_average_current(
    acquisitions: Acquisitions,
    power_analyzer: PowerAnalyzer,
    requirements: Requirements,
    rig_accuracy: RigAccuracy,
    measure: Recorder,
) -> None:
    """Over whole periods, with a report in every wake, the device stays within its budget."""
    average_a, standard_a = average_current_a(acquisitions, rig_accuracy)
    measure(
        Measurement(
            "average current",
            average_a,
            "A",
            expanded(standard_a),
            requirements.average_current_a,
            ("over whole periods, with a report in every wake",),
            headline=True,
        )
    )


def test_battery_life(
    acquisitions: Acquisitions,
    power_analyzer: PowerAnalyzer,
    requirements: Requirements,
    rig_accuracy: RigAccuracy,
    measure: Recorder,
) -> None:
    """The battery that the product gets lasts as long as it has to."""
    average_a, standard_a = average_current_a(acquisitions, rig_accuracy)
    cell = batteries.get(requirements.battery_id)
    life = battery.life(cell, average_a, expanded(standard_a))
    measure.assume(*(f"Battery life: {statement}." for statement in battery.ASSUMPTIONS))
    measure(
        Measurement(
            f"battery life on a {cell.title}",
            life.days,
            "day",
            life.expanded_uncertainty_days,
            requirements.battery_life_days,
            (f"{cell.capacity_c / 3.6:g} mA h {cell.condition} ({cell.source})", *battery.ASSUMPTIONS),
            headline=True,
        )
    )

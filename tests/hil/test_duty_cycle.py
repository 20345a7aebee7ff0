# SPDX-License-Identifier: Apache-2.0
"""Waking on time, the average current that follows, and how long a battery lasts."""

import pytest

from hil.datasheet import batteries
from hil.firmware.image import Image
from hil.instruments.protocols import PowerAnalyzer
from hil.measurement import battery, battery_draws, duty_cycle
from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.measurement.phase_budget import phase_budget
from hil.measurement.phases import PhaseName
from hil.measurement.uncertainty import Estimate
from hil.pytest_plugin.accuracy import RigAccuracy
from hil.pytest_plugin.acquired import DutyCycleLog
from hil.pytest_plugin.acquisitions import Acquisitions
from hil.pytest_plugin.recording import Recorder, TableStore
from hil.pytest_plugin.requirements import Requirements
from hil.pytest_plugin.result_tables import battery_table, phase_table
from hil.rig import Rig

QUIET_PHASES = (PhaseName.SLEEP, PhaseName.SAMPLING, PhaseName.INFERENCE)
BATTERIES = ("cr2032_panasonic", "l91_energizer_pair")


def average_of(log: DutyCycleLog, rig_accuracy: RigAccuracy) -> Estimate:
    """Average current over the whole periods of a log, in amperes."""
    return duty_cycle.measure(log.waveform, log.phases).average_a(
        log.mean_accuracy(rig_accuracy.mean_current_a)
    )


def save_phase_table(
    name: str, log: DutyCycleLog, rig_accuracy: RigAccuracy, tables: TableStore, measure: Recorder
) -> None:
    """Put the phases of a log on the run's record."""
    supply_v = log.supply_voltage_v
    supply = Estimate.of(supply_v, rig_accuracy.voltage_v(supply_v))
    budget = phase_budget(log.waveform, log.phases, supply, log.mean_accuracy(rig_accuracy.mean_current_a))
    tables.save(phase_table(name, budget))
    measure.assume("The time base of the power analyzer adds nothing to what its sample period leaves open.")
    measure(
        *(
            Measurement.of(f"{row.name} share of the average, {name}", row.share.scaled(100), "%")
            for row in budget
        )
    )


def test_wake_period(
    acquisitions: Acquisitions,
    power_analyzer: PowerAnalyzer,
    requirements: Requirements,
    rig_accuracy: RigAccuracy,
    measure: Recorder,
) -> None:
    """The device wakes when it should, by a counter between rising edges of marker_active."""
    periods_s = acquisitions.quiet_duty_cycle().periods_s
    worst_s = requirements.wake_period_s.worst(periods_s.tolist())
    measure(
        Measurement.of(
            "wake period",
            Estimate.of(worst_s, rig_accuracy.interval_s(worst_s, acquisitions.longest_interval_s)),
            "s",
            requirements.wake_period_s,
            (f"counter on marker_active, the worst of {len(periods_s)}",),
            headline=True,
        )
    )


@pytest.mark.parametrize("reporting", [False, True], ids=["quiet", "reporting"])
def test_phases_are_all_there(
    reporting: bool,
    image: Image,
    acquisitions: Acquisitions,
    power_analyzer: PowerAnalyzer,
    measure: Recorder,
) -> None:
    """The current shows every phase of a wake, as often as the device woke, and a report only where there is
    one."""
    log = acquisitions.reporting_duty_cycle() if reporting else acquisitions.quiet_duty_cycle()
    wakes = len(duty_cycle.awake_stretches(log.phases))
    seen = {name: sum(phase.name is name for phase in log.phases) for name in PhaseName}
    expected = "one per wake that the log holds whole"
    quiet = Limit.exactly(0, "a quiet machine")
    if image.samples_accelerometer:
        quiet = Limit(0, wakes, "the network was trained at another rate than the accelerometer's")
    measure(
        *(
            Measurement(f"{name} phases in the current", seen[name], "", 0, Limit.at_least(wakes, expected))
            for name in QUIET_PHASES
        ),
        Measurement(
            "report phases in the current",
            seen[PhaseName.REPORT],
            "",
            0,
            Limit.at_least(wakes, expected) if reporting else quiet,
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
    tables: TableStore,
    measure: Recorder,
) -> None:
    """Over whole periods, while the machine runs normally, the device stays within its budget."""
    log = acquisitions.quiet_duty_cycle()
    average_a = average_of(log, rig_accuracy)
    save_phase_table("quiet duty cycle", log, rig_accuracy, tables, measure)
    measure(
        Measurement.of(
            "average current",
            average_a,
            "A",
            requirements.average_current_a,
            ("over whole periods, with no anomaly",),
            headline=True,
        )
    )


def test_average_current_with_reports(
    acquisitions: Acquisitions,
    power_analyzer: PowerAnalyzer,
    requirements: Requirements,
    rig_accuracy: RigAccuracy,
    tables: TableStore,
    measure: Recorder,
) -> None:
    """Also a device that has an anomaly to report in every wake stays within its budget."""
    log = acquisitions.reporting_duty_cycle()
    average_a = average_of(log, rig_accuracy)
    save_phase_table("reporting duty cycle", log, rig_accuracy, tables, measure)
    measure(
        Measurement.of(
            "average current with a report in every wake",
            average_a,
            "A",
            requirements.average_current_reporting_a,
            ("over whole periods",),
        )
    )


@pytest.mark.parametrize("battery_id", BATTERIES)
def test_battery_life(
    battery_id: str,
    rig: Rig,
    acquisitions: Acquisitions,
    power_analyzer: PowerAnalyzer,
    requirements: Requirements,
    rig_accuracy: RigAccuracy,
    tables: TableStore,
    measure: Recorder,
) -> None:
    """The batteries that the product may get last as long as they have to."""
    log = acquisitions.quiet_duty_cycle()
    average_a = average_of(log, rig_accuracy)
    board = rig.config.board
    part = board.definition.part
    peak_a = float(log.waveform.current_a.max())
    use = battery_draws.of_part(part, average_a, peak_a, log.supply_voltage_v, board.ambient_temperature_c)
    lives = {name: battery.life(batteries.get(name), average_a, part) for name in BATTERIES}
    drawn = {name: battery_draws.draw(batteries.get(name), use) for name in BATTERIES}
    tables.save(battery_table(average_a, list(lives.values()), list(drawn.values())))
    measure.assume(*(f"Battery life: {statement}." for statement in battery_draws.ASSUMPTIONS))
    life = drawn[battery_id]
    measure(
        Measurement.of(
            f"battery life on a {life.battery.title}, reached by 95 %",
            life.claim,
            "years",
            requirements.battery_life_years.get(battery_id),
            (life.sentence, *lives[battery_id].notes, *battery_draws.ASSUMPTIONS),
            headline=True,
        )
    )

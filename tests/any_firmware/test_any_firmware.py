# SPDX-License-Identifier: Apache-2.0
"""What any firmware has to do, whoever wrote it: start, stay alive, fit, sleep as it claims.

Nothing is asked of it: no protocol, no marker, no symbol. ``[firmware]`` of hil.toml says what it claims.
What that does not say is found out, and measured without a verdict where there is nothing to hold it against.
"""

from typing import NoReturn

import numpy as np
import pytest
from numpy.typing import NDArray

from hil.config.project import FirmwareTable, load_project
from hil.datasheet import batteries
from hil.errors import DeviceTimeoutError
from hil.firmware.image import Image
from hil.instruments.protocols import Daq, Supply
from hil.measurement import battery, duty_cycle
from hil.measurement.current_log import CurrentLog
from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.measurement.mode_likelihood import mode_likelihood
from hil.measurement.uncertainty import (
    COVERAGE_FACTOR,
    Estimate,
    combine,
    expanded,
    rectangular,
    type_a_of_mean,
)
from hil.pytest_plugin.accuracy import RigAccuracy
from hil.pytest_plugin.power_modes import POWER_MODES, figures
from hil.pytest_plugin.recording import Recorder
from hil.rig import Rig, State
from hil.rig.core_looks import CoreLooks
from hil.rig.firmware_kind import shown_text

CLOCKED = ("sleep", "lpsleep")
"""Modes whose current depends on a clock that nobody has named: measured, held against nothing."""
CELL = "cr2032_panasonic"
PULSES = 3
LONGEST_S = 60.0
MODES = {mode.name: mode for mode in POWER_MODES}


@pytest.fixture(scope="session")
def claims(pytestconfig: pytest.Config) -> FirmwareTable:
    """What hil.toml says of the firmware."""
    return load_project(pytestconfig.rootpath).firmware


def test_it_fits_the_part(rig: Rig, image: Image, measure: Recorder) -> None:
    """What is programmed, and was read back, is no more than the part's flash."""
    limit = Limit.at_most(rig.config.board.definition.part.flash.size, "the part's flash")
    measure(Measurement("bytes in flash", image.size_bytes, "B", 0, limit))


def test_it_does_not_crash(looks: CoreLooks) -> None:
    """Seconds after its start the core is in no fault, no error handler and no lock-up."""
    if crash := looks.crash():
        failed(crash)


def test_nothing_resets_it(supply: Supply, looks: CoreLooks) -> None:
    """RCC_CSR names no reset since power-on: a firmware that clears the flags at its start is not seen."""
    if looks.resets:
        failed(f"it was reset by {', '.join(looks.resets)} within seconds of its start")


def test_its_console_is_readable(rig: Rig, claims: FirmwareTable, looks: CoreLooks) -> None:
    """What it sends at the rig's baud rate is text."""
    if not rig.has("console"):
        pytest.skip(f"rig {rig.config.name} has no [console]")
    if not looks.heard:
        if claims.console in ("text", "records"):
            failed(f"hil.toml claims {claims.console}, and the console is silent")
        pytest.skip('it says nothing on the console; if it should, say so: [firmware] console = "text"')
    if not shown_text(looks.heard):
        failed(
            f"{len(looks.heard)} bytes came, and they are no text at {rig.config.console.baud} baud: "
            "the firmware's rate, or the clock that it is made from, is another"
        )


def test_it_sleeps(
    rig: Rig,
    claims: FirmwareTable,
    looks: CoreLooks,
    current_log: CurrentLog,
    rig_accuracy: RigAccuracy,
    measure: Recorder,
) -> None:
    """Asleep it draws no more than the datasheet allows in the mode that its registers name."""
    samples_a = current_log.floor_samples_a
    floor_a = float(samples_a.mean())
    u_a = expanded(combine(rig_accuracy.mean_current_a(samples_a), type_a_of_mean(samples_a)))
    mode = looks.mode or mode_by_current(floor_a, current_log.supply_voltage_v, rig)
    if mode is None:
        measure(Measurement("current, never asleep", floor_a, "A", u_a, headline=True))
        if claims.sleep != "none":
            failed(
                f"the core was asleep at none of {len(looks.asleep)} looks: it {looks.whereabouts}. "
                'If it is not meant to sleep, say so in hil.toml: [firmware] sleep = "none"'
            )
        return
    wanted = mode if claims.sleep is None else claims.sleep
    name = f"current asleep in {mode}"
    if mode != wanted:
        measure(Measurement(name, floor_a, "A", u_a, headline=True))
        failed(f"hil.toml claims {wanted}, and the registers say {mode} (SLEEPDEEP and PWR_CR1.LPMS)")
    if mode in CLOCKED:
        measure(Measurement(name, floor_a, "A", u_a, headline=True))
        return
    ambient_c = rig.config.board.ambient_temperature_c
    coldest_c = ambient_c - rig.config.board.ambient_uncertainty_c
    allowed = MODES[mode].figure(rig.config.board.definition.part, current_log.supply_voltage_v, coldest_c)
    assert allowed.max is not None
    source = f"{allowed.source}, maximum at {current_log.supply_voltage_v:.3f} V, {coldest_c:g} °C"
    at_ambient = figures(rig.config.board.definition.part, current_log.supply_voltage_v, ambient_c)
    likely = mode_likelihood(floor_a, u_a / COVERAGE_FACTOR, at_ambient).possible
    measure(
        Measurement(
            name,
            floor_a,
            "A",
            u_a,
            Limit.at_most(allowed.max, source),
            (
                f"typical with the RTC on the quartz: {allowed.typ * 1e6:.4g} µA",
                f"of all modes, this current speaks for {' or '.join(likely)}",
            ),
            headline=True,
        )
    )


def test_its_duty_cycle(
    rig: Rig, claims: FirmwareTable, current_log: CurrentLog, rig_accuracy: RigAccuracy, measure: Recorder
) -> None:
    """Wake period, time awake, peak, average, charge per wake and battery life, from the current alone."""
    waveform, phases = current_log.waveform, current_log.phases
    wakes = duty_cycle.wake_times_s(phases)
    if len(wakes) < 2:
        average_a = mean_of(waveform.current_a, rig_accuracy)
        measure(*life_of(average_a, rig))
        if claims.wake_period_s is not None:
            failed(
                f"its current shows {len(wakes)} wake(s) in {waveform.duration_s:.0f} s; "
                f"hil.toml claims one in {claims.wake_period_s:g} s"
            )
        pytest.skip(f"its current shows {len(wakes)} wake(s) in {waveform.duration_s:.0f} s, and no period")
    cycle = duty_cycle.measure(waveform, phases)
    awake = duty_cycle.awake_stretches(phases)
    edge_s = expanded(combine(rectangular(waveform.period_s), rectangular(waveform.period_s)))
    awake_s = float(np.mean([stretch[-1].end_s - stretch[0].start_s for stretch in awake]))
    charge_c = float(np.mean([sum(phase.charge_c for phase in stretch) for stretch in awake]))
    peak_a = float(waveform.current_a.max())
    limit = None
    if claims.wake_period_s is not None:
        low, high = (claims.wake_period_s * (1 + side * claims.wake_period_tolerance) for side in (-1, 1))
        limit = Limit(low, high, "hil.toml, wake_period")
    average_a = cycle.average_a(rig_accuracy.mean_current_a)
    # The beginning and the end of a wake are known to a sample each, at most of the peak current.
    charge_u_c = expanded(
        combine(
            awake_s * rig_accuracy.mean_current_a(np.array([charge_c / awake_s])),
            rectangular(peak_a * waveform.period_s),
        )
    )
    measure(
        Measurement(
            "wake period", cycle.period_s, "s", edge_s / (len(wakes) - 1), limit, headline=True,
            notes=(f"mean of {len(wakes) - 1}, from the current",),
        ),
        Measurement("time awake", awake_s, "s", edge_s),
        Measurement("peak current", peak_a, "A", expanded(rig_accuracy.mean_current_a(np.array([peak_a])))),
        Measurement("charge per wake", charge_c, "C", charge_u_c),
        *life_of(average_a, rig),
    )  # fmt: skip


def test_its_markers(
    rig: Rig, image: Image, daq: Daq, claims: FirmwareTable, rig_accuracy: RigAccuracy, measure: Recorder
) -> None:
    """Each marker that hil.toml names pulses, and its pulses are measured."""
    if not claims.markers:
        pytest.skip('no marker is named; if it moves pins, say which: [firmware] markers = ["marker_active"]')
    rig.to(State.MEASURING, image, restart=True)
    for role in claims.markers:
        wire = getattr(rig.config.wiring, role)
        if wire is None:
            pytest.skip(f"rig {rig.config.name} has no [wiring] {role}")
        with daq.pulse_widths(wire.terminal, PULSES, LONGEST_S) as pulses:
            try:
                width_s = float(pulses.wait(LONGEST_S).max())
            except DeviceTimeoutError:
                failed(f"{role} did not pulse {PULSES} times within {LONGEST_S:g} s")
        u_s = expanded(rig_accuracy.interval_s(width_s, LONGEST_S))
        measure(Measurement(f"longest pulse of {role}", width_s, "s", u_s))


def failed(sentence: str) -> NoReturn:
    """The device fails, for a reason that a sentence says."""
    pytest.fail(sentence, pytrace=False)


def mode_by_current(current_a: float, voltage_v: float, rig: Rig) -> str | None:
    """Standby or Shutdown, in which the debug port shows no sleeping core; None where more is drawn."""
    board = rig.config.board
    figures = {
        name: MODES[name].figure(
            board.definition.part, voltage_v, board.ambient_temperature_c + board.ambient_uncertainty_c
        )
        for name in ("shutdown", "standby")
    }
    return next((name for name, most in figures.items() if current_a <= (most.max or most.typ)), None)


def mean_of(samples_a: NDArray[np.float64], accuracy: RigAccuracy) -> Estimate:
    """Mean of samples that hold no whole periods."""
    standard_a = combine(accuracy.mean_current_a(samples_a), type_a_of_mean(samples_a))
    return Estimate(float(samples_a.mean()), expanded(standard_a))


def life_of(average_a: Estimate, rig: Rig) -> list[Measurement]:
    """The average current, and what a coin cell makes of it."""
    life = battery.life(batteries.get(CELL), average_a, rig.config.board.definition.part)
    return [
        Measurement("average current", average_a.value, "A", average_a.expanded_uncertainty, headline=True),
        Measurement(
            f"battery life on a {life.battery.title}",
            life.years.value,
            "years",
            life.years.expanded_uncertainty,
            notes=(*life.notes, *battery.ASSUMPTIONS),
            headline=True,
        ),
    ]

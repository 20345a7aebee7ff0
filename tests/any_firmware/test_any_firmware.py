# SPDX-License-Identifier: Apache-2.0
"""What any firmware has to do, whoever wrote it: start, stay alive, fit, sleep as it claims.

Nothing is asked of it: no protocol, no marker, no symbol. ``[firmware]`` of hil.toml says what it claims.
What that does not say is found out, and measured without a verdict where there is nothing to hold it against.
"""

import re
from typing import NoReturn

import numpy as np
import pytest
from numpy.typing import NDArray

from hil.config.project import FirmwareTable, RequirementsTable, load_project
from hil.datasheet import batteries
from hil.errors import DeviceTimeoutError
from hil.firmware.image import Image
from hil.instruments.protocols import Daq, Supply
from hil.measurement import battery_draws, duty_cycle
from hil.measurement.budget import Budget, rectangle, scatter_of_mean
from hil.measurement.current_log import CurrentLog
from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.measurement.mode_likelihood import mode_likelihood
from hil.measurement.uncertainty import Estimate
from hil.pytest_plugin.accuracy import RigAccuracy
from hil.pytest_plugin.power_modes import POWER_MODES, figures
from hil.pytest_plugin.progress import Progress
from hil.pytest_plugin.recording import Recorder
from hil.rig import Rig, State
from hil.rig.core_looks import CoreLooks
from hil.rig.current_causes import quartz_trouble
from hil.rig.explanation import explain, floor_of
from hil.rig.firmware_kind import shown_text
from hil.rig.part_registers import PartRegisters

DEEP = ("stop0", "stop1", "stop2", "standby", "shutdown")
CLOCK_TOLERANCE = 0.001
"""Registers name nominal clocks: 4 MHz, 16 MHz."""
SUPPLY_TOLERANCE_V = 0.05
"""Assumption: it moves the current by less than its uncertainty."""
TEMPERATURE_TOLERANCE_C = 2.0
"""Assumption, as for the supply."""
CLOCKED = ("sleep", "lpsleep")
"""Modes whose current depends on a clock that nobody has named: measured, held against nothing."""
STANDARD_BAUD = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600)
CELL = "cr2032_panasonic"
PULSES = 3
TRIED = 2
"""Causes that are taken away one by one where a current is too high."""
LONGEST_S = 60.0
MODES = {mode.name: mode for mode in POWER_MODES}


@pytest.fixture(scope="session")
def claims(pytestconfig: pytest.Config) -> FirmwareTable:
    """What hil.toml says of the firmware."""
    return load_project(pytestconfig.rootpath).firmware


@pytest.fixture(scope="session")
def wanted(pytestconfig: pytest.Config) -> RequirementsTable:
    """What hil.toml requires of the firmware."""
    return load_project(pytestconfig.rootpath).requirements


def test_it_fits_the_part(rig: Rig, image: Image, wanted: RequirementsTable, measure: Recorder) -> None:
    """What is programmed, and was read back, is no more than the part's flash, or than what is required."""
    limit = Limit.at_most(rig.config.board.definition.part.flash.size, "the part's flash")
    if wanted.flash_bytes is not None:
        limit = Limit.at_most(wanted.flash_bytes, "hil.toml, flash_bytes")
    measure(Measurement("bytes in flash", image.size_bytes, "B", 0, limit))


def test_it_does_not_crash(looks: CoreLooks) -> None:
    """Seconds after its start the core is in no fault, no error handler and no lock-up."""
    if crash := looks.crash():
        failed(crash)


def test_nothing_resets_it(supply: Supply, looks: CoreLooks) -> None:
    """No look finds that the core was reset (DHCSR), and RCC_CSR names no reset since power-on."""
    if why := looks.why_reset():
        failed(why)


def test_its_quartz_runs(looks: CoreLooks) -> None:
    """A quartz that the firmware has switched on runs, and the RTC runs on it."""
    registers = looks.registers
    if not registers.field("RCC_BDCR", 0):
        pytest.skip("it switches no quartz on (RCC_BDCR.LSEON)")
    if trouble := quartz_trouble(registers):
        failed(trouble)


def test_its_clock(claims: FirmwareTable, looks: CoreLooks) -> None:
    """The registers make the clock that hil.toml claims."""
    if claims.hclk_hz is None:
        pytest.skip('no clock is claimed; to have it checked, say it: [firmware] hclk = "80 MHz"')
    found_hz = looks.registers.hclk_hz
    if found_hz is None:
        pytest.skip("an external clock makes its HCLK, whose frequency no register tells")
    if np.isclose(found_hz, claims.hclk_hz, rtol=CLOCK_TOLERANCE):
        return
    if looks.deep_modes or looks.mode in DEEP:
        pytest.skip(
            f"it was looked at in {looks.mode or looks.deep_modes[0]}, which ends on {found_hz / 1e6:g} MHz; "
            f"the {claims.hclk_hz / 1e6:g} MHz of hil.toml are seen where it is awake at a look"
        )
    failed(
        f"hil.toml claims {claims.hclk_hz / 1e6:g} MHz, and the registers make {found_hz / 1e6:g} MHz: "
        f"RCC_CFGR is 0x{looks.registers['RCC_CFGR']:X}, RCC_CR 0x{looks.registers['RCC_CR']:X}"
    )


def test_the_bench_is_as_its_power_budget_has_it(rig: Rig, claims: FirmwareTable, progress: Progress) -> None:
    """Supply voltage and temperature are those that the owner's figures are for; else the run says so."""
    board = rig.config.board
    planned = (
        ("supply_voltage", claims.supply_voltage_v, board.supply_voltage_v, "V", SUPPLY_TOLERANCE_V),
        (
            "ambient_temperature",
            claims.ambient_temperature_c,
            board.ambient_temperature_c,
            "°C",
            max(board.ambient_uncertainty_c, TEMPERATURE_TOLERANCE_C),
        ),
    )
    if all(wanted is None for _, wanted, *_ in planned):
        pytest.skip("no conditions are claimed: [firmware] supply_voltage, ambient_temperature")
    off = [
        f"{key} {wanted:g} {unit}, and rig {rig.config.name} has {there:g} {unit}"
        for key, wanted, there, unit, tolerance in planned
        if wanted is not None and abs(wanted - there) > tolerance
    ]
    if off:
        told = f"hil.toml says {'; '.join(off)}: currents here are not those of its budget"
        progress.say(told)
        pytest.skip(told)


def test_its_console_is_readable(rig: Rig, claims: FirmwareTable, looks: CoreLooks) -> None:
    """What it sends at the rig's baud rate is text."""
    if not rig.has("console"):
        pytest.skip(f"rig {rig.config.name} has no [console]")
    if not looks.heard:
        if claims.console in ("text", "records"):
            wire = rig.config.board.definition.console
            failed(
                f"hil.toml claims {claims.console}, and the console is silent: "
                f"the board's serial port hears {wire.uart} at {wire.tx}"
            )
        pytest.skip('it says nothing on the console; if it should, say so: [firmware] console = "text"')
    if not shown_text(looks.heard):
        failed(
            f"{len(looks.heard)} bytes came, and they are no text at {rig.config.console.baud} baud: "
            f"{rate_of(looks.registers)}"
        )
    text = looks.heard.decode("ascii", "replace")
    if claims.banner is not None and re.search(claims.banner, text) is None:
        failed(f"hil.toml claims the banner {claims.banner!r}; the console says {shown_text(looks.heard)!r}")


def test_it_sleeps(
    rig: Rig,
    image: Image,
    claims: FirmwareTable,
    wanted: RequirementsTable,
    looks: CoreLooks,
    current_log: CurrentLog,
    rig_accuracy: RigAccuracy,
    measure: Recorder,
) -> None:
    """Asleep it draws no more than the datasheet allows in the mode that its registers name."""
    floor = floor_of(current_log, rig_accuracy.mean_current_a)
    floor_a = floor.value
    mode = looks.mode or mode_by_current(floor_a, current_log.supply_voltage_v, rig)
    if mode is None:
        measure(Measurement.of("current, never asleep", floor, "A", headline=True))
        if claims.sleep != "none":
            failed(
                f"the core was asleep at none of {len(looks.asleep)} looks: it {looks.whereabouts}. "
                'If it is not meant to sleep, say so in hil.toml: [firmware] sleep = "none"'
            )
        return
    if looks.deep_modes:
        several = " and ".join(looks.deep_modes)
        measure(Measurement.of(f"current asleep, in {several} by turns", floor, "A", headline=True))
        if claims.sleep not in (None, *looks.deep_modes):
            failed(f"hil.toml claims {claims.sleep}, and the registers say {several} by turns")
        return
    name = f"current asleep in {mode}"
    if claims.sleep not in (None, mode):
        measure(Measurement.of(name, floor, "A", headline=True))
        failed(
            f"hil.toml claims {claims.sleep}, and "
            + (
                f"the registers say {mode}: PWR_CR1 is 0x{looks.registers['PWR_CR1']:X}, LPMS "
                f"{looks.registers.field('PWR_CR1', 0, 3)}, "
                f"SCR.SLEEPDEEP {'set' if any(looks.deep) else 'clear'}"
                if looks.mode
                else f"its current is that of {mode}"
            )
        )
    if mode in CLOCKED:
        measure(Measurement.of(name, floor, "A", headline=True))
        return
    ambient_c = rig.config.board.ambient_temperature_c
    allowed = MODES[mode].figure(rig.config.board.definition.part, current_log.supply_voltage_v, ambient_c)
    assert allowed.max is not None
    source = f"{allowed.source}, maximum at {current_log.supply_voltage_v:.3f} V, {ambient_c:g} °C"
    at_ambient = figures(rig.config.board.definition.part, current_log.supply_voltage_v, ambient_c)
    likely = mode_likelihood(floor_a, floor.standard_uncertainty, at_ambient).possible
    measure(
        Measurement.of(
            name,
            floor,
            "A",
            Limit.at_most(allowed.max, source),
            (
                f"typical with the RTC on the quartz: {allowed.typ * 1e6:.4g} µA",
                f"of all modes, this current speaks for {' or '.join(likely)}",
            ),
            headline=True,
        ),
        *(
            [Measurement.of("current asleep", floor, "A", at_most(wanted.sleep_current_a, "sleep_current"))]
            if wanted.sleep_current_a is not None
            else []
        ),
        reasons=lambda: tuple(
            explain(rig, image, looks, floor, rig_accuracy.mean_current_a, mode, experiments=TRIED).lines()
        ),
    )


def test_its_duty_cycle(
    rig: Rig,
    claims: FirmwareTable,
    wanted: RequirementsTable,
    looks: CoreLooks,
    current_log: CurrentLog,
    rig_accuracy: RigAccuracy,
    measure: Recorder,
) -> None:
    """Wake period, time awake, peak, average, charge per wake and battery life, from the current alone."""
    waveform, phases = current_log.waveform, current_log.phases
    wakes = duty_cycle.wake_times_s(phases)
    if len(wakes) < 2:
        average_a = mean_of(waveform.current_a, rig_accuracy)
        peak_a = float(waveform.current_a.max())
        measure(*life_of(average_a, peak_a, looks.registers, rig, wanted))
        if claims.wake_period_s is not None:
            failed(
                f"its current shows {len(wakes)} wake(s) in {waveform.duration_s:.0f} s; "
                f"hil.toml claims one in {claims.wake_period_s:g} s"
            )
        pytest.skip(f"its current shows {len(wakes)} wake(s) in {waveform.duration_s:.0f} s, and no period")
    cycle = duty_cycle.measure(waveform, phases)
    awake = duty_cycle.awake_stretches(phases)
    edges = Budget.of(
        *(rectangle(f"{which} edge", waveform.period_s, "s", "one sample") for which in ("first", "last"))
    )
    awake_s = float(np.mean([stretch[-1].end_s - stretch[0].start_s for stretch in awake]))
    charge_c = float(np.mean([sum(phase.charge_c for phase in stretch) for stretch in awake]))
    peak_a = float(waveform.current_a.max())
    peak = rig_accuracy.mean_current_a(np.array([peak_a]))
    limit = None
    if claims.wake_period_s is not None:
        low, high = (claims.wake_period_s * (1 + side * claims.wake_period_tolerance) for side in (-1, 1))
        limit = Limit(low, high, "hil.toml, wake_period")
    average_a = cycle.average_a(rig_accuracy.mean_current_a)
    # The beginning and the end of a wake are known to a sample each, at most of the peak current.
    mean_awake = rig_accuracy.mean_current_a(np.array([charge_c / awake_s]))
    charge = Budget.of(mean_awake.scaled(awake_s), edges.scaled(peak_a))
    measure(
        Measurement.of(
            "wake period", Estimate.of(cycle.period_s, edges.scaled(1 / (len(wakes) - 1))), "s", limit,
            (f"mean of {len(wakes) - 1}, from the current",), headline=True,
        ),
        Measurement.of(
            "time awake", Estimate.of(awake_s, edges), "s", at_most(wanted.time_awake_s, "time_awake")
        ),
        Measurement.of("peak current", Estimate.of(peak_a, peak), "A"),
        Measurement.of("charge per wake", Estimate.of(charge_c, charge), "C"),
        *life_of(average_a, peak_a, looks.registers, rig, wanted),
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
        width = Estimate.of(width_s, rig_accuracy.interval_s(width_s, LONGEST_S))
        measure(Measurement.of(f"longest pulse of {role}", width, "s"))


def failed(sentence: str) -> NoReturn:
    """The device fails, for a reason that a sentence says."""
    pytest.fail(sentence, pytrace=False)


def at_most(upper: float | None, key: str) -> Limit | None:
    """What ``[requirements]`` of hil.toml allows; None where it says nothing."""
    return None if upper is None else Limit.at_most(upper, f"hil.toml, {key}")


def rate_of(registers: PartRegisters) -> str:
    """The rate that the firmware has set, for a sentence."""
    if registers.baud is None:
        return "the firmware's rate, or the clock that it is made from, is another"
    nearest = min(STANDARD_BAUD, key=lambda rate: abs(np.log(rate / registers.baud)))
    return (
        f"{registers.uart}_BRR 0x{registers['UART_BRR']:X} makes {registers.baud:.0f} baud of its clock, "
        f"so that at {nearest} it would be text ([firmware] baud = {nearest})"
    )


def mode_by_current(current_a: float, voltage_v: float, rig: Rig) -> str | None:
    """Standby or Shutdown, in which the debug port shows no sleeping core; None where more is drawn.

    The typical figure that is nearer, since the limits of the two overlap.
    """
    board = rig.config.board
    warmest_c = board.ambient_temperature_c + board.ambient_uncertainty_c
    figures = {
        name: MODES[name].figure(board.definition.part, voltage_v, warmest_c)
        for name in ("shutdown", "standby")
    }
    if current_a > max(figure.max or figure.typ for figure in figures.values()):
        return None
    return min(figures, key=lambda name: abs(np.log(max(current_a, 1e-12) / figures[name].typ)))


def mean_of(samples_a: NDArray[np.float64], accuracy: RigAccuracy) -> Estimate:
    """Mean of samples that hold no whole periods."""
    noise = scatter_of_mean("noise", samples_a, "A")
    return Estimate.of(float(samples_a.mean()), Budget.of(accuracy.mean_current_a(samples_a), noise))


def life_of(
    average_a: Estimate, peak_a: float, registers: PartRegisters, rig: Rig, wanted: RequirementsTable
) -> list[Measurement]:
    """The average current, and what a coin cell makes of it."""
    board = rig.config.board
    use = battery_draws.of_part(
        board.definition.part,
        average_a,
        peak_a,
        board.supply_voltage_v,
        board.ambient_temperature_c,
        registers.field("FLASH_OPTR", 8, 3),
    )
    life = battery_draws.draw(batteries.get(CELL), use)
    return [
        Measurement.of(
            "average current",
            average_a,
            "A",
            at_most(wanted.average_current_a, "average_current"),
            headline=True,
        ),
        Measurement.of(
            f"battery life on a {life.battery.title}, reached by 95 %",
            life.claim,
            "years",
            None
            if wanted.battery_life_years is None
            else Limit.at_least(wanted.battery_life_years, "hil.toml, battery_life_years"),
            notes=(life.sentence, *battery_draws.ASSUMPTIONS),
            headline=True,
        ),
    ]

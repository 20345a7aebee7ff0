# SPDX-License-Identifier: Apache-2.0
"""Every low-power mode, entered by command and held until the supply is cycled, against the datasheet."""

import pytest

from hil.firmware.image import Image
from hil.instruments.protocols import Clock, Console, PowerAnalyzer
from hil.measurement.budget import Budget, scatter_of_mean
from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.measurement.mode_likelihood import mode_likelihood
from hil.measurement.uncertainty import Estimate
from hil.pytest_plugin.accuracy import RigAccuracy
from hil.pytest_plugin.acquisitions import BOOT_TIMEOUT_S
from hil.pytest_plugin.power_modes import POWER_MODES, PowerMode, figures
from hil.pytest_plugin.recording import Recorder
from hil.rig import Rig, State

SETTLING_S = 1.0
"""Assumption: after the entry into a mode, charge on the board's capacitors is gone within a second."""
LOGGED_S = 1.0


@pytest.mark.parametrize("mode", POWER_MODES, ids=lambda mode: mode.name)
def test_current_in_mode(
    mode: PowerMode,
    until_power_off: None,
    rig: Rig,
    image: Image,
    console: Console,
    clock: Clock,
    power_analyzer: PowerAnalyzer,
    rig_accuracy: RigAccuracy,
    measure: Recorder,
) -> None:
    """The part draws no more than the datasheet allows in the mode, and nothing speaks for another mode.

    A sound part in one mode may draw what another part draws in the next: the current then speaks for both.
    """
    part = rig.config.board.definition.part
    rig.to(State.MEASURING, image, restart=True)
    clock.sleep(BOOT_TIMEOUT_S)
    with rig.commander() as commander:
        commander.ask("MODE", name=mode.name)
    clock.sleep(SETTLING_S)
    voltage_v = power_analyzer.measure_voltage_v()
    period_s = power_analyzer.capabilities.log_period_s
    samples_a = power_analyzer.log(LOGGED_S, period_s).current_a
    range_a = rig_accuracy.range_to_fix_a(samples_a)
    if range_a is None:
        accuracy = rig_accuracy.mean_current_a(samples_a)
    else:  # the current is steady, so that a range of its own can hold it
        samples_a = power_analyzer.log(LOGGED_S, period_s, range_a=range_a).current_a
        accuracy = rig_accuracy.mean_current_in_range_a(samples_a, range_a)
    current_a = float(samples_a.mean())

    ambient_c = rig.config.board.ambient_temperature_c
    allowed = mode.figure(part, voltage_v, ambient_c)
    current = Estimate.of(current_a, Budget.of(accuracy, scatter_of_mean("noise", samples_a, "A")))
    at_ambient = figures(part, voltage_v, ambient_c)
    likelihood = mode_likelihood(current_a, current.standard_uncertainty, at_ambient)
    others = [name for name in likelihood.possible if name != mode.name]
    assert allowed.max is not None
    measure(
        Measurement.of(
            f"current in {mode.name}",
            current,
            "A",
            Limit.at_most(allowed.max, f"{allowed.source}, maximum at {voltage_v:.3f} V, {ambient_c:g} °C"),
            (
                f"typical: {at_ambient[mode.name].typ * 1e6:.4g} µA",
                *(f"another part may draw as much in {other}" for other in others),
            ),
        )
    )
    assert mode.name in likelihood.possible, (
        f"{current_a:.4g} A speaks for {likelihood.likeliest}, and strongly against {mode.name}"
    )

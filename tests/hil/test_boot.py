# SPDX-License-Identifier: Apache-2.0
"""What the board says and gets when it starts."""

import pytest

from hil.firmware.image import Image
from hil.instruments.protocols import Console, PowerAnalyzer
from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.measurement.uncertainty import Estimate
from hil.pytest_plugin.accuracy import RigAccuracy
from hil.pytest_plugin.acquisitions import BOOT_TIMEOUT_S
from hil.pytest_plugin.recording import Recorder
from hil.pytest_plugin.reference_model import ReferenceModel
from hil.pytest_plugin.requirements import Requirements
from hil.rig import Rig, State

SUPPLY_TOLERANCE = 0.01
"""Assumption: the tolerance of the regulator that will supply the product."""
MOST_GUARDED = 0.5
"""A voltmeter whose guard band takes a larger share of the tolerance proves nothing of a sound supply
(assumption; ANSI/NCSL Z540.3 asks for a quarter)."""


def test_boot_record_names_the_released_model(
    rig: Rig, console: Console, image: Image, model: ReferenceModel, requirements: Requirements
) -> None:
    """The part starts and says that it holds the model that it has to compute, and the period that is
    required."""
    rig.to(State.RUNNING, image, restart=True)
    boot = console.wait_for("BOOT", BOOT_TIMEOUT_S)
    assert f"{boot.integer('model', 16):08x}" == f"{model.crc32:08x}"
    limit = requirements.wake_period_s
    assert limit.lower is not None
    assert limit.upper is not None
    assert limit.lower <= boot.integer("period_ms") / 1000 <= limit.upper


def test_supply_voltage_at_the_board(
    rig: Rig, image: Image, power_analyzer: PowerAnalyzer, rig_accuracy: RigAccuracy, measure: Recorder
) -> None:
    """The voltage that every other result refers to is the one that the rig was told to supply."""
    rig.to(State.RUNNING, image)
    wanted_v = rig.config.board.supply_voltage_v
    voltage_v = power_analyzer.measure_voltage_v()
    voltage = Estimate.of(voltage_v, rig_accuracy.voltage_v(voltage_v))
    uncertainty_v = voltage.expanded_uncertainty
    if uncertainty_v >= MOST_GUARDED * SUPPLY_TOLERANCE * wanted_v:
        measure(Measurement.of("supply voltage", voltage, "V"))
        pytest.skip(
            f"rig {rig.config.name} measures the supply to {100 * uncertainty_v / wanted_v:.2g} %, "
            f"which cannot prove {100 * SUPPLY_TOLERANCE:g} %"
        )
    measure(
        Measurement.of(
            "supply voltage",
            voltage,
            "V",
            Limit(
                wanted_v * (1 - SUPPLY_TOLERANCE),
                wanted_v * (1 + SUPPLY_TOLERANCE),
                f"rig configuration, supply_voltage ± {100 * SUPPLY_TOLERANCE:g} %",
            ),
        )
    )

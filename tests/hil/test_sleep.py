# SPDX-License-Identifier: Apache-2.0
"""The current in Stop 2, where the device spends 95 % of its life."""

import numpy as np

from hil.instruments.protocols import PowerAnalyzer
from hil.measurement.budget import Budget, scatter_of_mean
from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.measurement.phases import PhaseName
from hil.measurement.uncertainty import Estimate
from hil.pytest_plugin.accuracy import RigAccuracy
from hil.pytest_plugin.acquisitions import Acquisitions
from hil.pytest_plugin.recording import Recorder
from hil.rig import Rig

TABLE = "stop2_rtc_lse_quartz"
"""The firmware's mode: Stop 2, RTC clocked by the quartz at low drive."""
SUPERVISION = "lsi"
"""The LSI runs as well, in no row of the tables: the quartz's clock security system needs it
(firmware/config.h, LSE_SUPERVISED). Its own line is added."""
SETTLING_S = 1.0
"""Assumption: after the entry into Stop 2, charge on the board's capacitors is gone within a second."""


def test_stop2_current(
    rig: Rig,
    power_analyzer: PowerAnalyzer,
    acquisitions: Acquisitions,
    rig_accuracy: RigAccuracy,
    measure: Recorder,
) -> None:
    """The sleeping part draws no more than the datasheet allows at this voltage and temperature.

    The part is alone: in the state *measuring* the debugger is gone, DBGMCU_CR is proven 0 and the debug and
    console lines are open.
    """
    if not rig.has("debug_connection"):
        measure.assume("The debug and console lines were opened by hand: the rig has no relay in them.")
    log = acquisitions.quiet_duty_cycle()
    settled = [
        log.waveform.slice(phase.start_s + SETTLING_S, phase.end_s - log.waveform.period_s).current_a
        for phase in log.phases
        if phase.name is PhaseName.SLEEP and phase.duration_s > 2 * SETTLING_S
    ]
    assert settled, "the log holds no sleep that is long enough to settle"
    samples_a = np.concatenate(settled)
    current_a = float(samples_a.mean())
    noise = scatter_of_mean("noise", samples_a, "A")
    budget = Budget.of(log.mean_accuracy(rig_accuracy.mean_current_a)(samples_a), noise)

    ambient_c = rig.config.board.ambient_temperature_c
    part = rig.config.board.definition.part
    allowed = part.supply_current(TABLE, log.supply_voltage_v, ambient_c)
    typical = part.supply_current(TABLE, log.supply_voltage_v, ambient_c)
    supervision = part.fact(SUPERVISION)
    assert allowed.max is not None
    supervision_a, most_supervision_a = supervision.typ_scalar(), supervision.max_scalar()
    conditions = f"{log.supply_voltage_v:.3f} V"
    measure(
        Measurement.of(
            "Stop 2 current",
            Estimate.of(current_a, budget),
            "A",
            Limit.at_most(
                allowed.max + most_supervision_a,
                f"{allowed.source}, maximum at {conditions} and {ambient_c:g} °C or below 25 °C, "
                f"and the LSI's {most_supervision_a * 1e9:g} nA, {supervision.source}",
            ),
            (
                "mean over all settled sleep in the log",
                f"at {ambient_c:g} ± {rig.config.board.ambient_uncertainty_c:g} °C, in the uncertainty",
            ),
            headline=True,
        ),
        Measurement.of(
            "Stop 2 current above typical",
            Estimate.of(current_a - typical.typ - supervision_a, budget),
            "A",
            None,
            (
                f"typical: {typical.typ * 1e6:.4g} µA at {conditions} and {ambient_c:g} °C, {typical.source}",
                f"and the LSI's {supervision_a * 1e9:g} nA, {supervision.source}",
            ),
        ),
    )

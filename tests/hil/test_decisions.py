# SPDX-License-Identifier: Apache-2.0
"""The whole way from a moving machine to a report: DAQ, wire, ADC, features, network, threshold, console."""

import pytest

from hil.firmware.image import Image
from hil.fixtures.acquisitions import Acquisitions
from hil.fixtures.recording import Recorder
from hil.fixtures.vibration import Vibration
from hil.golden.data.faults import FAULTS
from hil.instruments.protocols import Console, Daq
from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.rig import Rig, State

WAKES = 2


@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_decision(
    fault: str | None,
    rig: Rig,
    image: Image,
    daq: Daq,
    console: Console,
    vibration: Vibration,
    acquisitions: Acquisitions,
    measure: Recorder,
) -> None:
    """A machine that runs normally is never reported; one with a fault is reported by every wake that hears
    it."""
    rig.to(State.RUNNING, image)
    vibration.play(fault)
    acquisitions.wait_for_wakes(1)  # a wake that heard both machines may decide as it likes
    console.poll()
    before = len(console.records)
    acquisitions.wait_for_wakes(WAKES)
    console.poll()
    reports = [record for record in console.records[before:] if record.kind == "ANOM"]
    scores = [report.integer("score") for report in reports]
    machine = "normal machine" if fault is None else f"machine with {fault.replace('_', ' ')}"
    lowest = [Measurement(f"lowest score of a {machine}", min(scores), "", 0)] if scores else []
    measure(
        *lowest,
        Measurement(
            f"reports of a {machine}",
            len(reports),
            "",
            0,
            Limit.exactly(0 if fault is None else WAKES, f"{WAKES} wakes heard it from beginning to end"),
        ),
    )

# SPDX-License-Identifier: Apache-2.0
"""The anomaly count in the backup registers: it outlives a reset and not the loss of power."""

from hil.firmware.image import Image
from hil.instruments.protocols import Console, Daq, PowerAnalyzer
from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.pytest_plugin.acquisitions import BOOT_TIMEOUT_S, Acquisitions
from hil.pytest_plugin.recording import Recorder
from hil.pytest_plugin.vibration import Vibration
from hil.rig import Rig, State


def test_anomaly_count_survives_a_reset(
    rig: Rig,
    image: Image,
    daq: Daq,
    console: Console,
    power_analyzer: PowerAnalyzer,
    vibration: Vibration,
    acquisitions: Acquisitions,
    measure: Recorder,
) -> None:
    """BOOT repeats the count of the last report, the next report goes on from it, and a new supply starts at
    0."""
    rig.to(State.OFF)
    rig.to(State.RUNNING, image)
    vibration.play("looseness")
    first = console.wait_for("BOOT", BOOT_TIMEOUT_S).integer("anomalies")
    acquisitions.wait_for_wakes(2)
    console.poll()
    reports = [record for record in console.records if record.kind == "ANOM"]
    counted = reports[-1].integer("anomalies") if reports else 0

    rig.to(State.RUNNING, image, restart=True)
    kept = console.wait_for("BOOT", BOOT_TIMEOUT_S).integer("anomalies")
    following = console.wait_for("ANOM", 2 * BOOT_TIMEOUT_S).integer("anomalies")
    measure(
        Measurement("anomalies counted at power-on", first, "", 0, Limit.exactly(0, "no power, no count")),
        Measurement(
            "anomalies counted before the reset", counted, "", 0, Limit.at_least(1, "the machine was faulty")
        ),
        Measurement(
            "anomalies kept over the reset", kept, "", 0, Limit.exactly(counted, "the last report before it")
        ),
        Measurement(
            "anomalies after one more", following, "", 0, Limit.exactly(counted + 1, "the count goes on")
        ),
    )

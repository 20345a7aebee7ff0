# SPDX-License-Identifier: Apache-2.0
"""The whole way from a moving machine to a report: DAQ, wire, ADC, features, network, threshold, console."""

import numpy as np
import pytest

from hil.firmware.image import Image
from hil.golden.data.accelerometer_path import accelerometer_windows
from hil.golden.data.faults import FAULTS
from hil.golden.data.vibration import vibration_signal
from hil.golden.data.windows import periodic_windows
from hil.golden.features import features
from hil.golden.interpreter import GoldenInterpreter
from hil.instruments.protocols import Console, Daq
from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.pytest_plugin.acquisitions import Acquisitions
from hil.pytest_plugin.recording import Recorder
from hil.pytest_plugin.reference_model import ReferenceModel
from hil.pytest_plugin.vibration import MACHINE_SEED, Vibration
from hil.rig import Rig, State

WAKES = 2
GOLDEN_WINDOWS = 512
MARGIN = 0.1


def golden_reports(scores: Limit, threshold: int) -> Limit:
    """How many of the wakes have to report, by the golden model's scores of the signal's windows."""
    assert scores.lower is not None
    assert scores.upper is not None
    if scores.lower > threshold:
        return Limit.exactly(WAKES, f"all golden scores are above the threshold of {threshold}")
    if scores.upper <= threshold:
        return Limit.exactly(0, f"no golden score is above the threshold of {threshold}")
    return Limit(0, WAKES, f"golden scores lie on both sides of the threshold of {threshold}")


def golden_scores(golden: GoldenInterpreter, fault: str | None, *, by_accelerometer: bool) -> Limit:
    """What the golden model makes of the very signal that is played, whenever and however it is sampled.

    Its windows begin 8 ms apart and have the analog path's spread. The margin, a part of their range, is for
    the few windows of a bench that would be more extreme than all of these.
    """
    signal = vibration_signal(MACHINE_SEED, fault, 1.0)
    windows = accelerometer_windows if by_accelerometer else periodic_windows
    codes = windows(signal, GOLDEN_WINDOWS, np.random.default_rng(MACHINE_SEED))
    scores = golden.score(features(codes))
    spare = MARGIN * float(np.ptp(scores))
    source = f"golden model {golden.name}, {GOLDEN_WINDOWS} windows of the signal"
    return Limit(lower=scores.min() - spare, upper=scores.max() + spare, source=source)


@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_decision(
    fault: str | None,
    rig: Rig,
    image: Image,
    front_end: None,
    daq: Daq,
    console: Console,
    model: ReferenceModel,
    golden: GoldenInterpreter,
    vibration: Vibration,
    acquisitions: Acquisitions,
    measure: Recorder,
) -> None:
    """A machine that runs normally is never reported; one with a fault is reported by every wake that hears
    it, with a score that the golden model gives the same signal. A network other than the released one has to
    decide as its golden model does."""
    rig.to(State.RUNNING, image)
    with rig.commander() as commander:
        threshold = commander.ask("STATUS").integer("threshold")
    vibration.play(fault)
    acquisitions.wait_for_wakes(1)  # a wake that heard both machines may decide as it likes
    console.poll()
    before = len(console.records)
    acquisitions.wait_for_wakes(WAKES)
    console.poll()
    reports = [record for record in console.records[before:] if record.kind == "ANOM"]
    scores = [report.integer("score") for report in reports]
    machine = "normal machine" if fault is None else f"machine with {fault.replace('_', ' ')}"
    extremes: list[Measurement] = []
    by_accelerometer = image.samples_accelerometer
    trained = model.released and not by_accelerometer  # at 2 kHz, which an accelerometer has not
    limit = (
        None if trained and fault is None else golden_scores(golden, fault, by_accelerometer=by_accelerometer)
    )
    if scores:
        extremes.append(Measurement(f"lowest score of a {machine}", min(scores), "", 0, limit))
        extremes.append(Measurement(f"highest score of a {machine}", max(scores), "", 0, limit))
    if trained:
        required = Limit.exactly(
            0 if fault is None else WAKES, f"{WAKES} wakes heard it from beginning to end"
        )
    else:
        assert limit is not None
        measure.assume(
            f"The network with CRC-32 {model.crc32:08x} is not the released one, or was trained at another "
            "sample rate. It is not required to report certain machines, only to decide as its golden "
            "model does."
        )
        required = golden_reports(limit, threshold)
    measure(
        *extremes,
        Measurement(
            f"reports of a {machine}",
            len(reports),
            "",
            0,
            required,
        ),
    )

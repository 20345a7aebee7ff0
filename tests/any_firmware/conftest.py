# SPDX-License-Identifier: Apache-2.0
"""What the tests of this folder look at, taken once per run."""

import pytest

from hil.firmware.image import Image
from hil.instruments.protocols import Ammeter, Board, Clock, Supply
from hil.measurement.current_log import CurrentLog
from hil.pytest_plugin.progress import Progress
from hil.pytest_plugin.recording import WaveformStore
from hil.rig import Rig, State
from hil.rig.core_looks import CoreLooks, look

STARTS_S = 10.0
"""From power-on to the log: a quartz takes 2 s (DS10198 Rev 8, table 58), the rest is an assumption."""
LOGS_S = (10.0, 60.0)
"""Lengths of the logs: the second is taken where the first holds fewer than the wakes wanted."""
WAKES = 3
AWAKE_A = 100e-6
"""A mean above which a core that no look has found in deep sleep is not in Standby (assumption)."""
SHALLOW = (None, "sleep", "lpsleep")
PERIOD_S = 1e-3
"""Sample period, unless the ammeter is slower (assumption: wakes of a few milliseconds count)."""


@pytest.fixture(scope="session")
def looks(rig: Rig, board: Board, image: Image, progress: Progress) -> CoreLooks:
    """What the debug port shows of the firmware in its first seconds."""
    with progress.step("looking at the firmware through the debug port"):
        seen = look(rig, image)
    progress.say(f"seen: {seen}")
    return seen


@pytest.fixture(scope="session")
def current_log(
    rig: Rig,
    image: Image,
    supply: Supply,
    ammeter: Ammeter,
    clock: Clock,
    looks: CoreLooks,
    progress: Progress,
    waveforms: WaveformStore,
) -> CurrentLog:
    """The current of the firmware as it runs by itself."""
    rig.to(State.MEASURING, image, restart=True)
    clock.sleep(STARTS_S)
    period_s = max(PERIOD_S, ammeter.capabilities.log_period_s)
    voltage_v = supply.measure_voltage_v()
    log = None
    for duration_s in LOGS_S:
        with progress.step(f"logging the current for {duration_s:g} s") as advance:
            log = CurrentLog.of(ammeter.log(duration_s, period_s, advance), voltage_v)
        if log.wakes >= WAKES or (looks.mode in SHALLOW and log.waveform.mean_a > AWAKE_A):
            break  # one that never stops shows no more in a minute
    assert log is not None
    waveforms.save("current", log.waveform, log.sleeps, voltage_v)
    return log

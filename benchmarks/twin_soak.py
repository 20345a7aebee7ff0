# SPDX-License-Identifier: Apache-2.0
"""A day of the reference firmware: it wakes every 10 s, samples its sensor for 512 ms, infers and sleeps.

Everything goes the way of `pytest --rig sim`: the virtual bench is a process of its own, the rig programs the
firmware, plays normal vibration into the sensor's pin, and waits. The time counted is that of the wait alone.
"""

from __future__ import annotations

import time

from benchmarks.benchmark import Benchmark, Results, Say, Target
from benchmarks.twin_process import RIG_FILE, TwinProcess
from hil.config import load_rig, resolve
from hil.firmware.build import build
from hil.firmware.image import Image
from hil.golden.data.vibration import vibration_signal
from hil.rig import State, open_rig

_HOUR_S = 3600.0
_HOURS = 24
_WAKES_PER_HOUR = 360
_MACHINE_SEED = 71_000
"""A machine that the model was not trained on; it runs normally, so reports are rare."""
_ANOMALY_COUNT, _WAKE_COUNT = 0x4000_2854, 0x4000_2858
"""RTC_BKP1R and RTC_BKP2R, where the firmware keeps its counts."""


def run(say: Say) -> Results:
    """Wait a day, and make sure that the firmware lived it."""
    image = Image.load(build())
    signal = vibration_signal(_MACHINE_SEED)
    with TwinProcess() as twin:
        config = resolve(load_rig(str(RIG_FILE)), twin.addresses).model_copy(update={"service": None})
        with open_rig(config) as rig:
            rig.to(State.MEASURING, image)
            if config.wiring.sensor is None:
                raise RuntimeError(f"{RIG_FILE} has no [wiring] sensor")
            rig.daq.play(config.wiring.sensor.terminal, signal.volts, signal.rate_hz, repeat=True)
            elapsed_s = 0.0
            resident_mb = []
            for hour in range(1, _HOURS + 1):
                began_s = time.perf_counter()
                rig.clock.sleep(_HOUR_S)
                hour_s = time.perf_counter() - began_s
                elapsed_s += hour_s
                resident_mb.append(twin.resident_mb)
                say(f"hour {hour}: {hour_s:.2f} s, {resident_mb[-1]:.0f} MB")
            rig.to(State.RUNNING)  # a reset, which the counts outlive
            wakes = int.from_bytes(rig.board.read_memory(_WAKE_COUNT, 4), "little")
            anomalies = int.from_bytes(rig.board.read_memory(_ANOMALY_COUNT, 4), "little")
    say(f"{wakes} wakes, {anomalies} anomalies reported")
    if wakes < _HOURS * _WAKES_PER_HOUR:
        raise RuntimeError(f"the firmware woke {wakes} times in {_HOURS} h")
    return {
        "realtime": round(_HOURS * _HOUR_S / elapsed_s, 1),
        "rss_mb": round(max(resident_mb), 1),
        "growth_mb": round(resident_mb[-1] - resident_mb[0], 1),
    }


BENCHMARK = Benchmark(
    summary="24 h of the reference firmware's duty cycle, and the memory that takes",
    run=run,
    targets={"realtime": Target("at least", 1000.0), "growth_mb": Target("at most", 10.0)},
)

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
from hil.instruments.commander import Answer
from hil.rig import Rig, State, open_rig

_HOUR_S = 3600.0
_HOURS = 24
_WAKES_PER_HOUR = 360
_MACHINE_SEED = 71_000
"""A machine that the model was not trained on; it runs normally, so reports are rare."""


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
            before = _status(rig)
            elapsed_s = 0.0
            resident_mb = []
            for hour in range(1, _HOURS + 1):
                began_s = time.perf_counter()
                rig.clock.sleep(_HOUR_S)
                hour_s = time.perf_counter() - began_s
                elapsed_s += hour_s
                resident_mb.append(twin.resident_mb)
                say(f"hour {hour}: {hour_s:.2f} s, {resident_mb[-1]:.0f} MB")
            after = _status(rig)
    say(f"{check_day(before, after)} wakes, the last window's score {after.integer('score')}")
    return {
        "realtime": round(_HOURS * _HOUR_S / elapsed_s, 1),
        "rss_mb": round(max(resident_mb), 1),
        "growth_mb": round(resident_mb[-1] - resident_mb[0], 1),
    }


def _status(rig: Rig) -> Answer:
    """What the firmware counts, asked over the console while the part goes on measuring."""
    with rig.commander() as commander:
        return commander.ask("STATUS")


def check_day(before: Answer, after: Answer) -> int:
    """The wakes between two answers to STATUS; raises RuntimeError unless the firmware lived all day."""
    for event in ("resets", "faults"):
        first, last = before.integer(event), after.integer(event)
        if first != last:
            raise RuntimeError(f"the firmware counted {first} {event} before the day and {last} after it")
    wakes = after.integer("wakes") - before.integer("wakes")
    if wakes < _HOURS * _WAKES_PER_HOUR:
        raise RuntimeError(f"the firmware woke {wakes} times in {_HOURS} h")
    return wakes


BENCHMARK = Benchmark(
    summary="24 h of the reference firmware's duty cycle, and the memory that takes",
    run=run,
    targets={"realtime": Target("at least", 1000.0), "growth_mb": Target("at most", 10.0)},
)

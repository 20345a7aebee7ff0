# SPDX-License-Identifier: Apache-2.0
"""How fast time passes while a program waits the way other people's firmware does: in a loop.

Each loop of `programs/wait.c` waits a while of bench time at 80 MHz, by a counter, a flag, a pin or an
interrupt. The slowest counts.
"""

from __future__ import annotations

import time

from benchmarks.benchmark import Benchmark, Results, Say, Target
from benchmarks.program_build import WAITS, build_wait
from hil.boards import REFERENCE, Board
from hil.firmware.image import Image
from hil.twin.mcu import Mcu
from hil.twin.pins import make_pins

_PS_PER_S = 10**12
_STEP_S = 0.01
_LIMIT_S = 5.0
_SUPPLY_V = 3.0
_PIN_AT_S = 1.0
"""When the pin goes high that loops wait for."""


def measure(name: str, say: Say) -> float:
    """Return seconds of bench time per second of CPU time, until the program says that it has waited."""
    image: Image = build_wait(name)
    pins = make_pins()
    mcu = Mcu(Board.load(REFERENCE), pins, seed=1)
    for segment in image.segments:
        mcu.core.memory.preload(segment.address, segment.data)
    scheduler = mcu.scheduler
    pins["PC13"].set_external_level(False, 0)
    mcu.set_supply_voltage(_SUPPLY_V)
    high_ps = round(_PIN_AT_S * _PS_PER_S)
    scheduler.at(high_ps, lambda: pins["PC13"].set_external_level(True, high_ps))
    result = image.symbol("program_result")
    began_s = time.process_time()
    while mcu.core.memory.read(result, 4) != 1 and scheduler.now_ps < _LIMIT_S * _PS_PER_S:
        scheduler.advance_to(scheduler.now_ps + round(_STEP_S * _PS_PER_S))
        if time.process_time() - began_s > _LIMIT_S:
            break
    elapsed_s = time.process_time() - began_s
    realtime = scheduler.now_ps / _PS_PER_S / elapsed_s
    say(f"{name}: {scheduler.now_ps / _PS_PER_S:.3f} s of bench time, {realtime:.3f} x real time")
    return realtime


def run(say: Say) -> Results:
    """Measure all loops; the worst of them counts."""
    figures = {name: round(measure(name, say), 3) for name in WAITS}
    return {"realtime": min(figures.values()), **figures}


BENCHMARK = Benchmark(
    summary="waiting loops: against an 80 MHz part",
    run=run,
    targets={"realtime": Target("at least", 1.0)},
)

# SPDX-License-Identifier: Apache-2.0
"""How fast the twin executes instructions, with time and supply current, against Unicorn alone.

Each program runs on both, in turns, in the same process; the best run of each counts, the one that the
machine's other work disturbed least.
"""

from __future__ import annotations

import time

import numpy as np

from benchmarks.benchmark import Benchmark, Results, Say, Target
from benchmarks.program_build import PROGRAMS, build
from benchmarks.raw_unicorn import RawUnicorn
from benchmarks.twin_process import RIG_FILE
from hil.firmware.image import FLASH_START, Image
from hil.twin.bench import Bench
from hil.twin.bench_config import load
from hil.twin.serve import POWER_ON

_TURNS = 5
_CORE_HZ = 80e6
_LIMIT_S = 60.0
"""Bench time after which a program that has not ended never will."""


class TwinPart:
    """A whole virtual bench, powered, with the image in the part's flash."""

    def __init__(self, image: Image) -> None:
        self._bench = Bench(load(RIG_FILE))
        self._result = image.symbol("program_result")
        memory = self._bench.mcu.core.memory
        for segment in image.segments:
            offset = segment.address - FLASH_START
            memory["flash"][offset : offset + len(segment.data)] = np.frombuffer(segment.data, dtype=np.uint8)
            memory.invalidate(segment.address, len(segment.data))
        self._bench.analyzer.execute(POWER_ON)

    def run(self) -> tuple[float, int, int]:
        """Run the image from a reset until it sleeps; return wall time in s, its result, and core cycles."""
        mcu = self._bench.mcu
        mcu.set_nrst(True)
        self._bench.advance(1e-3)
        mcu.set_nrst(False)
        cycles = mcu.core.cycle_count
        began_s = time.perf_counter()
        ended = self._bench.advance_until(lambda: mcu.core.state == "sleeping", _LIMIT_S)
        elapsed_s = time.perf_counter() - began_s
        if not ended:
            raise RuntimeError(f"the program did not end within {_LIMIT_S:g} s of bench time")
        return elapsed_s, mcu.core.debug_read(self._result, 4), mcu.core.cycle_count - cycles


def measure(name: str, say: Say) -> tuple[float, float]:
    """Return raw Unicorn's time over the twin's, and seconds of an 80 MHz part per second of the twin's."""
    image = build(name)
    raw, twin = RawUnicorn(image), TwinPart(image)
    raw_s = twin_s = float("inf")
    cycles = 0
    for _ in range(_TURNS):
        elapsed_s, raw_result = raw.run()
        raw_s = min(raw_s, elapsed_s)
        elapsed_s, twin_result, cycles = twin.run()
        twin_s = min(twin_s, elapsed_s)
        if raw_result != twin_result:
            raise RuntimeError(f"{name}: the twin computes {twin_result:#x}, Unicorn {raw_result:#x}")
    ratio, realtime = raw_s / twin_s, cycles / _CORE_HZ / twin_s
    say(f"{name}: raw {raw_s:.3f} s, twin {twin_s:.3f} s, {ratio:.2f} of raw, {realtime:.2f} x real time")
    return ratio, realtime


def run(say: Say) -> Results:
    """Measure all programs; the worst of them counts."""
    figures = [measure(name, say) for name in PROGRAMS]
    return {
        "ratio_raw": round(min(ratio for ratio, _ in figures), 3),
        "realtime": round(min(realtime for _, realtime in figures), 2),
    }


BENCHMARK = Benchmark(
    summary="instructions: against raw Unicorn, and against an 80 MHz part",
    run=run,
    targets={"ratio_raw": Target("at least", 0.5), "realtime": Target("at least", 1.5)},
)

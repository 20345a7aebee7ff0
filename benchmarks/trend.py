# SPDX-License-Identifier: Apache-2.0
"""How soon a step in a nightly measurand is told, and how often one is told that is none.

Histories are drawn, 60 nights each: the room warms by 5 K and swings over 45 days, known to 0.2 K; the
measurand follows by 0.4 ± 0.1 % per kelvin; nights state 0.3 % or, three in ten, 0.8 % of standard
uncertainty; three nights in a hundred are 4 to 10 of these off; a calibration before night 20 shifts what
follows.
These figures are assumptions about a lab; the draw is the judge's and shares nothing with what is judged.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from benchmarks.benchmark import Benchmark, Results, Say, Target
from hil.history.series import Series
from hil.history.step import Step, Watch

_HISTORIES = 200
_NIGHTS = 60
_STEP_ON = 40
_STEP = 0.03
_SEED = 40_017


def history(rng: np.random.Generator, step: float) -> Series:
    """Draw one history, with a step from night 40 on."""
    night = np.arange(_NIGHTS)
    swing = np.sin(2 * np.pi * night / 45 + rng.uniform(0, 2 * np.pi))
    room_c = 21 + 5 * night / _NIGHTS + swing + 0.4 * rng.standard_normal(_NIGHTS)
    stated = np.where(rng.random(_NIGHTS) < 0.3, 0.008, 0.003) * rng.uniform(0.8, 1.2, _NIGHTS)
    calibration = (night >= 20).astype(np.int64)
    # Two fifths of the stated variance stay as they are until the next calibration, the rest is each night's.
    value = (
        1 + rng.normal(0.004, 0.001) * (room_c - 25) + np.sqrt(0.6) * stated * rng.standard_normal(_NIGHTS)
    )
    value += (np.sqrt(0.4) * 0.003 * rng.standard_normal(2))[calibration]
    off = (rng.random(_NIGHTS) < 0.03) * rng.choice([-1, 1], _NIGHTS) * rng.uniform(4, 10, _NIGHTS)
    value += off * stated + step * (night >= _STEP_ON)
    return Series(value, stated, calibration, room_c + 0.2 * rng.standard_normal(_NIGHTS))


def run(say: Say) -> Results:
    """Watch unchanged and stepped histories, night by night."""
    watch = Watch()
    began_s = time.process_time()
    unchanged = [_first(watch, history(np.random.default_rng([_SEED, i]), 0.0)) for i in range(_HISTORIES)]
    stepped = [_first(watch, history(np.random.default_rng([_SEED, i, 1]), _STEP)) for i in range(_HISTORIES)]
    tests = 2 * _HISTORIES * (_NIGHTS - watch.first_night)
    say(f"{(time.process_time() - began_s) / tests * 1e3:.2f} ms a night")
    blind = [
        _first(
            watch,
            replace(history(np.random.default_rng([_SEED, i]), 0.0), temperature_c=np.full(_NIGHTS, 25.0)),
        )
        for i in range(_HISTORIES)
    ]
    told = [step for step in stepped if step is not None and step.night >= _STEP_ON - 5]
    sizes = np.array([step.size for step in told])
    return {
        "false_alarms": float(sum(step is not None for step in unchanged)),
        "by_42": _told_by(stepped, 42),
        "by_44": _told_by(stepped, 44),
        "by_50": _told_by(stepped, 50),
        "night_exact": float(np.mean([step.night == _STEP_ON for step in told])),
        "size_mean": float(sizes.mean()),
        "size_deviation": float(sizes.std()),
        "alarms_without_temperature": float(np.mean([step is not None for step in blind])),
    }


def _first(watch: Watch, series: Series) -> Step | None:
    return next(watch.steps(series), None)


def _told_by(stepped: list[Step | None], night: int) -> float:
    """The share of histories whose step was told by a night, and not before it came."""
    return sum(step is not None and _STEP_ON <= step.told_on <= night for step in stepped) / len(stepped)


BENCHMARK = Benchmark(
    summary="a step of 3 % in 60 nights: how soon it is told, and false alarms in 200 histories",
    run=run,
    targets={
        "false_alarms": Target("at most", 1.0),
        "by_42": Target("at least", 0.85),
        "by_44": Target("at least", 0.98),
        "by_50": Target("at least", 0.99),
        "night_exact": Target("at least", 0.90),
        "alarms_without_temperature": Target("at least", 0.5),
    },
)

# SPDX-License-Identifier: Apache-2.0
"""One measurand through the runs of a rig, and the steps in it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from hil.errors import ResultsError
from hil.history.runs import Run
from hil.history.series import Series, relative
from hil.history.step import Step, Watch
from hil.measurement.measurement import Measurement
from hil.measurement.uncertainty import Estimate

_GROWS_WITH_TEMPERATURE = ("A", "C", "J", "W")
_OF_A_CURRENT = 0.05
"""Standard uncertainty per kelvin of a current's unknown temperature coefficient: leakage grows by some
percent per kelvin (DS10198 Rev 8, tables 36 ff.)."""


@dataclass(frozen=True)
class Night:
    """A measurand in one run."""

    run: Run
    measurement: Measurement
    temperature: Estimate | None = None
    """Around the part, in °C, where the rig has a thermometer."""


@dataclass(frozen=True)
class Trend:
    """A measurand of one test on one rig, in the order of time."""

    test: str
    name: str
    nights: list[Night]
    steps: list[Step]
    """Their ``night`` counts in ``nights``; sizes are logarithms, so close to a share of the value."""
    unwatched: str
    """Why no step was looked for; empty where it was."""


def trend(runs: Sequence[Run], name: str, test: str | None = None, watch: Watch | None = None) -> Trend:
    """Collect a measurand of runs on one rig, and look for steps in it.

    Args:
        runs: in the order of time, all on one rig.
        name: as the journal has it ("average current").
        test: a part of the test's name, where several tests measure something of that name.
        watch: what counts as a step.

    Raises:
        ResultsError: no run has it, or several tests do.
    """
    by_test: dict[str, list[Night]] = {}
    for run in runs:
        seen = set()
        for entry in run.entries():
            if entry.measurement.name == name and (test or "") in entry.test and entry.test not in seen:
                seen.add(entry.test)  # the first of a run, where a test measures a thing several times
                by_test.setdefault(entry.test, []).append(Night(run, entry.measurement, entry.temperature))
    if not by_test:
        raise ResultsError(
            "is in none of the runs",
            where=repr(name),
            operation="trend",
            expected="the name of a measurement",
            hint=_suggestion(runs, name),
        )
    if len(by_test) > 1:
        raise ResultsError(
            "is measured by several tests",
            where=repr(name),
            operation="trend",
            hint=f"add --test with one of {', '.join(sorted(by_test))}",
        )
    ((of_test, nights),) = by_test.items()
    unwatched = _unwatched(nights)
    steps = [] if unwatched else list((watch or _watch_for(nights)).steps(_series(nights)))
    return Trend(of_test, name, nights, steps, unwatched)


def _suggestion(runs: Sequence[Run], name: str) -> str:
    """The names of the newest run with any measurement: those like the wanted one, or all."""
    for run in reversed(runs):
        names = sorted({entry.measurement.name for entry in run.entries()})
        if names:
            return f"{run.path.name} has {', '.join(difflib.get_close_matches(name, names) or names)}"
    return "none of the runs has measured anything"


def _unwatched(nights: Sequence[Night]) -> str:
    if any(night.measurement.value <= 0 for night in nights):
        return "steps are looked for in the logarithms of values above zero, and not all are"
    if any(night.measurement.expanded_uncertainty == 0 for night in nights):
        return "steps are looked for in values with an uncertainty, and some state none"
    least = Watch().first_night + 1
    if len(nights) < least:
        return f"steps are looked for from {least} runs on"
    return ""


def _watch_for(nights: Sequence[Night]) -> Watch:
    """A current and what follows from it change more per kelvin than a time does."""
    if nights[0].measurement.unit in _GROWS_WITH_TEMPERATURE:
        return Watch(temperature_coefficient=_OF_A_CURRENT)
    return Watch()


def _series(nights: Sequence[Night]) -> Series:
    """The logarithms; another instrument, or another statement about one, counts as a new calibration."""
    calibration: list[int] = []
    last: dict[str, str] | None = None
    for night in nights:
        instruments = night.run.description.instruments
        stated = {role: text for role, text in instruments.items() if role not in ("board", "console")}
        calibration.append((calibration[-1] if calibration else 0) + (stated != last and last is not None))
        last = stated
    measured = [
        Estimate(of.value, of.expanded_uncertainty, of.budget)
        for of in (night.measurement for night in nights)
    ]
    temperatures = [night.temperature.value for night in nights if night.temperature is not None]
    return relative(
        [m.value for m in measured],
        [m.standard_uncertainty for m in measured],
        calibration,
        temperatures if len(temperatures) == len(nights) else None,
    )

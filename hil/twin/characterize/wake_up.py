# SPDX-License-Identifier: Apache-2.0
"""Wake-up times (DS10198 Rev 8, Table 52) by counter, and what the part draws meanwhile by sampled charge."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hil.datasheet.figures import Fact, scale_of
from hil.parts import Part
from hil.twin.characterize import steps
from hil.twin.characterize.analyzer_client import SAMPLE_S
from hil.twin.characterize.figures import NotCovered, Printed, Reading, last_digits
from hil.twin.characterize.session import Session
from hil.twin.characterize.steps import Steps, Then

_LPMS: Final = {"stop0": 0, "stop1": 1, "stop2": 2, "standby": 3, "shutdown": 4}
_FROM_STOP = re.compile(r"wakeup_(stop[012])_(flash|sram1)_(msi|hsi)(\d+)_range(\d)")
_STOP_CURRENT = re.compile(r"wakeup_current_(stop[12])_(msi|hsi)(\d+)")
_SLEEP_HZ: Final = 4_000_000
_LPSLEEP_HZ: Final = 2_000_000
_SLEEP_PD: Final = 1 << 14
_MSISRANGE: Final = {4: 6 << 8, 8: 7 << 8}
_BEFORE_SAMPLES: Final = 8
_AFTER_SAMPLES: Final = 64
_RISE_A: Final = 15e-6
"""What tells the first sample of a wake-up from noise: six standard deviations of the 100 mA range's."""
_PHASES: Final = 4 * (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
"""Fractions of a sample at which the wake-up begins. So many captures because the noise of the 100 mA range
moves the fitted beginning, and with it the result: by 1 % of it (standard deviation) with four of them."""


def _clock(kind: str, mhz: int, regulator_range: int) -> Steps:
    regulator = steps.voltage_range(regulator_range)
    source = steps.hsi16() if kind == "hsi" else steps.msi(mhz * 1_000_000)
    return (*regulator, *steps.wait_states(mhz * 1_000_000, regulator_range, art=True), *source)


def _condition(line: str) -> tuple[Steps, Then]:
    """From a line's id to its condition, wake-up line included."""
    line_on = steps.wake_up_line()
    if match := _FROM_STOP.fullmatch(line):
        mode, memory, kind, mhz, regulator = match.groups()
        then = Then.SLEEP_SRAM if memory == "sram1" else Then.SLEEP
        return (*_clock(kind, int(mhz), int(regulator)), *line_on, *steps.deep_sleep(_LPMS[mode])), then
    if match := re.fullmatch(r"wakeup_stop1_to_lprun_(flash|sram1)_msi2", line):
        then = Then.SLEEP_SRAM if match[1] == "sram1" else Then.SLEEP
        slow = (*steps.msi(_LPSLEEP_HZ), *steps.low_power_regulator())
        return (*slow, *line_on, *steps.deep_sleep(1)), then
    if match := re.fullmatch(r"wakeup_(standby|shutdown)(_sram2)?_msi([48])", line):
        mode, sram2, mhz = match.groups()
        after = (*steps.msi(_SLEEP_HZ), steps.put(steps.RCC_CSR, _MSISRANGE[int(mhz)], 0xF00))
        keep = (steps.PWR_CLOCK_ON, steps.on(steps.PWR_CR3, 1 << 8)) if sram2 else ()
        return (*after, *keep, *line_on, *steps.deep_sleep(_LPMS[mode])), Then.SLEEP
    if line == "wakeup_sleep_to_run":
        return line_on, Then.SLEEP
    # wakeup_lpsleep_to_lprun, "flash PD during LP sleep, MSI 2 MHz"
    slow = (*steps.msi(_LPSLEEP_HZ), *steps.low_power_regulator())
    return (*slow, steps.on(steps.FLASH_ACR, _SLEEP_PD), *line_on), Then.SLEEP


def _current_condition(line: str) -> tuple[str, Steps, Then]:
    """The line of Table 52 whose time the charge of a wake-up is averaged over, and its condition."""
    if match := _STOP_CURRENT.fullmatch(line):
        mode, kind, mhz = match.groups()
        regulator = 2 if (kind, mhz) == ("msi", "4") else 1
        name = f"wakeup_{mode}_flash_{kind}{mhz}_range{regulator}"
    else:
        name = line.replace("_current", "")
    return (name, *_condition(name))


def lines(part: Part) -> list[str]:
    """The lines that are measured: all of Table 52 and the wake-up currents of Tables 45 to 49."""
    return [name for name in part.fact_ids if name.startswith("wakeup_") and part.fact(name).typ is not None]


def not_covered(part: Part) -> list[NotCovered]:
    """The lines without a typical value."""
    return [
        NotCovered(name, part.fact(name).source, 2, "the datasheet prints a maximum only")
        for name in part.fact_ids
        if name.startswith("wakeup_") and part.fact(name).typ is None
    ]


def figure_count(_part: Part, _line: str) -> int:
    """Each line has one figure."""
    return 1


def _printed(fact: Fact, unit: str) -> Printed:
    scale = scale_of(fact.unit)
    shown = round(fact.typ_scalar() / scale, 9)
    return Printed(fact.id, fact.source, unit, fact.typ_scalar(), last_digits([shown])[shown] * scale)


def measure(session: Session, line: str) -> Iterator[Reading]:
    """The one figure of a line."""
    fact = session.part.fact(line)
    if line.startswith("wakeup_current"):
        yield Reading(_printed(fact, "A"), _wake_current_a(session, line))
        return
    session.start(*_condition(line))
    latency_s = session.wake_latency_s(from_reset="standby" in line or "shutdown" in line)
    if fact.unit == "CPU cycles":
        hclk_hz = _SLEEP_HZ if line == "wakeup_sleep_to_run" else _LPSLEEP_HZ
        yield Reading(_printed(fact, "cycles"), latency_s * hclk_hz)
    else:
        yield Reading(_printed(fact, "s"), latency_s)


def _wake_current_a(session: Session, line: str) -> float:
    name, condition, then = _current_condition(line)
    session.start(condition, then)
    latency_s = session.wake_latency_s(from_reset="stop" not in name)
    points = _BEFORE_SAMPLES + int(latency_s / SAMPLE_S) + _AFTER_SAMPLES
    captures = []
    for phase in _PHASES:
        session.start(condition, then)
        captures.append(session.wake_waveform_a(points, (_BEFORE_SAMPLES + phase) * SAMPLE_S))
    return mean_over_wake_up_a(np.array(captures), np.array(_PHASES), latency_s)


def mean_over_wake_up_a(
    captures_a: NDArray[np.float64], phases: NDArray[np.float64], latency_s: float
) -> float:
    """Mean current over a wake-up of ``latency_s``, from captures in which it begins later each time.

    ``phases`` are the delays in samples. The first samples show the current before the wake-up, the last ones
    the current after it. The sample containing the start holds less wake-up charge the later the start. A
    line fitted to these readings gives the start time; the charge from there on is the wake-up's.
    """
    asleep_a = float(np.mean(captures_a[:, : _BEFORE_SAMPLES // 2]))
    running_a = float(np.mean(captures_a[:, -_AFTER_SAMPLES // 2 :]))
    first = int(np.argmax(captures_a[0] > asleep_a + _RISE_A))
    slope, offset = np.polyfit(phases, captures_a[:, first] - asleep_a, 1)
    asleep_s = SAMPLE_S * (1 + phases + offset / slope)
    end = first + int(latency_s / SAMPLE_S) + 3
    charges = np.sum(captures_a[:, first:end], axis=1) * SAMPLE_S
    running_s = (end - first) * SAMPLE_S - asleep_s - latency_s
    return float(np.mean((charges - asleep_a * asleep_s - running_a * running_s) / latency_s))

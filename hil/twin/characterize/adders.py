# SPDX-License-Identifier: Apache-2.0
"""What a single block adds to the supply current: the same condition with it and without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from hil.datasheet.figures import scale_of
from hil.parts import Part
from hil.twin.characterize import steps
from hil.twin.characterize.figures import NotCovered, Printed, Reading, last_digits
from hil.twin.characterize.session import Session
from hil.twin.characterize.steps import Steps, Then


@dataclass(frozen=True)
class Pair:
    """A condition with a block and without; ``lse_*`` start the crystal beforehand."""

    without: Steps
    added: Steps
    lse_added: Steps = ()
    label: str = ""
    gates_off: bool = True


_HCLK_SLOW: Final = (steps.put(steps.RCC_CFGR, 0xB << 4, 0xF0),)
"""AHB prescaler 16: less current, and so a finer range of the analyzer."""
_STOP2: Final = steps.deep_sleep(2)
_VCO_MHZ: Final = {64: 16, 96: 24, 192: 48, 344: 86}
"""Columns of Table 62, and the multipliers of the 4 MHz MSI that make them."""
_ADC, _ADC_COMMON = 0x5004_0000, 0x5004_0308
_ADC_ON: Final = (
    steps.on(steps.RCC_AHB2ENR, 1 << 13),
    steps.put(_ADC_COMMON, 1 << 16, 3 << 16),
    steps.put(_ADC + 8, 0),
    steps.put(_ADC + 8, 1 << 28),
    steps.put(_ADC + 8, 1 << 28 | 1),
    steps.wait(_ADC, 1, 1),
)


def _msi_beside_hsi16(hz: int) -> Pair:
    states = steps.wait_states(48_000_000, 1, art=True)
    both = (*states, *steps.msi(hz), *steps.hsi16()[:-1], *_HCLK_SLOW)
    return Pair((*states, *steps.hsi16(), *_HCLK_SLOW), both, label=f"{hz / 1e6:g} MHz")


_PAIRS: Final[dict[str, tuple[Pair, ...]]] = {
    "hsi16": (Pair((), (steps.on(steps.RCC_CR, 1 << 8), steps.wait(steps.RCC_CR, 1 << 10, 1 << 10))),),
    "msi_by_range": tuple(_msi_beside_hsi16(hz) for hz in steps.MSI_RANGES_HZ),
    "lsi": (Pair(_STOP2, (*steps.lsi(), *_STOP2)),),
    "lse_by_drive": tuple(
        Pair(_STOP2, _STOP2, steps.lse(drive), label=f"LSEDRV {drive:02b}") for drive in range(4)
    ),
    "pll_by_vco": tuple(
        Pair((), steps.pll_running(factor, 2), label=f"VCO {mhz} MHz") for mhz, factor in _VCO_MHZ.items()
    ),
    "bor_pvd_adder": (Pair(_STOP2, (steps.PWR_CLOCK_ON, steps.on(steps.PWR_CR2, 1), *_STOP2), label="PVD"),),
    "pvm12_adder": (
        Pair(_STOP2, (steps.PWR_CLOCK_ON, steps.on(steps.PWR_CR2, 1 << 4), *_STOP2), label="PVM1"),
    ),
    "pvm34_adder": (
        Pair(_STOP2, (steps.PWR_CLOCK_ON, steps.on(steps.PWR_CR2, 1 << 6), *_STOP2), label="PVM3"),
    ),
    "vrefint_buf_when_adc_converts": (
        Pair(_ADC_ON, (*_ADC_ON, steps.on(_ADC_COMMON, 1 << 22)), gates_off=False),
    ),
    "temp_sensor": (Pair(_ADC_ON, (*_ADC_ON, steps.on(_ADC_COMMON, 1 << 23)), gates_off=False),),
}
_REASONS: Final = {
    "hse": "the board has no HSE crystal",
    "flash_idd": "the firmware neither writes nor erases flash",
    "adc_idda": "VDDA, VREF+ and VDD are one net on the board: only a sum could be measured",
    "adc_ivref_single": "VDDA, VREF+ and VDD are one net on the board: only a sum could be measured",
    "adc_ivref_diff": "VDDA, VREF+ and VDD are one net on the board: only a sum could be measured",
    "vrefbuf_idda": "the board ties VREF+ to VDDA: the buffer must stay off",
    "io_booster": "the datasheet prints a maximum only",
}


def lines(_part: Part) -> list[str]:
    """The lines that are measured."""
    return list(_PAIRS)


def not_covered(part: Part) -> list[NotCovered]:
    """The lines that are not, and why."""
    found = []
    for line, reason in _REASONS.items():
        fact = part.fact(line)
        columns = fact.typ if fact.typ is not None else fact.max
        count = len(columns) if isinstance(columns, tuple) else 1
        found.append(NotCovered(line, fact.source, 2 if line == "flash_idd" else count, reason))
    return found


def figure_count(_part: Part, line: str) -> int:
    """How many figures a line has."""
    return len(_PAIRS[line])


def measure(session: Session, line: str) -> Iterator[Reading]:
    """Every column of a line."""
    fact = session.part.fact(line)
    scale = scale_of(fact.unit)
    columns = fact.typ if isinstance(fact.typ, tuple) else (fact.typ_scalar(),)
    digits = last_digits(round(column / scale, 9) for column in columns)
    for column, pair in zip(columns, _PAIRS[line], strict=True):
        digit = digits[round(column / scale, 9)] * scale
        conditions = {"with": pair.label} if pair.label else {}
        tail = steps.ALL_GATES_OFF if pair.gates_off else ()
        session.start((*pair.without, *tail), Then.SLEEP)
        below_a = session.sleeping_current_a()
        session.start((*pair.added, *tail), Then.SLEEP, lse=pair.lse_added)
        yield Reading(
            Printed(fact.id, fact.source, "A", column, digit, conditions),
            session.sleeping_current_a() - below_a,
        )

# SPDX-License-Identifier: Apache-2.0
"""What the clock of each peripheral adds: DS10198 Rev 8, Table 51, in Sleep with either regulator.

A peripheral's clock is switched on beside another one's of the same bus, so that the bus bridge, a row of its
own, runs in both readings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from hil.parts import Part, Regime
from hil.twin.characterize import steps
from hil.twin.characterize.clocked import clock
from hil.twin.characterize.figures import NotCovered, Printed, Reading
from hil.twin.characterize.session import Session
from hil.twin.characterize.steps import Steps, Then

_A_PER_HZ: Final = 1e-12
"""1 µA/MHz."""
_LAST_DIGIT: Final = 0.1 * _A_PER_HZ
_AHB1, _AHB2 = steps.RCC_AHB1ENR, steps.RCC_AHB2ENR
_APB1, _APB1_2, _APB2 = steps.RCC_APB1ENR1, steps.RCC_APB1ENR2, steps.RCC_APB2ENR
_AHB1_RESET: Final = 1 << 8
"""The flash interface's clock."""

Gate = tuple[int, int]
"""Enable register and bit."""

_GATES: Final[dict[str, Gate]] = {
    **{name: (_AHB1, bit) for name, bit in (("dma1", 0), ("dma2", 1), ("crc", 12))},
    **{f"gpio{port}": (_AHB2, bit) for port, bit in zip("abcdh", (0, 1, 2, 3, 7), strict=True)},
    "adc": (_AHB2, 13),
    **{f"tim{number}": (_APB1, number - 2) for number in range(2, 8)},
    **{name: (_APB1, bit) for name, bit in (("wwdg", 11), ("spi2", 14), ("spi3", 15), ("usart2", 17))},
    **{name: (_APB1, bit) for name, bit in (("usart3", 18), ("i2c1", 21), ("i2c2", 22), ("i2c3", 23))},
    **{name: (_APB1, bit) for name, bit in (("pwr", 28), ("dac1", 29), ("opamp", 30), ("lptim1", 31))},
    **{name: (_APB1_2, bit) for name, bit in (("lpuart1", 0), ("lptim2", 5))},
    **{name: (_APB2, bit) for name, bit in (("syscfg_vrefbuf_comp", 0), ("tim1", 11), ("spi1", 12))},
    **{name: (_APB2, bit) for name, bit in (("tim8", 13), ("usart1", 14), ("tim15", 16), ("tim16", 17))},
    "tim17": (_APB2, 18),
}
_KERNEL_FIELD: Final = {
    **{"usart1": 0, "usart2": 2, "usart3": 4, "lpuart1": 10},
    **{"i2c1": 12, "i2c2": 14, "i2c3": 16, "lptim1": 18, "lptim2": 20, "adc": 28},
}
"""Positions in RCC_CCIPR."""
_BUS_CLOCK, _HSI16, _ADC_SYSCLK = 0, 2, 3
_REGIMES: Final[dict[Regime, int]] = {
    "range1": 80_000_000,
    "range2": 26_000_000,
    "lprun": 2_000_000,
}
"""The columns of the table, and HCLK in each: the highest."""
_ALWAYS_ON: Final = ("bus_matrix", "flash", "sram1", "sram2")
_SUMS: Final = ("all_ahb", "all_apb1", "all_apb2", "all")
_BRIDGES: Final = {"ahb_apb1_bridge": ("wwdg", "pwr"), "ahb_apb2_bridge": ("syscfg_vrefbuf_comp", "tim16")}


@dataclass(frozen=True)
class Clocks:
    """Which gates are open, and the kernel clock chosen for one of them."""

    gates: tuple[str, ...] = ()
    kernel_of: str = ""
    kernel: int = 0

    def steps(self) -> Steps:
        """All gates, at once at the end: the PWR's is among them."""
        words = {_AHB1: _AHB1_RESET, _AHB2: 0, _APB1: 0, _APB1_2: 0, _APB2: 0}
        for gate in self.gates:
            register, bit = _GATES[gate]
            words[register] |= 1 << bit
        kernel = self.kernel << _KERNEL_FIELD[self.kernel_of] if self.kernel_of else 0
        return (steps.put(steps.RCC_CCIPR, kernel), *(steps.put(*item) for item in words.items()))


def lines(part: Part) -> list[str]:
    """The rows that are measured."""
    return [f"peripheral:{row}" for row in part.peripheral_currents if row not in (*_ALWAYS_ON, *_SUMS)]


def not_covered(part: Part) -> list[NotCovered]:
    """The rows that are not, and why."""
    source = part.peripheral_currents_source
    count = len(_REGIMES)
    always = "never off in the virtual part while the core has a clock: nothing to take a difference of"
    sums = "contains peripherals that the data file has no row for"
    return [
        *(NotCovered(f"peripheral:{row}", source, count, always) for row in _ALWAYS_ON),
        *(NotCovered(f"peripheral:{row}", source, count, sums) for row in _SUMS),
    ]


def figure_count(_part: Part, _line: str) -> int:
    """One figure per regulator setting."""
    return len(_REGIMES)


def _companion(gate: str) -> tuple[str, ...]:
    """Another gate of the same bus, for those behind a bridge."""
    register = _GATES[gate][0]
    if register in (_AHB1, _AHB2):
        return ()
    first, second = _BRIDGES["ahb_apb2_bridge" if register == _APB2 else "ahb_apb1_bridge"]
    return (second,) if gate == first else (first,)


def _terms(row: str) -> list[tuple[int, Clocks]]:
    """The readings that make a row, with their signs."""
    if row in _BRIDGES:
        first, second = _BRIDGES[row]
        return [
            (1, Clocks((first,))),
            (1, Clocks((second,))),
            (-1, Clocks((first, second))),
            (-1, Clocks()),
        ]
    gate = row.removesuffix("_indep").removesuffix("_apb").removesuffix("_ahb")
    beside = _companion(gate)
    # A kernel clock taken from the HSI16, which is off, stands still.
    idle = Clocks((gate, *beside), gate, _BUS_CLOCK if gate == "adc" else _HSI16)
    if row.endswith("_indep"):
        clocked = Clocks((gate, *beside), gate, _ADC_SYSCLK if gate == "adc" else _BUS_CLOCK)
        return [(1, clocked), (-1, idle)]
    with_gate = idle if gate in _KERNEL_FIELD else Clocks((gate, *beside))
    return [(1, with_gate), (-1, Clocks(beside))]


def _current_a(session: Session, regime: Regime, clocks: Clocks) -> float:
    hclk_hz = _REGIMES[regime]
    if regime == "lprun":
        regulated: Steps = (*clock(hclk_hz), *steps.low_power_regulator())
    else:
        number = 1 if regime == "range1" else 2
        states = steps.wait_states(hclk_hz, number, art=True)
        regulated = (*steps.voltage_range(number), *states, *clock(hclk_hz))
    session.start((*regulated, *clocks.steps()), Then.SLEEP)
    return session.sleeping_current_a()


def measure(session: Session, line: str) -> Iterator[Reading]:
    """The three figures of a row."""
    row = line.removeprefix("peripheral:")
    source = session.part.peripheral_currents_source
    for regime, hclk_hz in _REGIMES.items():
        expected = session.part.peripheral_current_a_per_hz(row, regime)
        added_a = sum(sign * _current_a(session, regime, clocks) for sign, clocks in _terms(row))
        printed = Printed(line, source, "A/Hz", expected, _LAST_DIGIT, {"regulator": regime})
        yield Reading(printed, added_a / hclk_hz)

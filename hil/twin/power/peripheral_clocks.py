# SPDX-License-Identifier: Apache-2.0
"""Which rows of DS10198 Rev 8, Table 51 the running peripheral clocks add, and at what frequency.

The Run and Sleep tables are taken with all peripherals disabled, so they contain the bus matrix, the flash
interface and the SRAMs, which are on after reset. Added here is every other clock that software enabled.
"""

from collections.abc import Hashable
from functools import cache
from typing import Final

from hil.parts import Part
from hil.twin.ip.adc_v3.common import CCR, AdcCommon
from hil.twin.soc.stm32l4.kernel_clocks import KernelClocks
from hil.twin.soc.stm32l4.rcc import Rcc
from hil.twin.soc.stm32l4.rcc_registers import CCIPR

_ON_AFTER_RESET: Final = frozenset({"FLASH"})
_BUS_ROWS: Final = {"ADC": "adc_ahb", "SYSCFG": "syscfg_vrefbuf_comp"}
_WITH_KERNEL_CLOCK: Final = ("USART1", "USART2", "USART3", "LPUART1", "I2C1", "I2C2", "I2C3")
_LOW_POWER_TIMERS: Final = ("LPTIM1", "LPTIM2")
_BRIDGE_ROWS: Final = {"APB1": "ahb_apb1_bridge", "APB2": "ahb_apb2_bridge"}
_KEPT: Final = 256
"""Settings whose rows are remembered: firmware goes through the same few again and again."""


@cache
def _row_of_gate(part: Part) -> dict[str, str | None]:
    """The row of the bus clock behind each gate; ``None`` where the table has none."""
    return {gate: _bus_row(part, gate) for gate in part.blocks.gates}


def _bus_row(part: Part, gate: str) -> str | None:
    rows = part.peripheral_currents
    name = _BUS_ROWS.get(gate, gate.lower())
    return next((row for row in (name, f"{name}_apb") if row in rows), None)


class RunningClocks:
    """The rows and clocks of a part, worked out only for settings that it did not have lately."""

    def __init__(self, part: Part, rcc: Rcc, kernels: KernelClocks, adc_common: AdcCommon) -> None:
        self._part = part
        self._rcc = rcc
        self._kernels = kernels
        self._adc_common = adc_common
        self._key: tuple[int, bool, int] | None = None
        self._rows: tuple[tuple[str, int], ...] = ()
        self._known: dict[Hashable, tuple[tuple[str, int], ...]] = {}

    def rows(self) -> tuple[tuple[str, int], ...]:
        """As :func:`running_clocks`."""
        key = (self._rcc.version, self._rcc.asleep, self._adc_common.words[CCR])
        if key != self._key:
            self._key = key
            self._rows = self._look_up()
        return self._rows

    def _look_up(self) -> tuple[tuple[str, int], ...]:
        rcc = self._rcc
        # All that running_clocks() depends on.
        settings = (
            rcc.running_words(),
            rcc.clocks,
            rcc.stopped,
            rcc.in_stop_2,
            rcc.words[CCIPR],
            self._adc_common.words[CCR],
        )
        rows = self._known.get(settings)
        if rows is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            rows = running_clocks(self._part, rcc, self._kernels, self._adc_common)
            self._known[settings] = rows
        return rows


def running_clocks(
    part: Part, rcc: Rcc, kernels: KernelClocks, adc_common: AdcCommon
) -> tuple[tuple[str, int], ...]:
    """(row, clock in Hz) for every peripheral clock that runs now beyond the reset state."""
    found: list[tuple[str, int]] = []
    bridges: set[str] = set()
    row_of_gate = _row_of_gate(part)
    for gate in rcc.running_gates():
        if gate in _ON_AFTER_RESET:
            continue
        row = row_of_gate[gate]
        if row is not None:
            found.append((row, rcc.bus_hz(gate)))
        bus = rcc.gates[gate].bus
        if bus in _BRIDGE_ROWS:
            bridges.add(bus)
        if gate in _WITH_KERNEL_CLOCK:
            found.append((f"{gate.lower()}_indep", kernels.kernel_hz(gate)))
        if gate in _LOW_POWER_TIMERS:
            found.append((f"{gate.lower()}_indep", kernels.low_power_timer_hz(gate)))
        if gate == "ADC":
            found.append(("adc_indep", round(adc_common.clock_hz)))
    # A bridge is clocked while any peripheral behind it is (Table 51, note).
    found.extend((_BRIDGE_ROWS[bus], rcc.clocks.hclk_hz) for bus in sorted(bridges))
    return tuple(found)

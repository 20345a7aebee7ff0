# SPDX-License-Identifier: Apache-2.0
"""Kernel clocks that RCC_CCIPR selects for UARTs, I2Cs and low-power timers (RM0351, RCC_CCIPR)."""

from typing import Final

from hil.twin.ip.register_block import field
from hil.twin.soc.stm32l4 import clock_tree
from hil.twin.soc.stm32l4.clock_gates import GATES
from hil.twin.soc.stm32l4.clock_tree import HSI16_HZ
from hil.twin.soc.stm32l4.rcc import Rcc
from hil.twin.soc.stm32l4.rcc_registers import CCIPR, PLLCFGR, PLLSAI1CFGR

_SELECT: Final = {
    "USART1": 0,
    "USART2": 2,
    "USART3": 4,
    "UART4": 6,
    "UART5": 8,
    "LPUART1": 10,
    "I2C1": 12,
    "I2C2": 14,
    "I2C3": 16,
    "LPTIM1": 18,
    "LPTIM2": 20,
}
"""Positions of the fields in RCC_CCIPR."""
_RUNS_IN_STOP_2: Final = frozenset({"LPUART1", "LPTIM1", "I2C3"})
"""RM0351, PWR section, functionalities depending on the working mode."""


class KernelClocks:
    """The clocks by the peripherals' names."""

    def __init__(self, rcc: Rcc) -> None:
        self._rcc = rcc

    def hz(self, gate: str) -> int:
        """What reaches a UART or an I2C now: PCLK, SYSCLK, HSI16 or, for a UART, LSE; zero in Stop."""
        rcc = self._rcc
        if rcc.stopped or not rcc.is_running(gate):
            return 0
        clocks = rcc.clocks
        pclk_hz = clocks.pclk1_hz if GATES[gate].bus == "APB1" else clocks.pclk2_hz
        return (pclk_hz, clocks.sysclk_hz, clocks.hsi16_hz, clocks.lse_hz)[self._choice(gate)]

    def reception_in_stop_hz(self, gate: str) -> int:
        """What a UART enabled in Stop (UESM), or an I2C that its address may wake (WUPEN), receives with.

        LSE, which an I2C cannot select, or HSI16 started by the start bit or the START.
        """
        rcc = self._rcc
        if not self._survives_stop(gate):
            return 0
        return (0, 0, HSI16_HZ, rcc.clocks.lse_hz)[self._choice(gate)]

    def low_power_timer_hz(self, gate: str) -> int:
        """What reaches an LPTIM now: PCLK, LSI, HSI16 or LSE; of these LSI and LSE in Stop too."""
        if not self.low_power_timer_runs(gate):
            return 0
        clocks = self._rcc.clocks
        return (clocks.pclk1_hz, clocks.lsi_hz, clocks.hsi16_hz, clocks.lse_hz)[self._choice(gate)]

    def low_power_timer_runs(self, gate: str) -> bool:
        """Whether an LPTIM works in the present mode, as with an external clock it does without any other."""
        rcc = self._rcc
        return rcc.is_running(gate) and (not rcc.stopped or self._survives_stop(gate))

    def clk48_hz(self) -> int:
        """The clock of USB, RNG and SDMMC by CLK48SEL: none, PLLSAI1 Q, PLL Q or MSI."""
        rcc = self._rcc
        choice = field(rcc.words[CCIPR], 26, 2)
        if rcc.stopped or choice == 0:
            return 0
        if choice == 3:
            return rcc.clocks.msi_hz
        name, offset = ("pllsai1", PLLSAI1CFGR) if choice == 1 else ("pll", PLLCFGR)
        word = rcc.words[offset]
        if not rcc.oscillators[name].ready or not field(word, 20):
            return 0
        # The two PLLs share their source and its divider (RM0351, RCC_PLLCFGR).
        source = rcc.words[PLLCFGR] & 0x73 | word & 0x7F00
        vco_hz = clock_tree.pll_vco_hz(source, rcc.clocks.msi_hz, rcc.clocks.hsi16_hz, 0)
        return vco_hz // (2 * field(word, 21, 2) + 2)

    def _choice(self, gate: str) -> int:
        return field(self._rcc.words[CCIPR], _SELECT[gate], 2)

    def _survives_stop(self, gate: str) -> bool:
        rcc = self._rcc
        return rcc.stopped and rcc.is_running(gate) and (not rcc.in_stop_2 or gate in _RUNS_IN_STOP_2)

# SPDX-License-Identifier: Apache-2.0
"""The clocks that reach the peripherals: the bus's, or what RCC_CCIPR selects (RM0351, RCC_CCIPR)."""

from hil.parts import Blocks
from hil.twin.ip.register_block import field
from hil.twin.soc.stm32l4 import clock_tree
from hil.twin.soc.stm32l4.clock_tree import HSI16_HZ
from hil.twin.soc.stm32l4.rcc import Rcc
from hil.twin.soc.stm32l4.rcc_registers import CCIPR, PLLCFGR, PLLSAI1CFGR


class KernelClocks:
    """The L4's :class:`~hil.twin.ip.clock_source.ClockSource`."""

    def __init__(self, blocks: Blocks, rcc: Rcc) -> None:
        self._rcc = rcc
        self._select = blocks.kernel_clocks
        self._run_in_stop_2 = blocks.run_in_stop_2

    def bus_hz(self, gate: str) -> int:
        """As :meth:`Rcc.bus_hz`."""
        return self._rcc.bus_hz(gate)

    def timer_hz(self, gate: str) -> int:
        """As :meth:`Rcc.timer_hz`."""
        return self._rcc.timer_hz(gate)

    def oscillator_hz(self, name: str) -> int:
        """LSE, LSI, MSI, HSE/32 or MCO as it runs."""
        clocks = self._rcc.clocks
        return {
            "lse": clocks.lse_hz,
            "lsi": clocks.lsi_hz,
            "msi": clocks.msi_hz,
            "hse_32": clocks.hse_hz // clock_tree.HSE_DIVIDER,
            "mco": self._rcc.mco_hz,
        }.get(name, 0)

    def kernel_hz(self, gate: str) -> int:
        """What reaches a UART or an I2C now: PCLK, SYSCLK, HSI16 or, for a UART, LSE; zero in Stop."""
        rcc = self._rcc
        if rcc.stopped or not rcc.is_running(gate):
            return 0
        clocks = rcc.clocks
        pclk_hz = clocks.pclk1_hz if rcc.gates[gate].bus == "APB1" else clocks.pclk2_hz
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
        vco_hz = clock_tree.pll_vco_hz(source, rcc.clocks.msi_hz, rcc.clocks.hsi16_hz, rcc.clocks.hse_hz)
        return vco_hz // (2 * field(word, 21, 2) + 2)

    def _choice(self, gate: str) -> int:
        position = self._select.get(gate)
        return 0 if position is None else field(self._rcc.words[CCIPR], position, 2)

    def _survives_stop(self, gate: str) -> bool:
        rcc = self._rcc
        return rcc.stopped and rcc.is_running(gate) and (not rcc.in_stop_2 or gate in self._run_in_stop_2)

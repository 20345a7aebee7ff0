# SPDX-License-Identifier: Apache-2.0
"""The RCC's oscillators and PLLs: how long each takes to start, and the frequencies that follow."""

from collections.abc import Callable
from functools import partial
from typing import Final

from hil.boards import Board
from hil.boards.board import HighSpeedClock
from hil.twin.core.scheduler import Scheduler
from hil.twin.ip.register_block import field
from hil.twin.ip.tick_counter import PS_PER_S
from hil.twin.soc.stm32l4 import clock_tree
from hil.twin.soc.stm32l4.clock_tree import Clocks, SystemClock
from hil.twin.soc.stm32l4.oscillator import Oscillator
from hil.twin.soc.stm32l4.rcc_registers import (
    CFGR,
    CR,
    CSR,
    HSEBYP,
    ICSCR,
    MSIPLLEN,
    MSIRGSEL,
    PLLCFGR,
    PLLSAI1CFGR,
    PLLSAI2CFGR,
)

OSCILLATOR_OF: Final = ("msi", "hsi16", "hse", "pll")
"""Oscillators by the codes of SW and SWS."""
_MIN_PLL_FACTOR: Final = 8
"""PLLN below is reserved (RM0351, RCC_PLLCFGR)."""


class ClockSources:
    """All oscillators by name; ``register`` reads an RCC register, ``on_ready`` gets names."""

    def __init__(
        self,
        board: Board,
        scheduler: Scheduler,
        register: Callable[[int], int],
        on_ready: Callable[[str], None],
    ) -> None:
        self._part = board.part
        self._register = register
        self.lsi_nominal_hz = clock_tree.LSI_HZ
        """The frequency of this part's LSI."""
        self.msi_error = 0.0
        """Relative error of this part's MSI, which a lock to the LSE takes away."""
        self.lse_start_factor: float | None = None if board.lse_hz is None else 1.0
        """How much longer than typical the crystal takes to start; ``None``: the board has none."""
        self.hse: HighSpeedClock | None = board.hse
        """What is at the HSE's pins."""
        starts: dict[str, Callable[[], int | None]] = {
            "msi": self._msi_start_ps,
            "hsi16": lambda: self._typical_ps("hsi16_start"),
            "hse": self._hse_start_ps,
            "pll": lambda: self._pll_start_ps(PLLCFGR),
            "pllsai1": lambda: self._pll_start_ps(PLLSAI1CFGR),
            "pllsai2": lambda: self._pll_start_ps(PLLSAI2CFGR),
            "lsi": lambda: self._typical_ps("lsi_start"),
            "lse": self._lse_start_ps,
        }
        self._oscillators = {
            name: Oscillator(scheduler, start, partial(on_ready, name)) for name, start in starts.items()
        }

    def __getitem__(self, name: str) -> Oscillator:
        return self._oscillators[name]

    def system_clock(self, code: int) -> Oscillator:
        """The oscillator that a code of SW or SWS names."""
        return self._oscillators[OSCILLATOR_OF[code]]

    @property
    def msi_range(self) -> int:
        """The MSI range in force: RCC_CSR's (after Standby) until MSIRGSEL is set, then RCC_CR's.

        The reserved codes above 11 act as 11.
        """
        cr = self._register(CR)
        code = field(cr, 4, 4) if cr & MSIRGSEL else field(self._register(CSR), 8, 4)
        return min(code, len(clock_tree.MSI_HZ) - 1)

    @property
    def msi_range_hz(self) -> int:
        """The nominal frequency of the MSI when it runs."""
        locked = bool(self._register(CR) & MSIPLLEN) and self["lse"].ready
        return clock_tree.msi_hz(self.msi_range, locked)

    def _trimmed_msi_hz(self) -> int:
        """MSITRIM counts steps in two's complement; locked to the LSE it has no say."""
        hz = self.msi_range_hz
        trim = field(self._register(ICSCR), 8, 8)
        locked = bool(self._register(CR) & MSIPLLEN) and self["lse"].ready
        if locked:
            return hz
        return clock_tree.trimmed_hz(round(hz * (1 + self.msi_error)), trim - 256 * (trim >> 7))

    def frequencies(self, *, stopped: bool) -> Clocks:
        """Every frequency for the present settings; ``stopped`` is Stop mode."""
        cfgr = self._register(CFGR)
        msi = self._trimmed_msi_hz() if self["msi"].ready else 0
        trim = field(self._register(ICSCR), 24, 5) - clock_tree.HSITRIM_MIDDLE
        hsi16 = clock_tree.trimmed_hz(clock_tree.HSI16_HZ, trim) if self["hsi16"].ready else 0
        pllcfgr = self._register(PLLCFGR)
        hse = self.hse.hz if self.hse is not None and self["hse"].ready else 0
        vco = clock_tree.pll_vco_hz(pllcfgr, msi, hsi16, hse) if self["pll"].ready else 0
        source = SystemClock(field(cfgr, 2, 2))
        sysclk = 0 if stopped else (msi, hsi16, hse, clock_tree.pll_r_hz(pllcfgr, vco))[source]
        hclk = clock_tree.ahb_hz(cfgr, sysclk)
        pclk1, timer1 = clock_tree.apb_hz(field(cfgr, 8, 3), hclk)
        pclk2, timer2 = clock_tree.apb_hz(field(cfgr, 11, 3), hclk)
        return Clocks(
            sysclk_hz=sysclk,
            hclk_hz=hclk,
            pclk1_hz=pclk1,
            pclk2_hz=pclk2,
            timer1_hz=timer1,
            timer2_hz=timer2,
            msi_hz=msi,
            hsi16_hz=hsi16,
            hse_hz=hse,
            lse_hz=clock_tree.LSE_HZ if self["lse"].ready else 0,
            lsi_hz=self.lsi_nominal_hz if self["lsi"].ready else 0,
            pll_vco_hz=vco,
        )

    def _typical_ps(self, fact_id: str, column: int | None = None) -> int:
        fact = self._part.fact(fact_id)
        if column is not None and isinstance(fact.typ, tuple):
            return round(fact.typ[column] * PS_PER_S)
        return round(fact.typ_scalar() * PS_PER_S)

    def _hse_start_ps(self) -> int | None:
        """A crystal wants HSEBYP clear, a clock wants it set (assumption hse_bypass)."""
        if self.hse is None or self.hse.bypassed is not bool(self._register(CR) & HSEBYP):
            return None
        return 0 if self.hse.bypassed else self._typical_ps("hse_start")

    @property
    def hse_crystal_on(self) -> bool:
        """Whether the HSE's own oscillator works."""
        return self["hse"].on and not self._register(CR) & HSEBYP

    def _lse_start_ps(self) -> int | None:
        if self.lse_start_factor is None:
            return None
        return round(self._typical_ps("lse_start") * self.lse_start_factor)

    def _msi_start_ps(self) -> int:
        # Table 60 prints the start-up for ranges 0, 1, 2, 3, 4 to 7 and 8 to 11.
        msi_range = self.msi_range
        return self._typical_ps("msi_start", msi_range if msi_range < 4 else 4 + (msi_range >= 8))

    def _pll_start_ps(self, config_offset: int) -> int | None:
        source = ("", "msi", "hsi16", "hse")[self._register(PLLCFGR) & 3]
        factor = field(self._register(config_offset), 8, 7)
        if not source or not self[source].ready or factor < _MIN_PLL_FACTOR:
            return None
        return self._typical_ps("pll_lock")

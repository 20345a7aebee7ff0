# SPDX-License-Identifier: Apache-2.0
"""Reset and clock control (RM0351, RCC section): oscillators, clocks, gates, reset causes, backup domain."""

from collections.abc import Callable, Mapping
from operator import and_, itemgetter
from typing import ClassVar, Final

from hil.boards import Board
from hil.parts import Block
from hil.twin.core.scheduler import Scheduler
from hil.twin.ip.interrupts import InterruptSource
from hil.twin.ip.register_block import RegisterBlock, field
from hil.twin.signal import Signal
from hil.twin.soc.stm32l4 import clock_gates, clock_tree
from hil.twin.soc.stm32l4.clock_gates import ClockGates
from hil.twin.soc.stm32l4.clock_security import ClockSecurity
from hil.twin.soc.stm32l4.clock_sources import ClockSources
from hil.twin.soc.stm32l4.clock_tree import Clocks, SystemClock
from hil.twin.soc.stm32l4.rcc_registers import (
    BDCR,
    CCIPR,
    CFGR,
    CICR,
    CIER,
    CIFR,
    CR,
    CSR,
    CSSON,
    HSEBYP,
    HSEON,
    HSIASFS,
    HSIKERON,
    HSION,
    ICSCR,
    LSECSSD,
    MSION,
    MSIRGSEL,
    PLLCFGR,
    PLLON,
    PLLSAI1CFGR,
    PLLSAI1ON,
    PLLSAI2CFGR,
    PLLSAI2ON,
    RESET_FLAGS,
)

_ENABLES: Final = itemgetter(*clock_gates.ENABLE_REGISTERS)
_SLEEP_ENABLES: Final = itemgetter(
    *(offset + clock_gates.TO_SLEEP_ENABLE for offset in clock_gates.ENABLE_REGISTERS)
)
_ALL_FLAGS: Final = 0xFF00_0000
_CSR_RMVF: Final = 1 << 23
_MSISRANGE_RESET: Final = 6 << 8
_CR_RESET: Final = 0x63
_READY_BITS: Final = (
    ("msi", 1 << 1),
    ("hsi16", 1 << 10),
    ("hse", 1 << 17),
    ("pll", 1 << 25),
    ("pllsai1", 1 << 27),
    ("pllsai2", 1 << 29),
)
_INTERRUPT_BIT: Final = {
    name: bit for bit, name in enumerate(("lsi", "lse", "msi", "hsi16", "hse", "pll"))
} | {
    "pllsai1": 6,
    "pllsai2": 7,
}
_MSI_STICKS_FROM_HZ: Final = 24_000_000
"""Errata sheet ES0250, Rev 4, 2.1.15: switching the MSI off at this frequency or above."""
_LSEON, _LSEBYP, _BDRST = 1 << 0, 1 << 2, 1 << 16
_BDCR_WRITABLE: Final = 0x0301_833D
_MCO_PIN: Final = 0x0700_0000
"""MCOSEL: only TIM17 gets the clock, no edges are at the pin."""
_IN_USE: Final = (MSION, HSION, HSEON, PLLON)
"""By the codes of SWS, what the hardware keeps on."""
_PLL_SOURCE: Final = (0, MSION, HSION, HSEON)


class Rcc(RegisterBlock):
    """The RCC. ``clocks_changed`` tells that any frequency or clock gate may have changed; where it were
    gates and nothing else, ``gates_changed`` tells instead, with the gates' names.

    ``backup_access`` says whether PWR_CR1.DBP lets the backup domain be written.
    """

    resets: ClassVar[Mapping[int, int]] = {
        CR: _CR_RESET,
        ICSCR: 0x1000_0000,
        CFGR: 0,
        PLLCFGR: 0x1000,
        PLLSAI1CFGR: 0x1000,
        PLLSAI2CFGR: 0x1000,
        CIER: 0,
        CIFR: 0,
        CICR: 0,
        **{offset + clock_gates.TO_RESET: 0 for offset in clock_gates.ENABLE_REGISTERS},
        **dict.fromkeys(clock_gates.ENABLE_REGISTERS, 0),
        clock_gates.AHB1ENR: 0x100,
        0x68: 0x0001_1303,
        0x6C: 0x0005_32FF,
        0x70: 0x0000_0101,
        0x78: 0xF2FE_CA3F,
        0x7C: 0x0000_0025,
        0x80: 0x0167_7C01,
        CCIPR: 0,
        BDCR: 0,
        CSR: _MSISRANGE_RESET,
    }
    polled: ClassVar[frozenset[int]] = frozenset({CR, CFGR, CSR, BDCR})
    writable: ClassVar[Mapping[int, int]] = {
        CR: 0x150D_0BFD,
        ICSCR: 0x1F00_FF00,
        CFGR: 0x7700_BFF3,
        PLLCFGR: 0x0773_7F73,
        CIER: 0x3FF,
        CIFR: 0,
        CICR: 0,
        CSR: 0x0000_0F01,
    }

    not_modelled: ClassVar[Mapping[int, int]] = {
        PLLCFGR: 0x0003_0000,  # clocks of SAI, and of the ADC from PLLSAI1
        PLLSAI1CFGR: 0x0703_0000,
        PLLSAI2CFGR: 0x0703_7F00,
        0x40: 3 << 21,  # resets of SAI, which holds nothing
        0x68: 1 << 9,  # SRAM1 and SRAM2 in Sleep
        0x6C: 1 << 9,
        CCIPR: 0xC3C0_0000,  # SAI, SWPMI, DFSDM
    }

    def __init__(
        self,
        block: Block,
        board: Board,
        scheduler: Scheduler,
        interrupt: InterruptSource,
        backup_access: Callable[[], bool],
    ) -> None:
        super().__init__(block)
        self.gates = ClockGates(board.part.blocks)
        self._lacking = self.gates.bits_of(board.part.lacks_blocks & self.gates.keys())
        """Bits by register that the part has reserved, because it lacks what they would control."""
        self._interrupt = interrupt
        self.clocks_changed: Signal[[]] = Signal(required=True)
        self.gates_changed: Signal[[tuple[str, ...]]] = Signal(required=True)
        self._backup_access = backup_access
        self.backup_domain_reset: Signal[[]] = Signal(required=True)
        self.peripheral_reset: Signal[[str]] = Signal(required=True)
        self.version = 0
        """Counts the changes of frequencies and gates."""
        self.asleep = False
        """Core in Sleep or Stop: gates follow the Sleep-mode enable registers."""
        self.stopped = False
        """Stop mode: the high-speed clocks are off."""
        self.in_stop_2 = False
        self.msi_flag_stuck = False
        """MSIRDY did not fall with the MSI (errata sheet ES0250, Rev 4, 2.1.15)."""
        self.oscillators = ClockSources(board, scheduler, lambda offset: self.words[offset], self._ready)
        self.security = ClockSecurity(lambda: self.words, self.oscillators, lambda: self.wake_source)
        self.clocks = Clocks()

    # Resets

    def reset(self) -> None:
        """System reset: all but the reset flags and the backup domain."""
        kept = {BDCR: self.words[BDCR], CSR: (self.words[CSR] & _ALL_FLAGS) | _MSISRANGE_RESET}
        super().reset()
        self.words.update(kept)
        self.asleep = self.stopped = self.in_stop_2 = self.msi_flag_stuck = False
        for name in ("hsi16", "hse", "pll", "pllsai1", "pllsai2", "lsi"):
            self.oscillators[name].switch(False)
        self.oscillators["msi"].force_ready()
        self._interrupt.set(False)
        self.security.cleared()
        self._changed()

    def power_on_reset(self) -> None:
        """Power-on or brown-out: also the reset flags; the backup domain has a supply of its own."""
        self.words[CSR] = _MSISRANGE_RESET
        self.reset()

    def reset_backup_domain(self) -> None:
        """BDRST, or power-on of the backup domain: LSE, RTC clock selection and the RTC's registers."""
        self.words[BDCR] = 0
        self.oscillators["lse"].switch(False)
        self.security.lse_failed(False)
        self.backup_domain_reset()

    def flag_reset(self, *causes: str) -> None:
        """Remember reset causes (keys of RESET_FLAGS) in RCC_CSR until software clears them."""
        for cause in causes:
            self.words[CSR] |= RESET_FLAGS[cause]

    def stop_lse_crystal(self) -> None:
        """The crystal stops; the clock security system tells, if it is on (RM0351, RCC section, CSS on LSE).

        Software has to switch the LSE off and on again, after which the crystal starts once more.
        """
        self.security.lse_stopped()
        self._update_interrupt()
        self._changed()

    def stop_hse(self) -> None:
        """The crystal or clock at the HSE's pins stops (RM0351, RCC section, clock security system)."""
        self.security.hse_stopped()
        self._changed()

    # Low-power modes

    def set_asleep(self, asleep: bool) -> None:
        """The core entered or left Sleep: gates without their Sleep-mode enable bit stop or resume."""
        self.asleep = asleep
        for offset in clock_gates.ENABLE_REGISTERS:
            if self.words[offset] & ~self.words[offset + clock_gates.TO_SLEEP_ENABLE]:
                self._changed()
                return

    def enter_stop(self, *, stop_2: bool) -> None:
        """Stop 0, 1 or 2: all high-speed clocks stop, but HSI16 if it is forced on for a kernel clock."""
        self.asleep = self.stopped = True
        self.in_stop_2 = stop_2
        keep = HSION if self.words[CR] & HSIKERON else 0
        self.words[CR] &= ~(MSION | HSION | HSEON | PLLON | PLLSAI1ON | PLLSAI2ON) | keep
        for name in ("msi", "hse", "pll", "pllsai1", "pllsai2"):
            self.oscillators[name].switch(False)
        self.oscillators["hsi16"].switch(bool(keep))
        self._changed()

    def leave_stop(self) -> None:
        """Wake from Stop on MSI or HSI16 by STOPWUCK, running: its start-up is in the latency."""
        self.asleep = self.stopped = self.in_stop_2 = False
        source = self.wake_source
        self.words[CR] |= MSION if source is SystemClock.MSI else HSION
        if self.words[CR] & HSIASFS and source is SystemClock.MSI:
            self.words[CR] |= HSION
            self.oscillators["hsi16"].switch(True)
        self.words[CFGR] = (self.words[CFGR] & ~0xF) | source | source << 2
        self.oscillators.system_clock(source).force_ready()
        self._changed()

    def enter_standby(self) -> None:
        """Reset for Standby: RCC_CSR stays, with the LSI if it runs and the range that the MSI wakes to."""
        csr = self.words[CSR]
        lsi_ready = self.oscillators["lsi"].ready
        self.reset()
        self.words[CSR] = csr
        if lsi_ready:
            self.oscillators["lsi"].force_ready()
        elif csr & 1:
            self.oscillators["lsi"].switch(True)
        self._changed()

    @property
    def wake_source(self) -> SystemClock:
        """The system clock after Stop (RCC_CFGR.STOPWUCK)."""
        return SystemClock.HSI16 if field(self.words[CFGR], 15) else SystemClock.MSI

    @property
    def wake_hz(self) -> int:
        """The frequency of that clock."""
        return self.oscillators.msi_range_hz if self.wake_source is SystemClock.MSI else clock_tree.HSI16_HZ

    # Clocks

    @property
    def msi_range(self) -> int:
        """The MSI range in force."""
        return self.oscillators.msi_range

    @property
    def rtc_hz(self) -> int:
        """RTCCLK by RTCSEL and RTCEN."""
        return self.lcd_hz if field(self.words[BDCR], 15) else 0

    @property
    def lcd_hz(self) -> int:
        """LCDCLK: the RTC's source by RTCSEL, whether the RTC is on or not (RM0351, RCC_BDCR)."""
        source = (None, "lse", "lsi", "hse")[field(self.words[BDCR], 8, 2)]
        if source is None or not self.oscillators[source].ready:
            return 0
        if source == "hse":
            return self.clocks.hse_hz // clock_tree.HSE_DIVIDER
        return clock_tree.LSE_HZ if source == "lse" else self.oscillators.lsi_nominal_hz

    @property
    def mco_hz(self) -> int:
        """What MCOSEL selects, divided by MCOPRE; the reserved dividers count as 16."""
        clocks, cfgr = self.clocks, self.words[CFGR]
        pll_hz = clock_tree.pll_r_hz(self.words[PLLCFGR], clocks.pll_vco_hz)
        high = (0, clocks.sysclk_hz, clocks.msi_hz, clocks.hsi16_hz, clocks.hse_hz, pll_hz)
        return (*high, clocks.lsi_hz, clocks.lse_hz)[field(cfgr, 24, 3)] >> min(field(cfgr, 28, 3), 4)

    @property
    def backup_domain_held(self) -> bool:
        """BDRST: the backup domain is in reset until software clears the bit."""
        return bool(self.words[BDCR] & _BDRST)

    @property
    def rtc_source(self) -> str:
        """What clocks the RTC, for the supply current: off, lsi, lse_quartz or lse_bypass."""
        bdcr = self.words[BDCR]
        if not field(bdcr, 15):
            return "off"
        lse = "lse_bypass" if bdcr & _LSEBYP else "lse_quartz"
        return ("off", lse, "lsi", "off")[field(bdcr, 8, 2)]

    @property
    def lse_drive(self) -> int:
        """LSEDRV, 0 (low) to 3 (high)."""
        return field(self.words[BDCR], 3, 2)

    def is_enabled(self, gate: str) -> bool:
        """Whether the gate's enable bit is set: its registers answer."""
        where = self.gates[gate]
        return bool(self.words[where.enable_offset] >> where.bit & 1)

    def is_running(self, gate: str) -> bool:
        """Whether the gate's clock runs now: enabled, and in Sleep also by its Sleep-mode enable bit."""
        where = self.gates[gate]
        word = self.words[where.enable_offset]
        if self.asleep:
            word &= self.words[where.enable_offset + clock_gates.TO_SLEEP_ENABLE]
        return bool(word >> where.bit & 1)

    def running_gates(self) -> list[str]:
        """The gates whose clocks run now."""
        running = dict(zip(clock_gates.ENABLE_REGISTERS, self.running_words(), strict=True))
        return [gate for gate, where in self.gates.items() if running[where.enable_offset] >> where.bit & 1]

    def running_words(self) -> tuple[int, ...]:
        """The bits of the enable registers, in their order, whose gates' clocks run now."""
        words = self.words
        enabled: tuple[int, ...] = _ENABLES(words)
        return tuple(map(and_, enabled, _SLEEP_ENABLES(words))) if self.asleep else enabled

    def bus_hz(self, gate: str) -> int:
        """Bus clock that reaches the peripheral now, zero if gated or stopped."""
        if self.stopped or not self.is_running(gate):
            return 0
        clocks = self.clocks
        return {"AHB": clocks.hclk_hz, "APB1": clocks.pclk1_hz, "APB2": clocks.pclk2_hz}[self.gates[gate].bus]

    def timer_hz(self, gate: str) -> int:
        """Kernel clock that reaches a timer now."""
        if self.stopped or not self.is_running(gate):
            return 0
        return self.clocks.timer1_hz if self.gates[gate].bus == "APB1" else self.clocks.timer2_hz

    def adc_async_hz(self) -> int:
        """Asynchronous ADC clock by ADCSEL: none, PLLSAI1, PLLSAI2 (both not modelled: none) or SYSCLK."""
        return self.clocks.sysclk_hz if field(self.words[CCIPR], 28, 2) == 3 else 0

    def force_lsi(self) -> None:
        """The independent watchdog was started: the LSI runs and cannot be switched off."""
        self.words[CSR] |= 1
        self.oscillators["lsi"].switch(True)

    def open_gate(self, gate: str) -> None:
        """The hardware enables a peripheral's clock (WWDG_SW of the option bytes)."""
        where = self.gates[gate]
        self.write_word(where.enable_offset, self.words[where.enable_offset] | 1 << where.bit)

    # Registers

    def read_word(self, offset: int) -> int:
        """Composes the ready flags into RCC_CR, RCC_BDCR and RCC_CSR."""
        word = super().read_word(offset)
        if offset == CR:
            for name, bit in _READY_BITS:
                word = word | bit if self.oscillators[name].ready else word & ~bit
            if self.msi_flag_stuck:
                word |= _READY_BITS[0][1]
        elif offset == BDCR:
            word |= self.oscillators["lse"].ready << 1
        elif offset == CSR:
            word |= self.oscillators["lsi"].ready << 1
        return word

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and let the clocks follow."""
        if offset == CICR:
            self.words[CIFR] &= ~value
            self.security.cleared()
            self._update_interrupt()
            return
        if offset == BDCR:
            self._write_bdcr(value)
        elif offset == CR:
            self._write_cr(value)
        elif offset == CSR:
            self.store(CSR, value)
            if value & _CSR_RMVF:
                self.words[CSR] &= ~_ALL_FLAGS
            self.oscillators["lsi"].switch(bool(value & 1))
        else:
            before = self.words.get(offset, 0)
            value &= ~self._lacking.get(offset, 0)
            self.store(offset, value)
            if offset - clock_gates.TO_RESET in clock_gates.ENABLE_REGISTERS:
                self._reset_peripherals(offset - clock_gates.TO_RESET, value & ~before)
            if offset == CFGR and field(value, 24, 3) and self.unknowns is not None:
                self.unknowns.without_effect(self, CFGR, value & _MCO_PIN)
            if offset == CIER:
                self._update_interrupt()
                return
            if offset in clock_gates.ENABLE_REGISTERS:
                self.version += 1
                gates = self.gates.names(offset, before ^ self.words[offset])
                self.gates_changed(gates)
                return
        self._changed()

    def _write_cr(self, value: int) -> None:
        value |= self.words[CR] & MSIRGSEL  # set once, until the next reset
        # The hardware keeps the oscillators that are in use, directly or by the PLL (RM0351, RCC_CR).
        in_use = _IN_USE[field(self.words[CFGR], 2, 2)]
        if in_use == PLLON:
            in_use |= _PLL_SOURCE[field(self.words[PLLCFGR], 0, 2)]
        if self.words[CR] & HSEON:
            value = value & ~HSEBYP | self.words[CR] & HSEBYP  # only while the HSE is off
        value |= self.words[CR] & CSSON  # set once, until the next reset or failure
        ran = self.words[CR] & MSION
        msi_hz = self.oscillators.msi_range_hz
        self.store(CR, value | in_use)
        cr = self.words[CR]
        if cr & MSION:
            self.msi_flag_stuck = False
        elif ran and msi_hz >= _MSI_STICKS_FROM_HZ:
            self.msi_flag_stuck = True  # assumption errata_worst_case
        for name, bit in (("msi", MSION), ("hsi16", HSION | HSIKERON), ("hse", HSEON)):
            self.oscillators[name].switch(bool(cr & bit))
        for name, bit in (("pll", PLLON), ("pllsai1", PLLSAI1ON), ("pllsai2", PLLSAI2ON)):
            self.oscillators[name].switch(bool(cr & bit))

    def _write_bdcr(self, value: int) -> None:
        if not self._backup_access():
            return
        if value & _BDRST:
            self.reset_backup_domain()
            self.words[BDCR] = _BDRST
            return
        bdcr = self.words[BDCR]
        if field(bdcr, 8, 2) and not bdcr & LSECSSD:
            # RTCSEL, once chosen, changes only through a backup domain reset or after an LSE failure.
            value = (value & ~0x300) | (bdcr & 0x300)
        self.words[BDCR] = value & _BDCR_WRITABLE | bdcr & LSECSSD
        self.oscillators["lse"].switch(bool(value & _LSEON))

    def _reset_peripherals(self, enable_offset: int, bits: int) -> None:
        for name in self.gates.names(enable_offset, bits):
            self.peripheral_reset(name)

    def _ready(self, name: str) -> None:
        bit = _INTERRUPT_BIT[name]
        if self.words[CIER] >> bit & 1:
            self.words[CIFR] |= 1 << bit
        self._update_interrupt()
        self._changed()

    def _update_interrupt(self) -> None:
        self._interrupt.set(bool(self.words[CIFR] & self.words[CIER]))

    def _changed(self) -> None:
        cfgr = self.words[CFGR]
        wanted, current = field(cfgr, 0, 2), field(cfgr, 2, 2)
        if wanted != current and self.oscillators.system_clock(wanted).ready:
            self.words[CFGR] = (cfgr & ~0xC) | wanted << 2
        self.clocks = self.oscillators.frequencies(stopped=self.stopped)
        self.version += 1
        self.clocks_changed()

# SPDX-License-Identifier: Apache-2.0
"""RCC: oscillators, PLLs, dividers, gates, resets, the backup domain; RNG on its clock."""

from __future__ import annotations

from hil.boards.board import HighSpeedClock
from tests.twin.sweep.registry import scenario
from tests.twin.sweep.subject import Subject

CR, ICSCR, CFGR, PLLCFGR, PLLSAI1CFGR, PLLSAI2CFGR, CIER, CIFR, CICR = range(0, 0x24, 4)
RESETS, ENABLES, SLEEP_ENABLES = range(0x28, 0x44, 4), range(0x48, 0x64, 4), range(0x68, 0x84, 4)
CCIPR, BDCR, CSR = 0x88, 0x90, 0x94
MSI_4_MHZ = 0x61


@scenario("RCC", CR, ICSCR, CFGR, CIER, CICR)
def oscillators(s: Subject) -> None:
    """HSI16 beside MSI, told of."""
    s.write("RCC", CIER, 0x8)
    s.write("RCC", CR, 0x161)
    s.write("RCC", ICSCR, 0x1000_0000)
    s.write("RCC", CFGR, 0)
    s.advance(10e-6)
    s.write("RCC", CICR, 0)
    s.sample()


@scenario("RCC", CR)
def oscillators_in_stop(s: Subject) -> None:
    """What HSI16 does in and after Stop 1."""
    s.write("RCC", CR, MSI_4_MHZ)
    s.sleep_deeply(1)
    s.sample()
    s.mcu.core.debug_halt()
    s.advance(20e-6)


@scenario("RCC", CFGR)
def dividers(s: Subject) -> None:
    """HSI16 as the system clock, divided."""
    for config in (0x1, 0x0000_24B1):
        s.write("RCC", CR, 0x161)
        s.advance(10e-6)
        s.write("RCC", CFGR, config)
        s.advance(10e-6)


@scenario("RCC", CFGR)
def after_stop(s: Subject) -> None:
    """What the part wakes on."""
    s.write("RCC", CFGR, 0)
    s.sleep_deeply(1)
    s.mcu.core.debug_halt()
    s.advance(20e-6)


def _pll(register: int, enable: int, value: int, *, used: bool) -> None:
    @scenario("RCC", register, CR)
    def pll(s: Subject) -> None:
        """A PLL, and what hangs on it."""
        s.write("RCC", CR, MSI_4_MHZ | 0x100)
        s.blocks["RCC"].write(PLLCFGR, 4, 0x1001)
        s.write("RCC", CCIPR, 0x1800_0000 if used else 1 << 26)
        s.write("RCC", register, value)
        s.write("RCC", CR, MSI_4_MHZ | 0x100 | enable)
        s.advance(100e-6)
        if used:
            s.write("RCC", CFGR, 3)
        s.advance(100e-6)
        s.note(s.mcu.peripherals.kernel_clocks.clk48_hz())


_pll(PLLCFGR, 1 << 24, 0x0110_2801 | 1 << 20, used=True)
_pll(PLLCFGR, 1 << 24, 0x0100_1801, used=True)
_pll(PLLSAI1CFGR, 1 << 26, 0x0110_0C00, used=False)
_pll(PLLSAI2CFGR, 1 << 28, 0x0101_1800, used=False)


@scenario("RCC", CR, CFGR, CIER, CICR)
def outside_clock(s: Subject) -> None:
    """A board with a crystal at the HSE's pins, which stops; MCO leads it out."""
    oscillators = s.mcu.peripherals.rcc.oscillators
    oscillators.hse = HighSpeedClock(8_000_000, bypassed=False)
    s.write("RCC", CIER, 0x10)
    s.write("RCC", CR, MSI_4_MHZ | 0x9_0000)
    s.advance(2.5e-3)
    s.write("RCC", CFGR, 2)
    s.advance(10e-6)
    for selection in (0, 0x1400_0002, 0x3100_0002):
        s.write("RCC", CFGR, selection)
        s.note(s.mcu.peripherals.kernel_clocks.oscillator_hz("mco"))
    s.mcu.peripherals.rcc.stop_hse()
    s.sample()
    s.write("RCC", CICR, 0)
    s.sample()
    oscillators.hse = None


def _told(enables: int) -> None:
    @scenario("RCC", CIER, CICR)
    def told(s: Subject) -> None:
        """Everything that can become ready does, told of or not; flags are cleared, or not."""
        s.write("RCC", CIER, enables)
        s.blocks["PWR"].write(0x00, 4, 0x300)
        s.write("RCC", CSR, 0x601)
        s.blocks["RCC"].write(PLLCFGR, 4, 0x1001)
        s.write("RCC", BDCR, 1)
        s.write("RCC", CR, 0x161)
        s.advance(10e-6)
        s.blocks["RCC"].write(CFGR, 4, 1)
        s.write("RCC", CR, 0x160)
        s.write("RCC", CR, 0x161)
        s.advance(10e-6)
        s.write("RCC", CR, 0x1500_0161)
        s.advance(4.0)
        s.write("RCC", BDCR, 0x8121)
        s.mcu.peripherals.rcc.stop_lse_crystal()
        s.sample()
        s.write("RCC", CICR, 0)
        s.sample()


_told(0)
_told(0x3FF)


@scenario("RCC", CR)
def range_of_msi(s: Subject) -> None:
    """MSI has a range of its own beside HSI16, or is off."""
    s.write("RCC", CR, 0x159)
    s.advance(10e-6)
    s.blocks["RCC"].write(CFGR, 4, 1)
    s.write("RCC", CR, 0x159)
    s.advance(10e-6)
    s.blocks["RCC"].write(CFGR, 4, 0)
    s.advance(10e-6)


@scenario("RCC", CR)
def locked_msi(s: Subject) -> None:
    """MSI, whose trim is off, may be locked to the LSE."""
    s.blocks["PWR"].write(0x00, 4, 0x300)
    s.blocks["RCC"].write(BDCR, 4, 1)
    s.mcu.peripherals.rcc.oscillators["lse"].force_ready()
    s.blocks["RCC"].write(ICSCR, 4, 0x1000_1000)
    s.write("RCC", CR, MSI_4_MHZ)
    s.sample()


@scenario("RCC", *RESETS)
def resets(s: Subject) -> None:
    """Blocks that hold something are reset."""
    for block in s.blocks.values():
        if block.name not in ("RCC", "PWR", "EXTI"):
            block.read(0, 4)
            for offset in tuple(block.words)[:4]:
                block.words[offset] = block.resets.get(offset, 0) ^ 0x4000_0000
    for register in RESETS:
        s.write("RCC", register, 0)
    s.note({name: tuple(block.words.values()) for name, block in s.blocks.items() if name != "RCC"})


@scenario("RCC", *ENABLES)
def gates(s: Subject) -> None:
    """All gates are open."""
    for register in ENABLES:
        s.write("RCC", register, 0xFFFF_FFFF)
    s.sample()


@scenario("RCC", *SLEEP_ENABLES)
def gates_in_sleep(s: Subject) -> None:
    """All gates are open in Sleep."""
    for register in ENABLES:
        s.write("RCC", register, 0xFFFF_FFFF)
    for register in SLEEP_ENABLES:
        s.write("RCC", register, 0xFFFF_FFFF)
    s.advance(1e-6)
    rcc = s.mcu.peripherals.rcc
    s.note(rcc.running_gates(), s.mcu.supply.current_a)


@scenario("RCC", CCIPR)
def kernel_clocks(s: Subject) -> None:
    """All kernel clocks from the bus, then from SYSCLK, with everything running."""
    s.write("RCC", CR, 0x1161)
    s.write("RCC", CSR, 0x601)
    s.blocks["RCC"].write(PLLSAI1CFGR, 4, 0x0111_1800)
    s.blocks["RCC"].write(PLLCFGR, 4, 0x0110_1801)
    s.write("RCC", CR, 0x0500_0161)
    s.mcu.peripherals.rcc.oscillators["lse"].force_ready()
    s.blocks["RCC"].write(CFGR, 4, 0x0000_0480)
    s.advance(300e-6)
    for clocks in (0, 0x3D5D_5555, 0x0028_AAAA):
        s.write("RCC", CCIPR, clocks)
        s.advance(1e-6)
        blocks = s.mcu.peripherals
        s.note(blocks.kernel_clocks.clk48_hz(), blocks.rcc.adc_async_hz())


def _backup(value: int, source: int) -> None:
    @scenario("RCC", BDCR, CSR)
    def backup_domain(s: Subject) -> None:
        """The RTC on a clock."""
        s.write("RCC", CSR, 0x601)
        s.blocks["PWR"].write(0x00, 4, 0x300)
        s.write("RCC", BDCR, value)
        s.advance(1e-3)
        s.note(s.mcu.peripherals.rcc.rtc_hz, s.mcu.peripherals.rcc.rtc_source)
        if source:
            s.mcu.peripherals.rcc.oscillators["lse"].force_ready()
            s.mcu.peripherals.rcc.stop_lse_crystal()
            s.sample()
        s.note(s.mcu.peripherals.rcc.rtc_hz)


_backup(0x8200, 0)
_backup(0x8101, 1)
_backup(0x8121, 1)


@scenario("RCC", CSR)
def flags_of_resets(s: Subject) -> None:
    """The causes of resets are forgotten, or not; the range after Standby."""
    s.write("RCC", CSR, 0x601)
    s.sample()
    s.sleep_deeply(3)
    s.mcu.set_nrst(True)
    s.mcu.set_nrst(False)
    s.advance(100e-6)


@scenario("RNG")
def numbers(s: Subject) -> None:
    """Numbers from a 48 MHz clock, told of, and one after another; then the clock goes."""
    s.write("RCC", CR, 0xB9)
    s.write("RCC", CCIPR, 0x0C00_0000)
    for control in (0x4, 0xC):
        s.write("RNG", 0x00, control)
        s.advance(10e-6)
        s.note(s.read("RNG", 0x08))
    s.write("RCC", CCIPR, 0)
    s.blocks["RNG"].write(0x00, 4, 0)
    s.blocks["RNG"].write(0x00, 4, 4)
    s.advance(10e-6)
    s.write("RNG", 0x04, 0)
    s.sample()

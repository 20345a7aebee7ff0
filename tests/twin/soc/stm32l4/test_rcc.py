# SPDX-License-Identifier: Apache-2.0
import pytest

from hil.twin.soc.stm32l4 import clock_tree

CR, CFGR, PLLCFGR, CIER, CIFR, CICR = 0x00, 0x08, 0x0C, 0x18, 0x1C, 0x20
AHB2ENR, APB1ENR1, BDCR, CSR = 0x4C, 0x58, 0x90, 0x94
PLL_80MHZ = 1 | 40 << 8 | 1 << 24  # MSI, /1, x40, /2, R output on
LSEON, LSERDY, RTCEN, RTCSEL_LSE, BDRST = 1, 2, 1 << 15, 1 << 8, 1 << 16


def unlock_backup_domain(part):
    part.enable_clock(APB1ENR1, 28)
    part.set_bits("PWR", 0x00, 1 << 8)


def test_reset_values_are_the_manuals(part):
    assert part.read("RCC", CR) == 0x63
    assert part.read("RCC", PLLCFGR) == 0x1000
    assert part.read("RCC", CSR) == 0x0C00_0600  # power-on: BOR and pin flags
    assert part.mcu.peripherals.rcc.clocks.hclk_hz == 4_000_000


def test_pll_locks_after_its_lock_time_and_switches_to_80_mhz(part):
    part.write("RCC", PLLCFGR, PLL_80MHZ)
    part.set_bits("RCC", CR, 1 << 24)
    part.write("RCC", CFGR, 3)
    part.advance(14.9e-6)  # typical lock time 15 us: DS10198 Rev 8, T62
    assert not part.read("RCC", CR) & 1 << 25
    assert part.read("RCC", CFGR) >> 2 & 3 == 0
    part.advance(0.2e-6)
    assert part.read("RCC", CR) & 1 << 25
    assert part.read("RCC", CFGR) >> 2 & 3 == 3
    assert part.mcu.core.hclk_hz == 80_000_000


def test_pll_without_its_source_never_locks(part):
    part.write("RCC", PLLCFGR, (PLL_80MHZ & ~3) | 3)  # HSE, which the board does not have
    part.set_bits("RCC", CR, 1 << 16 | 1 << 24)
    part.advance(1.0)
    assert not part.read("RCC", CR) & (1 << 17 | 1 << 25)


def test_system_clock_source_cannot_be_switched_off(part):
    part.write("RCC", CR, 0)
    assert part.read("RCC", CR) & 3 == 3


@pytest.mark.parametrize(
    ("msi_range", "hz"), [(0, 100_000), (5, 2_000_000), (6, 4_000_000), (11, 48_000_000)]
)
def test_msi_ranges(part, msi_range, hz):
    part.write("RCC", CR, 1 | 1 << 3 | msi_range << 4)
    assert part.mcu.core.hclk_hz == hz


def test_range_is_standby_range_until_msirgsel(part):
    part.write("RCC", CR, 1 | 9 << 4)
    assert part.mcu.core.hclk_hz == 4_000_000


def test_lse_starts_in_two_seconds_and_interrupts(part):
    part.write("RCC", CIER, 2)
    part.write("RCC", BDCR, LSEON)
    assert part.read("RCC", BDCR) == 0  # protected until DBP
    unlock_backup_domain(part)
    part.write("RCC", BDCR, LSEON | RTCSEL_LSE | RTCEN)
    part.advance(1.999)
    assert not part.read("RCC", BDCR) & LSERDY
    part.advance(0.002)
    assert part.read("RCC", BDCR) & LSERDY
    assert part.read("RCC", CIFR) == 2
    part.write("RCC", CICR, 2)
    assert part.read("RCC", CIFR) == 0


def test_backup_domain_survives_a_system_reset_but_not_bdrst(part):
    unlock_backup_domain(part)
    part.write("RCC", BDCR, LSEON | RTCSEL_LSE | RTCEN)
    part.mcu.set_nrst(True)
    part.mcu.set_nrst(False)
    part.advance(1e-3)
    assert part.read("RCC", BDCR) & ~LSERDY == LSEON | RTCSEL_LSE | RTCEN
    unlock_backup_domain(part)
    part.write("RCC", BDCR, BDRST)
    part.write("RCC", BDCR, 0)
    assert part.read("RCC", BDCR) == 0


def test_reset_causes_accumulate_until_cleared(part):
    part.write("RCC", CSR, 1 << 23)
    assert part.read("RCC", CSR) >> 24 == 0
    part.mcu.system_reset("software")
    assert part.read("RCC", CSR) >> 24 == 0x14
    part.mcu.system_reset("iwdg")
    assert part.read("RCC", CSR) >> 24 == 0x34


def test_gated_peripheral_reads_zero_and_ignores_writes(part):
    assert part.read("GPIOA", 0x00) == 0
    part.write("GPIOA", 0x00, 0)
    part.enable_clock(AHB2ENR, 0)
    assert part.read("GPIOA", 0x00) == 0xABFF_FFFF


def test_peripheral_reset_bit(part):
    part.enable_clock(AHB2ENR, 0)
    part.write("GPIOA", 0x14, 0x1234)
    part.write("RCC", 0x2C, 1)
    assert part.read("GPIOA", 0x14) == 0


def test_timer_clock_doubles_behind_a_divided_bus():
    assert clock_tree.apb_hz(0, 80_000_000) == (80_000_000, 80_000_000)
    assert clock_tree.apb_hz(5, 80_000_000) == (20_000_000, 40_000_000)


def test_msi_in_pll_mode_is_a_multiple_of_the_crystal():
    assert clock_tree.msi_hz(6, locked_to_lse=True) == 122 * 32_768  # 3.998 MHz: DS10198 Rev 8, T60
    assert clock_tree.msi_hz(11, locked_to_lse=True) == 48_005_120


def test_a_reserved_msi_range_is_the_fastest(part):
    part.write("RCC", 0x00, 0x9 | 15 << 4)
    part.advance(1e-3)
    assert part.mcu.peripherals.rcc.clocks.msi_hz == 48_000_000
    assert part.mcu.supply.current_a > 0


def test_trimming_moves_the_oscillators(part):
    part.write("RCC", 0x04, 0x1000_0000 | 10 << 8)  # ten steps of 0.3 %
    assert part.mcu.peripherals.rcc.clocks.msi_hz == 4_120_000
    part.write("RCC", 0x04, 0x1000_0000 | (256 - 10) << 8)
    assert part.mcu.peripherals.rcc.clocks.hclk_hz == 3_880_000
    part.set_bits("RCC", 0x00, 1 << 8)
    part.advance(1e-3)
    part.write("RCC", 0x04, 0x1F00_0000)
    assert part.mcu.peripherals.rcc.clocks.hsi16_hz == 16_720_000

# SPDX-License-Identifier: Apache-2.0
"""What vendor HALs and RTOSes do between reset and sleep: every wait for a flag must end, and in its time.

Each test makes the register accesses of one public start-up function, in its order; a wait polls as the code
does and fails when the function's own time-out is over.
"""

import pytest

PWR_CR1, PWR_SR1, PWR_SR2, PWR_SCR = 0x00, 0x10, 0x14, 0x18
CR, ICSCR, CFGR, PLLCFGR, PLLSAI1CFGR = 0x00, 0x04, 0x08, 0x0C, 0x10
AHB2ENR, APB1ENR1, CCIPR, BDCR, CSR = 0x4C, 0x58, 0x88, 0x90, 0x94
FLASH_ACR = 0x00
VOSF, REGLPF, REGLPS, LPR, DBP = 1 << 10, 1 << 9, 1 << 8, 1 << 14, 1 << 8
MSIRDY, MSIPLLEN, MSIRGSEL, HSIRDY, PLLRDY, PLLSAI1RDY = 1 << 1, 1 << 2, 1 << 3, 1 << 10, 1 << 25, 1 << 27
HAL_TICKS_S = 2e-3
"""The HAL's time-out for oscillators and PLLs is 2 ticks of 1 ms."""
LSE_TIMEOUT_S = 5.0


def wait(part, name, offset, mask, value, timeout_s=HAL_TICKS_S):
    limit_ps = part.now_ps + round(timeout_s * 1e12)
    while part.read(name, offset) & mask != value:
        assert part.now_ps < limit_ps, f"{name}+0x{offset:02x} never has 0x{value:x} in 0x{mask:x}"
        part.advance(5e-6)


def modify(part, name, offset, clear, set_bits):
    part.write(name, offset, part.read(name, offset) & ~clear | set_bits)


def hal_init(part):
    modify(part, "FLASH", FLASH_ACR, 0, 1 << 8)
    part.enable_clock(0x60, 0)
    part.read("RCC", 0x60)
    part.enable_clock(APB1ENR1, 28)


def start_pll(part, source, multiplier, divider):
    modify(part, "RCC", CR, 1 << 24, 0)
    wait(part, "RCC", CR, PLLRDY, 0)
    part.write("RCC", PLLCFGR, source | (divider - 1) << 4 | multiplier << 8)
    modify(part, "RCC", CR, 0, 1 << 24)
    modify(part, "RCC", PLLCFGR, 0, 1 << 24)
    wait(part, "RCC", CR, PLLRDY, PLLRDY)


def switch_to_pll(part):
    modify(part, "FLASH", FLASH_ACR, 7, 4)
    assert part.read("FLASH", FLASH_ACR) & 7 == 4
    modify(part, "RCC", CFGR, 3, 3)
    wait(part, "RCC", CFGR, 0xC, 0xC, 5.0)
    modify(part, "RCC", CFGR, 0x3F00, 0)


def start_lse(part):
    modify(part, "PWR", PWR_CR1, 0, DBP)
    wait(part, "PWR", PWR_CR1, DBP, DBP)
    modify(part, "RCC", BDCR, 0x18, 0)
    modify(part, "RCC", BDCR, 0, 1)
    wait(part, "RCC", BDCR, 2, 2, LSE_TIMEOUT_S)


@pytest.fixture
def started(part):
    hal_init(part)
    yield part
    assert part.mcu.peripherals.unmodelled.accesses == []


def test_msi_to_pll_80_mhz(started):
    wait(started, "RCC", CR, MSIRDY, MSIRDY)
    modify(started, "RCC", CR, 0, MSIRGSEL)
    modify(started, "RCC", CR, 0xF0, 6 << 4)
    modify(started, "RCC", ICSCR, 0xFF00, 0)
    start_pll(started, source=1, multiplier=40, divider=1)
    switch_to_pll(started)
    assert started.mcu.core.hclk_hz == 80_000_000


def test_hsi16_to_pll_80_mhz(started):
    modify(started, "RCC", CR, 0, 1 << 8)
    wait(started, "RCC", CR, HSIRDY, HSIRDY)
    modify(started, "RCC", ICSCR, 0x1F00_0000, 0x10 << 24)
    start_pll(started, source=2, multiplier=10, divider=1)
    switch_to_pll(started)
    assert started.mcu.core.hclk_hz == 80_000_000
    modify(started, "RCC", CR, 1, 0)  # the MSI is not in use any more
    wait(started, "RCC", CR, MSIRDY, 0)


def test_lse_disciplines_the_msi_and_a_second_pll_starts(started):
    start_lse(started)
    modify(started, "RCC", CR, 0, MSIRGSEL)
    modify(started, "RCC", CR, 0xF0, 11 << 4)  # 48 MHz, which mbed takes for USB
    modify(started, "RCC", CR, 0, MSIPLLEN)
    assert started.mcu.peripherals.rcc.clocks.msi_hz == 48_005_120
    # An MSI that is off is right while it is locked, and off again without.
    started.mcu.peripherals.rcc.oscillators.msi_error = -0.0169
    modify(started, "RCC", CR, MSIPLLEN, 0)
    assert started.mcu.peripherals.rcc.clocks.msi_hz == round(48e6 * (1 - 0.0169))
    modify(started, "RCC", CR, 0, MSIPLLEN)
    assert started.mcu.peripherals.rcc.clocks.msi_hz == 48_005_120
    start_pll(started, source=1, multiplier=40, divider=6)
    started.write("RCC", PLLSAI1CFGR, 24 << 8 | 1 << 20)
    modify(started, "RCC", CR, 0, 1 << 26)
    wait(started, "RCC", CR, PLLSAI1RDY, PLLSAI1RDY)
    modify(started, "RCC", CR, 1 << 26, 0)
    wait(started, "RCC", CR, PLLSAI1RDY, 0)


def test_voltage_scaling_both_ways(started):
    modify(started, "PWR", PWR_CR1, 0x600, 0x400)
    assert started.read("PWR", PWR_CR1) & 0x600 == 0x400
    wait(started, "PWR", PWR_SR2, VOSF, 0, 50e-6)
    modify(started, "PWR", PWR_CR1, 0x600, 0x200)
    wait(started, "PWR", PWR_SR2, VOSF, 0, 50e-6)


def test_low_power_run_and_back(started):
    modify(started, "RCC", CR, 0xF0, 5 << 4 | MSIRGSEL)
    modify(started, "PWR", PWR_CR1, 0, LPR)
    wait(started, "PWR", PWR_SR2, REGLPF, REGLPF, 50e-6)
    modify(started, "PWR", PWR_CR1, LPR, 0)
    wait(started, "PWR", PWR_SR2, REGLPF, 0, 50e-6)


def test_lsi_and_watchdog(started):
    modify(started, "RCC", CSR, 0, 1)
    wait(started, "RCC", CSR, 2, 2, 7e-3)
    for key in (0xCCCC, 0x5555):
        started.write("IWDG", 0x00, key)
    started.write("IWDG", 0x04, 4)
    started.write("IWDG", 0x08, 0xFFF)
    wait(started, "IWDG", 0x0C, 7, 0, 48e-3)
    started.write("IWDG", 0x00, 0xAAAA)


def test_rtc_initialisation(started):
    start_lse(started)
    modify(started, "RCC", BDCR, 0x300, 0x100)
    modify(started, "RCC", BDCR, 0, 1 << 15)
    for key in (0xCA, 0x53):
        started.write("RTC", 0x24, key)
    started.write("RTC", 0x0C, 0xFFFF_FFFF)
    wait(started, "RTC", 0x0C, 1 << 6, 1 << 6, 1.0)
    modify(started, "RTC", 0x08, 0x700040, 0)
    started.write("RTC", 0x10, 0xFF)
    modify(started, "RTC", 0x10, 0, 0x7F << 16)
    modify(started, "RTC", 0x0C, 1 << 7, 0)
    modify(started, "RTC", 0x0C, 1 << 5, 0)
    wait(started, "RTC", 0x0C, 1 << 5, 1 << 5, 1.0)
    modify(started, "RTC", 0x4C, 3, 0)
    started.write("RTC", 0x24, 0xFF)


def test_low_power_timer_as_the_clock_of_an_rtos(started):
    start_lse(started)
    started.enable_clock(APB1ENR1, 31)
    modify(started, "RCC", CCIPR, 3 << 18, 3 << 18)
    started.write("LPTIM1", 0x0C, 0)
    started.write("LPTIM1", 0x08, 2)
    started.write("LPTIM1", 0x10, 1)
    started.write("LPTIM1", 0x18, 0xFFFF)
    wait(started, "LPTIM1", 0x00, 1 << 4, 1 << 4)
    started.write("LPTIM1", 0x10, 5)
    started.write("LPTIM1", 0x14, 100)
    wait(started, "LPTIM1", 0x00, 1 << 3, 1 << 3)


def test_serial_port_acknowledges_its_enables(started):
    started.enable_clock(APB1ENR1, 17)
    started.write("USART2", 0x0C, 35)
    started.write("USART2", 0x00, 0xD)
    wait(started, "USART2", 0x1C, 3 << 21, 3 << 21)


def test_analog_converter_calibrates_and_enables(started):
    started.enable_clock(AHB2ENR, 13)
    started.write("ADC123_COMMON", 0x08, 1 << 16)
    modify(started, "ADC1", 0x08, 1 << 29, 0)
    modify(started, "ADC1", 0x08, 0, 1 << 28)
    started.advance(20e-6)
    modify(started, "ADC1", 0x08, 0, 1 << 31)
    wait(started, "ADC1", 0x08, 1 << 31, 0, 10e-3)
    modify(started, "ADC1", 0x08, 0, 1)
    wait(started, "ADC1", 0x00, 1, 1, 2e-3)

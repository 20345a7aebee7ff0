# SPDX-License-Identifier: Apache-2.0
"""The register accesses that bring the part into an operating condition (RM0351; ST's stm32l476xx.h)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

RCC: Final = 0x4002_1000
RCC_CR, RCC_CFGR, RCC_PLLCFGR = RCC, RCC + 0x08, RCC + 0x0C
RCC_AHB1ENR, RCC_AHB2ENR = RCC + 0x48, RCC + 0x4C
RCC_APB1ENR1, RCC_APB1ENR2, RCC_APB2ENR = RCC + 0x58, RCC + 0x5C, RCC + 0x60
RCC_CCIPR, RCC_BDCR, RCC_CSR = RCC + 0x88, RCC + 0x90, RCC + 0x94
PWR: Final = 0x4000_7000
PWR_CR1, PWR_CR2, PWR_CR3, PWR_SR2 = PWR, PWR + 0x04, PWR + 0x08, PWR + 0x14
PWR_SCR: Final = PWR + 0x18
FLASH_ACR: Final = 0x4002_2000
EXTI_IMR1, EXTI_RTSR1 = 0x4001_0400, 0x4001_0408
NVIC_ISER0: Final = 0xE000_E100
SCB_SCR: Final = 0xE000_ED10
IWDG_KR, IWDG_PR, IWDG_RLR, IWDG_SR = 0x4000_3000, 0x4000_3004, 0x4000_3008, 0x4000_300C

PWREN: Final = 1 << 28
_ALL: Final = 0xFFFF_FFFF
_WAIT_STATE_STEPS_HZ: Final = {1: 16_000_000, 2: 6_000_000}
"""HCLK per flash wait state in voltage ranges 1 and 2 (RM0351, number of wait states; range 2 ends at
26 MHz with three)."""
_WAIT_STATES_MAX: Final = {1: 4, 2: 3}
MSI_RANGES_HZ: Final = (
    *(100_000, 200_000, 400_000, 800_000, 1_000_000, 2_000_000, 4_000_000, 8_000_000),
    *(16_000_000, 24_000_000, 32_000_000, 48_000_000),
)
"""DS10198 Rev 8, Table 60."""


class Kind(IntEnum):
    """What the firmware does with a step."""

    MODIFY = 0
    WAIT = 1


class Then(IntEnum):
    """What the firmware does after the last step."""

    LISTEN = 0
    REDUCED = 1
    """The code that all tables of the run current are measured with, unless they name another."""
    REDUCED_SRAM = 2
    SLEEP = 3
    SLEEP_SRAM = 4
    WHILE1 = 5
    WHILE1_SRAM = 6
    FIBONACCI = 7
    FIBONACCI_SRAM = 8
    COREMARK = 9
    COREMARK_SRAM = 10
    DHRYSTONE = 11
    DHRYSTONE_SRAM = 12


@dataclass(frozen=True)
class Step:
    """One access: set the bits of ``mask`` to ``value``, or wait until they have it."""

    kind: Kind
    address: int
    mask: int
    value: int


Steps = tuple[Step, ...]


def put(address: int, value: int, mask: int = _ALL) -> Step:
    """Write ``value`` to the bits of ``mask``."""
    return Step(Kind.MODIFY, address, mask, value)


def wait(address: int, mask: int, value: int) -> Step:
    """Read until the bits of ``mask`` have ``value``."""
    return Step(Kind.WAIT, address, mask, value)


def on(address: int, bits: int) -> Step:
    """Set bits."""
    return put(address, bits, bits)


PWR_CLOCK_ON: Final = on(RCC_APB1ENR1, PWREN)
ALL_GATES_OFF: Final = (put(RCC_APB1ENR1, 0), put(RCC_AHB2ENR, 0))
"""The condition "all peripherals disabled"; the firmware had switched on PWR and GPIOA."""


def voltage_range(number: int) -> Steps:
    """Main regulator in voltage range 1 or 2, waited for."""
    return (PWR_CLOCK_ON, put(PWR_CR1, number << 9, 3 << 9), wait(PWR_SR2, 1 << 10, 0))


def wait_states(hclk_hz: int, regulator_range: int, *, art: bool) -> Steps:
    """Flash latency for a clock; ``art``: both caches on and prefetch off, else all off."""
    states = max(0, -(-hclk_hz // _WAIT_STATE_STEPS_HZ[regulator_range]) - 1)
    return (put(FLASH_ACR, min(states, _WAIT_STATES_MAX[regulator_range]) | (0x600 if art else 0)),)


def msi(hz: int) -> Steps:
    """MSI at one of its ranges, the system clock after reset."""
    code = MSI_RANGES_HZ.index(hz)
    return (put(RCC_CR, code << 4 | 1 << 3, 0xF8), wait(RCC_CR, 2, 2))


def hsi16() -> Steps:
    """HSI16 as the system clock and as the clock after Stop; the MSI off."""
    return (
        on(RCC_CR, 1 << 8),
        wait(RCC_CR, 1 << 10, 1 << 10),
        put(RCC_CFGR, 1 << 15 | 1, 1 << 15 | 3),
        wait(RCC_CFGR, 0xC, 0x4),
        put(RCC_CR, 0, 1),
    )


def pll_running(factor: int, divider: int) -> Steps:
    """PLL from the 4 MHz MSI: VCO at ``factor`` times 4 MHz, output R divided by ``divider`` (2, 4, 6, 8)."""
    return (
        put(RCC_PLLCFGR, 1 | factor << 8 | 1 << 24 | (divider // 2 - 1) << 25),
        on(RCC_CR, 1 << 24),
        wait(RCC_CR, 1 << 25, 1 << 25),
    )


def pll(factor: int, divider: int) -> Steps:
    """The PLL as the system clock."""
    return (*pll_running(factor, divider), put(RCC_CFGR, 3, 3), wait(RCC_CFGR, 0xC, 0xC))


def low_power_regulator() -> Steps:
    """Low-power run; the clock must be 2 MHz or less."""
    return (PWR_CLOCK_ON, on(PWR_CR1, 1 << 14))


def deep_sleep(lpms: int) -> Steps:
    """SLEEPDEEP with a low-power mode selected: 0, 1, 2 for Stop, 3 for Standby, 4 for Shutdown."""
    return (PWR_CLOCK_ON, put(PWR_SCR, 0x11F), put(PWR_CR1, lpms, 7), on(SCB_SCR, 4))


def lsi() -> Steps:
    """LSI on, waited for."""
    return (on(RCC_CSR, 1), wait(RCC_CSR, 2, 2))


def lse(drive: int = 0, *, bypass: bool = False) -> Steps:
    """LSE on; it takes seconds, so it is not waited for here."""
    return (PWR_CLOCK_ON, on(PWR_CR1, 1 << 8), put(RCC_BDCR, 1 | drive << 3 | bypass << 2, 0x1D))


def rtc(source: int) -> Steps:
    """RTC clocked from the LSE (1) or the LSI (2)."""
    return (PWR_CLOCK_ON, on(PWR_CR1, 1 << 8), put(RCC_BDCR, source << 8 | 1 << 15, 0x8300))


def watchdog() -> Steps:
    """IWDG running with its longest period, 32.8 s on the LSI."""
    return (
        put(IWDG_KR, 0xCCCC),
        put(IWDG_KR, 0x5555),
        put(IWDG_PR, 6),
        wait(IWDG_SR, 7, 0),
        put(IWDG_KR, 0xAAAA),
    )


def wake_up_line() -> Steps:
    """PA0 rising ends a sleep: EXTI line 0 and its interrupt enabled, and the pin WKUP1."""
    return (
        PWR_CLOCK_ON,
        on(PWR_CR3, 1),
        on(EXTI_RTSR1, 1),
        on(EXTI_IMR1, 1),
        put(NVIC_ISER0, 1 << 6),
    )

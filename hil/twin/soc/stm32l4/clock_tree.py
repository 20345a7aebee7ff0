# SPDX-License-Identifier: Apache-2.0
"""Frequencies of the clock tree from the RCC's settings (RM0351, RCC section, clock tree figure)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

HSI16_HZ: Final = 16_000_000
"""DS10198 Rev 8, Table 59 (nominal)."""
LSE_HZ: Final = 32_768
"""A board's crystal, where it has one."""
LSI_HZ: Final = 32_000
"""DS10198 Rev 8, Table 61 (nominal)."""
MSI_HZ: Final = (
    100_000,
    200_000,
    400_000,
    800_000,
    1_000_000,
    2_000_000,
    4_000_000,
    8_000_000,
    16_000_000,
    24_000_000,
    32_000_000,
    48_000_000,
)
"""MSI ranges 0 to 11 (DS10198 Rev 8, Table 60, MSI mode)."""
MSI_LSE_MULTIPLE: Final = (3, 6, 12, 24, 31, 61, 122, 244, 488, 732, 977, 1465)
"""The multiples of the LSE that Table 60 prints for PLL mode (98.304 kHz to 48.005 MHz)."""

TRIM_STEP: Final = 0.003
"""What a step of HSITRIM changes, relative (DS10198 Rev 8, Table 59, TRIM, typical). A step of MSITRIM counts
the same: assumption oscillator_trim."""
HSITRIM_MIDDLE: Final = 16
"""The trimming that leaves HSI16 as the factory set it (RM0351, RCC_ICSCR)."""

HSE_DIVIDER: Final = 32
"""Between the HSE and the RTC, the LCD and TIM17 (RM0351, RCC_BDCR; ST's HAL, TIM_TIM17_TI1_HSE_32)."""

_AHB_DIVIDER: Final = (2, 4, 8, 16, 64, 128, 256, 512)


class SystemClock(IntEnum):
    """The SW and SWS codes of RCC_CFGR."""

    MSI = 0
    HSI16 = 1
    HSE = 2
    PLL = 3


@dataclass(frozen=True)
class Clocks:
    """Every frequency in Hz that somebody depends on; zero for a clock that does not run."""

    sysclk_hz: int = 0
    hclk_hz: int = 0
    pclk1_hz: int = 0
    pclk2_hz: int = 0
    timer1_hz: int = 0
    """Kernel clock of the timers on APB1."""
    timer2_hz: int = 0
    """Kernel clock of the timers on APB2."""
    msi_hz: int = 0
    hsi16_hz: int = 0
    hse_hz: int = 0
    lse_hz: int = 0
    lsi_hz: int = 0
    pll_vco_hz: int = 0


def msi_hz(msi_range: int, locked_to_lse: bool) -> int:
    """Frequency of the MSI in ``msi_range``, free or in PLL mode; the reserved codes above 11 act as 11."""
    index = min(msi_range, len(MSI_HZ) - 1)
    return MSI_LSE_MULTIPLE[index] * LSE_HZ if locked_to_lse else MSI_HZ[index]


def trimmed_hz(frequency_hz: int, steps: int) -> int:
    """An oscillator's frequency, trimmed by so many steps."""
    return round(frequency_hz * (1 + TRIM_STEP * steps))


def pll_vco_hz(pllcfgr: int, msi: int, hsi16: int, hse: int) -> int:
    """VCO frequency of the main PLL for a value of RCC_PLLCFGR; zero without a source that runs."""
    source = (0, msi, hsi16, hse)[pllcfgr & 3]
    return source * (pllcfgr >> 8 & 0x7F) // ((pllcfgr >> 4 & 7) + 1)


def pll_r_hz(pllcfgr: int, vco_hz: int) -> int:
    """Frequency of the PLL's R output, the system clock's input; zero while PLLREN is clear."""
    return vco_hz // (2 * (pllcfgr >> 25 & 3) + 2) if pllcfgr >> 24 & 1 else 0


def ahb_hz(cfgr: int, sysclk_hz: int) -> int:
    """HCLK after the AHB prescaler (RCC_CFGR.HPRE)."""
    code = cfgr >> 4 & 0xF
    return sysclk_hz // _AHB_DIVIDER[code - 8] if code >= 8 else sysclk_hz


def apb_hz(prescaler_code: int, hclk_hz: int) -> tuple[int, int]:
    """PCLK and timer clock of a bus for its PPRE code: timers run at twice a divided PCLK."""
    if prescaler_code < 4:
        return hclk_hz, hclk_hz
    pclk_hz = hclk_hz >> (prescaler_code - 3)
    return pclk_hz, 2 * pclk_hz

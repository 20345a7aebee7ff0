# SPDX-License-Identifier: Apache-2.0
"""Which RCC bit gates, resets and keeps running in Sleep which peripheral.

The enable registers lie at 0x48 to 0x60; the reset register of each is 0x20 below, the Sleep-mode enable
register 0x20 above, all with the same bit (ST's stm32l476xx.h).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

Bus = Literal["AHB", "APB1", "APB2"]

AHB1ENR: Final = 0x48
AHB2ENR: Final = 0x4C
AHB3ENR: Final = 0x50
APB1ENR1: Final = 0x58
APB1ENR2: Final = 0x5C
APB2ENR: Final = 0x60
ENABLE_REGISTERS: Final = (AHB1ENR, AHB2ENR, AHB3ENR, APB1ENR1, APB1ENR2, APB2ENR)
TO_RESET: Final = -0x20
TO_SLEEP_ENABLE: Final = 0x20


@dataclass(frozen=True)
class ClockGate:
    """The position of one peripheral's bits, and its bus."""

    enable_offset: int
    bit: int
    bus: Bus


def _gates(enable_offset: int, bus: Bus, bits: dict[str, int]) -> dict[str, ClockGate]:
    return {name: ClockGate(enable_offset, bit, bus) for name, bit in bits.items()}


GATES: Final[dict[str, ClockGate]] = {
    **_gates(AHB1ENR, "AHB", {"DMA1": 0, "DMA2": 1, "FLASH": 8, "CRC": 12, "TSC": 16}),
    **_gates(
        AHB2ENR,
        "AHB",
        {**{f"GPIO{port}": bit for bit, port in enumerate("ABCDEFGH")}, "OTG_FS": 12, "ADC": 13, "RNG": 18},
    ),
    **_gates(AHB3ENR, "AHB", {"FMC": 0, "QUADSPI": 8}),
    **_gates(
        APB1ENR1,
        "APB1",
        {
            "TIM2": 0,
            "TIM3": 1,
            "TIM4": 2,
            "TIM5": 3,
            "TIM6": 4,
            "TIM7": 5,
            "LCD": 9,
            "WWDG": 11,
            "SPI2": 14,
            "SPI3": 15,
            "USART2": 17,
            "USART3": 18,
            "UART4": 19,
            "UART5": 20,
            "I2C1": 21,
            "I2C2": 22,
            "I2C3": 23,
            "CAN1": 25,
            "PWR": 28,
            "DAC1": 29,
            "OPAMP": 30,
            "LPTIM1": 31,
        },
    ),
    **_gates(APB1ENR2, "APB1", {"LPUART1": 0, "SWPMI1": 2, "LPTIM2": 5}),
    **_gates(
        APB2ENR,
        "APB2",
        {
            "SYSCFG": 0,
            "FIREWALL": 7,
            "SDMMC1": 10,
            "TIM1": 11,
            "SPI1": 12,
            "TIM8": 13,
            "USART1": 14,
            "TIM15": 16,
            "TIM16": 17,
            "TIM17": 18,
            "SAI1": 21,
            "SAI2": 22,
            "DFSDM1": 24,
        },
    ),
}
"""Every clock gate of the part by the peripheral's name."""


@cache
def names(enable_offset: int, bits: int) -> tuple[str, ...]:
    """The gates behind bits of an enable register."""
    return tuple(
        name for name, gate in GATES.items() if gate.enable_offset == enable_offset and bits >> gate.bit & 1
    )


def bits_of(gates: Iterable[str]) -> dict[int, int]:
    """The bits of these gates by register: enable, reset and Sleep-mode enable."""
    found: dict[int, int] = {}
    for name in gates:
        gate = GATES[name]
        for shift in (0, TO_RESET, TO_SLEEP_ENABLE):
            offset = gate.enable_offset + shift
            found[offset] = found.get(offset, 0) | 1 << gate.bit
    return found

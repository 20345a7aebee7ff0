# SPDX-License-Identifier: Apache-2.0
"""Which scenarios there are, and what the sweep needs to know about blocks besides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.twin.bare_part import BLOCKS
from tests.twin.sweep.subject import Subject

Run = Callable[[Subject], None]


@dataclass(frozen=True)
class Scenario:
    """It configures a block, lets it work, and looks at the part a few times.

    A bit that it does not show may be shown by another one of the same block.
    """

    run: Run
    registers: frozenset[int]
    """Offsets of the registers whose bits it is for; empty: of all."""
    at_end: bool
    """The bit is inverted by a store of its own after the scenario, instead of by the scenario's own."""

    def is_for(self, offset: int) -> bool:
        """Whether it may show bits of a register."""
        return not self.registers or offset in self.registers


SCENARIOS: dict[str, list[Scenario]] = {}
"""By the block that stands for its kind."""


def scenario(block: str, *registers: int, at_end: bool = False) -> Callable[[Run], Run]:
    """Make a function a scenario of a block, for the bits of some registers, or of all."""

    def add(run: Run) -> Run:
        SCENARIOS.setdefault(block, []).append(Scenario(run, frozenset(registers), at_end))
        return run

    return add


STANDS_FOR: dict[str, tuple[str, ...]] = {
    "GPIOA": tuple(f"GPIO{port}" for port in "BCDEFGH"),
    "TIM1": ("TIM8",),
    "TIM2": ("TIM5",),
    "TIM3": ("TIM4",),
    "TIM6": ("TIM7",),
    "TIM16": ("TIM17",),
    "USART2": ("USART1", "USART3", "UART4", "UART5"),
    "I2C1": ("I2C2", "I2C3"),
    "SPI1": ("SPI2", "SPI3"),
    "LPTIM1": ("LPTIM2",),
    "DMA1": ("DMA2",),
    "ADC1": ("ADC2", "ADC3"),
}
"""The other blocks of the same kind, which the same class models."""

NARROW: dict[tuple[str, int], int] = {
    **{("OPAMP", offset): ~(1 << 15) & 0xFFFF_FFFF for offset in (0x00, 0x10)},  # CALOUT is read-only
    **{("RCC", offset): ~(1 << 11) & 0xFFFF_FFFF for offset in (0x28, 0x48)},  # CRC is bit 12
    ("RCC", 0x68): ~(1 << 11) & 0xFFFF_FFFF,
    **{("RCC", offset): ~(1 << 16) & 0xFFFF_FFFF for offset in (0x2C, 0x4C, 0x6C)},  # no AES on this part
    ("RTC", 0x0C): ~0x8 & 0xFFFF_FFFF,  # SHPF is read-only (RM0351, RTC_ISR)
    **{
        (name, offset): 0xFFFF for name in ("TIM3", "TIM4") for offset in (0x24, 0x2C, 0x34, 0x38, 0x3C, 0x40)
    },
}
"""Bits that a register has where the SVD file gives it those of a wider relative."""

BEYOND_THE_FILE: dict[tuple[str, int], int] = {
    **{(name, 0x00): 1 << 11 for name in ("TIM1", "TIM2", "TIM3", "TIM6")},  # UIFREMAP
    **{(name, 0x08): 1 << 16 for name in ("TIM1", "TIM2", "TIM3", "TIM15")},  # SMS[3]
    **{
        (name, offset): 0x0101_0000 for name in ("TIM1", "TIM2", "TIM3") for offset in (0x18, 0x1C)
    },  # OCxM[3]
    ("TIM15", 0x18): 0x0101_0000,
    ("RCC", 0x08): 0x7000_0000,  # MCOPRE
    ("ADC1", 0x0C): 1 << 31,  # JQDIS
    ("ADC1", 0xA0): 1,  # channel 0 of watchdogs 2 and 3
    ("ADC1", 0xA4): 1,
}
"""Bits that a register has (ST's stm32l476xx.h) and the SVD file leaves out."""

SAME_AS: dict[tuple[str, int], int] = {
    ("DMA1", 0x08 + 0x14 * channel + register): 0x08 + register
    for channel in range(1, 7)
    for register in range(0, 0x10, 4)
}
"""Registers of the further channels of a block, which the same code serves as those of the first."""

READS_STATE: frozenset[tuple[str, int]] = frozenset(
    {
        ("RNG", 0x04),
        ("RTC", 0x00),
        ("RTC", 0x04),
        ("SPI1", 0x08),
        ("EXTI", 0x14),
        ("EXTI", 0x34),
        ("ADC1", 0x00),
        ("DAC1", 0x34),
        ("WWDG", 0x08),
        ("FLASH", 0x10),
        ("RTC", 0x0C),
    }
    | {(f"TIM{number}", 0x10) for number in (1, 2, 3, 6, 15, 16)}
)
"""Registers that read what the block is doing, not what was stored: that a bit reads otherwise after a store
is its effect.
"""

NOTHING_TO_CLEAR: dict[tuple[str, int], int] = {
    ("USART2", 0x20): 1 << 12,
    ("LPUART1", 0x20): 0x0000_1900,
    ("I2C1", 0x1C): 0x3B00,
    ("FLASH", 0x18): 0xC000_0000,
    ("RNG", 0x04): 1 << 6,
}
"""Flags that only functions without model would set."""

_DMA_ENABLES = {"UP": 8, "CH1": 9, "CH2": 10, "CH3": 11, "CH4": 12, "COM": 13, "TRIG": 14}
WITHOUT_REQUEST: dict[tuple[str, int], int] = {
    (name, 0x0C): sum(
        1 << bit for signal, bit in _DMA_ENABLES.items() if f"{name}_{signal}" not in BLOCKS.dma_requests
    )
    for name in ("TIM1", "TIM2", "TIM3", "TIM6", "TIM15", "TIM16")
} | {("TIM16", 0x04): 1 << 2}
"""Enables of DMA requests that lead to no channel on this part (RM0351, DMA request mapping), and CCUS of a
timer without trigger input."""

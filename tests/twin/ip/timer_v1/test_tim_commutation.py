# SPDX-License-Identifier: Apache-2.0
"""Commutation of TIM1's outputs, DMA bursts, DMA at the update only, and CNT's copy of UIF."""

import numpy as np
import pytest

from tests.twin.powered_part import Part

CR1, CR2, SMCR, DIER, SR, EGR, CCMR1, CCER = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18, 0x20
CNT, ARR, CCR1, CCR2, BDTR, DCR, DMAR = 0x24, 0x2C, 0x34, 0x38, 0x44, 0x48, 0x4C
CCPC, CCUS, CCDS, UIFREMAP = 1, 1 << 2, 1 << 3, 1 << 11
UG, COMG, TG, COMIF, COMIE, COMDE, CC1DE, UDE = 1, 1 << 5, 1 << 6, 1 << 5, 1 << 5, 1 << 13, 1 << 9, 1 << 8
FORCED_LOW, FORCED_HIGH = 4 << 4, 5 << 4
TRG_COM_IRQ = 26
SRAM = 0x2000_0100


class Timed(Part):
    """TIM1 with CH1 at PA8, TIM2 and TIM3, DMA1."""

    def __init__(self) -> None:
        super().__init__()
        for register, bit in ((0x48, 0), (0x4C, 0), (0x60, 11), (0x58, 0), (0x58, 1)):
            self.enable_clock(register, bit)
        self.write("GPIOA", 0x24, 1)
        self.write("GPIOA", 0x00, self.read("GPIOA", 0x00) & ~(3 << 16) | 2 << 16)

    def tim1(self, offset: int, value: int) -> None:
        self.write("TIM1", offset, value)

    @property
    def output(self) -> bool | None:
        return self.pins["PA8"].level_out

    def dma(self, channel: int, code: int, register: int, count: int, *, to_register: bool) -> None:
        at = 0x08 + 0x14 * (channel - 1)
        self.write("DMA1", 0xA8, code << 4 * (channel - 1))
        self.write("DMA1", at + 4, count)
        self.write("DMA1", at + 8, register)
        self.write("DMA1", at + 0xC, SRAM)
        self.write("DMA1", at, 1 | 0x80 | 0xA00 | (1 << 4 if to_register else 0))

    def left(self, channel: int) -> int:
        return self.read("DMA1", 0x08 + 0x14 * (channel - 1) + 4)


@pytest.fixture
def part() -> Timed:
    part = Timed()
    part.tim1(BDTR, 1 << 15)
    part.tim1(CCMR1, FORCED_HIGH)
    part.tim1(CCER, 1)
    return part


def test_preloaded_control_bits_act_with_the_commutation(part):
    part.tim1(CR2, CCPC)
    part.tim1(CCMR1, FORCED_LOW)
    assert part.output is True
    assert part.read("TIM1", CCMR1) == FORCED_LOW
    part.tim1(EGR, COMG)
    assert part.output is False
    assert part.read("TIM1", SR) & COMIF
    part.tim1(CCER, 0)
    assert part.output is False
    part.tim1(EGR, COMG)
    assert part.output is None


def test_without_preload_they_act_at_once_and_nothing_commutates(part):
    part.tim1(CCMR1, FORCED_LOW)
    assert part.output is False
    part.tim1(EGR, COMG)
    assert not part.read("TIM1", SR) & COMIF


def test_the_commutation_interrupts(part):
    part.tim1(CR2, CCPC)
    part.tim1(DIER, COMIE)
    part.tim1(EGR, COMG)
    assert part.mcu.core._nvic.level >> 16 + TRG_COM_IRQ & 1
    part.tim1(SR, ~COMIF & 0xFFFF)
    assert not part.mcu.core._nvic.level >> 16 + TRG_COM_IRQ & 1


@pytest.mark.parametrize(("follows", "level"), [(0, True), (CCUS, False)])
def test_the_trigger_commutates_if_it_is_to(part, follows, level):
    part.tim1(CR2, CCPC | follows)
    part.tim1(SMCR, 1 << 4)  # ITR1: TIM2
    part.tim1(CCMR1, FORCED_LOW)
    part.write("TIM2", CR2, 2 << 4)
    part.write("TIM2", ARR, 9)
    part.write("TIM2", CR1, 1)
    part.advance(5e-6)
    assert part.output is level


def test_a_commutation_asks_for_dma(part):
    part.dma(4, 7, 0x4001_2C00 + CCR1, 1, to_register=True)
    part.mcu.core.memory.write_ram(SRAM, (1234).to_bytes(4, "little"))
    part.tim1(CR2, CCPC)
    part.tim1(EGR, COMG)
    assert part.read("TIM1", CCR1) == 0
    part.tim1(DIER, COMDE)
    part.tim1(EGR, COMG)
    assert part.read("TIM1", CCR1) == 1234


def test_a_burst_loads_several_registers_with_one_update(part):
    values = np.array([499, 0, 100, 200, 999, 0, 300, 400], dtype="<u4")  # ARR, none, CCR1, CCR2, twice
    part.mcu.core.memory.write_ram(SRAM, values.tobytes())
    part.dma(3, 5, 0x4000_0400 + DMAR, 8, to_register=True)
    part.write("TIM3", DCR, 3 << 8 | ARR // 4)
    part.write("TIM3", DIER, UDE)
    for expected, left in (((499, 100, 200), 4), ((999, 300, 400), 0)):
        part.write("TIM3", EGR, UG)
        assert tuple(part.read("TIM3", offset) for offset in (ARR, CCR1, CCR2)) == expected
        assert part.left(3) == left


def test_a_burst_reads_several_registers(part):
    part.write("TIM3", ARR, 77)
    part.write("TIM3", CCR1, 11)
    part.dma(3, 5, 0x4000_0400 + DMAR, 3, to_register=False)
    part.write("TIM3", DCR, 2 << 8 | ARR // 4)
    part.write("TIM3", DIER, UDE)
    part.write("TIM3", EGR, UG)
    words = part.mcu.core.memory.ram_view(SRAM, 12).view("<u4")
    assert words.tolist() == [77, 0, 11]


def test_without_a_burst_an_update_moves_one_word(part):
    part.dma(3, 5, 0x4000_0400 + CCR1, 8, to_register=True)
    part.write("TIM3", DIER, UDE)
    part.write("TIM3", EGR, UG)
    assert part.left(3) == 7


@pytest.mark.parametrize(("at_update", "after_match", "after_update"), [(0, 1, 1), (CCDS, 0, 1)])
def test_matches_ask_for_dma_at_once_or_at_the_update(part, at_update, after_match, after_update):
    part.dma(6, 5, 0x4000_0400 + CCR2, 8, to_register=True)  # TIM3_CH1
    part.write("TIM3", CR2, at_update)
    part.write("TIM3", ARR, 39)
    part.write("TIM3", CCR1, 20)
    part.write("TIM3", EGR, UG)
    part.write("TIM3", DIER, CC1DE)
    part.write("TIM3", CR1, 1)
    part.advance(7e-6)
    assert part.left(6) == 8 - after_match
    part.advance(5e-6)
    assert part.left(6) == 8 - after_update


def test_the_count_may_carry_the_update_flag(part):
    part.write("TIM2", ARR, 39)
    part.write("TIM2", EGR, UG)
    part.write("TIM2", SR, 0)
    part.write("TIM2", CR1, 1 | UIFREMAP)
    part.advance(5.1e-6)
    assert part.read("TIM2", CNT) == 20
    part.advance(10e-6)
    assert part.read("TIM2", CNT) == 20 | 1 << 31
    part.write("TIM2", SR, 0)
    assert part.read("TIM2", CNT) == 20


def test_a_burst_that_runs_past_the_registers_does_nothing_there(part):
    part.write("TIM3", DCR, 0x1F)
    part.write("TIM3", DMAR, 0x55)
    assert part.read("TIM3", DMAR) == 0

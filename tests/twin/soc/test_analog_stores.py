# SPDX-License-Identifier: Apache-2.0
"""No store to an analog block, however senseless, breaks the virtual part."""

import logging
import random

import pytest

from tests.twin.ip.adc_v3.test_adcs import ADEN, ADVREGEN, BASES, CCR, CR

BLOCKS = ("DAC1", *BASES, "ADC123_COMMON", "COMP", "OPAMP")
ADC_COMMANDS = (1, 4, 4, 4, 4, 16)
DUAL_MODES = (3, 6, 7)


def value_for(numbers, block, offset):
    """A store that is random, but often one that lets the block work."""
    if block in BASES and offset == CR:
        return ADVREGEN | numbers.choice(ADC_COMMANDS)
    if block == "ADC123_COMMON" and offset == CCR and numbers.random() < 0.4:
        shared_dma = numbers.choice((0, 2, 3))
        return 1 << 16 | numbers.choice(DUAL_MODES) | shared_dma << 14 | numbers.randrange(16) << 8
    return numbers.getrandbits(32) & numbers.getrandbits(32)


@pytest.mark.parametrize("seed", range(8))
def test_random_stores_are_taken(part, seed, caplog):
    caplog.set_level(logging.CRITICAL)
    numbers = random.Random(seed)
    for enables, bits in ((0x48, 0x1_1103), (0x4C, ~0), (0x58, ~0), (0x60, ~0)):
        part.write("RCC", enables, bits & 0xFFFF_FFFF)
    for offset, value in ((0x2C, 50), (0x04, 2 << 4), (0x00, 1)):
        part.write("TIM6", offset, value)
    part.write("ADC123_COMMON", CCR, 1 << 16)
    for name in BASES:
        for value in (0, ADVREGEN, ADVREGEN | ADEN):
            part.write(name, CR, value)
    part.advance(50e-6)
    for _ in range(1000):
        block = numbers.choice(BLOCKS)
        offset = numbers.choice(sorted(part.mcu.peripherals.blocks[block].resets))
        part.write(block, offset, value_for(numbers, block, offset))
        assert 0 <= part.read(block, offset) < 1 << 32
        if numbers.random() < 0.3:
            part.advance(numbers.choice((1e-6, 1e-5, 1e-4)))

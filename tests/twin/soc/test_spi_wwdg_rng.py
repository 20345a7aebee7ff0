# SPDX-License-Identifier: Apache-2.0
import pytest

from hil.twin.devices.lsm6dsl import Lsm6dsl

CR1, CR2, SR, DR = 0x00, 0x04, 0x08, 0x0C
MSTR, SPE, SSM, SSI = 1 << 2, 1 << 6, 1 << 9, 1 << 8
RXNE, TXE, BSY, OVR, FRXTH = 1, 2, 1 << 7, 1 << 6, 1 << 12
ON = MSTR | SPE | SSM | SSI


@pytest.fixture
def spi(part):
    """SPI1 at PA5 to PA7, 2 MHz, bytes; the accelerometer is selected by PB6."""
    part.enable_clock(0x4C, 0)
    part.enable_clock(0x4C, 1)
    part.enable_clock(0x60, 12)
    part.write("GPIOA", 0x20, 0x555 << 20)
    part.write("GPIOA", 0x00, part.read("GPIOA", 0x00) & ~(0x15 << 10))
    part.write("GPIOB", 0x18, 1 << 6)
    part.write("GPIOB", 0x00, part.read("GPIOB", 0x00) & ~(2 << 12))
    part.mcu.peripherals.spis["SPI1"].attach(Lsm6dsl(part.mcu.scheduler), part.pins["PB6"])
    part.write("SPI1", CR2, 0x700 | FRXTH)
    part.write("SPI1", CR1, ON)
    return part


def exchange(part, *values):
    part.write("GPIOB", 0x28, 1 << 6)
    answers = []
    for value in values:
        assert part.read("SPI1", SR) & TXE
        part.write("SPI1", DR, value, width=1)
        part.advance(5e-6)
        assert part.read("SPI1", SR) & (RXNE | BSY) == RXNE
        answers.append(part.read("SPI1", DR, width=1))
    part.write("GPIOB", 0x18, 1 << 6)
    return answers


def test_registers_of_a_device_are_read_and_written(spi):
    assert exchange(spi, 0x8F, 0)[1] == 0x6A
    exchange(spi, 0x10, 0x60)
    assert exchange(spi, 0x90, 0)[1] == 0x60


def test_an_unselected_device_is_silent(spi):
    spi.write("SPI1", DR, 0x8F, width=1)
    spi.write("SPI1", DR, 0x00, width=1)
    spi.advance(1e-4)
    assert [spi.read("SPI1", DR, width=1) for _ in range(2)] == [0xFF, 0xFF]


def test_a_half_word_packs_two_bytes(spi):
    spi.write("GPIOB", 0x28, 1 << 6)
    spi.write("SPI1", DR, 0x008F, width=2)
    spi.advance(1e-4)
    assert spi.read("SPI1", SR) >> 9 & 3 == 2
    assert spi.read("SPI1", DR, width=2) == 0x6AFF


def test_a_frame_takes_its_bits_and_an_unread_fifo_overruns(spi):
    spi.write("SPI1", DR, 0, width=1)
    spi.advance(3.9e-6)  # 8 bits at 2 MHz
    assert spi.read("SPI1", SR) & (BSY | RXNE) == BSY
    spi.advance(0.2e-6)
    assert spi.read("SPI1", SR) & (BSY | RXNE) == RXNE
    for _ in range(4):
        spi.write("SPI1", DR, 0, width=1)
        spi.advance(5e-6)
    assert spi.read("SPI1", SR) & OVR


def test_dma_moves_both_ways(spi):
    spi.enable_clock(0x48, 0)
    spi.mcu.core.memory.write_ram(0x2000_0100, bytes([0x8F, 0]))
    spi.write("DMA1", 0xA8, 1 << 4 | 1 << 8)
    for channel, address, control in ((2, 0x2000_0200, 0), (3, 0x2000_0100, 1 << 4)):
        at = 20 * (channel - 1)
        spi.write("DMA1", 0x0C + at, 2)
        spi.write("DMA1", 0x10 + at, 0x4001_300C)
        spi.write("DMA1", 0x14 + at, address)
        spi.write("DMA1", 0x08 + at, 1 | 1 << 7 | control)
    spi.write("GPIOB", 0x28, 1 << 6)
    spi.write("SPI1", CR2, 0x700 | FRXTH | 3)
    spi.advance(1e-4)
    assert spi.mcu.core.memory.read(0x2000_0201, 1) == 0x6A


@pytest.fixture
def wwdg(part):
    part.enable_clock(0x58, 11)
    part.write("RCC", 0x94, 1 << 23 | 6 << 8)
    return part


def resets(part):
    part.advance(1e-6)
    return part.read("RCC", 0x94) >> 24 & 0x40


STEP_S = 4096 / 4_000_000


def test_window_watchdog_bites_when_it_is_fed_too_late(wwdg):
    wwdg.write("WWDG", 0x00, 0x80 | 0x43)
    wwdg.advance(3.5 * STEP_S)
    assert wwdg.read("WWDG", 0x00) == 0x80 | 0x40
    assert wwdg.read("WWDG", 0x08) == 1
    assert not resets(wwdg)
    wwdg.advance(STEP_S)
    assert resets(wwdg)


def test_window_watchdog_bites_when_it_is_fed_too_early(wwdg):
    wwdg.write("WWDG", 0x04, 0x50)
    wwdg.write("WWDG", 0x00, 0xFF)
    wwdg.advance(0x30 * STEP_S)
    wwdg.write("WWDG", 0x00, 0xFF)  # the counter is 0x4F: inside the window
    assert not resets(wwdg)
    wwdg.write("WWDG", 0x00, 0xFF)
    assert resets(wwdg)


def test_random_numbers_need_the_48_mhz_clock(part):
    part.enable_clock(0x4C, 18)
    part.write("RNG", 0x00, 4)
    part.advance(1e-3)
    assert part.read("RNG", 0x04) == 0x22  # clock error, now and latched
    part.write("RCC", 0x00, 1 | 1 << 3 | 11 << 4)
    part.write("RCC", 0x88, 3 << 26)
    part.write("RNG", 0x04, 0)
    part.advance(1e-5)
    numbers = []
    for _ in range(3):
        assert part.read("RNG", 0x04) & 1
        numbers.append(part.read("RNG", 0x08))
        assert not part.read("RNG", 0x04) & 1
        part.advance(1e-6)
    assert len(set(numbers)) == 3

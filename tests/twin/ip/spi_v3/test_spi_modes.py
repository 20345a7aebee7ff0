# SPDX-License-Identifier: Apache-2.0
"""SPI's settings of the line: edge, order of bits, select input, one data line, CRC."""

import pytest

from tests.twin.bare_part import BLOCKS

CR1, CR2, SR, DR, CRCPR, TXCRCR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x18
CPHA, CPOL, MSTR, SPE, LSBFIRST, SSI, SSM, RXONLY = 1, 2, 4, 1 << 6, 1 << 7, 1 << 8, 1 << 9, 1 << 10
CRCL, CRCNEXT, CRCEN, BIDIOE, BIDIMODE = (1 << bit for bit in range(11, 16))
SSOE, ERRIE, FRXTH = 1 << 2, 1 << 5, 1 << 12
RXNE, CRCERR, MODF, OVR = 1, 1 << 4, 1 << 5, 1 << 6
ON = MSTR | SPE | SSM | SSI
CHECK = b"123456789"


class Echo:
    """Answers each byte with the one before."""

    def __init__(self) -> None:
        self.received: list[int] = []
        self.answers: list[int] = []

    def select(self, selected: bool) -> None:
        pass

    def exchange(self, byte: int) -> int:
        self.received.append(byte)
        return self.answers.pop(0) if self.answers else 0


@pytest.fixture
def spi(part):
    """SPI1 at PA4 to PA7, 2 MHz, bytes; the device is selected by PB6."""
    for offset, bit in ((0x4C, 0), (0x4C, 1), (0x60, 12)):
        part.enable_clock(offset, bit)
    part.write("GPIOA", 0x20, 0x5555 << 16)
    part.write("GPIOA", 0x00, part.read("GPIOA", 0x00) & ~(0x55 << 8))
    part.write("GPIOB", 0x28, 1 << 6)
    part.write("GPIOB", 0x00, part.read("GPIOB", 0x00) & ~(2 << 12))
    part.echo = Echo()
    part.mcu.peripherals.spis["SPI1"].attach(part.echo, part.pins["PB6"])
    part.write("SPI1", CR2, 0x700 | FRXTH)
    return part


def exchange(part, values):
    found = []
    for value in values:
        part.write("SPI1", DR, value, width=1)
        part.advance(5e-6)
        found.append(part.read("SPI1", DR, width=1))
    return found


@pytest.mark.parametrize(
    ("settings", "received"),
    [(0, 0xA6), (CPOL | CPHA, 0xA6), (CPHA, 0x53), (CPOL, 0x53), (LSBFIRST, 0x65)],
)
def test_a_device_sees_the_bits_that_clock_edge_and_order_give(spi, settings, received):
    spi.write("SPI1", CR1, ON | settings)
    exchange(spi, [0xA6])
    assert spi.echo.received == [received]


def test_the_answer_has_its_bits_turned_as_well(spi):
    spi.echo.answers = [0x01]
    spi.write("SPI1", CR1, ON | LSBFIRST)
    assert exchange(spi, [0]) == [0x80]


@pytest.mark.parametrize("polarity", [0, CPOL])
def test_the_clock_idles_at_its_polarity(spi, polarity):
    spi.write("SPI1", CR1, (ON | polarity) & ~SPE)
    assert spi.pins["PA5"].level_out is None
    spi.write("SPI1", CR1, ON | polarity)
    assert spi.pins["PA5"].level_out is bool(polarity)


@pytest.mark.parametrize(
    ("control", "pin", "fault"),
    [
        (SSM | SSI, None, False),
        (SSM, None, True),
        (0, None, True),
        (0, True, False),
        (0, False, True),
        (SSM | SSI, False, False),
    ],
)
def test_a_controller_with_its_select_input_low_gives_up(spi, control, pin, fault):
    spi.pins["PA4"].set_external_level(pin, spi.now_ps)
    spi.write("SPI1", CR2, 0x700 | FRXTH | ERRIE)
    spi.write("SPI1", CR1, MSTR | SPE | control)
    assert bool(spi.read("SPI1", SR) & MODF) is fault
    assert spi.read("SPI1", CR1) & (MSTR | SPE) == (0 if fault else MSTR | SPE)
    assert bool(spi.mcu.core._nvic.level >> 16 + BLOCKS.interrupts["SPI1"] & 1) is fault
    spi.write("SPI1", CR1, ON)
    assert not spi.read("SPI1", SR) & MODF


def test_another_controller_takes_the_bus_while_this_one_works(spi):
    spi.pins["PA4"].set_external_level(True, spi.now_ps)
    spi.write("SPI1", CR1, MSTR | SPE)
    assert spi.read("SPI1", CR1) & SPE
    spi.pins["PA4"].set_external_level(False, spi.now_ps)
    assert spi.read("SPI1", SR) & MODF


def test_the_select_output_is_low_while_the_block_works(spi):
    spi.write("SPI1", CR2, 0x700 | FRXTH | SSOE)
    spi.write("SPI1", CR1, MSTR)
    assert spi.pins["PA4"].level_out is True
    spi.write("SPI1", CR1, MSTR | SPE)
    assert spi.pins["PA4"].level_out is False
    assert not spi.read("SPI1", SR) & MODF


@pytest.mark.parametrize(("width", "polynomial", "crc"), [(0, 0x07, [0xF4]), (CRCL, 0x1021, [0x31, 0xC3])])
def test_a_crc_follows_the_data_and_is_compared(spi, width, polynomial, crc):
    # The check values of CRC-8/SMBUS and CRC-16/XMODEM for "123456789", with an initial value of 0.
    spi.write("SPI1", CRCPR, polynomial)
    spi.echo.answers = [*CHECK, *crc]
    spi.write("SPI1", CR1, ON | width | CRCEN)
    exchange(spi, CHECK[:-1])
    spi.write("SPI1", DR, CHECK[-1], width=1)
    spi.write("SPI1", CR1, ON | width | CRCEN | CRCNEXT)
    spi.advance(5e-6 + 9e-6)
    assert spi.echo.received == [*CHECK, *crc]
    assert spi.read("SPI1", TXCRCR) == int.from_bytes(bytes(crc), "big")
    assert not spi.read("SPI1", SR) & CRCERR


def test_a_wrong_crc_is_flagged_until_zero_is_written(spi):
    spi.echo.answers = [1, 0]
    spi.write("SPI1", CR1, ON | CRCEN)
    exchange(spi, [1])
    spi.write("SPI1", CR1, ON | CRCEN | CRCNEXT)
    spi.advance(5e-6)
    assert spi.read("SPI1", SR) & CRCERR
    spi.write("SPI1", SR, 0)
    assert not spi.read("SPI1", SR) & CRCERR


def test_one_data_line_sends_without_receiving_and_receives_on_its_own(spi):
    spi.write("SPI1", CR1, ON | BIDIMODE | BIDIOE)
    spi.write("SPI1", DR, 0x55, width=1)
    spi.advance(5e-6)
    assert spi.echo.received == [0x55]
    assert not spi.read("SPI1", SR) & RXNE
    spi.echo.answers = [7, 8]
    spi.write("SPI1", CR1, ON | BIDIMODE)
    spi.advance(8.1e-6)
    spi.write("SPI1", CR1, ON & ~SPE | BIDIMODE | BIDIOE)
    assert len(spi.echo.received) == 3


def test_receive_only_clocks_until_it_is_switched_off(spi):
    spi.write("SPI1", CR1, ON | RXONLY)
    spi.advance(20.1e-6)
    assert len(spi.echo.received) == 5
    assert spi.read("SPI1", SR) & OVR


@pytest.mark.parametrize(("block", "gate"), [("DMA1", (0x48, 0)), ("RNG", (0x4C, 18))])
@pytest.mark.parametrize("width", [1, 2])
def test_blocks_that_take_words_only_refuse_less(part, block, gate, width):
    from hil.twin.core.bus import BusFault

    part.enable_clock(*gate)
    part.write(block, 0x08, 0)
    with pytest.raises(BusFault):
        part.write(block, 0x08, 0, width=width)
    with pytest.raises(BusFault):
        part.read(block, 0x00, width=width)

# SPDX-License-Identifier: Apache-2.0
"""SPI2 as the target of SPI1, wired together; half duplex; NSS pulses."""

import pytest

from tests.twin.powered_part import Part

CR1, CR2, SR, DR, CRCPR, RXCRCR, TXCRCR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18
CPHA, CPOL, MSTR, SPE, LSBFIRST, SSI, SSM, RXONLY = 1, 2, 4, 1 << 6, 1 << 7, 1 << 8, 1 << 9, 1 << 10
CRCL, CRCNEXT, CRCEN, BIDIOE, BIDIMODE = (1 << bit for bit in range(11, 16))
SSOE, NSSP, RXNEIE, FRXTH = 1 << 2, 1 << 3, 1 << 6, 1 << 12
RXNE, TXE, CRCERR, OVR, BSY = 1, 2, 1 << 4, 1 << 6, 1 << 7
CONTROLLER = MSTR | SPE | SSM | SSI
TARGET = SPE | SSM
BYTES = 0x700 | FRXTH
BYTE_S = 8 * 2 / 4e6


class Wired(Part):
    """SPI1 at PA4 (NSS) and PA5, 2 MHz; SPI2 at PB12 (NSS) and PB13; NSS is wired through."""

    def __init__(self) -> None:
        super().__init__()
        for offset, bit in ((0x4C, 0), (0x4C, 1), (0x60, 12), (0x58, 14)):
            self.enable_clock(offset, bit)
        self.write("GPIOA", 0x20, 0x5555 << 16)
        self.write("GPIOA", 0x00, self.read("GPIOA", 0x00) & ~(0x5 << 8))
        self.write("GPIOB", 0x24, 0x55 << 16)
        self.write("GPIOB", 0x00, self.read("GPIOB", 0x00) & ~(0x5 << 24))
        spis = self.mcu.peripherals.spis
        spis["SPI1"].wire(spis["SPI2"])
        self.pins["PA4"].level_out_changed.connect(
            lambda time_ps, level: self.pins["PB12"].set_external_level(level is not False, time_ps)
        )
        self.pins["PB12"].set_external_level(True, self.now_ps)
        for name in ("SPI1", "SPI2"):
            self.write(name, CR2, BYTES)

    def put(self, name: str, value: int, width: int = 1) -> None:
        self.write(name, DR, value, width=width)

    def take(self, name: str, width: int = 1) -> int:
        return self.read(name, DR, width=width)

    def status(self, name: str) -> int:
        return self.read(name, SR)


@pytest.fixture
def wired() -> Wired:
    return Wired()


def exchange(part: Wired, out: int, back: int, width: int = 1) -> tuple[int, int]:
    """What the target and the controller received."""
    part.put("SPI2", back, width)
    part.put("SPI1", out, width)
    part.advance(2.5 * BYTE_S)
    return part.take("SPI2", width), part.take("SPI1", width)


@pytest.mark.parametrize("mode", [0, CPHA, CPOL, CPOL | CPHA, LSBFIRST])
def test_both_directions_at_once(wired, mode):
    wired.write("SPI2", CR1, TARGET | mode)
    wired.write("SPI1", CR1, CONTROLLER | mode)
    assert exchange(wired, 0xA6, 0x35) == (0xA6, 0x35)
    assert exchange(wired, 0x01, 0x80) == (0x01, 0x80)


def test_the_other_edge_is_one_clock_late(wired):
    wired.write("SPI2", CR1, TARGET | CPHA)
    wired.write("SPI1", CR1, CONTROLLER)
    assert exchange(wired, 0xA6, 0x10) == (0x53, 0x88)


def test_the_other_order_turns_the_bits(wired):
    wired.write("SPI2", CR1, TARGET | LSBFIRST)
    wired.write("SPI1", CR1, CONTROLLER)
    assert exchange(wired, 0x01, 0x03) == (0x80, 0xC0)


def test_frames_of_sixteen_bits(wired):
    for name in ("SPI1", "SPI2"):
        wired.write(name, CR2, 0xF00)
    wired.write("SPI2", CR1, TARGET)
    wired.write("SPI1", CR1, CONTROLLER)
    assert exchange(wired, 0xBEEF, 0x1234, 2) == (0xBEEF, 0x1234)


def test_two_short_frames_make_one_long_one(wired):
    wired.write("SPI2", CR2, 0xF00)
    wired.write("SPI2", CR1, TARGET)
    wired.write("SPI1", CR1, CONTROLLER)
    wired.put("SPI2", 0xCAFE, 2)
    for byte in (0x12, 0x34):
        wired.put("SPI1", byte)
        assert not wired.status("SPI2") & RXNE
        wired.advance(1.1 * BYTE_S)
    assert wired.take("SPI2", 2) == 0x1234
    assert [wired.take("SPI1"), wired.take("SPI1")] == [0xCA, 0xFE]


def test_deselecting_drops_what_is_half_done(wired):
    wired.write("SPI2", CR2, 0xF00)
    wired.write("SPI2", CR1, SPE)
    wired.write("SPI1", CR1, CONTROLLER)
    wired.pins["PB12"].set_external_level(False, wired.now_ps)
    wired.put("SPI1", 0x12)
    wired.advance(1.1 * BYTE_S)
    assert wired.status("SPI2") & BSY
    wired.pins["PB12"].set_external_level(True, wired.now_ps)
    assert not wired.status("SPI2") & BSY
    wired.pins["PB12"].set_external_level(False, wired.now_ps)
    for byte in (0x34, 0x56):
        wired.put("SPI1", byte)
        wired.advance(1.1 * BYTE_S)
    assert wired.take("SPI2", 2) == 0x3456


def test_only_a_selected_target_follows(wired):
    wired.write("SPI2", CR1, SPE)
    wired.write("SPI1", CR1, CONTROLLER)
    wired.put("SPI2", 0x35)
    wired.put("SPI1", 0xA6)
    wired.advance(2 * BYTE_S)
    assert not wired.status("SPI2") & RXNE
    assert wired.take("SPI1") == 0xFF
    wired.write("SPI2", CR1, SPE | SSM | SSI)
    wired.put("SPI1", 0xA6)
    wired.advance(2 * BYTE_S)
    assert not wired.status("SPI2") & RXNE


def test_hardware_nss_selects_the_target_while_the_controller_is_on(wired):
    wired.write("SPI2", CR1, SPE)
    wired.write("SPI1", CR2, BYTES | SSOE)
    wired.write("SPI1", CR1, MSTR | SPE)
    assert exchange(wired, 0xA6, 0x35) == (0xA6, 0x35)


def test_nss_pulses_between_frames(wired):
    edges = []
    wired.pins["PA4"].level_out_changed.connect(lambda time_ps, level: edges.append((time_ps, level)))
    wired.write("SPI2", CR1, SPE)
    wired.write("SPI1", CR2, BYTES | SSOE | NSSP)
    wired.write("SPI1", CR1, MSTR | SPE)
    assert edges[-1][1] is True
    start_ps = wired.now_ps
    edges.clear()
    for byte in (0x11, 0x22):
        wired.put("SPI1", byte)
    wired.advance(4 * BYTE_S)
    bit_s = BYTE_S / 8
    assert [(round((time_ps - start_ps) * 1e-12 / bit_s, 3), level) for time_ps, level in edges] == [
        (0, False),
        (8, True),
        (9, False),
        (17, True),
    ]
    assert [wired.take("SPI2"), wired.take("SPI2")] == [0x11, 0x22]


def test_a_target_without_data_sends_zeros_and_overruns_like_a_controller(wired):
    wired.write("SPI2", CR1, TARGET)
    wired.write("SPI1", CR1, CONTROLLER)
    for byte in range(5):
        wired.put("SPI1", byte)
        wired.advance(1.1 * BYTE_S)
        assert wired.take("SPI1") == 0
    assert wired.status("SPI2") & OVR
    assert [wired.take("SPI2") for _ in range(4)] == [0, 1, 2, 3]


def test_a_target_that_only_receives_leaves_the_line_alone(wired):
    wired.write("SPI2", CR1, TARGET | RXONLY)
    wired.write("SPI1", CR1, CONTROLLER)
    assert exchange(wired, 0xA6, 0x35) == (0xA6, 0xFF)


@pytest.mark.parametrize("sends", [True, False])
def test_one_line_in_half_duplex(wired, sends):
    wired.write("SPI2", CR1, TARGET | BIDIMODE | (0 if sends else BIDIOE))
    wired.put("SPI2", 0x35)
    wired.write("SPI1", CR1, CONTROLLER | BIDIMODE | (BIDIOE if sends else 0))
    if sends:
        wired.put("SPI1", 0xA6)
    wired.advance(1.1 * BYTE_S)
    if sends:
        assert wired.take("SPI2") == 0xA6
        assert not wired.status("SPI1") & RXNE
    else:
        assert wired.take("SPI1") == 0x35
        assert not wired.status("SPI2") & RXNE


def test_half_duplex_does_not_fit_two_lines(wired):
    wired.write("SPI2", CR1, TARGET)
    wired.write("SPI1", CR1, CONTROLLER | BIDIMODE | BIDIOE)
    wired.put("SPI1", 0xA6)
    wired.advance(1.1 * BYTE_S)
    assert wired.take("SPI2") == 0xFF


@pytest.mark.parametrize(("polynomial", "errors"), [(7, 0), (0x31, CRCERR)])
@pytest.mark.parametrize("order", [0, LSBFIRST])
def test_crc_goes_both_ways(wired, polynomial, errors, order):
    wired.write("SPI1", CRCPR, 7)
    wired.write("SPI2", CRCPR, polynomial)
    wired.write("SPI2", CR1, TARGET | CRCEN | order)
    wired.write("SPI1", CR1, CONTROLLER | CRCEN | order)
    for byte in b"123":
        exchange(wired, byte, byte ^ 0x55)
    for name, control in (("SPI2", TARGET), ("SPI1", CONTROLLER)):
        wired.write(name, CR1, control | CRCEN | CRCNEXT | order)
    wired.advance(2 * BYTE_S)
    assert wired.status("SPI1") & CRCERR == errors
    assert wired.status("SPI2") & CRCERR == errors


def test_the_target_interrupts_and_its_controller_bit_is_not_named(wired):
    wired.write("SPI2", CR2, BYTES | RXNEIE)
    wired.write("SPI2", CR1, TARGET)
    wired.write("SPI1", CR1, CONTROLLER)
    wired.put("SPI1", 0xA6)
    wired.advance(1.1 * BYTE_S)
    assert wired.mcu.core._nvic.level >> 16 + 36 & 1
    assert wired.mcu.peripherals.unmodelled.accesses == []

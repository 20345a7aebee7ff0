# SPDX-License-Identifier: Apache-2.0
"""The backup domain on a cell at VBAT, and without one: what lives on, and what it draws."""

import pytest

from tests.twin.bare_part import BarePart

RCC, PWR, RTC, EXTI, ADC1, ADC_COMMON = (
    0x4002_1000,
    0x4000_7000,
    0x4000_2800,
    0x4001_0400,
    0x5004_0000,
    0x5004_0300,
)
BDCR, CSR = RCC + 0x90, RCC + 0x94
LSE_ON_RTC_ON_LSE, RTC_ON_LSI = 0x8101, 0x8200


class Board(BarePart):
    """The part, worked through its debug port while its core sleeps."""

    def __init__(self, cell_v: float | None) -> None:
        super().__init__()
        self.mcu.set_backup_supply(cell_v)
        self.supply(3.0)
        self.write_word(RCC + 0x58, 1 << 28)
        self.write_word(PWR, 0x300)  # DBP

    def supply(self, voltage_v: float, seconds: float = 1e-3) -> None:
        self.mcu.set_supply_voltage(voltage_v)
        self.advance(seconds)

    def unlock_rtc(self) -> None:
        self.write_word(RTC + 0x24, 0xCA)
        self.write_word(RTC + 0x24, 0x53)

    def start_rtc(self, bdcr: int = LSE_ON_RTC_ON_LSE, drive: int = 0) -> None:
        self.write_word(BDCR, bdcr | drive << 3)
        self.advance(2.5)
        self.unlock_rtc()

    @property
    def second(self) -> int:
        """The seconds of RTC_TR; RTC_DR is read to unlock the shadow registers."""
        units = self.read_word(RTC) & 0x7F
        self.read_word(RTC + 4)
        return (units >> 4) * 10 + (units & 0xF)

    @property
    def cell_current_a(self) -> float:
        return self.mcu.battery_supply.current_a


def test_the_domain_lives_on_a_cell_while_vdd_is_lost() -> None:
    board = Board(3.0)
    board.start_rtc()
    board.write_word(RTC + 0x50, 0xCAFE_F00D)
    board.write_word(CSR, 1 << 23)
    before = board.second
    board.supply(0.0, 20.0)
    assert (board.mcu.mode, board.mcu.supply.current_a) == ("off", 0.0)
    board.supply(3.0)
    assert board.read_word(RTC + 0x50) == 0xCAFE_F00D
    assert board.second == before + 20
    assert board.read_word(BDCR) == LSE_ON_RTC_ON_LSE | 2  # LSERDY: the crystal never stopped
    assert board.read_word(CSR) >> 24 == 0x0C  # brown-out and pin, as after any power-on


def test_the_domain_is_lost_with_vdd_where_vbat_is_tied_to_it() -> None:
    board = Board(None)
    board.start_rtc()
    board.write_word(RTC + 0x50, 0xCAFE_F00D)
    board.supply(1.56, 5.0)  # below brown-out level 0, above the lowest VBAT: DS10198 Rev 8, Tables 23 and 25
    board.supply(3.0)
    assert board.read_word(RTC + 0x50) == 0xCAFE_F00D
    board.supply(1.54, 1.0)
    board.supply(3.0)
    assert (board.read_word(RTC + 0x50), board.read_word(BDCR)) == (0, 0)
    assert board.cell_current_a == 0


@pytest.mark.parametrize("cell_v", [0.0, 1.5])
def test_an_empty_cell_keeps_nothing(cell_v: float) -> None:
    board = Board(cell_v)
    board.start_rtc()
    board.write_word(RTC + 0x50, 0xCAFE_F00D)
    board.supply(0.0, 1.0)
    board.supply(3.0)
    assert (board.read_word(RTC + 0x50), board.read_word(BDCR)) == (0, 0)


def test_a_cell_that_is_taken_out_takes_the_domain_with_it() -> None:
    board = Board(3.0)
    board.start_rtc()
    board.supply(0.0)
    board.mcu.set_backup_supply(0.0)
    board.mcu.set_backup_supply(3.0)
    board.supply(3.0)
    assert board.read_word(BDCR) == 0


def test_the_lsi_is_not_in_the_domain_and_its_rtc_stands_still() -> None:
    board = Board(3.0)
    board.write_word(CSR, 1)
    board.start_rtc(RTC_ON_LSI)
    before = board.second
    board.supply(0.0, 20.0)
    board.supply(3.0)
    assert board.read_word(BDCR) == RTC_ON_LSI
    assert board.second == before
    board.write_word(RCC + 0x58, 1 << 28)
    board.write_word(CSR, 1)
    board.advance(5.0)
    assert board.second == pytest.approx(before + 5, abs=1)


def test_an_alarm_that_comes_while_vdd_is_off_is_flagged_when_it_is_back() -> None:
    board = Board(3.0)
    board.start_rtc()
    board.write_word(RTC + 0x08, 0)
    board.write_word(RTC + 0x14, 4 * 2048 - 1)  # RTCCLK / 16: 4 s
    board.write_word(RTC + 0x08, 1 << 10 | 1 << 14)
    board.supply(0.0, 10.0)
    assert board.mcu.mode == "off"  # VBAT does not supply the core
    board.supply(3.0)
    board.write_word(RCC + 0x58, 1 << 28)
    assert board.read_word(RTC + 0x0C) & 1 << 10  # WUTF
    assert board.read_word(PWR + 0x10) & 1 << 15  # WUFI


@pytest.mark.parametrize(
    ("cell_v", "bdcr", "drive", "current_a"),
    [
        (3.0, 0, 0, 6.0e-9),
        (1.8, 0, 0, 4.0e-9),
        (3.0, LSE_ON_RTC_ON_LSE, 0, 494e-9),
        (3.0, LSE_ON_RTC_ON_LSE | 4, 0, 376e-9),
        (3.0, LSE_ON_RTC_ON_LSE, 3, 494e-9 + 380e-9),  # Table 58: 630 nA instead of 250 nA
        (3.0, 1, 0, 6.0e-9 + 250e-9),  # the LSE alone
    ],
)
def test_vbat_draws_what_table_50_prints(cell_v: float, bdcr: int, drive: int, current_a: float) -> None:
    board = Board(cell_v)
    if bdcr:
        board.start_rtc(bdcr, drive)
    assert board.cell_current_a == 0  # VDD supplies the domain
    board.supply(0.0, 1.0)
    assert board.cell_current_a == pytest.approx(current_a, rel=1e-6)


def test_vbat_current_follows_the_temperature() -> None:
    board = Board(3.0)
    board.supply(0.0)
    board.mcu.set_temperature(85.0)
    assert board.cell_current_a == pytest.approx(264e-9)


def test_the_cell_is_charged_through_the_chosen_resistor() -> None:
    board = Board(2.5)
    uncharged_a = board.mcu.supply.current_a
    board.write_word(PWR + 0x0C, 1 << 8)  # VBE
    assert board.cell_current_a == pytest.approx(-0.5 / 5000)
    assert board.mcu.supply.current_a - uncharged_a == pytest.approx(0.5 / 5000)
    board.write_word(PWR + 0x0C, 3 << 8)  # VBRS
    assert board.cell_current_a == pytest.approx(-0.5 / 1500)
    board.supply(0.0)
    assert board.cell_current_a == pytest.approx(5.4e-9, rel=0.03)  # charging ends with VDD


def convert_vbat(board: Board) -> int:
    """One conversion of ADC1's channel 18."""
    board.write_word(RCC + 0x4C, 1 << 13)
    board.write_word(ADC_COMMON + 8, 1 << 16 | 1 << 24)  # HCLK, VBATEN
    board.write_word(ADC1 + 8, 0)
    board.write_word(ADC1 + 8, 1 << 28)
    board.write_word(ADC1 + 8, 1 << 28 | 1)
    board.advance(1e-3)
    board.write_word(ADC1 + 0x30, 18 << 6)
    board.write_word(ADC1 + 8, 1 << 28 | 1 | 4)
    board.advance(1e-3)
    return board.read_word(ADC1 + 0x40)


@pytest.mark.parametrize(("cell_v", "third_v"), [(2.7, 0.9), (None, 1.0)])
def test_the_adc_sees_a_third_of_vbat(cell_v: float | None, third_v: float) -> None:
    assert convert_vbat(Board(cell_v)) == pytest.approx(third_v / 3.0 * 4096, abs=1)


def test_bdrst_holds_the_domain_in_reset_until_it_is_cleared() -> None:
    board = Board(3.0)
    board.start_rtc()
    board.write_word(RTC + 0x50, 0xCAFE_F00D)
    board.write_word(BDCR, 1 << 16)
    assert (board.read_word(RTC + 0x50), board.read_word(BDCR)) == (0, 1 << 16)
    board.write_word(RTC + 0x50, 1)
    assert board.read_word(RTC + 0x50) == 0
    board.write_word(BDCR, LSE_ON_RTC_ON_LSE)
    board.write_word(RTC + 0x50, 1)
    assert board.read_word(RTC + 0x50) == 1


def test_nothing_watches_vdd_in_shutdown() -> None:
    board = Board(3.0)
    board.start_rtc()
    board.write_word(PWR, 0x304)
    board.advance(50e-6)
    board.write_word(0xE000_ED10, 4)
    board.write_word(0xE000_E100, 1 << 6)
    exti = board.mcu.peripherals.exti
    exti.write_word(0x00, 0xFF82_0001)
    exti.write_word(0x10, 1)
    exti.write_word(0x14, 1)
    board.write_word(0xE000_E280, 1 << 6)
    board.advance(1e-3)
    assert board.mcu.mode == "shutdown"
    board.supply(1.6)  # any brown-out level would have fired
    assert board.mcu.mode == "shutdown"
    board.supply(1.5)
    assert board.mcu.mode == "off"
    board.supply(3.0)
    assert board.read_word(BDCR) == 0

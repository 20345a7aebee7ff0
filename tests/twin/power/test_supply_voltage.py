# SPDX-License-Identifier: Apache-2.0
"""Brown-out levels, the voltage detector and slow ramps: DS10198 Rev 8, Tables 22 and 25."""

import pytest

from tests.twin.bare_part import BarePart

RCC, PWR, FLASH, EXTI = 0x4002_1000, 0x4000_7000, 0x4002_2000, 0x4001_0400
CSR = RCC + 0x94
BOR_AND_PIN = 0x0C
PVDO, PVD_LINE = 1 << 11, 1 << 16
# (rising, falling), typical: Table 25.
BOR_V = {0: (1.66, 1.64), 1: (2.1, 2.0), 2: (2.31, 2.2), 3: (2.61, 2.52), 4: (2.9, 2.81)}
PVD_V = {0: (2.15, 2.05), 3: (2.61, 2.52)}


class Board(BarePart):
    def set_brown_out_level(self, level):
        for key in (0x4567_0123, 0xCDEF_89AB):
            self.write_word(FLASH + 0x08, key)
        for key in (0x0819_2A3B, 0x4C5D_6E7F):
            self.write_word(FLASH + 0x0C, key)
        self.write_word(FLASH + 0x20, self.read_word(FLASH + 0x20) & ~0x700 | level << 8)
        self.write_word(FLASH + 0x14, 1 << 17)
        self.advance(0.05)
        self.write_word(FLASH + 0x14, 1 << 27)
        self.advance(2e-3)


@pytest.fixture
def board():
    board = Board()
    board.mcu.set_supply_voltage(3.3)
    board.advance(1e-3)
    return board


@pytest.mark.parametrize("level", BOR_V)
def test_a_slow_ramp_meets_both_thresholds_of_a_brown_out_level(board, level):
    rising_v, falling_v = BOR_V[level]
    board.set_brown_out_level(level)
    assert board.mcu.mode == "sleep"
    board.mcu.ramp_supply_voltage(falling_v + 0.002, 0.1)
    board.advance(0.1)
    assert board.mcu.mode == "sleep"
    board.mcu.ramp_supply_voltage(falling_v - 0.002, 0.1)
    board.advance(0.1)
    assert board.mcu.mode in ("reset", "off")
    board.mcu.ramp_supply_voltage(rising_v - 0.002, 0.1)  # inside the hysteresis
    board.advance(0.2)
    assert board.mcu.mode in ("reset", "off")
    board.mcu.ramp_supply_voltage(rising_v + 0.002, 0.1)
    board.advance(0.2)
    assert board.mcu.mode == "sleep"
    assert board.read_word(CSR) >> 24 == BOR_AND_PIN


def test_a_ramp_from_zero_starts_the_part_when_it_passes_the_threshold():
    board = Board()
    board.mcu.ramp_supply_voltage(3.0, 3.0)  # 1 V/s: 1.66 V is reached after 1.66 s
    board.advance(1.655)
    assert board.mcu.mode == "off"
    board.advance(0.005 + 240e-6)
    assert board.mcu.mode == "reset"  # the temporisation of 250 us: Table 25
    board.advance(2e-3)
    assert board.mcu.mode == "sleep"
    board.advance(2.0)
    assert board.mcu.supply_voltage_v == pytest.approx(3.0)


def test_a_supply_that_hesitates_at_the_threshold_starts_the_part_once():
    board = Board()
    for _ in range(5):
        board.mcu.set_supply_voltage(1.67)
        board.advance(200e-6)  # shorter than the temporisation
        board.mcu.set_supply_voltage(1.62)
        board.advance(1e-3)
        assert board.mcu.mode == "off"
    board.mcu.set_supply_voltage(1.67)
    board.advance(1e-3)
    assert board.mcu.mode == "sleep"


@pytest.mark.parametrize("level", PVD_V)
def test_the_voltage_detector_tells_both_edges_on_a_ramp(board, level):
    rising_v, falling_v = PVD_V[level]
    board.write_word(RCC + 0x58, 1 << 28)
    board.write_word(PWR + 4, level << 1 | 1)
    board.write_word(EXTI + 0x08, PVD_LINE)
    board.write_word(EXTI + 0x0C, PVD_LINE)
    for to_v, low in ((falling_v + 0.002, False), (falling_v - 0.002, True), (rising_v - 0.002, True)):
        board.mcu.ramp_supply_voltage(to_v, 0.05)
        board.advance(0.06)
        assert bool(board.read_word(PWR + 0x14) & PVDO) is low
    assert board.read_word(EXTI + 0x14) & PVD_LINE
    board.write_word(EXTI + 0x14, PVD_LINE)
    board.mcu.ramp_supply_voltage(rising_v + 0.002, 0.05)
    board.advance(0.06)
    assert not board.read_word(PWR + 0x14) & PVDO
    assert board.read_word(EXTI + 0x14) & PVD_LINE


def test_between_the_functional_minimum_and_the_brown_out_the_part_runs(board):
    board.mcu.set_supply_voltage(1.65)  # below 1.71 V (Table 23), above 1.64 V
    board.advance(1e-3)
    assert board.mcu.mode == "sleep"


def test_a_new_voltage_ends_a_ramp(board):
    board.mcu.ramp_supply_voltage(0.0, 1.0)
    board.advance(0.1)
    board.mcu.set_supply_voltage(3.0)
    board.advance(2.0)
    assert board.mcu.supply_voltage_v == 3.0

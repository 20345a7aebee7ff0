# SPDX-License-Identifier: Apache-2.0
"""The part as a whole: supply, resets, low-power modes, each with the current the datasheet gives for it."""

import pytest

from hil.parts import Part
from tests.twin.bare_part import PS_PER_S, BarePart

L476 = Part.load("stm32l476")

SCR, AIRCR = 0xE000_ED10, 0xE000_ED0C
RCC, PWR, RTC, EXTI, DBGMCU = 0x4002_1000, 0x4000_7000, 0x4000_2800, 0x4001_0400, 0xE004_2000


class Board(BarePart):
    """The part, worked through its debug port while its core sleeps."""

    def start_rtc(self, period_ticks=20_480):
        """RTC on LSE, wake-up timer at RTCCLK / 16, EXTI line 20 and interrupt 3."""
        self.write_word(RCC + 0x58, 1 << 28)
        self.write_word(PWR, 0x300)
        self.write_word(RCC + 0x90, 0x8101)
        self.lse_ready_ps = self.mcu.scheduler.now_ps + 2 * PS_PER_S
        self.advance(2.1)
        for key in (0xCA, 0x53):
            self.write_word(RTC + 0x24, key)
        self.write_word(RTC + 0x14, period_ticks - 1)
        self.write_word(RTC + 0x08, 1 << 10 | 1 << 14)
        self.write_word(EXTI + 0x08, 1 << 20)
        self.write_word(EXTI + 0x00, 0xFF82_0000 | 1 << 20)
        self.write_word(0xE000_E100, 1 << 3)

    def enter(self, lpms, cr1=0x400 | 0x100):
        """WFI with SLEEPDEEP: from voltage range 2, DBP kept."""
        self.write_word(PWR, cr1 | lpms)
        self.advance(50e-6)
        self.write_word(SCR, 4)
        self.write_word(0xE000_E100, 1 << 6)
        self.mcu.peripherals.exti.write_word(0x00, 0xFF82_0000 | 1 << 20 | 1)
        self.mcu.peripherals.exti.write_word(0x10, 1)
        self.mcu.peripherals.exti.write_word(0x14, 1)
        self.write_word(0xE000_E280, 1 << 6)
        self.advance(100e-6)


@pytest.fixture
def board():
    board = Board()
    board.mcu.set_supply_voltage(3.0)
    board.advance(1e-3)
    return board


def test_power_on_waits_for_the_threshold_and_the_temporisation():
    board = Board()
    assert (board.mcu.mode, board.current_a) == ("off", 0.0)
    board.mcu.set_supply_voltage(1.65)  # BOR0 rising 1.66 V typical: DS10198 Rev 8, T25
    board.advance(1e-3)
    assert board.mcu.mode == "off"
    board.mcu.set_supply_voltage(3.0)
    board.advance(249e-6)  # reset temporisation 250 us: T25
    assert board.mcu.mode == "reset"
    board.advance(10e-6)
    assert board.mcu.mode == "sleep"


def test_brown_out_loses_everything(board):
    board.write_word(0x2000_1000, 0x1234_5678)
    board.mcu.set_supply_voltage(1.63)
    assert (board.mcu.mode, board.current_a) == ("off", 0.0)
    board.mcu.set_supply_voltage(3.0)
    board.advance(1e-3)
    assert board.read_word(0x2000_1000) != 0x1234_5678
    assert board.read_word(RCC + 0x94) >> 24 == 0x0C


def test_nrst_holds_the_part_and_leaves_ram_and_its_flag(board):
    board.write_word(RCC + 0x94, 1 << 23)
    board.write_word(0x2000_1000, 0x1234_5678)
    board.mcu.set_nrst(True)
    board.advance(1e-3)
    assert board.mcu.mode == "reset"
    board.mcu.set_nrst(False)
    board.advance(1e-3)
    assert board.mcu.mode == "sleep"
    assert board.read_word(RCC + 0x94) >> 24 == 0x04
    assert board.read_word(0x2000_1000) == 0x1234_5678


def test_system_reset_request(board):
    board.write_word(RCC + 0x58, 1 << 28)
    board.write_word(AIRCR, 0x05FA_0004)
    board.advance(1e-3)
    assert board.read_word(RCC + 0x94) >> 24 & 0x10
    assert board.read_word(RCC + 0x58) == 0


@pytest.mark.parametrize(
    ("lpms", "mode", "current_a"), [(0, "stop0", 111.45e-6), (1, "stop1", 7.1e-6), (2, "stop2", 1.67e-6)]
)
def test_stop_modes_draw_the_datasheets_current(board, lpms, mode, current_a):
    board.start_rtc()
    board.enter(lpms)
    assert board.mcu.mode == mode
    assert board.current_a == pytest.approx(current_a, rel=1e-9)


def test_low_power_regulator_turns_stop_2_into_stop_1(board):
    board.start_rtc()
    board.enter(2, cr1=0x4500)
    assert board.mcu.mode == "stop1"
    assert board.current_a == pytest.approx(7.1e-6, rel=1e-9)


def test_without_the_power_clock_the_mode_is_lost(board):
    board.start_rtc()
    board.write_word(RCC + 0x58, 0)
    board.enter(2)
    assert board.mcu.mode == "stop0"


def test_pending_exti_line_refuses_stop(board):
    board.start_rtc()
    board.write_word(PWR, 0x502)
    board.write_word(SCR, 4)
    board.mcu.peripherals.exti.write_word(0x10, 1 << 9)  # pending, not enabled in the NVIC
    board.enter(2)
    assert board.mcu.mode in ("run", "sleep")
    assert board.current_a > 100e-6


def test_debugger_bits_keep_the_current_up_until_the_supply_goes(board):
    board.start_rtc()
    board.write_word(DBGMCU + 4, 2)
    board.enter(2)
    assert board.mcu.mode == "stop2"
    assert board.current_a == pytest.approx(240.25e-6, rel=1e-3)
    assert board.mcu.core.debug_access_ok


def test_rtc_wakes_from_stop_2_at_the_exact_period_with_the_wake_up_current(board):
    board.start_rtc(period_ticks=20_480)
    # The timer counts whole RTCCLK cycles; the crystal was ready two seconds after it was switched on.
    tick_of_start = (board.mcu.scheduler.now_ps - board.lse_ready_ps) * 32_768 // PS_PER_S
    wake_ps = board.lse_ready_ps - (-(tick_of_start + 327_680) * PS_PER_S // 32_768)
    board.enter(2)
    board.mcu.scheduler.advance_to(wake_ps - 1)
    assert board.mcu.mode == "stop2"
    board.mcu.scheduler.advance_to(wake_ps)
    assert board.mcu.mode == "run"
    assert board.current_a == pytest.approx(2.24e-3)  # T45
    assert board.mcu.peripherals.rcc.clocks.hclk_hz == 4_000_000
    board.advance(10.5e-6)
    assert board.current_a == pytest.approx(2.24e-3)
    board.advance(0.2e-6)  # 10.6 us: T52
    assert board.current_a < 1e-3


def test_stopwuck_selects_hsi16(board):
    board.start_rtc(period_ticks=2048)
    board.write_word(RCC + 0x08, 1 << 15)
    board.enter(2)
    board.advance(1.0)
    assert board.mcu.peripherals.rcc.clocks.hclk_hz == 16_000_000


def test_standby_loses_ram_keeps_backup_and_restarts_with_its_flag(board):
    board.start_rtc(period_ticks=2048)
    board.write_word(RTC + 0x50, 0xCAFE)
    board.write_word(0x2000_1000, 0x1234_5678)
    board.enter(3)
    assert board.mcu.mode == "standby"
    assert board.current_a == pytest.approx(652e-9, rel=1e-9)  # T48
    board.advance(1.0)
    assert board.mcu.mode == "sleep"
    assert board.read_word(RTC + 0x50) == 0xCAFE
    assert board.read_word(0x2000_1000) != 0x1234_5678
    board.write_word(RCC + 0x58, 1 << 28)
    assert board.read_word(PWR + 0x10) & 1 << 8


@pytest.mark.parametrize(("retained", "edge"), [(True, True), (True, False), (False, True)])
def test_a_wakeup_pin_ends_standby_and_sram2_survives_on_request(board, retained, edge):
    board.start_rtc(period_ticks=65_536)
    board.write_word(0x1000_0100, 0x1234_5678)
    board.write_word(0x2000_1000, 0x1234_5678)
    board.pins["PC13"].set_external_level(not edge, board.mcu.scheduler.now_ps)
    board.write_word(PWR + 0x0C, 0 if edge else 2)  # polarity
    board.write_word(PWR + 0x08, 2 | 1 << 8 if retained else 2)
    board.enter(3)
    assert board.mcu.mode == "standby"
    board.pins["PC13"].set_external_level(edge, board.mcu.scheduler.now_ps)
    board.advance(1e-3)
    assert board.mcu.mode == "sleep"
    assert (board.read_word(0x1000_0100) == 0x1234_5678) is retained
    assert board.read_word(0x2000_1000) != 0x1234_5678
    board.write_word(RCC + 0x58, 1 << 28)
    assert board.read_word(PWR + 0x10) & 0x11F == 1 << 8 | 1 << 1


def test_shutdown_wakes_by_pin_as_after_power_on(board):
    board.pins["PA0"].set_external_level(False, board.mcu.scheduler.now_ps)
    board.start_rtc(period_ticks=65_536)
    board.write_word(RCC + 0x94, 1 << 23)
    board.write_word(RCC + 0x4C, 1)
    board.write_word(0x4800_0000, 0xABFF_FFFC)  # PA0 input
    board.write_word(PWR + 0x08, 0x8001)
    board.enter(4)
    assert board.mcu.mode == "shutdown"
    assert board.current_a == pytest.approx(554e-9, rel=1e-9)  # T49
    board.pins["PA0"].set_external_level(True, board.mcu.scheduler.now_ps)
    board.advance(1e-3)
    assert board.mcu.mode == "sleep"
    assert board.read_word(RCC + 0x94) >> 24 == 0x0C


def test_sleep_and_run_currents_at_reset_clock(board):
    assert board.mcu.mode == "sleep"
    # Range 1 below 16 MHz continues the table's last segment (24 to 16 MHz), plus the MSI: T42, T60.
    expected_a = 0.71e-3 + (4 - 16) * (1.01e-3 - 0.71e-3) / 8 + 11e-6
    assert board.current_a == pytest.approx(expected_a, rel=1e-9)


def test_temperature_and_board_current(board):
    board.start_rtc()
    board.enter(2)
    board.mcu.set_temperature(85.0)
    assert board.current_a == pytest.approx(15.5e-6, rel=1e-9)
    board.mcu.external_current_a = 1e-6
    assert board.current_a == pytest.approx(16.5e-6, rel=1e-9)


@pytest.mark.parametrize("mode_code", [3, 4])
@pytest.mark.parametrize(("apc", "extra_a"), [(0, 0.0), (1 << 10, 3.0 / 40e3)])
def test_the_pull_ups_of_pwr_work_in_standby_and_shutdown_if_they_are_applied(board, mode_code, apc, extra_a):
    board.pins["PB0"].set_external_level(False, 0)
    board.pins["PB1"].set_external_level(False, 0)
    board.write_word(RCC + 0x58, 1 << 28)
    board.write_word(PWR + 0x08, 0x8000 | apc)
    board.write_word(PWR + 0x28, 0b11)  # PUCRB
    board.write_word(PWR + 0x2C, 0b10)  # PDCRB: the pull-down wins
    board.enter(mode_code)
    assert board.mcu.mode == {3: "standby", 4: "shutdown"}[mode_code]
    row = {3: "standby_rtc_off_no_iwdg", 4: "shutdown_rtc_off"}[mode_code]
    assert board.current_a == pytest.approx(L476.supply_current(row, 3.0, 25.0).typ + extra_a)

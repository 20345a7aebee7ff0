# SPDX-License-Identifier: Apache-2.0
import zlib

import pytest

KR, PR, RLR, WINR = 0x00, 0x04, 0x08, 0x10


def test_watchdog_resets_after_its_time_out(part):
    part.write("IWDG", KR, 0x5555)
    part.write("IWDG", PR, 0)
    part.write("IWDG", RLR, 99)
    part.write("IWDG", KR, 0xCCCC)
    part.write("RCC", 0x94, 1 << 23 | 1)
    period_s = 100 * 4 / 32_000  # LSI 32 kHz: DS10198 Rev 8, T61
    part.advance(0.9 * period_s)
    part.write("IWDG", KR, 0xAAAA)
    part.advance(0.9 * period_s)
    assert not part.read("RCC", 0x94) & 1 << 29
    part.advance(0.2 * period_s)
    assert part.read("RCC", 0x94) & 1 << 29


def test_watchdog_settings_need_access(part):
    part.write("IWDG", RLR, 1)
    assert part.read("IWDG", RLR) == 0xFFF


def test_reload_outside_the_window_resets(part):
    part.write("IWDG", KR, 0x5555)
    part.write("IWDG", WINR, 0x10)
    part.write("IWDG", KR, 0xCCCC)
    part.advance(1e-3)
    part.write("IWDG", KR, 0xAAAA)
    part.advance(1e-6)
    assert part.read("RCC", 0x94) & 1 << 29


def test_crc_of_words_is_ethernets(part):
    part.enable_clock(0x48, 12)
    part.write("CRC", 0x08, 1 | 1 << 5 | 1 << 7)  # reset, input by bytes and output reversed
    for byte in b"123456789":
        part.write("CRC", 0x00, byte, width=1)
    assert part.read("CRC", 0x00) ^ 0xFFFF_FFFF == zlib.crc32(b"123456789")


@pytest.mark.parametrize(
    ("size_code", "polynomial", "init", "check"), [(1, 0x1021, 0xFFFF, 0x29B1), (2, 0x07, 0, 0xF4)]
)
def test_crc_of_other_sizes(part, size_code, polynomial, init, check):
    """CRC-16/CCITT-FALSE and CRC-8 have these check values for the digits 1 to 9."""
    part.enable_clock(0x48, 12)
    part.write("CRC", 0x14, polynomial)
    part.write("CRC", 0x10, init)
    part.write("CRC", 0x08, 1 | size_code << 3)
    for byte in b"123456789":
        part.write("CRC", 0x00, byte, width=1)
    assert part.read("CRC", 0x00) == check


def test_identity_and_system_words(part):
    assert part.read("DBGMCU", 0x00) & 0xFFF == 0x415
    assert part.mcu.core.debug_read(0x1FFF_75E0, 2) == 1024
    assert part.mcu.core.debug_read(0x1FFF_7590, 4) != 0xFFFF_FFFF


def test_debug_settings_survive_a_reset_and_die_with_the_supply(part):
    part.write("DBGMCU", 0x04, 7)
    part.mcu.system_reset("software")
    assert part.read("DBGMCU", 0x04) == 7
    part.mcu.set_supply_voltage(0.0)
    part.mcu.set_supply_voltage(3.0)
    part.advance(1e-3)
    assert part.read("DBGMCU", 0x04) == 0


@pytest.mark.parametrize(("name", "gate", "bit"), [("TIM1", 11, 11), ("TIM8", 13, 13)])
def test_a_debugger_freezes_the_advanced_timers(part, name, gate, bit):
    part.enable_clock(0x60, gate)
    part.write("DBGMCU", 0x10, 1 << bit)
    part.write(name, 0x00, 1)
    part.advance(10e-6)
    part.write_word(0xE000_EDF0, 0xA05F_0003)
    count = part.read(name, 0x24)
    part.advance(10e-6)
    assert part.read(name, 0x24) == count > 0

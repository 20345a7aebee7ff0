# SPDX-License-Identifier: Apache-2.0
"""Where debugging meets supply, resets, option bytes and read protection."""

import pytest

from hil.twin.core.bus import BusFault
from tests.twin.bare_part import BarePart

PWR_CR1, PWR_SR1, PWR_SCR = 0x4000_7000, 0x4000_7010, 0x4000_7018
APB1ENR1, RCC_CSR = 0x4002_1058, 0x4002_1094
KEYR, OPTKEYR, FLASH_SR, FLASH_CR, OPTR = 0x4002_2008, 0x4002_200C, 0x4002_2010, 0x4002_2014, 0x4002_2020
SCR, DHCSR, DCRSR, DCRDR, DEMCR = 0xE000_ED10, 0xE000_EDF0, 0xE000_EDF4, 0xE000_EDF8, 0xE000_EDFC
DBGMCU_CR = 0xE004_2004
HALT, GO = 0xA05F_0003, 0xA05F_0001
WAIT_FOR_EVER = bytes.fromhex("30bffde7")
OPTSTRT, OBL_LAUNCH = 1 << 17, 1 << 27
STANDBY, SHUTDOWN = 3, 4


@pytest.fixture
def part() -> BarePart:
    part = BarePart()
    part.mcu.set_supply_voltage(3.0)
    part.advance(1e-3)
    part.write_word(DHCSR, HALT)
    return part


def run(part: BarePart, code: bytes, duration_s: float = 1e-3) -> None:
    part.mcu.core.debug_write_block(0x2000_4000, code)
    for selector, value in ((15, 0x2000_4000), (13, 0x2001_0000), (16, 0x0100_0000)):
        part.write_word(DCRDR, value)
        part.write_word(DCRSR, selector | 1 << 16)
    part.write_word(DHCSR, GO)
    part.advance(duration_s)


def enter(part: BarePart, mode: int, debug: int) -> None:
    part.write_word(APB1ENR1, 1 << 28)
    part.write_word(PWR_CR1, 0x200 | mode)
    part.write_word(PWR_SCR, 0x11F)
    part.write_word(SCR, 4)
    part.write_word(DBGMCU_CR, debug)
    part.write_word(0x2001_0000, 0x1234_5678)
    run(part, WAIT_FOR_EVER)


def program_options(part: BarePart, clear: int, set_: int = 0) -> None:
    for register, key in (
        (KEYR, 0x4567_0123),
        (KEYR, 0xCDEF_89AB),
        (OPTKEYR, 0x0819_2A3B),
        (OPTKEYR, 0x4C5D_6E7F),
    ):
        part.write_word(register, key)
    part.write_word(OPTR, part.read_word(OPTR) & ~clear | set_)
    part.write_word(FLASH_CR, OPTSTRT)
    part.advance(0.1)
    assert not part.read_word(FLASH_SR) & 1 << 16
    part.write_word(FLASH_CR, OBL_LAUNCH)
    part.advance(1e-3)


@pytest.mark.parametrize("mode", [STANDBY, SHUTDOWN])
def test_dbg_standby_keeps_debug_port_and_memory(part, mode):
    enter(part, mode, debug=4)
    assert part.mcu.mode == {STANDBY: "standby", SHUTDOWN: "shutdown"}[mode]
    assert part.mcu.swd_obstacle is None
    assert part.mcu.debug_port_losses == 0
    assert part.read_word(DBGMCU_CR) == 4
    assert part.read_word(DHCSR) & 1 << 25  # S_RESET_ST: the part is in reset meanwhile
    assert part.read_word(0x2001_0000) == 0x1234_5678


@pytest.mark.parametrize("mode", [STANDBY, SHUTDOWN])
def test_without_it_the_debug_port_has_no_supply(part, mode):
    enter(part, mode, debug=0)
    assert "no supply" in part.mcu.swd_obstacle
    assert part.mcu.debug_port_losses == 1
    with pytest.raises(BusFault):
        part.read_word(DBGMCU_CR)
    part.mcu.set_nrst(True)  # connect under reset
    assert part.mcu.swd_obstacle is None
    assert part.read_word(DHCSR) & 1 == 0  # C_DEBUGEN is gone with the supply
    part.mcu.set_nrst(False)
    assert part.read_word(0x2001_0000) != 0x1234_5678


def test_clearing_dbg_standby_ends_what_it_kept(part):
    enter(part, STANDBY, debug=4)
    part.write_word(DBGMCU_CR, 0)
    assert part.mcu.debug_port_losses == 1
    assert part.mcu.swd_obstacle is not None


def test_standby_is_flagged_on_entry_and_the_flag_survives_a_reset(part):
    enter(part, STANDBY, debug=4)
    assert part.read_word(PWR_SR1) & 1 << 8
    part.mcu.set_nrst(True)
    part.mcu.set_nrst(False)
    assert part.read_word(PWR_SR1) & 1 << 8


@pytest.mark.parametrize("pin", [13, 14])
def test_swd_pins_in_another_mode_cut_the_port_until_a_reset(part, pin):
    part.write_word(0x4002_104C, 1)
    part.write_word(0x4800_0000, part.read_word(0x4800_0000) | 3 << 2 * pin)
    assert "PA13 or PA14" in part.mcu.swd_obstacle
    part.mcu.set_nrst(True)
    assert part.mcu.swd_obstacle is None


def test_power_loss_is_counted(part):
    part.mcu.set_supply_voltage(0.0)
    assert "not powered" in part.mcu.swd_obstacle
    part.mcu.set_supply_voltage(3.0)
    part.advance(1e-3)
    assert (part.mcu.swd_obstacle, part.mcu.debug_port_losses) == (None, 1)


@pytest.mark.parametrize(
    ("register", "keys"),
    [
        (KEYR, [0x1234_5678]),
        (KEYR, [0x4567_0123, 0x4567_0123]),
        (OPTKEYR, [0x0819_2A3B]),  # FLASH_CR is still locked
    ],
)
def test_a_wrong_or_early_key_is_a_bus_error_and_locks(part, register, keys):
    for key in keys[:-1]:
        part.write_word(register, key)
    with pytest.raises(BusFault, match="locked until the next reset"):
        part.write_word(register, keys[-1])
    with pytest.raises(BusFault):
        part.write_word(KEYR if register == KEYR else OPTKEYR, keys[0])
    assert part.read_word(FLASH_CR) >> (31 if register == KEYR else 30) & 1


def test_the_option_area_holds_what_is_programmed(part):
    assert part.read_word(0x1FFF_7800) == part.read_word(OPTR)
    assert part.read_word(0x1FFF_7804) == part.read_word(OPTR) ^ 0xFFFF_FFFF
    program_options(part, 1 << 25)
    assert part.read_word(0x1FFF_7800) == part.read_word(OPTR) == 0xFDEF_F8AA


def test_options_come_into_force_when_they_are_loaded_and_not_before(part):
    for register, key in (
        (KEYR, 0x4567_0123),
        (KEYR, 0xCDEF_89AB),
        (OPTKEYR, 0x0819_2A3B),
        (OPTKEYR, 0x4C5D_6E7F),
    ):
        part.write_word(register, key)
    part.write_word(OPTR, 0xFFEF_F9AA)
    part.write_word(FLASH_CR, OBL_LAUNCH)  # never programmed
    part.advance(1e-3)
    assert part.read_word(OPTR) == 0xFFEF_F8AA


def test_the_hardware_watchdog_counts_from_reset_on(part):
    program_options(part, 1 << 16)
    part.write_word(RCC_CSR, 1 << 23 | 0x600)
    part.advance(0.6)  # 4096 ticks of LSI / 4 are 0.512 s
    assert part.read_word(RCC_CSR) & 1 << 29


def test_the_hardware_window_watchdog_counts_from_reset_on(part):
    program_options(part, 1 << 19)
    part.write_word(RCC_CSR, 1 << 23 | 0x600)
    part.advance(0.1)  # 64 ticks of PCLK1 / 4096
    assert part.read_word(RCC_CSR) & 1 << 30


@pytest.mark.parametrize(("bit", "mode"), [(12, 0), (12, 1), (12, 2), (13, STANDBY), (14, SHUTDOWN)])
def test_a_mode_that_the_options_exclude_resets_instead(part, bit, mode):
    program_options(part, 1 << bit)
    part.write_word(DHCSR, HALT)
    part.write_word(RCC_CSR, 1 << 23 | 0x600)
    enter(part, mode, debug=0)
    assert part.read_word(RCC_CSR) & 1 << 31
    assert part.mcu.mode not in ("stop0", "stop1", "stop2", "standby", "shutdown")


@pytest.mark.parametrize(("bit", "mode"), [(17, 2), (18, STANDBY)])
@pytest.mark.parametrize("frozen", [True, False])
def test_the_watchdog_freezes_where_the_options_say(part, bit, mode, frozen):
    if frozen:
        program_options(part, 1 << bit)
        part.write_word(DHCSR, HALT)
    for offset, value in ((0, 0xCCCC), (0, 0x5555), (4, 1)):
        part.write_word(0x4000_3000 + offset, value)
    resets = []
    part.mcu.peripherals.iwdg._on_expiry = lambda: resets.append("iwdg")
    enter(part, mode, debug=0)
    part.advance(2.0)
    assert bool(resets) is not frozen


def test_sram2_is_erased_at_a_reset_that_the_options_ask_for(part):
    part.write_word(0x1000_0000, 0x1234_5678)
    part.mcu.system_reset("software")
    assert part.read_word(0x1000_0000) == 0x1234_5678
    program_options(part, 1 << 25)
    assert part.read_word(0x1000_0000) != 0x1234_5678


def test_level_1_keeps_a_debugger_out_and_level_0_costs_the_content(part):
    memory = part.mcu.core.memory
    rtc = part.mcu.peripherals.rtc
    rtc.words[0x50] = 0x55AA
    program_options(part, 0xFF, 0xBB)
    for address in (0x0800_0000, 0x0, 0x1000_0000, 0x4000_2850):
        with pytest.raises(BusFault, match="read protection level 1"):
            part.read_word(address)
        with pytest.raises(BusFault, match="read protection level 1"):
            part.mcu.core.debug_read_block(address, 8)
    part.read_word(0x2000_0000)
    part.write_word(DHCSR, HALT)
    program_options(part, 0xFF, 0xAA)
    assert (memory["flash"] == 0xFF).all()
    assert part.read_word(0x1000_0000) == 0
    assert rtc.words[0x50] == 0


def test_a_debugger_keeps_the_program_of_a_protected_part_from_its_flash(part):
    program_options(part, 0xFF, 0xBB)
    part.advance(1e-3)
    assert part.mcu.core.state == "lockup"  # C_DEBUGEN is set
    part.mcu.set_supply_voltage(0.0)
    part.mcu.set_supply_voltage(3.0)
    part.advance(1e-3)
    assert part.mcu.core.state == "sleeping"  # it was not there at this power-on


def test_level_2_is_refused_in_clear_words(part):
    with pytest.raises(BusFault, match=r"level 2 .*is refused"):
        program_options(part, 0xFF, 0xCC)
    assert part.read_word(OPTR) & 0xFF == 0xAA


@pytest.mark.parametrize(("width", "value", "stored"), [(1, 0x12, 0x1212_1212), (2, 0x1234, 0x1234_1234)])
@pytest.mark.parametrize("lane", [0, 2])
def test_the_bridge_to_the_apb_duplicates_narrow_stores(part, width, value, stored, lane):
    part.write_word(APB1ENR1, 1)
    part.mcu.core.debug_write(0x4000_002C + lane, width, value)
    assert part.read_word(0x4000_002C) == stored


def test_a_narrow_store_on_the_ahb_keeps_the_other_bytes(part):
    part.write_word(0x4002_104C, 2)
    part.write_word(0x4800_0420, 0x1234_5678)
    part.mcu.core.debug_write(0x4800_0421, 1, 0xAB)
    assert part.read_word(0x4800_0420) == 0x1234_AB78


def test_bits_that_the_core_does_not_have_are_zero(part):
    for selector, written, read in ((20, 0xFF00, 0xF000), (13, 0x2000_1003, 0x2000_1000)):
        part.write_word(DCRDR, written)
        part.write_word(DCRSR, selector | 1 << 16)
        part.write_word(DCRSR, selector)
        assert part.read_word(DCRDR) == read


COUNT_FOR_EVER = bytes.fromhex("00bf00bffce7")


def test_a_value_is_watched_where_it_is_stored(part):
    """str of 0x54, then of 0x55, to 0x20005000."""
    code = bytes.fromhex("0348 5421 0160 5521 0160 fee7 00bf 00bf".replace(" ", "")) + (0x2000_5000).to_bytes(
        4, "little"
    )
    for address, value in ((0xE000_1020, 0x2000_5000), (0xE000_1030, 0x55), (0xE000_1038, 0x906)):
        part.write_word(address, value)
    part.write_word(DEMCR, 1 << 24)
    part.write_word(0xE000_ED30, 0x1F)
    run(part, code)
    assert part.mcu.core.state == "halted"
    assert part.read_word(0xE000_ED30) == 4  # DWTTRAP
    assert part.read_word(0x2000_5000) == 0x55
    assert part.read_word(0xE000_1038) & 1 << 24  # MATCHED


def test_a_cycle_count_is_met(part):
    part.write_word(DEMCR, 1 << 24)
    for address, value in ((0xE000_1000, 1), (0xE000_1004, 0), (0xE000_1020, 1000), (0xE000_1028, 0x84)):
        part.write_word(address, value)
    part.write_word(0xE000_ED30, 0x1F)
    run(part, COUNT_FOR_EVER)
    assert part.mcu.core.state == "halted"
    assert 1000 <= part.read_word(0xE000_1004) <= 1003
    assert part.read_word(0xE000_ED30) == 4

# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from hil.twin.core.bus import BusFault

ACR, KEYR, OPTKEYR, SR, CR, OPTR = 0x00, 0x08, 0x0C, 0x10, 0x14, 0x20
EOP, EOPIE = 1, 1 << 24
PG, PER, MER1, STRT, LOCK, OBL_LAUNCH = 1, 2, 4, 1 << 16, 1 << 31, 1 << 27
BSY, PROGERR, WRPERR, PGAERR, SIZERR, PGSERR = 1 << 16, 1 << 3, 1 << 4, 1 << 5, 1 << 6, 1 << 7
ADDRESS = 0x0800_4000


@pytest.fixture
def flash(part):
    part.write("FLASH", KEYR, 0x4567_0123)
    part.write("FLASH", KEYR, 0xCDEF_89AB)
    return part


def store(part, address, value, width=4):
    part.mcu.peripherals.flash.array_write(address, width, value)


def stored(part, address, byte_count):
    offset = address - 0x0800_0000
    return part.mcu.core.memory["flash"][offset : offset + byte_count].tobytes()


def program(part, address, low, high):
    part.write("FLASH", CR, PG)
    store(part, address, low)
    store(part, address + 4, high)


def test_double_word_takes_its_time(flash):
    program(flash, ADDRESS, 0x1122_3344, 0x5566_7788)
    assert flash.read("FLASH", SR) & BSY
    flash.advance(81.6e-6)  # typical 81.69 us: DS10198 Rev 8, T63
    assert flash.read("FLASH", SR) & BSY
    flash.advance(0.1e-6)
    assert flash.read("FLASH", SR) == 0
    assert stored(flash, ADDRESS, 8) == bytes.fromhex("4433221188776655")


def test_a_reset_breaks_programming_off(flash):
    program(flash, ADDRESS, 0x1122_3344, 0x5566_7788)
    flash.advance(81.6e-6)
    flash.mcu.system_reset("software")
    flash.advance(1e-3)
    assert stored(flash, ADDRESS, 8) == b"\xff" * 8
    assert flash.read("FLASH", SR) == 0


def test_a_reset_after_the_end_finds_it_programmed(flash):
    program(flash, ADDRESS, 0x1122_3344, 0x5566_7788)
    flash.advance(81.7e-6)
    flash.mcu.system_reset("software")
    assert stored(flash, ADDRESS, 8) == bytes.fromhex("4433221188776655")


def test_the_end_interrupts_who_asks_for_it(flash):
    flash.write("FLASH", CR, EOPIE | PG)
    store(flash, ADDRESS, 1)
    store(flash, ADDRESS + 4, 2)
    interrupts = []
    flash.mcu.peripherals.flash._interrupt.set = interrupts.append
    flash.advance(81.6e-6)
    assert interrupts == []
    flash.advance(0.1e-6)
    assert interrupts == [True]
    assert flash.read("FLASH", SR) == EOP


def test_programming_draws_its_peak_then_what_makes_its_average(flash):
    mcu = flash.mcu
    idle_a = mcu.supply.current_at_a(flash.now_ps)
    began_ps = flash.now_ps
    program(flash, ADDRESS, 1, 2)
    flash.advance(100e-6)
    edges_ps = began_ps + np.array([0, 2_000_000, 81_690_000, 100_000_000], dtype=np.int64)
    whole_a = mcu.supply.mean_current_a(edges_ps[[0, 2]])
    means_a = mcu.supply.mean_current_a(edges_ps)
    # DS10198 Rev 8, T63: 7 mA for 2 us, 3.4 mA on average
    assert whole_a - idle_a == pytest.approx([3.4e-3], rel=1e-9)
    assert means_a[0] - idle_a == pytest.approx(7e-3, rel=1e-9)
    assert means_a[2] == pytest.approx(idle_a, rel=1e-12)


def test_what_changes_during_programming_changes_the_rest_of_it(flash):
    mcu = flash.mcu
    began_ps = flash.now_ps
    program(flash, ADDRESS, 1, 2)
    flash.advance(1e-6)
    mcu.set_temperature(85.0)
    flash.advance(99e-6)
    edges_ps = began_ps + np.array([1_000_000, 2_000_000, 81_690_000, 100_000_000], dtype=np.int64)
    peak_a, rest_a, after_a = mcu.supply.mean_current_a(edges_ps)
    assert mcu.supply.step_count > 4
    mcu.set_temperature(85.0)
    hot_idle_a = mcu.supply.current_a
    assert after_a == hot_idle_a
    assert peak_a - hot_idle_a == pytest.approx(7e-3, rel=1e-9)
    assert 0 < rest_a - hot_idle_a < 3.4e-3


def test_page_erase(flash):
    flash.mcu.core.memory["flash"][0x3F00:0x4900] = 0
    flash.write("FLASH", CR, PER | 8 << 3)
    flash.write("FLASH", CR, PER | 8 << 3 | STRT)
    flash.advance(22.01e-3)
    assert flash.read("FLASH", SR) & BSY
    flash.advance(0.02e-3)
    assert not flash.read("FLASH", SR) & BSY
    assert stored(flash, 0x0800_4000, 0x800) == b"\xff" * 0x800
    assert stored(flash, 0x0800_3FF0, 16) == bytes(16)
    assert stored(flash, 0x0800_4800, 16) == bytes(16)


def test_mass_erase_of_one_bank(flash):
    cells = flash.mcu.core.memory["flash"]
    cells[0x7_FFFF] = cells[0x8_0000] = 0
    flash.write("FLASH", CR, 1 << 15 | STRT)
    flash.advance(23e-3)
    assert (cells[0x7_FFFF], cells[0x8_0000]) == (0, 0xFF)


def test_locked_until_the_keys_come_in_order(part):
    part.write("FLASH", CR, PG)
    assert part.read("FLASH", CR) & LOCK
    for key in (0xCDEF_89AB, 0x4567_0123, 0xCDEF_89AB):
        with pytest.raises(BusFault, match="wrong key"):
            part.write("FLASH", KEYR, key)
    assert part.read("FLASH", CR) & LOCK  # a wrong key locks until reset
    part.mcu.system_reset("software")
    part.write("FLASH", KEYR, 0x4567_0123)
    part.write("FLASH", KEYR, 0xCDEF_89AB)
    assert not part.read("FLASH", CR) & LOCK


def test_store_without_pg_is_a_sequence_error(flash):
    store(flash, ADDRESS, 1)
    assert flash.read("FLASH", SR) == PGSERR


@pytest.mark.parametrize(
    ("stores", "error"),
    [
        ([(ADDRESS + 4, 4)], PGAERR),
        ([(ADDRESS, 4), (ADDRESS + 12, 4)], PGAERR),
        ([(ADDRESS, 2)], SIZERR),
        ([(ADDRESS, 1)], SIZERR),
    ],
)
def test_misshapen_stores(flash, stores, error):
    flash.write("FLASH", CR, PG)
    for address, width in stores:
        store(flash, address, 0, width)
    assert flash.read("FLASH", SR) & 0xFFFF == error
    flash.write("FLASH", SR, error)
    assert flash.read("FLASH", SR) == 0


def test_programmed_cells_take_only_zeros(flash):
    program(flash, ADDRESS, 0x1234, 0x5678)
    flash.advance(100e-6)
    program(flash, ADDRESS, 0x1234, 0x5678)
    assert flash.read("FLASH", SR) == PROGERR
    flash.write("FLASH", SR, PROGERR)
    program(flash, ADDRESS, 0, 0)
    flash.advance(100e-6)
    assert stored(flash, ADDRESS, 8) == bytes(8)


def test_write_protected_page(flash):
    flash.write("FLASH", OPTKEYR, 0x0819_2A3B)
    flash.write("FLASH", OPTKEYR, 0x4C5D_6E7F)
    flash.write("FLASH", 0x2C, 8 | 9 << 16)
    program(flash, ADDRESS, 1, 2)
    assert flash.read("FLASH", SR) == WRPERR


def test_narrow_store_to_the_control_register(flash):
    flash.write("FLASH", CR, PG, width=1)
    assert flash.read("FLASH", CR) & 0xFF == PG


def test_option_launch_resets_the_part(flash):
    assert flash.read("FLASH", OPTR) == 0xFFEF_F8AA
    flash.write("FLASH", OPTKEYR, 0x0819_2A3B)
    flash.write("FLASH", OPTKEYR, 0x4C5D_6E7F)
    flash.write("FLASH", CR, OBL_LAUNCH)
    flash.advance(1e-6)
    assert flash.read("RCC", 0x94) & 1 << 25


def test_access_settings_reach_the_core(part, monkeypatch):
    seen = []
    monkeypatch.setattr(part.mcu.peripherals.flash, "_on_timing", lambda *timing: seen.append(timing))
    part.write("FLASH", ACR, 0x704)
    assert seen == [(4, True, True, True)]


def test_erased_code_is_executed_no_more(flash):
    code = np.array([0xE7FE], dtype="<u2").view(np.uint8)
    flash.mcu.core.memory["flash"][0x4000:0x4002] = code
    invalidated = []
    flash.mcu.peripherals.flash._invalidate = lambda address, size: invalidated.append((address, size))
    flash.write("FLASH", CR, PER | 8 << 3 | STRT)
    flash.advance(23e-3)
    assert (0x0800_4000, 2048) in invalidated


def test_error_correction_has_nothing_to_report(flash):
    detected, corrected = 1 << 31, 1 << 30
    flash.write("FLASH", 0x18, detected | corrected)  # writing 1 clears
    assert flash.read("FLASH", 0x18) == 0


def test_a_reset_takes_back_the_interrupt_with_its_flag(flash):
    flash.write("FLASH", CR, PG | EOPIE)
    store(flash, ADDRESS, 1)
    store(flash, ADDRESS + 4, 2)
    flash.advance(1e-4)
    assert flash.mcu.core._nvic.level >> 16 + 4 & 1
    flash.mcu.system_reset("software")
    flash.advance(1e-6)
    assert not flash.mcu.core._nvic.level >> 16 + 4 & 1

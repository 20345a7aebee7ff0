# SPDX-License-Identifier: Apache-2.0
"""CRC, and the flash interface with its option bytes."""

from hil.twin.core import state_layout
from tests.twin.sweep.registry import scenario
from tests.twin.sweep.subject import Subject


@scenario("CRC")
def words(s: Subject) -> None:
    """Words through every setting."""
    s.begin()
    s.write("CRC", 0x10, 0x1234_5678)
    s.write("CRC", 0x14, 0x04C1_1DB7)
    s.write("CRC", 0x08, 0x1)
    for word in (0x1234_5678, 0xCAFE_BABE):
        s.write("CRC", 0x00, word)
        s.note(s.read("CRC", 0x00))
    s.write("CRC", 0x08, 0x1)
    s.note(s.read("CRC", 0x00))


ACR, KEYR, OPTKEYR, SR, CR, ECCR, OPTR = 0x00, 0x08, 0x0C, 0x10, 0x14, 0x18, 0x20
PAGE_8 = 0x0800_4000
PG, PER, MER1, STRT, OPTSTRT, EOPIE, ERRIE, OBL_LAUNCH = 1, 2, 4, 1 << 16, 1 << 17, 1 << 24, 1 << 25, 1 << 27


def _store(s: Subject, address: int, value: int, width: int = 4) -> None:
    s.mcu.peripherals.flash.array_write(address, width, value)


def _unlock(s: Subject) -> None:
    for register, key in ((KEYR, 0x4567_0123), (KEYR, 0xCDEF_89AB)):
        s.write_or_fault("FLASH", register, key)


def _unlock_options(s: Subject) -> None:
    _unlock(s)
    for register, key in ((OPTKEYR, 0x0819_2A3B), (OPTKEYR, 0x4C5D_6E7F)):
        s.write_or_fault("FLASH", register, key)


def _look(s: Subject) -> None:
    cells = s.mcu.core.memory["flash"]
    s.note(hash(cells[:0x8000].tobytes()), hash(cells[0x8_0000:0x9_0000].tobytes()))
    s.note(s.blocks["FLASH"].words[CR], s.read("FLASH", SR))


@scenario("FLASH", ACR)
def access_settings(s: Subject) -> None:
    """What an access costs: the accelerator's settings, and the flash's power in sleep."""
    s.write("FLASH", ACR, 0x600)
    state = s.mcu.core._emulator.state
    settings = (
        state_layout.WAIT_STATES,
        state_layout.PREFETCH,
        state_layout.INSTRUCTION_CACHE,
        state_layout.DATA_CACHE,
    )
    s.note(tuple(int(state[word]) for word in settings))
    s.blocks["RCC"].write(0x00, 4, 0x59)
    s.blocks["PWR"].write(0x00, 4, 0x4200)
    s.mcu.core.debug_halt()
    s.mcu.core.debug_resume(step=False)  # into low-power sleep
    s.advance(10e-6)


@scenario("FLASH", KEYR, OPTKEYR, CR)
def unlocked(s: Subject) -> None:
    """Keys, then a double word, told of."""
    _unlock_options(s)
    s.write("FLASH", CR, PG | EOPIE)
    _store(s, PAGE_8, 0x1122_3344)
    _store(s, PAGE_8 + 4, 0x5566_7788)
    s.advance(100e-6)
    _look(s)


@scenario("FLASH", CR, SR)
def mistakes(s: Subject) -> None:
    """Every kind of mistake, of which the flags are then cleared, or not."""
    _unlock(s)
    for control in (0, PG):
        s.write("FLASH", CR, control)
        _store(s, PAGE_8, 1)
        _store(s, PAGE_8, 1, 1)
        _store(s, PAGE_8 + 4, 1)
        _look(s)
    s.write("FLASH", SR, 0)
    s.sample()


@scenario("FLASH", SR)
def all_flags(s: Subject) -> None:
    """All flags are set; some are cleared."""
    s.blocks["FLASH"].words[SR] = 0xC3FB
    s.write("FLASH", SR, 0)
    s.sample()


def _erase(control: int) -> None:
    @scenario("FLASH", CR)
    def erase(s: Subject) -> None:
        """Pages that hold something are erased."""
        cells = s.mcu.core.memory["flash"]
        for page in range(512):
            cells[page * 2048 : page * 2048 + 8] = page & 0x7F
        _unlock(s)
        s.write("FLASH", CR, control)
        s.advance(25e-3)
        s.note(hash(cells[::2048].tobytes()))
        _look(s)


for _control in (PER | STRT | 85 << 3, MER1 | STRT | 1 << 15, PER | 3 << 3 | ERRIE):
    _erase(_control)


@scenario("FLASH", CR)
def options_started(s: Subject) -> None:
    """Option bytes are programmed, then loaded."""
    _unlock_options(s)
    s.write("FLASH", OPTR, s.blocks["FLASH"].words[OPTR] & ~(1 << 16))
    s.write("FLASH", CR, OPTSTRT)
    s.advance(25e-3)
    s.write("FLASH", CR, OBL_LAUNCH)
    s.advance(1e-3)
    _look(s)


@scenario("FLASH", OPTR, 0x2C, 0x30, 0x4C, 0x50)
def options_in_force(s: Subject) -> None:
    """Option bytes are programmed and loaded; then the part does all that they decide about."""
    flash, memory = s.mcu.peripherals.flash, s.mcu.core.memory
    _unlock_options(s)
    for offset, value in ((OPTR, s.blocks["FLASH"].words[OPTR]), (0x2C, 0x00AA_0055), (0x30, 0x00FF_00FE)):
        s.write("FLASH", offset, value)
    for offset, value in ((0x4C, 0x00AA_0055), (0x50, 0x00FF_00FE)):
        s.write("FLASH", offset, value)
    s.write("FLASH", CR, OPTSTRT)
    s.advance(25e-3)
    memory["sram2"][:] = 0x5A
    s.write("FLASH", CR, OBL_LAUNCH)
    s.advance(1e-3)
    s.note(hash(memory["sram2"].tobytes()), s.mcu.peripherals.iwdg.started, s.mcu._protection.closes_flash())
    s.note([flash._protected(page * 2048, 8) for page in range(512)])
    s.note(flash.options.brown_out_level, flash.options.read_protected, flash._is_closed())
    s.note([flash.options.resets_on_entry(mode) for mode in ("stop1", "standby", "shutdown")])
    s.note([flash.options.freezes_iwdg_in(mode) for mode in ("stop1", "standby")], flash.options.starts_wwdg)

# SPDX-License-Identifier: Apache-2.0
"""Registers that debuggers look for and that do nothing here: the ROM table, and ITM without a trace port."""

from __future__ import annotations

from hil.twin.core.component_id import identification_word

# RM0351, "MCU debug component", ROM table: SCS, DWT, FPB, ITM; TPIU and ETM marked absent, they are not
# modelled.
_ENTRIES = (0xFFF0_F003, 0xFFF0_2003, 0xFFF0_3003, 0xFFF0_1003, 0xFFF4_1002, 0xFFF4_2002, 0)
_MEMTYPE = 0xFCC


class RomTable:
    """The table at 0xE00FF000 by which a debugger finds the debug components."""

    name = "ROM table"
    base = 0xE00F_F000
    size = 0x1000

    def read(self, offset: int, width: int) -> int:
        """Return an entry or an identification register."""
        word = offset & ~3
        if word == _MEMTYPE:
            value = 1  # system memory is reachable: DDI 0403, C1.2
        elif word >= 0xFD0:
            value = identification_word("rom_table", word)
        else:
            value = _ENTRIES[word >> 2] if word >> 2 < len(_ENTRIES) else 0
        return value >> 8 * (offset & 3)

    def write(self, offset: int, width: int, value: int) -> None:
        """Ignored: read-only."""


class InstrumentationTrace:
    """ITM at 0xE0000000 with no trace port: stimulus ports are always ready, what is written is lost."""

    name = "ITM"
    base = 0xE000_0000
    size = 0x1000

    def __init__(self) -> None:
        self._stored = {0xE00: 0, 0xE40: 0, 0xE80: 0}

    def read(self, offset: int, width: int) -> int:
        """Return a register; a stimulus port reads 1 (ready)."""
        word = offset & ~3
        if word < 0x80:
            return 1
        if word >= 0xFD0:
            return identification_word("itm", word) >> 8 * (offset & 3)
        return self._stored.get(word, 0) >> 8 * (offset & 3)

    def write(self, offset: int, width: int, value: int) -> None:
        """Keep enable, privilege and control words."""
        if width == 4 and offset in self._stored:
            self._stored[offset] = value

# SPDX-License-Identifier: Apache-2.0
"""Memory maps that contradict themselves, and what the core and its hooks know of others than the L476's."""

from __future__ import annotations

import pytest

from hil.twin.core import MemoryMap, Region, state_layout

FLASH = Region("flash", 0x0800_0000, 0x4_0000, "flash", alias=0, banks=2)
RAM = Region("ram", 0x2000_0000, 0x1_0000, "ram")


@pytest.mark.parametrize(
    ("regions", "complaint"),
    [
        ((FLASH, RAM, Region("more", 0x2000_F000, 0x2000, "ram")), "ram and more overlap at 0x2000f000"),
        ((FLASH, Region("boot", 0x1000, 0x1000, "rom")), "flash and boot overlap at 0x00001000"),
        (
            (FLASH, RAM, Region("more", 0x2002_0000, 0x1000, "ram")),
            "ram and more lie in one window",
        ),
        ((FLASH, Region("ram", 0x2000_0000, 0x1_0001, "ram")), "ram has no whole pages"),
        ((FLASH, Region("ram", 0x23FF_F000, 0x2000, "ram")), "ram does not lie in one window"),
        ((FLASH, RAM, Region("flash", 0x1000_0000, 0x1000, "rom")), "two regions have one name"),
        ((FLASH, Region("second", 0x1000_0000, 0x1000, "flash")), "one flash"),
    ],
)
def test_regions_that_contradict_each_other_are_refused(regions, complaint) -> None:
    with pytest.raises(ValueError, match=complaint):
        MemoryMap(regions)


def test_a_map_of_other_memories_has_a_place_for_every_halfword() -> None:
    memory_map = MemoryMap((FLASH, RAM))
    state = state_layout.new_state(memory_map)
    places = {
        name: (state_layout.table_place(state, first), state_layout.table_place(state, last))
        for name, first, last in (
            ("flash", 0x0800_0000, 0x0803_FFFE),
            ("alias", 0, 0x3_FFFE),
            ("ram", 0x2000_0000, 0x2000_FFFE),
        )
    }
    assert places["flash"] == places["alias"]
    assert places["flash"][1] - places["flash"][0] == FLASH.size - 2
    assert places["flash"][1] < places["ram"][0]
    assert places["ram"][1] + 2 == state[state_layout.TABLES_END]
    assert len(state) - state[state_layout.TABLES_END] == (FLASH.size + RAM.size) // state_layout.PAGE
    for outside in (0x0804_0000, 0x4_0000, 0x2001_0000, 0x1000_0000, 0x4000_0000, 0xFFFF_FFFE):
        assert state_layout.table_place(state, outside) is None
    assert state[state_layout.BANK_SHIFT] == 14  # 128 KiB of 8-byte lines


def test_the_same_byte_is_found_at_both_places() -> None:
    memory_map = MemoryMap((FLASH, RAM))
    assert memory_map.elsewhere(0x0800_1234) == 0x1234
    assert memory_map.elsewhere(0x1234) == 0x0800_1234
    assert memory_map.elsewhere(0x2000_0000) is None
    assert memory_map.flash_offset(0x0800_1234) == memory_map.flash_offset(0x1234) == 0x1234
    assert memory_map.flash_offset(0x2000_0000) is None


def test_ranges_outside_the_rams_leave_out_nothing_else() -> None:
    memory_map = MemoryMap((FLASH, RAM))
    end = RAM.base + RAM.size
    assert memory_map.outside_rams() == [(0, RAM.base - 1), (end, 0xFFFF_FFFF)]
    assert MemoryMap((FLASH,)).outside_rams() == [(0, 0xFFFF_FFFF)]

# SPDX-License-Identifier: Apache-2.0
"""No bit of the part is accepted without effect: each has one, is only stored, or is named once."""

from __future__ import annotations

import logging

import pytest

from hil.twin.soc.register_names import register_names
from hil.twin.soc.unmodelled import Reserved, Unmodelled
from tests.twin.bare_part import SVD, BarePart
from tests.twin.sweep.page import PAGE, find_section, render, section, totals
from tests.twin.sweep.registry import SCENARIOS, STANDS_FOR
from tests.twin.sweep.survey import Class, survey

ALL_CLOCKS = ((0x48, 0x1_1103), (0x4C, ~0), (0x50, ~0), (0x58, ~0), (0x5C, ~0), (0x60, ~0))
MODELLED = sorted(
    name
    for name, block in BarePart().mcu.peripherals.blocks.items()
    if not isinstance(block, Unmodelled | Reserved)
)


@pytest.fixture
def part() -> BarePart:
    part = BarePart()
    part.mcu.set_supply_voltage(3.0)
    part.advance(1e-3)
    for offset, value in ALL_CLOCKS:
        part.write_word(0x4002_1000 + offset, value & 0xFFFF_FFFF)
    return part


def test_every_modelled_block_is_swept_or_stands_behind_one_of_its_kind():
    behind = {name for names in STANDS_FOR.values() for name in names}
    assert sorted({*SCENARIOS, *behind}) == MODELLED


@pytest.mark.parametrize("name", MODELLED)
def test_what_is_not_modelled_is_named_once_with_its_bit(part, name, caplog):
    caplog.set_level(logging.CRITICAL)
    unmodelled = part.mcu.peripherals.unmodelled
    block = part.mcu.peripherals.blocks[name]
    for offset, bits in block.not_modelled.items():
        known = register_names(SVD).get(block.base + offset)
        for position in range(32) if offset in block.resets else ():
            mask = 1 << position
            if not bits & mask:
                continue
            unmodelled.accesses.clear()
            present = block.words[offset]
            for _ in range(2):
                block.write(offset, 4, block.words[offset] ^ mask)
            block.words[offset] = present
            (access,) = unmodelled.accesses
            assert access.address == block.base + offset
            assert f"bit {position}" in access.register
            assert known is None or access.register.startswith(known.name)


@pytest.mark.parametrize("representative", sorted(SCENARIOS))
def test_every_bit_has_an_effect_or_is_named_and_the_page_says_so(representative):
    registers = survey(representative, BarePart())
    silent = {f"{r.name} 0x{r.bits(Class.NOT_SHOWN):08x}" for r in registers if r.bits(Class.NOT_SHOWN)}
    assert silent == set(), "accepted without effect: show one by a scenario, or name them (not_modelled)"
    found = section(representative, registers)
    assert found == find_section(PAGE.read_text(encoding="utf-8"), representative), (
        "write the page again: python -m tests.twin.sweep.page " + representative
    )


def test_the_page_is_whole():
    text = PAGE.read_text(encoding="utf-8")
    assert text == render([find_section(text, name) for name in SCENARIOS])
    assert totals(text)["effect shown"] > totals(text)["not modelled"]

# SPDX-License-Identifier: Apache-2.0
"""Every writable bit of every modelled register: an effect, only stored, or named as not modelled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import tests.twin.sweep.scenarios  # noqa: F401 - they register themselves
from hil.twin.ip.register_block import RegisterBlock
from hil.twin.soc.register_names import RegisterName, register_names
from tests.twin.bare_part import SVD, BarePart
from tests.twin.sweep.registry import (
    BEYOND_THE_FILE,
    NARROW,
    NOTHING_TO_CLEAR,
    READS_STATE,
    SAME_AS,
    SCENARIOS,
    WITHOUT_REQUEST,
)
from tests.twin.sweep.subject import Bit, Subject, differ


class Class(StrEnum):
    """What becomes of a bit."""

    SHOWN = "effect shown by the sweep"
    STORED = "only stored, as on the part"
    NAMED = "named at run time as not modelled"
    NOTHING = "clears a flag that only a function without model sets"
    NOT_SHOWN = "effect not shown"


@dataclass
class Register:
    """One register, and the class of each of its writable bits."""

    block: str
    offset: int
    name: str
    known: RegisterName
    classes: dict[int, Class] = field(default_factory=dict)
    """By the bit's position."""

    def bits(self, wanted: Class) -> int:
        """The mask of a class."""
        return sum(1 << position for position, found in self.classes.items() if found is wanted)


def writable_bits(block: RegisterBlock, offset: int) -> int:
    """What a program may write: what the SVD file says, without bits that read-only registers have."""
    known = register_names(SVD).get(block.base + offset)
    declared = block.not_modelled.get(offset, 0) | block.stored_only.get(offset, 0)
    declared |= BEYOND_THE_FILE.get((block.name, offset), 0)
    present = NARROW.get((block.name, offset), 0xFFFF_FFFF)
    return (declared if known is None else known.writable | declared) & present


def registers(block: RegisterBlock) -> Iterator[Register]:
    """The registers of a block that have writable bits."""
    for offset in sorted(block.resets):
        known = register_names(SVD).get(block.base + offset)
        name = f"{block.name}+0x{offset:03X}" if known is None else known.name
        if writable_bits(block, offset):
            yield Register(block.name, offset, name, known or RegisterName(name, 0))


def survey(representative: str, part: BarePart) -> list[Register]:
    """Classify every writable bit of one block; those without declaration by running its scenarios."""
    subject = Subject(part, representative)
    block = part.mcu.peripherals.blocks[representative]
    found = list(registers(block))
    open_bits: list[tuple[Register, int]] = []
    for register in found:
        offset = register.offset
        if (representative, offset) in SAME_AS:
            continue
        for position in range(32):
            mask = 1 << position
            if not writable_bits(block, offset) & mask:
                continue
            if block.not_modelled.get(offset, 0) & mask:
                register.classes[position] = Class.NAMED
            elif block.stored_only.get(offset, 0) & mask:
                register.classes[position] = Class.STORED
            else:
                open_bits.append((register, position))
    named: set[tuple[int, int]] = set()
    for scenario in SCENARIOS[representative]:
        tried = [item for item in open_bits if scenario.is_for(item[0].offset)]
        if not tried:
            continue
        plain = subject.observe(scenario.run, None)
        if plain != subject.observe(scenario.run, None):
            raise AssertionError(f"{representative}: {scenario.run.__name__} does not repeat itself")
        for register, position in tried:
            target = Bit(representative, register.offset, 1 << position)
            seen = subject.observe(scenario.run, target, at_end=scenario.at_end)
            acts = (representative, register.offset) in READS_STATE
            if differ(plain, seen, target, acts=acts):
                register.classes[position] = Class.SHOWN
                open_bits.remove((register, position))
            elif subject.is_named(target):
                named.add((register.offset, position))
    for register, position in open_bits:
        at = (representative, register.offset)
        if (register.offset, position) in named:
            register.classes[position] = Class.NAMED
        elif NOTHING_TO_CLEAR.get(at, 0) >> position & 1:
            register.classes[position] = Class.NOTHING
        elif WITHOUT_REQUEST.get(at, 0) >> position & 1:
            register.classes[position] = Class.STORED
        else:
            register.classes[position] = Class.NOT_SHOWN
    for register in found:
        like = SAME_AS.get((representative, register.offset))
        if like is not None:
            register.classes = next(other.classes for other in found if other.offset == like)
    return found

# SPDX-License-Identifier: Apache-2.0
"""The page docs/registers.md: what becomes of every writable bit; ``python -m tests.twin.sweep.page``."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.twin.bare_part import BarePart
from tests.twin.sweep.registry import SCENARIOS, STANDS_FOR
from tests.twin.sweep.survey import Class, Register, survey

PAGE = Path(__file__).parents[3] / "docs" / "registers.md"
_COLUMNS = (
    (Class.SHOWN, "effect shown"),
    (Class.STORED, "only stored"),
    (Class.NAMED, "not modelled"),
    (Class.NOTHING, "nothing to clear"),
)
_HEAD = """# What the virtual part does with every register bit

This page is generated: `python -m tests.twin.sweep.page`. A test keeps it equal to the code.

The sweep takes every bit that the part's SVD file calls writable, in every register of every modelled block.
It inverts the bit while a scenario works the block, and compares all that can be seen: other registers,
interrupts, pins, supply current, DMA, the part's mode.

- **effect shown**: something else changed.
- **only stored**: the bit reads back, and nothing depends on it that a program or the bench could see.
- **not modelled**: a program that changes the bit is told so once, by register and bit, in the log, on the
  status line of `hil twin serve` and in the run's report.
- **nothing to clear**: the bit clears a flag that only a function without model would set.

There is no other kind: a bit without effect that nothing names fails the sweep's test. Blocks without any
model name every register that is touched. Not part of the sweep are the registers of the core itself: SCS,
DWT, FPB, ITM.

"""


def ranges(bits: int) -> str:
    """Positions of bits, "0-3, 7"."""
    found, position = [], 0
    while bits >> position:
        if bits >> position & 1:
            first = position
            while bits >> position + 1 & 1:
                position += 1
            found.append(str(first) if first == position else f"{first}-{position}")
        position += 1
    return ", ".join(found)


def section(representative: str, registers: Iterable[Register]) -> str:
    """The part of the page about one kind of block."""
    others = STANDS_FOR.get(representative, ())
    lines = [f"## {', '.join((representative, *others))}", ""]
    lines.append("| register | " + " | ".join(title for _, title in _COLUMNS) + " |")
    lines.append("|---" * (len(_COLUMNS) + 1) + "|")
    totals = dict.fromkeys((column for column, _ in _COLUMNS), 0)
    for register in registers:
        masks = {column: register.bits(column) for column, _ in _COLUMNS}
        for column, mask in masks.items():
            totals[column] += mask.bit_count()
        cells = " | ".join(ranges(masks[column]) for column, _ in _COLUMNS)
        lines.append(f"| {register.name.partition('.')[2] or register.name} | {cells} |")
    lines.append("| bits | " + " | ".join(str(totals[column]) for column, _ in _COLUMNS) + " |")
    return "\n".join(lines) + "\n"


def totals(text: str) -> dict[str, int]:
    """The sums over all sections of the page, by column."""
    sums = dict.fromkeys((title for _, title in _COLUMNS), 0)
    for line in text.splitlines():
        if line.startswith("| bits |"):
            for title, cell in zip(sums, line.split("|")[2:-1], strict=True):
                sums[title] += int(cell)
    return sums


def render(sections: Iterable[str]) -> str:
    """The whole page."""
    body = "\n".join(sections)
    sums = ", ".join(f"{title} {count}" for title, count in totals(body).items())
    return f"{_HEAD}Bits: {sums}.\n\n{body}"


def main(names: list[str]) -> None:
    """Survey the blocks named, all if none is, and write the page; sections of the others stay."""
    logging.disable(logging.WARNING)
    old = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    sections = {}
    for representative in SCENARIOS:
        kept = find_section(old, representative)
        if names and representative not in names and kept:
            sections[representative] = kept
            continue
        sections[representative] = section(representative, survey(representative, BarePart()))
        print(representative, flush=True)
        PAGE.write_text(render(sections.values()), encoding="utf-8")
    PAGE.write_text(render(sections.values()), encoding="utf-8")


def find_section(text: str, representative: str) -> str:
    """A section of the page, empty if it has none of that name."""
    for part in text.split("\n## ")[1:]:
        if part.partition("\n")[0].split(", ")[0] == representative:
            return f"## {part.rstrip()}\n"
    return ""


if __name__ == "__main__":
    main(sys.argv[1:])

# SPDX-License-Identifier: Apache-2.0
"""How much flash and RAM an image takes, without the model and the memory that the model needs, and what
takes it.

Sizes are those of the linked image: of its sections, and of its symbols by the source file that defines them
(from the debug information). What no symbol covers (padding, literal pools of the linker) is counted too.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from elftools.common.exceptions import DWARFError, ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from hil.boards import REFERENCE, Board
from hil.errors import ImageError
from hil.parts import Part

MODEL_SYMBOLS = ("hil_model", "hil_model_end")
ARENA_MEMBER = "arena"
"""The array, a member of the network's structure, that its tables and activations may take."""
NETWORK_SYMBOL = "network"
"""The structure that holds it."""
OTHER = "other"
"""The group of what no source file is known for."""


@dataclass(frozen=True)
class Section:
    """One section of the image that takes memory on the part."""

    name: str
    flash_bytes: int
    ram_bytes: int


@dataclass(frozen=True)
class Group:
    """What one source file takes; the model and its arena are not in it."""

    name: str
    flash_bytes: int
    ram_bytes: int


@dataclass(frozen=True)
class Footprint:
    """Sizes in bytes."""

    sections: tuple[Section, ...]
    groups: tuple[Group, ...]
    """By falling flash."""
    model_bytes: int
    arena_bytes: int

    @property
    def flash_bytes(self) -> int:
        """All flash without the model."""
        return sum(section.flash_bytes for section in self.sections) - self.model_bytes

    @property
    def ram_bytes(self) -> int:
        """All static RAM without the network's arena; the stack is not in it."""
        return sum(section.ram_bytes for section in self.sections) - self.arena_bytes


def footprint(path: Path, part: Part | None = None) -> Footprint:
    """Measure an ELF image for a part, by default that of the reference board.

    Raises:
        ImageError: it cannot be read, or is no ELF file.
    """
    part = part or Board.load(REFERENCE).part
    try:
        elf = ELFFile(io.BytesIO(path.read_bytes()))
        sections = tuple(_sections(elf, part))
        sizes = _symbol_sizes(elf)
        files = _files_by_address(elf)
        arena = _arena_bytes(elf)
    except OSError as error:
        raise ImageError(str(error.strerror or error), where=str(path), operation="footprint") from error
    except (ELFError, DWARFError, ValueError, KeyError) as error:
        raise ImageError(
            f"is not a sound ELF file: {error}", where=str(path), operation="footprint"
        ) from error
    model = _model_bytes(elf)
    return Footprint(sections, _groups(part, sections, sizes, files, model, arena), model, arena)


def _in_ram(part: Part, address: int) -> bool:
    return part.sram1.holds(address) or part.sram2.holds(address)


def _sections(elf: ELFFile, part: Part) -> list[Section]:
    """Sections that are loaded or reserved; initialised data takes both its image in flash and its RAM."""
    found = []
    for section in elf.iter_sections():
        size, address = int(section["sh_size"]), int(section["sh_addr"])
        if not section["sh_flags"] & 2 or not size:  # SHF_ALLOC
            continue
        stored = section["sh_type"] != "SHT_NOBITS"
        found.append(Section(section.name, size if stored else 0, size if _in_ram(part, address) else 0))
    return found


def _symbol_sizes(elf: ELFFile) -> dict[tuple[str, int], int]:
    """Size by name and address of every function and object; one of several names at an address is kept."""
    table = _symbol_table(elf)
    sizes: dict[tuple[str, int], int] = {}
    taken: set[int] = set()
    for symbol in table.iter_symbols() if table is not None else ():
        kind, size = symbol["st_info"]["type"], int(symbol["st_size"])
        if kind not in ("STT_FUNC", "STT_OBJECT") or not size:
            continue
        address = int(symbol["st_value"]) & (~1 if kind == "STT_FUNC" else ~0)
        if address not in taken:
            taken.add(address)
            sizes[symbol.name, address] = size
    return sizes


def _symbol_table(elf: ELFFile) -> SymbolTableSection | None:
    table = elf.get_section_by_name(".symtab")
    return table if isinstance(table, SymbolTableSection) else None


def _arena_bytes(elf: ELFFile) -> int:
    """Size of the network's arena, from the debug information; 0 without an array of that name."""
    if not elf.has_dwarf_info():
        return 0
    for unit in elf.get_dwarf_info().iter_CUs():
        for die in unit.iter_DIEs():
            if die.tag == "DW_TAG_member" and _name(die) == ARENA_MEMBER:
                return _array_bytes(die.get_DIE_from_attribute("DW_AT_type"))
    return 0


def _array_bytes(array: Any) -> int:
    element = array.get_DIE_from_attribute("DW_AT_type")
    while "DW_AT_byte_size" not in element.attributes:  # a typedef or a qualifier
        element = element.get_DIE_from_attribute("DW_AT_type")
    size = int(element.attributes["DW_AT_byte_size"].value)
    for bound in array.iter_children():
        if "DW_AT_count" in bound.attributes:
            size *= int(bound.attributes["DW_AT_count"].value)
        elif "DW_AT_upper_bound" in bound.attributes:
            size *= int(bound.attributes["DW_AT_upper_bound"].value) + 1
    return size


def _name(die: Any) -> str:
    name = die.attributes.get("DW_AT_name")
    return name.value.decode("utf-8", "replace") if name else ""


def _model_bytes(elf: ELFFile) -> int:
    table = _symbol_table(elf)
    if table is None:
        return 0
    ends = [symbols[0]["st_value"] for name in MODEL_SYMBOLS if (symbols := table.get_symbol_by_name(name))]
    return int(ends[1] - ends[0]) if len(ends) == 2 else 0


def _files_by_address(elf: ELFFile) -> dict[int, str]:
    """Source file by the address of every function and variable that the debug information places."""
    files: dict[int, str] = {}
    if not elf.has_dwarf_info():
        return files
    dwarf = elf.get_dwarf_info()
    for unit in dwarf.iter_CUs():
        top = unit.get_top_DIE()
        file = PurePosixPath(_name(top)).name or OTHER
        for die in top.iter_children():
            address = _address(die, unit["address_size"])
            if address is not None:
                files[address] = file
    return files


def _address(die: Any, address_size: int) -> int | None:
    """Where a function begins, or a variable lies."""
    if die.tag == "DW_TAG_subprogram" and "DW_AT_low_pc" in die.attributes:
        return int(die.attributes["DW_AT_low_pc"].value) & ~1
    location = die.attributes.get("DW_AT_location")
    if die.tag == "DW_TAG_variable" and location is not None and isinstance(location.value, list):
        expression = bytes(location.value)
        if expression[:1] == b"\x03" and len(expression) == 1 + address_size:  # DW_OP_addr
            return int.from_bytes(expression[1:], "little")
        if expression[:1] == b"\xa1":  # DW_OP_addrx: an index into .debug_addr
            index = int.from_bytes(expression[1:2], "little")
            return int(die.cu.dwarfinfo.get_addr(die.cu, index))
    return None


def _groups(
    part: Part,
    sections: tuple[Section, ...],
    sizes: Mapping[tuple[str, int], int],
    files: Mapping[int, str],
    model_bytes: int,
    arena_bytes: int,
) -> tuple[Group, ...]:
    flash: dict[str, int] = defaultdict(int)
    ram: dict[str, int] = defaultdict(int)
    for (name, address), size in sizes.items():
        if name in MODEL_SYMBOLS:
            continue
        file = files.get(address, OTHER)
        if size > arena_bytes > 0 and name == NETWORK_SYMBOL:
            size -= arena_bytes
        if part.flash.holds(address):
            flash[file] += size
        elif _in_ram(part, address):
            ram[file] += size
    # What is left of the sections: vectors, padding, initial values of variables.
    flash[OTHER] += sum(section.flash_bytes for section in sections) - model_bytes - sum(flash.values())
    ram[OTHER] += sum(section.ram_bytes for section in sections) - arena_bytes - sum(ram.values())
    names = sorted({*flash, *ram}, key=lambda name: (-flash[name], -ram[name], name))
    return tuple(Group(name, flash[name], ram[name]) for name in names if flash[name] or ram[name])

# SPDX-License-Identifier: Apache-2.0
"""Names and reset values of the part's registers, from the SVD file that ships with pyOCD."""

import importlib.util
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from hil.twin.errors import TwinError

_ARCHIVE: Final = Path("debug", "svd", "svd_data.zip")

_RESET_CORRECTIONS: Final = {
    "ADC2.CR": 0x2000_0000,
    "ADC3.CR": 0x2000_0000,
    "TIM1.ARR": 0xFFFF,
    "TIM8.ARR": 0xFFFF,
}
"""Reset values that the file has as zero: DEEPPWD is set (RM0351, ADC_CR), an auto-reload is all ones."""


@dataclass(frozen=True)
class Field:
    """A bit field of a register."""

    name: str
    position: int
    width: int
    writable: bool

    @property
    def mask(self) -> int:
        """Its bits."""
        return ((1 << self.width) - 1) << self.position


@dataclass(frozen=True)
class RegisterName:
    """A register's name, "ADC2.CR", its value after a reset, and its fields."""

    name: str
    reset: int
    fields: tuple[Field, ...] = ()

    @property
    def writable(self) -> int:
        """The bits that a program may write."""
        mask = 0
        for field in self.fields:
            mask |= field.mask if field.writable else 0
        return mask

    def describe(self, bits: int) -> str:
        """What the bits are called: "bit 9 (CPHA)", several separated by commas."""
        parts = []
        for field in self.fields:
            touched = bits & field.mask
            if touched:
                bits &= ~touched
                parts.append(f"{_positions(touched)} ({field.name})")
        if bits:
            parts.append(_positions(bits))
        return ", ".join(parts)


def _positions(bits: int) -> str:
    """Return "bit 3", or "bits 3, 4"."""
    positions = [str(position) for position in range(32) if bits >> position & 1]
    return f"bit{'s' if len(positions) > 1 else ''} {', '.join(positions)}"


@cache
def register_names(svd: str) -> dict[int, RegisterName]:
    """Every register by its address; the file ``svd`` of pyOCD is read at the first call.

    A register that only a relative of the file's parts has stays nameless.

    Raises TwinError if pyOCD is not installed, or comes without the file.
    """
    pyocd = importlib.util.find_spec("pyocd")
    if pyocd is None or not pyocd.submodule_search_locations:
        raise TwinError("the names of unmodelled registers come with pyOCD, which is not installed")
    archive = Path(pyocd.submodule_search_locations[0]) / _ARCHIVE
    try:
        with zipfile.ZipFile(archive) as files:
            root = ElementTree.fromstring(files.read(svd))
    except (OSError, KeyError) as error:
        raise TwinError(f"{archive} should hold {svd}: {error}; reinstall pyocd") from error
    peripherals = {item.findtext("name", ""): item for item in root.iterfind("peripherals/peripheral")}
    names: dict[int, RegisterName] = {}
    for peripheral, item in peripherals.items():
        base = int(item.findtext("baseAddress", ""), 0)
        registers = item if item.find("registers") is not None else peripherals[item.get("derivedFrom", "")]
        for register in registers.iterfind("registers/register"):
            name = f"{peripheral}.{register.findtext('name')}"
            reset = _RESET_CORRECTIONS.get(name, int(register.findtext("resetValue", "0"), 0))
            address = base + int(register.findtext("addressOffset", ""), 0)
            names.setdefault(address & ~3, RegisterName(name, reset, _fields(register)))
    return names


def _fields(register: ElementTree.Element) -> tuple[Field, ...]:
    access = register.findtext("access", "read-write")
    found = [
        Field(
            item.findtext("name", ""),
            int(item.findtext("bitOffset", "0"), 0),
            int(item.findtext("bitWidth", "1"), 0),
            item.findtext("access", access) != "read-only",
        )
        for item in register.iterfind("fields/field")
    ]
    return tuple(sorted(found, key=lambda field: field.position))

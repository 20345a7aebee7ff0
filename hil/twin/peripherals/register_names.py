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
_FILE: Final = "STM32L4x5.svd"
"""The package has no file for the L4x6; registers that only the L476 has (OTG_FS) stay nameless."""

_RESET_CORRECTIONS: Final = {
    "ADC2.CR": 0x2000_0000,
    "ADC3.CR": 0x2000_0000,
    "TIM1.ARR": 0xFFFF,
    "TIM8.ARR": 0xFFFF,
}
"""Reset values that the file has as zero: DEEPPWD is set (RM0351, ADC_CR), an auto-reload is all ones."""


@dataclass(frozen=True)
class RegisterName:
    """A register's name, "ADC2.CR", and its value after a reset."""

    name: str
    reset: int


@cache
def register_names() -> dict[int, RegisterName]:
    """Every register by its address; the file is read at the first call.

    Raises TwinError if pyOCD is not installed, or comes without the file.
    """
    pyocd = importlib.util.find_spec("pyocd")
    if pyocd is None or not pyocd.submodule_search_locations:
        raise TwinError("the names of unmodelled registers come with pyOCD, which is not installed")
    archive = Path(pyocd.submodule_search_locations[0]) / _ARCHIVE
    try:
        with zipfile.ZipFile(archive) as files:
            root = ElementTree.fromstring(files.read(_FILE))
    except (OSError, KeyError) as error:
        raise TwinError(f"{archive} should hold {_FILE}: {error}; reinstall pyocd") from error
    peripherals = {item.findtext("name", ""): item for item in root.iterfind("peripherals/peripheral")}
    names: dict[int, RegisterName] = {}
    for peripheral, item in peripherals.items():
        base = int(item.findtext("baseAddress", ""), 0)
        registers = item if item.find("registers") is not None else peripherals[item.get("derivedFrom", "")]
        for register in registers.iterfind("registers/register"):
            name = f"{peripheral}.{register.findtext('name')}"
            reset = _RESET_CORRECTIONS.get(name, int(register.findtext("resetValue", "0"), 0))
            address = base + int(register.findtext("addressOffset", ""), 0)
            names.setdefault(address & ~3, RegisterName(name, reset))
    return names

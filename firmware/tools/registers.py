# SPDX-License-Identifier: Apache-2.0
"""Writes registers.h: the registers of the peripherals that the firmware uses, from pyOCD's SVD file.

    python registers.py OUTPUT.h

The same SVD gives the same bytes. What the file is known to have wrong is put right first: the tables below
say so one by one, after RM0351 or ST's CMSIS header. A correction that no longer applies is an error.
"""

from __future__ import annotations

import importlib.util
import re
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

ARCHIVE = Path("debug", "svd", "svd_data.zip")
"""pyOCD has no file for the L4x6; what only that has (OTG_FS, LCD) is not used here."""

TYPES = {
    "RCC": ("RCC",),
    "PWR": ("PWR",),
    "FLASH": ("FLASH",),
    "GPIO": ("GPIOA", "GPIOB", "GPIOC", "GPIOD"),
    "SYSCFG": ("SYSCFG",),
    "EXTI": ("EXTI",),
    "RTC": ("RTC",),
    "ADC": ("ADC1",),
    "ADC_COMMON": ("ADC123_Common",),
    "DMA": ("DMA1",),
    "TIM6": ("TIM6",),
    "WWDG": ("WWDG",),
    "USART": ("USART2", "USART1"),
    "I2C": ("I2C1", "I2C2"),
    "DBGMCU": ("DBGMCU",),
}
"""What to write: the type's name, and the peripherals that are of it."""

# Corrections. Registers are TYPE.REGISTER, fields TYPE.REGISTER.FIELD.
ADDED_REGISTERS = {"GPIO.BRR": 0x28, "GPIO.ASCR": 0x2C}  # RM0351, GPIO: the L47x alone has ASCR
ADDED_FIELDS = {"ADC.SMPR1.SMP0": (0, 3)}
RENAMED = {
    "PWR.CR3.EWF": "EIWUL",
    "RCC.APB1ENR1.SP3EN": "SPI3EN",
    "RCC.APB1SMENR1.SP3SMEN": "SPI3SMEN",
    "RCC.AHB2SMENR.ADCFSSMEN": "ADCSMEN",
    "RTC.CR.WCKSEL": "WUCKSEL",
    "FLASH.CR.START": "STRT",
    "FLASH.OPTR.IDWG_SW": "IWDG_SW",
    "ADC.SQR1.L3": "L",
}
SWAPPED_FIELDS = (("PWR.SR1", "PWR.SCR"),)  # the flags and what clears them
MOVED = {  # to (first bit, width)
    "RCC.AHB1ENR.CRCEN": (12, 1),
    "RCC.AHB1RSTR.CRCRST": (12, 1),
    "RCC.AHB1SMENR.CRCSMEN": (12, 1),
    "FLASH.WRP1BR.WRP1B_STRT": (0, 8),
    "FLASH.WRP1BR.WRP1B_END": (16, 8),
    "ADC.AWD2CR.AWD2CH": (0, 19),
    "ADC.AWD3CR.AWD3CH": (0, 19),
    "DBGMCU.IDCODE.DEV_ID": (0, 12),
}
REMOVED = ("ADC.CFGR.AUTOFF", "RCC.AHB2ENR.AESEN", "RCC.AHB2RSTR.AESRST", "RCC.AHB2SMENR.AESSMEN")
ARRAYS = {"RTC": ("BKP", "R", "BKPR")}  # BKP0R, BKP1R ... are BKPR[0], BKPR[1] ...
INTERRUPTS = {
    "FLASH": 4,
    "ADC1_2": 18,
    "RNG": 80,
    "FPU": 81,
}  # missing or wrong; the vector table's positions


@dataclass
class Register:
    """A register's place, its fields as (first bit, width), and how many of it follow each other."""

    offset: int
    fields: dict[str, tuple[int, int]] = field(default_factory=dict)
    count: int = 1


def read_svd(svd: str) -> ElementTree.Element:
    """The file out of pyOCD's archive."""
    pyocd = importlib.util.find_spec("pyocd")
    if pyocd is None or not pyocd.submodule_search_locations:
        raise SystemExit("registers.py: the register descriptions come with pyOCD: pip install pyocd")
    archive = Path(pyocd.submodule_search_locations[0]) / ARCHIVE
    try:
        with zipfile.ZipFile(archive) as files:
            return ElementTree.fromstring(files.read(svd))
    except (OSError, KeyError) as error:
        raise SystemExit(f"registers.py: {archive} should hold {svd}: {error}; reinstall pyocd") from error


def registers_of(
    peripheral: ElementTree.Element, all_by_name: dict[str, ElementTree.Element]
) -> dict[str, Register]:
    """The registers of a peripheral, its own or those of the one that it is derived from."""
    if peripheral.find("registers") is None:
        peripheral = all_by_name[peripheral.get("derivedFrom", "")]
    found = {}
    for item in peripheral.iterfind("registers/register"):
        fields = {
            part.findtext("name", ""): (number(part, "bitOffset"), number(part, "bitWidth"))
            for part in item.iterfind("fields/field")
        }
        found[item.findtext("name", "")] = Register(number(item, "addressOffset"), fields)
    return found


def number(item: ElementTree.Element, tag: str) -> int:
    """The integer in a child element."""
    return int(item.findtext(tag, ""), 0)


def correct(types: dict[str, dict[str, Register]]) -> None:
    """Put right what the file has wrong."""
    for name, offset in ADDED_REGISTERS.items():
        type_name, register = name.split(".")
        if register in types[type_name]:
            raise SystemExit(f"registers.py: {name} is no longer missing from the SVD file")
        types[type_name][register] = Register(offset)
    for name, place in ADDED_FIELDS.items():
        type_name, register, field_name = name.split(".")
        if field_name in types[type_name][register].fields:
            raise SystemExit(f"registers.py: {name} is no longer missing from the SVD file")
        types[type_name][register].fields[field_name] = place
    for name, new in RENAMED.items():
        fields, old = fields_with(types, name)
        fields[new] = fields.pop(old)
    for name, place in MOVED.items():
        fields, moved = fields_with(types, name)
        if fields[moved] == place:
            raise SystemExit(f"registers.py: {name} is no longer wrong in the SVD file")
        fields[moved] = place
    for name in REMOVED:
        fields, removed = fields_with(types, name)
        del fields[removed]
    for one, other in SWAPPED_FIELDS:
        (type_a, a), (type_b, b) = one.split("."), other.split(".")
        first, second = types[type_a][a], types[type_b][b]
        first.fields, second.fields = second.fields, first.fields
    for type_name, (prefix, suffix, array) in ARRAYS.items():
        registers = types[type_name]
        names = [name for name in registers if re.fullmatch(rf"{prefix}\d+{suffix}", name)]
        registers[array] = Register(registers[names[0]].offset, count=len(names))
        for index, name in enumerate(names):
            if registers.pop(name).offset != registers[array].offset + 4 * index:
                raise SystemExit(f"registers.py: {type_name}.{name} is not where an array has it")


def fields_with(types: dict[str, dict[str, Register]], name: str) -> tuple[dict[str, tuple[int, int]], str]:
    """The fields of the register that ``name`` names, and the field's own name."""
    type_name, register, field_name = name.split(".")
    fields = types[type_name][register].fields
    if field_name not in fields:
        raise SystemExit(f"registers.py: the SVD file has no {name} to correct; it has {', '.join(fields)}")
    return fields, field_name


def interrupts(peripherals: dict[str, ElementTree.Element]) -> dict[str, int]:
    """Every interrupt by its name."""
    found = {
        item.findtext("name", "").upper(): number(item, "value")
        for peripheral in peripherals.values()
        for item in peripheral.iterfind("interrupt")
    }
    return found | INTERRUPTS


def structure(name: str, registers: dict[str, Register]) -> list[str]:
    """A type and the proof that the compiler lays it out as the part does."""
    lines, checks, at = ["typedef struct {"], [], 0
    for register_name, register in sorted(registers.items(), key=lambda entry: entry[1].offset):
        if register.offset < at:
            raise SystemExit(f"registers.py: {name}.{register_name} overlaps the register before it")
        if register.offset > at:
            lines.append(f"    uint32_t reserved_{at:02x}[{(register.offset - at) // 4}];")
        length = f"[{register.count}]" if register.count > 1 else ""
        lines.append(f"    volatile uint32_t {register_name}{length}; /* 0x{register.offset:02x} */")
        checks.append(
            f"_Static_assert(offsetof({name.lower()}_t, {register_name}) == 0x{register.offset:02x}, "
            f'"{name}.{register_name}");'
        )
        at = register.offset + 4 * register.count
    return [*lines, f"}} {name.lower()}_t;", *checks]


def macros(name: str, registers: dict[str, Register]) -> list[str]:
    """A bit is its mask; a wider field is a macro that shifts a value there, and its mask."""
    lines = []
    for register_name, register in sorted(registers.items(), key=lambda entry: entry[1].offset):
        for field_name, (first, width) in sorted(register.fields.items(), key=lambda entry: entry[1]):
            macro = f"{name}_{register_name}_{field_name}"
            if width == 1:
                lines.append(f"#define {macro} (1u << {first})")
            elif width < 32:
                lines.append(f"#define {macro}(value) ((uint32_t)(value) << {first})")
                lines.append(f"#define {macro}_MASK (0x{(1 << width) - 1:x}u << {first})")
    return lines


def header(svd: str) -> str:
    """The text of registers.h, from that file of pyOCD."""
    root = read_svd(svd)
    peripherals = {item.findtext("name", ""): item for item in root.iterfind("peripherals/peripheral")}
    types = {name: registers_of(peripherals[uses[0]], peripherals) for name, uses in TYPES.items()}
    correct(types)
    lines = [
        "/* SPDX-License-Identifier: Apache-2.0 */",
        f"/* Generated by tools/registers.py from {svd}, version {root.findtext('version')}. Do not edit. */",
        *(
            "#ifndef HIL_REGISTERS_H",
            "#define HIL_REGISTERS_H",
            "",
            "#include <stddef.h>",
            "#include <stdint.h>",
            "",
        ),
    ]
    numbers = sorted(interrupts(peripherals).items(), key=lambda entry: (entry[1], entry[0]))
    lines += ["enum {", *(f"    IRQ_{name} = {value}," for name, value in numbers)]
    lines += [f"    IRQ_COUNT = {numbers[-1][1] + 1},", "};"]
    for name, uses in TYPES.items():
        lines += ["", *structure(name, types[name])]
        for use in uses:
            base = number(peripherals[use], "baseAddress")
            lines.append(f"#define {use.upper()} (({name.lower()}_t *)0x{base:08x}u)")
        lines += macros(name, types[name])
    return "\n".join([*lines, "", "#endif", ""])


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(header(sys.argv[2]), encoding="ascii", newline="\n")

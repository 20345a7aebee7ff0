# SPDX-License-Identifier: Apache-2.0
"""The deepest stack an image can reach, from its machine code: what functions take, and what they call."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import capstone
from elftools.elf.elffile import ELFFile

EXCEPTION_FRAME_BYTES = 26 * 4 + 4
"""What an exception stacks with the FPU's registers, and the word that aligns it (ARMv7-M, B1.5.7)."""

_PUSH = re.compile(r"^(push|push\.w|stmdb|stmdb\.w)$")


@dataclass
class Function:
    """A function's own part of the stack, and its calls."""

    name: str
    frame_bytes: int = 0
    calls: set[str] = field(default_factory=set)
    indirect_calls: int = 0


class StackUsage:
    """The call graph of an image, as far as its calls name their targets."""

    def __init__(self, elf_path: Path) -> None:
        with elf_path.open("rb") as file:
            elf = ELFFile(file)
            symbols = list(elf.get_section_by_name(".symtab").iter_symbols())
            text = elf.get_section_by_name(".text")
            self._start, self._code = text["sh_addr"], text.data()
        self._names: dict[int, str] = {}
        self._ends: dict[int, int] = {}
        for symbol in symbols:
            if symbol["st_info"]["type"] == "STT_FUNC" and symbol["st_size"]:
                address = symbol["st_value"] & ~1
                self._names[address] = symbol.name
                self._ends[address] = address + symbol["st_size"]
        data = sorted(symbol["st_value"] for symbol in symbols if symbol.name.startswith("$d"))
        self._data = {
            address for address in data if address in range(self._start, self._start + len(self._code))
        }
        self._code_again = {s["st_value"] for s in symbols if s.name.startswith("$t")}

    @cached_property
    def functions(self) -> dict[str, Function]:
        """Every function by its name."""
        return {name: self._read(address, name) for address, name in self._names.items()}

    def _read(self, address: int, name: str) -> Function:
        decoder = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
        function = Function(name)
        at, end = address, self._ends[address]
        while at < end:
            if at in self._data:  # a literal pool or a table of branches
                at = min([code for code in self._code_again if code > at] + [end])
                continue
            offset = at - self._start
            instruction = next(decoder.disasm(self._code[offset : offset + 4], at, 1), None)
            if instruction is None:
                at += 2
                continue
            self._account(function, instruction.mnemonic, instruction.op_str, address, end)
            at += instruction.size
        return function

    def _account(self, function: Function, mnemonic: str, operands: str, start: int, end: int) -> None:
        if _PUSH.match(mnemonic) and (mnemonic.startswith("push") or operands.startswith("sp!")):
            function.frame_bytes += 4 * _register_count(operands)
        elif mnemonic.startswith("vpush"):
            function.frame_bytes += (8 if "d" in operands else 4) * _register_count(operands)
        elif mnemonic.startswith("sub") and re.match(r"sp, (sp, )?#", operands):
            function.frame_bytes += int(operands.rpartition("#")[2], 0)
        elif mnemonic.startswith("str") and (found := re.search(r"\[sp, #-(\w+)\]!", operands)):
            function.frame_bytes += int(found[1], 0)
        elif mnemonic in ("blx", "bx") and operands not in ("lr",) and not operands.startswith("#"):
            function.indirect_calls += 1
        elif mnemonic.startswith(("b", "bl")) and operands.startswith("#"):
            target = int(operands[1:], 0)
            if not start <= target < end and target in self._names:
                function.calls.add(self._names[target])

    def deepest(self, name: str, path: tuple[str, ...] = ()) -> tuple[int, tuple[str, ...]]:
        """The most bytes that a call of ``name`` takes, and the calls that take them."""
        if name in path:
            raise ValueError(f"recursion: {' > '.join((*path, name))}")
        function = self.functions[name]
        deepest, way = max(
            (self.deepest(called, (*path, name)) for called in sorted(function.calls)), default=(0, ())
        )
        return function.frame_bytes + deepest, (name, *way)


def _register_count(operands: str) -> int:
    inside = operands[operands.index("{") + 1 : operands.index("}")] if "{" in operands else operands
    count = 0
    for part in inside.split(","):
        first, _, last = part.strip().partition("-")
        count += int(last[1:]) - int(first[1:]) + 1 if last else 1
    return count

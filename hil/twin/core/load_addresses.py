# SPDX-License-Identifier: Apache-2.0
"""Where the loads of a block read, as far as that follows from what the registers hold at its entry.

It need not be complete: what is not followed is only not charged for the flash's wait states.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import capstone

_NAMES = {**{f"r{i}": i for i in range(13)}, "sb": 9, "sl": 10, "fp": 11, "ip": 12, "sp": 13, "lr": 14}
_WRITE_TWO = ("ldrd", "umull", "smull", "umlal", "smlal", "umaal", "smlsl")
_WRITE_NONE = ("str", "cmp", "cmn", "tst", "teq", "nop", "b", "cb", "tb", "msr", "cps", "dsb", "dmb", "isb")
"""How the mnemonics begin of instructions that write two core registers, or none."""
_SHIFTED = re.compile(r"lsl #(\d+|0x[0-9a-f]+)")


@dataclass(frozen=True)
class Load:
    """Where a load reads, by the registers at the entry to its block: base + offset + (index << shift)."""

    base: int | None
    """Number of the base register; None: `offset` is the address."""
    offset: int = 0
    index: int | None = None
    shift: int = 0

    def plus(self, offset: int) -> Load:
        """The address `offset` bytes further."""
        return replace(self, offset=self.offset + offset)

    def plus_register(self, register: Load, shift: int) -> Load | None:
        """The sum with another register's content, shifted; None if it takes more than a base and an
        index.
        """
        if register.base is None:
            return self.plus(register.offset << shift)
        if self.index is not None or register.index is not None:
            return None
        return Load(self.base, self.offset + (register.offset << shift), register.base, shift)


class LoadAddresses:
    """Follows registers through a block, instruction by instruction, as what they held at its entry and
    constants.
    """

    def __init__(self) -> None:
        self.loads: list[tuple[int, Load]] = []
        """Words read, with the cycles from the block's entry to their instruction."""
        self._held: dict[int, Load | None] = {}
        """What a register holds now; None: nobody can tell."""
        self._conditional = 0

    def add_load(self, instruction: capstone.CsInsn, cycles: int) -> None:
        """Note the words that a load reads, before `follow` is told of it."""
        operands = instruction.op_str
        if "[" not in operands:
            if "{" in operands and not operands.startswith("{"):  # what is popped is on a stack, not in flash
                base = self._content(operands.split(",", 1)[0].rstrip("!"))
                words = range(0 if base is None else _words(operands))
                self.loads += [(cycles, base.plus(4 * i)) for i in words if base is not None]
            return
        inside = [part.strip() for part in operands.split("[", 1)[1].split("]", 1)[0].split(",")]
        if inside[0] == "pc":
            if len(inside) == 1 or inside[1].startswith("#"):
                offset = _immediate(inside[1]) if len(inside) > 1 else 0
                self.loads.append((cycles, Load(None, (instruction.address + 4 & ~3) + offset)))
            return
        base = self._content(inside[0])
        if base is None:
            return
        if len(inside) > 1 and not inside[1].startswith("#"):
            index = self._content(inside[1])
            address = None if index is None else base.plus_register(index, _shift(inside[2:]))
        else:
            address = base.plus(_immediate(inside[1]) if len(inside) > 1 else 0)
        if address is not None:
            self.loads.append((cycles, address))
            if instruction.mnemonic.startswith("ldrd"):
                self.loads.append((cycles, address.plus(4)))

    def place_of(self, instruction: capstone.CsInsn) -> Load | None:
        """Return about where a single load reads, before `follow` is told of it: without an index that is
        computed in the block. None: nobody can tell.
        """
        inside = [part.strip() for part in instruction.op_str.split("[", 1)[1].split("]", 1)[0].split(",")]
        if inside[0] == "pc":
            return Load(None, instruction.address)
        base = self._content(inside[0])
        if base is None or len(inside) == 1 or inside[1].startswith("#"):
            return base
        index = self._content(inside[1])
        address = None if index is None else base.plus_register(index, _shift(inside[2:]))
        return base if address is None else address

    def follow(self, instruction: capstone.CsInsn) -> None:
        """Note what an instruction does to the registers."""
        operands, mnemonic = instruction.op_str, instruction.mnemonic.split(".")[0]
        conditional, self._conditional = self._conditional > 0, max(0, self._conditional - 1)
        if re.fullmatch("it[te]{0,3}", mnemonic):
            self._conditional = len(mnemonic) - 1
        elif "{" in operands:
            self._follow_multiple(mnemonic, operands)
        elif operands:
            changes = self._written(mnemonic, [part.strip() for part in operands.split(",")])
            if "[" in operands:
                changes |= self._written_back(operands)
            for register, content in changes.items():
                self._held[register] = None if conditional else content

    def _content(self, name: str) -> Load | None:
        register = _NAMES.get(name)
        return None if register is None else self._held.get(register, Load(register))

    def _written(self, mnemonic: str, parts: list[str]) -> dict[int, Load | None]:
        """Return what an instruction writes to registers, apart from the base of its address."""
        if mnemonic.startswith("bl"):
            return {_NAMES["lr"]: None}
        if mnemonic.startswith(_WRITE_NONE) and not mnemonic.startswith(("bic", "bf")):
            return {}
        written = [
            _NAMES[name] for name in parts[: 2 if mnemonic.startswith(_WRITE_TWO) else 1] if name in _NAMES
        ]
        contents: dict[int, Load | None] = dict.fromkeys(written)
        if len(written) == 1 and "[" not in parts[-1]:
            contents[written[0]] = self._computed(mnemonic, parts)
        return contents

    def _computed(self, mnemonic: str, parts: list[str]) -> Load | None:
        sources = parts[1:] if mnemonic.startswith("mov") or len(parts) > 2 else parts
        if mnemonic == "movw" or (mnemonic in ("mov", "movs") and sources[0].startswith("#")):
            return Load(None, _immediate(sources[0]))
        first = self._content(parts[0] if mnemonic == "movt" else sources[0])
        if first is None:
            return None
        if mnemonic == "movt":
            upper = _immediate(sources[0]) << 16
            return replace(first, offset=first.offset & 0xFFFF | upper) if first.base is None else None
        if mnemonic in ("mov", "movs") and len(sources) == 1:
            return first
        if mnemonic not in ("add", "adds", "addw", "sub", "subs", "subw") or len(sources) < 2:
            return None
        if sources[1].startswith("#"):
            return first.plus(_immediate(sources[1]) * (-1 if mnemonic.startswith("sub") else 1))
        second = self._content(sources[1])
        if (
            second is None
            or mnemonic.startswith("sub")
            or (len(sources) > 2 and not _SHIFTED.fullmatch(sources[2]))
        ):
            return None
        return first.plus_register(second, _shift(sources[2:]))

    def _written_back(self, operands: str) -> dict[int, Load | None]:
        inside, after = operands.split("[", 1)[1].split("]", 1)
        parts = [part.strip() for part in inside.split(",")]
        if not after or parts[0] not in _NAMES:
            return {}
        offset = parts[1] if after == "!" else after.lstrip(", ")
        base = self._content(parts[0])
        return {
            _NAMES[parts[0]]: base.plus(_immediate(offset)) if base is not None and offset[0] == "#" else None
        }

    def _follow_multiple(self, mnemonic: str, operands: str) -> None:
        if mnemonic.startswith(("ldm", "pop")):
            for name in operands[operands.index("{") + 1 : operands.index("}")].split(","):
                if name.strip() in _NAMES:
                    self._held[_NAMES[name.strip()]] = None
        base = "sp" if operands.startswith("{") else operands.split(",", 1)[0]
        if base == "sp" or base.endswith("!"):
            register, content = _NAMES[base.rstrip("!")], self._content(base.rstrip("!"))
            down = mnemonic.startswith(("push", "vpush")) or "db" in mnemonic
            step = 4 * _words(operands) * (-1 if down else 1)
            self._held[register] = None if content is None else content.plus(step)


def _shift(parts: list[str]) -> int:
    return _immediate(parts[0].split(" ")[1]) if parts else 0


def _words(operands: str) -> int:
    names = operands[operands.index("{") + 1 : operands.index("}")].split(",")
    return sum(2 if name.strip().startswith("d") else 1 for name in names)


def _immediate(operand: str) -> int:
    return int(operand.lstrip("#"), 0)

# SPDX-License-Identifier: Apache-2.0
"""A firmware image: what an ELF file puts into the part's flash, and where its symbols are."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from hil.boards import REFERENCE, Board
from hil.errors import ImageError
from hil.parts import Flash

FLASH_START = Board.load(REFERENCE).part.flash.base
"""Where the flash of the reference board's part begins."""


_ENGINE_SYMBOL = "hil_engine_"
_MAILBOX_SYMBOL = "hil_mailbox"
NO_MAILBOX = "none"
"""What an image's owner says of its mailbox where it has none."""


@dataclass(frozen=True)
class Segment:
    """A run of bytes that belongs at `address` in flash."""

    address: int
    data: bytes


@dataclass(frozen=True)
class Image:
    """An ELF image for the part.

    Attributes:
        path: the file it was read from.
        sha256: hash of what is programmed where, hex. It names the image in results; debug information, which
            holds the paths of the build, is not in it.
        entry: address of the first instruction, bit 0 (Thumb) cleared.
        segments: what to program, by rising address.
        symbols: address of every named function and object; of functions without the Thumb bit.
        mailbox_name: what its owner says of its mailbox: a symbol, an address in hex, or `NO_MAILBOX`.
    """

    path: Path
    sha256: str
    entry: int
    segments: tuple[Segment, ...]
    symbols: Mapping[str, int]
    mailbox_name: str | None = None

    @classmethod
    def load(cls, path: Path, flash: Flash | None = None, mailbox_name: str | None = None) -> Image:
        """Read an ELF file for a part with this ``flash``, by default that of the reference board.

        Raises:
            ImageError: it cannot be read, is damaged, or is not an image for a little-endian Arm part whose
                loadable bytes all lie in its flash.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise _error(path, f"cannot be read: {error.strerror or error}") from error
        if not content.startswith(_ELF):
            raise _error(path, _kind_of(content), "an ELF file", "the linker's output: .elf, .axf or .out")
        try:
            elf = ELFFile(io.BytesIO(content))
            if elf["e_machine"] != "EM_ARM" or elf.elfclass != 32 or not elf.little_endian:
                machine = str(elf["e_machine"]).removeprefix("EM_")
                raise _error(
                    path, f"is built for {machine}, {elf.elfclass} bit", "a 32-bit little-endian Arm ELF"
                )
            if elf["e_type"] != "ET_EXEC":
                kind = str(elf["e_type"]).removeprefix("ET_")
                raise _error(path, f"is an ELF of type {kind}", "a linked executable")
            segments = _segments(path, elf, len(content), flash or Board.load(REFERENCE).part.flash)
            return cls(
                path=path,
                sha256=_hash(segments),
                entry=int(elf["e_entry"]) & ~1,
                segments=segments,
                symbols=_symbols(elf),
                mailbox_name=mailbox_name,
            )
        except (ELFError, ValueError, OverflowError, UnicodeDecodeError) as error:
            raise _error(path, f"is not a sound ELF file: {error}", "an Arm ELF image") from error

    def symbol(self, name: str) -> int:
        """Address of a symbol.

        Raises:
            ImageError: the image has none of that name.
        """
        address = self.symbols.get(name)
        if address is None:
            hint = "build it with symbols (no strip)" if not self.symbols else ""
            raise _error(self.path, f"has no symbol {name}", hint=hint)
        return address

    @property
    def mailbox(self) -> int | None:
        """Address of its mailbox, where its owner says it is, else at its symbol; None if it has none.

        Raises:
            ImageError: it lacks the symbol that its owner names.
        """
        name = self.mailbox_name
        if name is None:
            return self.symbols.get(_MAILBOX_SYMBOL)
        if name == NO_MAILBOX:
            return None
        return int(name, 16) if name.startswith("0x") else self.symbol(name)

    @property
    def samples_accelerometer(self) -> bool:
        """Whether it is the reference firmware built to sample an accelerometer and not an analog input."""
        return "hil_samples_lsm6dsl" in self.symbols

    @property
    def size_bytes(self) -> int:
        """Number of bytes to program."""
        return sum(len(segment.data) for segment in self.segments)

    def read(self, address: int, size: int) -> bytes:
        """`size` bytes of the image at `address`.

        Raises:
            ImageError: they are not all in one segment.
        """
        for segment in self.segments:
            offset = address - segment.address
            if offset >= 0 and offset + size <= len(segment.data):
                return segment.data[offset : offset + size]
        raise _error(self.path, f"has no {size} bytes at 0x{address:08x}")

    @property
    def model(self) -> bytes | None:
        """The .tflite file linked between the symbols `hil_model` and `hil_model_end`; None without them."""
        start, end = self.symbols.get("hil_model"), self.symbols.get("hil_model_end")
        if start is None or end is None:
            return None
        return self.read(start, end - start)

    @property
    def engine(self) -> str | None:
        """What runs the reference firmware's network: "builtin" or "tflm"; None for another firmware."""
        names = [name for name in self.symbols if name.startswith(_ENGINE_SYMBOL)]
        return names[0].removeprefix(_ENGINE_SYMBOL) if len(names) == 1 else None


_ELF = b"\x7fELF"
_INTEL_HEX = re.compile(rb":[0-9A-Fa-f]{10}")
_MOTOROLA_S = re.compile(rb"S[0-9][0-9A-Fa-f]{8}")


def _kind_of(content: bytes) -> str:
    """What is said of a file that is no ELF file."""
    if not content:
        return "is empty"
    if _INTEL_HEX.match(content):
        return "is in Intel HEX, which has no symbols"
    if _MOTOROLA_S.match(content):
        return "is in Motorola S-records, which have no symbols"
    return "is no ELF file"


def _error(path: Path, message: str, expected: str = "", hint: str = "") -> ImageError:
    return ImageError(message, where=str(path), operation="image", expected=expected, hint=hint)


def _segments(path: Path, elf: ELFFile, file_size: int, flash: Flash) -> tuple[Segment, ...]:
    segments = []
    for header in elf.iter_segments():
        if header["p_type"] != "PT_LOAD" or header["p_filesz"] == 0:
            continue
        address, size = int(header["p_paddr"]), int(header["p_filesz"])
        if int(header["p_offset"]) + size > file_size:
            raise _error(path, "is truncated: a segment ends beyond the file", "the whole file")
        if not flash.holds(address, size):
            raise _error(
                path,
                f"has {size} bytes for 0x{address:08x}",
                f"addresses in flash, 0x{flash.base:08x} to 0x{flash.end:08x}",
            )
        segments.append(Segment(address, bytes(header.data())))
    if not segments:
        raise _error(path, "has nothing to program", "at least one loadable segment")
    return tuple(sorted(segments, key=lambda segment: segment.address))


def _hash(segments: tuple[Segment, ...]) -> str:
    """Of each segment's address and length, both as 32-bit little-endian words, and its bytes."""
    digest = hashlib.sha256()
    for segment in segments:
        digest.update(segment.address.to_bytes(4, "little") + len(segment.data).to_bytes(4, "little"))
        digest.update(segment.data)
    return digest.hexdigest()


def _symbols(elf: ELFFile) -> dict[str, int]:
    symbols = {}
    for section in elf.iter_sections():
        if not isinstance(section, SymbolTableSection):
            continue
        for symbol in section.iter_symbols():
            kind = symbol["st_info"]["type"]
            if (
                symbol.name
                and symbol["st_shndx"] != "SHN_UNDEF"
                and kind in ("STT_FUNC", "STT_OBJECT", "STT_NOTYPE")
            ):
                address = int(symbol["st_value"])
                symbols[symbol.name] = address & ~1 if kind == "STT_FUNC" else address
    return symbols

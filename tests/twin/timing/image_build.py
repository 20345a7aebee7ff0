# SPDX-License-Identifier: Apache-2.0
"""Builds the programs whose time is compared: with the pinned compiler, each around the same `main.c`."""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import math
import os
import random
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

PROGRAMS = Path(__file__).parent / "programs"
_CACHE = Path(__file__).resolve().parents[3] / "build" / "timing"
FLASH = 0x0800_0000
_OPTIONS = (
    *("-target", "thumb-freestanding-eabihf", "-mcpu=cortex_m4+vfp4d16sp", "-O2", "-std=gnu11"),
    *("-ffreestanding", "-fno-builtin", "-ffunction-sections", "-fdata-sections", "-fno-sanitize=undefined"),
    *("-nostdlib", "-Wl,--entry=Reset_Handler", "-Wl,-z,max-page-size=4096", "-Wl,--gc-sections"),
)


@dataclass(frozen=True, eq=False)
class Image:
    """What goes into the flash, from its first address on, and where things are."""

    flash: bytes
    symbols: dict[str, int]

    def with_setting(self, acr: int, fast: bool) -> bytes:
        """Return the flash's content for a run with this FLASH_ACR, from HSI16 or from the PLL at 80 MHz."""
        at = self.symbols["setting"] - FLASH
        words = acr.to_bytes(4, "little") + int(fast).to_bytes(4, "little")
        return self.flash[:at] + words + self.flash[at + 8 :]


def build(name: str) -> Image:
    """Build a program of `programs/`, unless that was done before; raises CalledProcessError, whose output
    is the compiler's own.
    """
    sources = [PROGRAMS / "main.c", PROGRAMS / f"{name}.c"]
    inputs = [*sources, PROGRAMS / "link.ld", Path(__file__)]
    digest = hashlib.sha256(importlib.metadata.version("ziglang").encode())
    for path in inputs:
        digest.update(path.read_bytes())
    kept = _CACHE / f"{name}-{digest.hexdigest()[:16]}.elf"
    if not kept.is_file():
        _CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_CACHE) as work:
            _compile(sources, Path(work)).replace(kept)
    return _load(kept)


def _compile(sources: list[Path], work: Path) -> Path:
    _write_inputs(work)
    built = work / "image.elf"
    command = [sys.executable, "-m", "ziglang", "cc", *_OPTIONS, f"-I{work}"]
    command += [f"-Wl,-T,{PROGRAMS / 'link.ld'}", *map(str, sources), "-o", str(built)]
    caches = {"ZIG_GLOBAL_CACHE_DIR": str(work), "ZIG_LOCAL_CACHE_DIR": str(work)}
    subprocess.run(command, check=True, env=os.environ | caches)
    return built


def _load(path: Path) -> Image:
    elf = ELFFile(io.BytesIO(path.read_bytes()))
    flash = bytearray()
    for segment in elf.iter_segments("PT_LOAD"):
        if not segment["p_filesz"]:
            continue
        start = segment["p_paddr"] - FLASH
        flash.extend(bytes(max(0, start + segment["p_filesz"] - len(flash))))
        flash[start : start + segment["p_filesz"]] = segment.data()
    table = elf.get_section_by_name(".symtab")
    symbols = {
        symbol.name: symbol["st_value"] & ~(symbol["st_info"]["type"] == "STT_FUNC")
        for symbol in table.iter_symbols()
    }
    return Image(bytes(flash), symbols)


def message() -> bytes:
    """The bytes that the CRC programs read."""
    return bytes((i * 7 + (i >> 3)) & 0xFF for i in range(1024))


def _write_inputs(work: Path) -> None:
    words = ", ".join(map(str, message()))
    (work / "message.h").write_text(f"static const uint8_t message[1024] = {{{words}}};\n", encoding="ascii")
    turns = [2.0 * math.pi * k / 256 for k in range(128)]
    values = ", ".join(f"{math.cos(turn):.9e}f, {-math.sin(turn):.9e}f" for turn in turns)
    (work / "twiddles.h").write_text(f"static const float twiddles[256] = {{{values}}};\n", encoding="ascii")
    generator = random.Random(1)
    lines = []
    for layer, (inputs, outputs) in enumerate(((32, 8), (8, 8), (8, 32)), 1):
        weights = ", ".join(str(generator.randrange(-127, 128)) for _ in range(inputs * outputs))
        bias = ", ".join(str(generator.randrange(-999, 1000)) for _ in range(outputs))
        lines.append(
            f"static const int8_t weights_{layer}[{inputs * outputs}]"
            f" __attribute__((aligned(4))) = {{{weights}}};\n"
            f"static const int32_t bias_{layer}[{outputs}] = {{{bias}}};\n"
        )
    (work / "weights.h").write_text("".join(lines), encoding="ascii")
    words = ", ".join(f"{word:#x}u" for word in _aes_table())
    (work / "aes_table.h").write_text(f"static const uint32_t table[256] = {{{words}}};\n", encoding="ascii")
    # Powers of 17, a 256th root of unity modulo 3329, in bit-reversed order and Montgomery's form.
    powers = [pow(17, int(f"{i:07b}"[::-1], 2), 3329) * 2**16 % 3329 for i in range(128)]
    values = ", ".join(str(value - 3329 * (value > 1664)) for value in powers)
    (work / "ntt_factors.h").write_text(
        f"static const int16_t factors[128] = {{{values}}};\n", encoding="ascii"
    )


def _aes_table() -> list[int]:
    """The S-box (FIPS 197, 5.1.1) times the first column of MixColumns (5.1.3)."""
    logarithm, power = {}, 1
    for exponent in range(255):
        logarithm[power] = exponent
        power ^= power << 1 ^ (power >> 7) * 0x11B  # times 3, a generator
        power = power ^ 0x11B * (power >> 8)
    powers = {exponent: value for value, exponent in logarithm.items()}
    table = []
    for byte in range(256):
        inverse = powers[-logarithm[byte] % 255] if byte else 0
        turned = [inverse << shift | inverse >> (8 - shift) for shift in range(5)]
        box = (turned[0] ^ turned[1] ^ turned[2] ^ turned[3] ^ turned[4]) & 0xFF ^ 0x63
        double = box << 1 ^ (box >> 7) * 0x11B
        table.append(double | box << 8 | box << 16 | (double ^ box) << 24)
    return table

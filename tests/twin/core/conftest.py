# SPDX-License-Identifier: Apache-2.0
"""Tiny assembly programs on the virtual core."""

from __future__ import annotations

import functools
import io
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile

from hil.parts import Part
from hil.twin.core import Core, Scheduler
from hil.twin.core.surroundings import Surroundings
from hil.twin.soc.memories import memory_map

CODE = 0x0800_0400
STACK = 0x2000_1000
PS_PER_CYCLE = 250_000  # at the 4 MHz the core starts with

PROLOGUE = """
.macro setup
 ldr r7, =0x40000000
 ldr r6, =0xE000E000
.endm
"""
"""r7 is the recorder, r6 the System Control Space."""


MEMORIES = memory_map(Part.load("stm32l476"))


def make_core(scheduler: Scheduler, surroundings: Surroundings | None = None) -> Core:
    """A core with an STM32L476's memories."""
    return Core(
        scheduler,
        MEMORIES,
        surroundings or alone(),
        hclk_hz=4_000_000,
        deviation=lambda *block: 0.0,
        seed=1,
    )


def alone() -> Surroundings:
    """Nothing around a core: it never has to wait, and nobody hears of it."""
    return Surroundings(
        refuses_sleep=lambda deep: False,
        sleeps=lambda deep: None,
        wakes=lambda: 0,
        changed=lambda: None,
        system_reset=lambda cause: None,
        flash_is_closed=lambda: False,
        closed_to_debugger=lambda address, byte_count: None,
        flash_written=lambda address, width, value: None,
    )


@dataclass
class Recorder:
    """A device at 0x40000000: remembers stores with their instants, answers loads with a constant."""

    scheduler: Scheduler
    name: str = "recorder"
    base: int = 0x4000_0000
    size: int = 0x400
    stores: list[tuple[int, int, int]] = field(default_factory=list)
    loads: list[tuple[int, int]] = field(default_factory=list)
    on_store: Callable[[int, int], None] = lambda offset, value: None

    def read(self, offset: int, width: int) -> int:
        self.loads.append((self.scheduler.now_ps, offset))
        return 0x1234_5678

    def write(self, offset: int, width: int, value: int) -> None:
        self.stores.append((self.scheduler.now_ps, offset, value))
        self.on_store(offset, value)

    @property
    def values(self) -> list[int]:
        return [value for _, _, value in self.stores]


@dataclass
class Machine:
    """A core with a program in flash, powered on."""

    core: Core
    scheduler: Scheduler
    recorder: Recorder
    surroundings: Surroundings
    symbols: dict[str, int]
    flash_written: Callable[[int, int, int], None] = lambda address, width, value: None
    """What the flash's controller does with a store."""

    def run_cycles(self, cycles: int) -> None:
        self.scheduler.advance_to(self.scheduler.now_ps + cycles * PS_PER_CYCLE)

    def register(self, selector: int) -> int:
        """Return a core register by its DCRSR number; the core must be halted."""
        self.core.debug_write(0xE000_EDF4, 4, selector)
        return self.word(0xE000_EDF8)

    def word(self, address: int) -> int:
        return self.core.debug_read(address, 4)


@functools.cache
def assemble(source: str) -> tuple[bytes, dict[str, int]]:
    """Return the code of a Thumb program and the offsets of its labels."""
    text = ".syntax unified\n.thumb\n.fpu fpv4-sp-d16\n" + source + "\n"
    path = Path(_scratch()) / f"{abs(hash(source)):x}.S"
    path.write_text(text, encoding="ascii")
    target = ["-target", "thumb-freestanding-eabihf", "-mcpu=cortex_m4+vfp4d16sp"]
    compiled = path.with_suffix(".o")
    subprocess.run(
        [sys.executable, "-m", "ziglang", "cc", *target, "-c", str(path), "-o", str(compiled)],
        check=True,
        timeout=60,
    )
    elf = ELFFile(io.BytesIO(compiled.read_bytes()))
    labels = {
        symbol.name: symbol["st_value"] & ~1 for symbol in elf.get_section_by_name(".symtab").iter_symbols()
    }
    return elf.get_section_by_name(".text").data(), labels


@functools.cache
def _scratch() -> str:
    import tempfile

    return tempfile.mkdtemp(prefix="core-tests-")


@pytest.fixture
def assembler() -> Callable[[str], tuple[bytes, dict[str, int]]]:
    """Assemble Thumb code: `assembler(source)` gives its bytes and the offsets of its labels."""
    return assemble


@pytest.fixture
def machine() -> Callable[..., Machine]:
    """Build a machine: `machine(source, {exception number: label})`, powered on at label `start`."""

    def build(source: str, vectors: dict[int, str] | None = None, power: bool = True) -> Machine:
        code, labels = assemble(source)
        symbols = {name: CODE + offset for name, offset in labels.items() if name}
        table = [STACK, symbols["start"] | 1] + [0] * 98
        for number, label in (vectors or {}).items():
            table[number] = symbols[label] | 1
        scheduler = Scheduler()
        surroundings = alone()
        surroundings.flash_written = lambda *store: made.flash_written(*store)
        core = make_core(scheduler, surroundings)
        surroundings.system_reset = core.reset
        recorder = Recorder(scheduler)
        core.attach(recorder)
        image = struct.pack("<100I", *table).ljust(CODE - 0x0800_0000, b"\xff") + code
        core.memory["flash"][: len(image)] = np.frombuffer(image, dtype=np.uint8)
        if power:
            core.power_on()
        made = Machine(core, scheduler, recorder, surroundings, symbols)
        return made

    return build

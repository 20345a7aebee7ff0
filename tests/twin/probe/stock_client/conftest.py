# SPDX-License-Identifier: Apache-2.0
"""A virtual bench with firmware worth debugging, and pyOCD as everybody has it."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile
from pyocd.commands.execution_context import CommandExecutionContext
from pyocd.core.session import Session
from pyocd.debug.svd.loader import SVDFile
from pyocd.probe.tcp_client_probe import TCPClientProbe

from hil.twin import bench_config
from hil.twin.bench import Bench
from hil.twin.probe.server import ProbeServer
from hil.twin.serve import POWER_ON, POWER_ON_SETTLING_S

FLASH = 0x0800_0000
TARGET = "stm32l475xg"
"""Built into pyOCD; the flash controller is the L476's."""
SOURCES = Path(__file__).with_name("firmware")
COUNTING, SLEEPING, WAKING, FAULTING = range(4)
"""What the firmware does, by the levels of PA1 and PA0."""


@dataclass(frozen=True)
class Program:
    """The firmware's ELF file, its symbols, and its bytes in flash."""

    elf: Path
    symbols: dict[str, int]
    image: bytes


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The firmware, compiled by the pinned compiler with its debug information."""
    folder = tmp_path_factory.mktemp("debugged")
    elf = folder / "debugged.elf"
    environment = os.environ | {"ZIG_GLOBAL_CACHE_DIR": str(folder), "ZIG_LOCAL_CACHE_DIR": str(folder)}
    target = ("-target", "thumb-freestanding-eabi", "-mcpu=cortex_m4")
    flags = ("-O0", "-g", "-ffreestanding", "-nostdlib", "-fno-sanitize=undefined", "-Wall", "-Werror")
    link = (f"-Wl,-T,{SOURCES / 'debugged.ld'}", "-Wl,--entry=Reset_Handler", "-Wl,-z,max-page-size=4096")
    command = [sys.executable, "-m", "ziglang", "cc", *target, *flags, str(SOURCES / "debugged.c")]
    subprocess.run([*command, *link, "-o", str(elf)], check=True, env=environment)
    with elf.open("rb") as file:
        parsed = ELFFile(file)
        symbols = {
            symbol.name: symbol["st_value"] & ~1
            for symbol in parsed.get_section_by_name(".symtab").iter_symbols()
            if symbol.name
        }
        image = bytearray()
        for segment in parsed.iter_segments("PT_LOAD"):
            if segment["p_filesz"]:
                start = segment["p_paddr"] - FLASH
                image += b"\xff" * (start + segment["p_filesz"] - len(image))
                image[start : start + segment["p_filesz"]] = segment.data()
    return Program(elf, symbols, bytes(image))


@dataclass
class LiveBench:
    """A powered part behind a probe server, and who talks to it."""

    bench: Bench
    server: ProbeServer
    sessions: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @property
    def core(self) -> Any:
        """The part's core."""
        return self.bench.mcu.core

    @property
    def flash(self) -> bytes:
        """The content of the flash."""
        return self.bench.mcu.core.memory["flash"].tobytes()

    def advance(self, seconds: float) -> None:
        """Let bench time pass."""
        with self.bench.lock:
            self.bench.advance(seconds)

    def word(self, address: int) -> int:
        """A word of memory, as nobody's access."""
        return int(self.core.memory.read(address, 4))

    def connect(self, **options: object) -> Session:
        """A session of the stock client, closed at the end of the test if not before."""
        session = Session(
            TCPClientProbe(self.server.address),
            options={"no_config": True, "target_override": TARGET, **options},
        )
        try:
            session.open()
        except BaseException:
            session.probe.close()  # a session that did not open leaves its probe open
            raise
        self.sessions.callback(session.close)
        return session

    def commander(self, **options: object) -> Commander:
        """`pyocd commander` without its process."""
        return Commander(self.connect(**options))

    def pyocd(self, *arguments: str) -> list[str]:
        """The command line of a pyocd process on this bench."""
        where = ("-u", f"remote:{self.server.address}", "-t", TARGET, "--no-config")
        return [sys.executable, "-m", "pyocd", *arguments, *where]


class Commander:
    """Runs command lines as `pyocd commander` does and returns what they print."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._output = io.StringIO()
        self._context = CommandExecutionContext(output_stream=self._output)
        self._context.attach_session(session)

    def __call__(self, line: str) -> str:
        self._output.seek(0)
        self._output.truncate()
        self._context.process_command_line(line)
        return self._output.getvalue()


@pytest.fixture
def live(program: Program, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], LiveBench]]:
    """Make a bench whose part runs one of the firmware's choices."""
    # pyOCD leaves its archive of register descriptions open; nothing here needs them.
    monkeypatch.setattr(SVDFile, "from_builtin", lambda _name: None)
    with contextlib.ExitStack() as stack:

        def make(choice: int = COUNTING) -> LiveBench:
            bench = Bench(bench_config.parse({"wiring": {}}, "debug.toml"))
            bench.mcu.core.memory["flash"][: len(program.image)] = np.frombuffer(program.image, np.uint8)
            for pin, bit in (("PA0", 1), ("PA1", 2)):
                bench.pins[pin].set_external_level(bool(choice & bit), 0)
            bench.analyzer.execute(POWER_ON)
            bench.advance(POWER_ON_SETTLING_S)
            server = ProbeServer(bench, "127.0.0.1", 0)
            stack.callback(server.close)
            live = LiveBench(bench, server)
            stack.callback(live.sessions.close)
            return live

        yield make

# SPDX-License-Identifier: Apache-2.0
"""gdb on pyOCD's gdb server on the virtual part: break, step, next, finish, watch, print, backtrace."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pyocd.gdbserver.gdbserver import GDBServer

from hil.firmware.build import build
from hil.firmware.image import FLASH_START, Image
from tests.twin.probe.stock_client.conftest import COUNTING, WAKING, LiveBench, Program

GDB = shutil.which("gdb-multiarch") or shutil.which("arm-none-eabi-gdb")
pytestmark = pytest.mark.skipif(GDB is None, reason="gdb-multiarch is not installed")
Make = Callable[[int], LiveBench]
PATIENCE_S = 60
RESET = ("monitor reset halt", "maintenance flush register-cache")
"""gdb does not know what its monitor commands do to the registers."""


@contextmanager
def gdb_server(bench: LiveBench) -> Iterator[int]:
    """pyOCD's gdb server for the part's core; gives its port."""
    session = bench.connect(
        connect_mode="under-reset", gdbserver_port=0, telnet_port=0, persist=True, enable_semihosting=False
    )
    server = GDBServer(session, core=0)
    session.gdbservers[0] = server
    server.start()
    try:
        yield server.port
    finally:
        server.stop()
        server.join(PATIENCE_S)
        assert not server.is_alive()


def gdb_command(elf: Path, port: int, *commands: str) -> list[str]:
    assert GDB is not None
    settings = ("set pagination off", "set confirm off", "set tcp connect-timeout 60")
    lines = (*settings, f"target remote localhost:{port}", *commands)
    return [GDB, "-nx", "-q", "-batch", str(elf), *(word for line in lines for word in ("-ex", line))]


def gdb(elf: Path, port: int, *commands: str) -> str:
    """What gdb prints for these commands."""
    done = subprocess.run(
        gdb_command(elf, port, *commands), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    return done.stdout + done.stderr


def test_a_session_as_one_has_it_every_day(live: Make, program: Program) -> None:
    bench = live(COUNTING)
    with gdb_server(bench) as port:
        text = gdb(
            program.elf,
            port,
            *RESET,
            "print/x $pc",
            "break square",
            "continue",
            "backtrace",
            "info args",
            "next",
            "info locals",
            "finish",
            "continue",
            "print side",
            "up",
            "print of_first",
            "delete",
            "watch total",
            "continue",
            "print total",
            "continue",
            "print total",
            "print counter",
            "print rtt.id",
            "info registers sp pc xpsr",
            "delete",
            "tbreak work",
            "continue",
            "next",
            "step",
            "step",
            "info symbol $pc",
            "set var counter = 1000",
            "stepi",
            "detach",
        )
    assert f"$1 = {program.symbols['Reset_Handler']:#x}" in text
    assert re.search(r"#0 +square \(side=1\)", text)
    assert re.search(r"#1 .* in sum_of_squares \(first=1, second=2\)", text)
    assert re.search(r"#2 .* in work \(\)", text)
    assert re.search(r"#3 .* in Reset_Handler \(\)", text)
    assert "area = 1" in text
    assert "Value returned is $2 = 1" in text
    assert "$3 = 2" in text  # the second call's argument
    assert "$4 = 1" in text  # of_first, in the caller
    # pyOCD's server says that the part stopped, not that a watchpoint was the reason.
    assert len(re.findall(r"SIGTRAP.*\n.*work \(\) .*\n.*rtt_serve\(\)", text)) == 2
    assert "$5 = 5" in text
    assert "$6 = 8" in text
    assert "$7 = 2" in text
    assert "SEGGER RTT" in text
    assert re.search(r"sp +0x20017f", text)
    assert re.search(r"^square .*in section .text", text, re.MULTILINE)
    assert bench.word(program.symbols["counter"]) >= 1000


def test_a_breakpoint_after_ten_seconds_of_stop_2_is_reached(live: Make, program: Program) -> None:
    bench = live(WAKING)
    with gdb_server(bench) as port:
        before_s = bench.bench.now_s
        commands = (*RESET, "break woke_up", "continue", "backtrace", "info breakpoints")
        text = gdb(program.elf, port, *commands)
    assert re.search(r"#0 +woke_up \(\)", text)
    assert re.search(r"#1 .* in sleep_ten_seconds \(\)", text)
    assert "breakpoint already hit 1 time" in text
    assert 9.5 < bench.bench.now_s - before_s < 13  # LSI: 31.04 to 32.96 kHz; and a second of the last wait


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent as a signal")
@pytest.mark.parametrize("choice", [COUNTING, WAKING])
def test_ctrl_c_interrupts_a_running_and_a_sleeping_target(
    live: Make, program: Program, choice: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = live(choice)
    resumed = threading.Event()
    resume = bench.core.debug_resume

    def note(step: bool) -> None:
        resume(step)
        resumed.set()

    with gdb_server(bench) as port:
        monkeypatch.setattr(bench.core, "debug_resume", note)
        command = gdb_command(program.elf, port, *RESET, "continue", "backtrace", "detach")
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        ) as process:
            try:
                assert resumed.wait(PATIENCE_S)
                process.send_signal(signal.SIGINT)
                text, _ = process.communicate(timeout=PATIENCE_S)
            finally:
                process.kill()
    assert "SIGINT" in text
    assert re.search(r"(in|#0 +) ?(Reset_Handler|stop2)", text)


def test_gdb_loads_and_debugs_the_reference_firmware(live: Make) -> None:
    elf = build()
    image = Image.load(elf)
    bench = live(COUNTING)
    bench.core.memory["flash"][:] = 0xFF
    with gdb_server(bench) as port:
        text = gdb(
            elf,
            port,
            "load",
            *RESET,
            "break main",
            "continue",
            "backtrace",
            "delete",
            "break power_stop2_until",
            "continue",
            "backtrace",
            "delete",
            "finish",
            "next",
            "info registers pc",
            "compare-sections",
        )
    assert re.search(r"#0 +main \(\) at .*main\.c:\d+", text)
    assert re.search(r"#0 +power_stop2_until \(.*\n#1 .* in main \(\)", text)
    assert re.search(r"Value returned is .* = [1-9]", text)  # the event that ended Stop 2
    assert re.search(r"pc +0x[0-9a-f]+ +0x[0-9a-f]+ <main", text)
    assert "MIS-MATCHED" not in text
    assert "matched" in text
    for segment in image.segments:
        start = segment.address - FLASH_START
        assert bench.flash[start : start + len(segment.data)] == segment.data

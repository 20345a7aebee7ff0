# SPDX-License-Identifier: Apache-2.0
"""What a human sees who serves the bench by hand: lines to paste, and a status line."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from rich.console import Console
from rich.live import Live
from rich.text import Text

from hil.twin.bench import Bench
from hil.twin.console import ConsoleServer

TARGET = "stm32l475xg"
"""pyOCD's built-in target with the flash controller of the L476; that one needs a CMSIS-Pack."""

_REFRESH_S = 0.25


def announce(addresses: Mapping[str, str], *, realtime: bool) -> None:
    """Print what to type to reach the bench from another terminal."""
    analyzer_host, _, analyzer_port = addresses["power_analyzer"].rpartition(":")
    lines = [
        "The bench is ready. From another terminal:",
        f'  pyocd cmd -u remote:{addresses["probe"]} -t {TARGET} -c "reset halt" -c "reg"',
        f"  pyocd load -u remote:{addresses['probe']} -t {TARGET} firmware.elf",
        f"  pyserial-miniterm socket://{addresses['console']} 115200",
        "From Python:",
        f'  pyvisa.ResourceManager("@py").open_resource("TCPIP::{analyzer_host}::{analyzer_port}::SOCKET",'
        ' read_termination="\\n", write_termination="\\n").query("MEAS:CURR? (@1)")',
        f"  or over HiSLIP: TCPIP::{analyzer_host}::hislip0,{addresses['hislip'].rpartition(':')[2]}::INSTR",
        "  nidaqmx.Task(grpc_options=nidaqmx.GrpcSessionOptions("
        f'grpc.insecure_channel("{addresses["daq"]}"), session_name=""))',
        f"  clock: tcp://{addresses['clock']} (NOW, SLEEP <seconds>)",
        "Bench time follows the wall clock."
        if realtime
        else "Bench time moves only when a client waits (--realtime).",
        "Ctrl-C ends the bench.",
    ]
    print("\n".join(lines), flush=True)


def watch(bench: Bench, console: ConsoleServer, stop: threading.Event) -> None:
    """Show one live status line on a terminal until ``stop`` is set; without a terminal, only wait."""
    screen = Console()
    if not screen.is_terminal:
        while not stop.wait(_REFRESH_S):
            pass
        return
    with Live(console=screen, auto_refresh=False, transient=True) as live:
        while not stop.wait(_REFRESH_S):
            # A client may hold the bench through a long wait; the line then simply stays.
            if bench.lock.acquire(timeout=_REFRESH_S):
                try:
                    text = status_text(bench, console.last_line)
                finally:
                    bench.lock.release()
                live.update(Text(text, no_wrap=True, overflow="ellipsis"), refresh=True)


def status_text(bench: Bench, last_line: str) -> str:
    """Bench time, the part's mode, its supply current, and the last line on the console."""
    current_ua = bench.mcu.supply.current_at_a(bench.scheduler.now_ps) * 1e6
    return f"{bench.now_s:12.6f} s  {bench.mcu.mode:<8} {current_ua:12.3f} µA  {last_line}"

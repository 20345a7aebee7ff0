# SPDX-License-Identifier: Apache-2.0
"""What a human sees who serves the bench by hand: lines to paste, and a status line."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import numpy as np
from rich.console import Console
from rich.live import Live
from rich.text import Text

from hil.twin.bench import Bench
from hil.twin.console import ConsoleServer
from hil.twin.wall_clock import WallClock

_REFRESH_S = 0.25
_LOST_SHOWN_S = 0.1

CLOCKLESS = frozenset({"stop0", "stop1", "stop2", "standby", "shutdown", "off", "reset"})
"""Modes in which the core has no clock."""

_STYLES = {"run": "bold green", "lprun": "bold green", "off": "bold red", "reset": "bold red"}


def announce(addresses: Mapping[str, str], *, target: str, bench_time: bool) -> None:
    """Print what to type to reach the bench from another terminal; ``target`` is pyOCD's of the part."""
    lines = [
        "The bench is ready. From another terminal:",
        f'  pyocd cmd -u remote:{addresses["probe"]} -t {target} -c "reset halt" -c "reg"',
        f"  pyocd load -u remote:{addresses['probe']} -t {target} firmware.elf",
        f"  pyserial-miniterm socket://{addresses['console']} 115200",
        *_supply_lines(addresses),
        "  nidaqmx.Task(grpc_options=nidaqmx.GrpcSessionOptions("
        f'grpc.insecure_channel("{addresses["daq"]}"), session_name=""))',
        f"  clock: tcp://{addresses['clock']} (TOKEN <what stands before the @>, NOW, SLEEP <seconds>)",
        f"  faults: tcp://{addresses['faults']} (the same token; STICK, OPEN, SHORT, DROOP, ...)",
        "Bench time passes only while a client waits."
        if bench_time
        else "Bench time follows the clock on the wall (--bench-time: only while a client waits).",
        "Ctrl-C ends the bench.",
    ]
    print("\n".join(lines), flush=True)


def _supply_lines(addresses: Mapping[str, str]) -> list[str]:
    if "hislip" not in addresses:
        return [
            f"  pyserial-miniterm socket://{addresses['power_analyzer']} 3686400   # PowerShield: htc, volt"
        ]
    analyzer_host, _, analyzer_port = addresses["power_analyzer"].rpartition(":")
    return [
        "From Python:",
        f'  pyvisa.ResourceManager("@py").open_resource("TCPIP::{analyzer_host}::{analyzer_port}::SOCKET",'
        ' read_termination="\\n", write_termination="\\n").query("MEAS:CURR? (@1)")',
        f"  or over HiSLIP: TCPIP::{analyzer_host}::hislip0,{addresses['hislip'].rpartition(':')[2]}::INSTR",
        f"  or over VXI-11: TCPIP::{analyzer_host},{addresses['vxi11'].rpartition(':')[2]}::inst0::INSTR",
    ]


def watch(bench: Bench, console: ConsoleServer, stop: threading.Event, wall: WallClock | None) -> None:
    """Show one live status line on a terminal until ``stop`` is set; without a terminal, only wait.

    It says how much time the bench has lost to ``wall``, the clock that it follows.
    """
    screen = Console()
    if not screen.is_terminal:
        while not stop.wait(_REFRESH_S):
            pass
        return
    meter = Meter(bench)
    with Live(console=screen, auto_refresh=False, transient=True) as live:
        while not stop.wait(_REFRESH_S):
            # A client may hold the bench through a long wait; the line then simply stays.
            if bench.lock.acquire(timeout=_REFRESH_S):
                try:
                    lost_s = 0.0 if wall is None else wall.lost_s
                    text = status_line(bench, console.last_line, meter.mean_current_a(), lost_s)
                finally:
                    bench.lock.release()
                live.update(text, refresh=True)


class Meter:
    """The current between two looks; while time stands still, the one that flows now."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._looked_ps = bench.scheduler.now_ps

    def mean_current_a(self) -> float:
        """In amperes, since the look before, as far back as the current is still known."""
        supply, now_ps = self._bench.mcu.supply, self._bench.scheduler.now_ps
        start_ps, self._looked_ps = max(self._looked_ps, supply.known_from_ps), now_ps
        if start_ps >= now_ps:
            return supply.current_at_a(now_ps)
        return float(supply.mean_current_a(np.array([start_ps, now_ps]))[0])


def status_line(bench: Bench, last_line: str, current_a: float, lost_s: float = 0.0) -> Text:
    """Bench time and what it has lost to the wall, the part's mode and clock, its supply, what was asked for
    and is not modelled, and the last line on the console.
    """
    mcu = bench.mcu
    mode = mcu.mode
    clock_hz = 0 if mode in CLOCKLESS else mcu.peripherals.rcc.clocks.hclk_hz
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{bench.now_s:14.6f} s  ")
    if lost_s >= _LOST_SHOWN_S:
        text.append(f"{lost_s:.1f} s slower than the wall  ", style="bold yellow")
    text.append(f"{mode:<8}", style=_STYLES.get(mode, "bold"))
    text.append(f"{clock_hz / 1e6:7.3f} MHz" if clock_hz else "no clock   ")
    text.append(f"  {_engineering(current_a):>10}A", style="bold")
    text.append(f"  {mcu.supply_voltage_v:5.3f} V  ")
    accesses = mcu.peripherals.unmodelled.accesses
    if accesses:
        text.append(f"not modelled: {len(accesses)}, last {accesses[-1].register}  ", style="bold yellow")
    text.append(last_line, style="dim")
    return text


def _engineering(value: float) -> str:
    """With a prefix, four digits: ``"1.234 µ"``."""
    for prefix, factor in (("", 1.0), ("m", 1e-3), ("µ", 1e-6)):
        if abs(value) >= factor:
            return f"{value / factor:.4g} {prefix}"
    return f"{value / 1e-9:.4g} n"

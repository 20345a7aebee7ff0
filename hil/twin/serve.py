# SPDX-License-Identifier: Apache-2.0
"""Serves a virtual bench until it is told to end: by a signal, or by the end of the standard input it is
leased on.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Protocol

from hil.twin import status
from hil.twin.analyzer import PowerAnalyzer
from hil.twin.bench import Bench
from hil.twin.bench_clock import ClockServer
from hil.twin.bench_config import BenchConfig
from hil.twin.console import ConsoleServer
from hil.twin.faults import Faults, FaultServer, Together
from hil.twin.hands import Hands, HandsServer
from hil.twin.lease import StdinLease
from hil.twin.lpm01a import PowerShield, SerialPort
from hil.twin.power.assumptions import ASSUMPTIONS
from hil.twin.probe.server import ProbeServer
from hil.twin.thermometer import Thermometer
from hil.twin.wall_clock import WallClock

HOST = "127.0.0.1"
ANY_FREE_PORT = 0

POWER_ON_V = 3.0
POWER_ON = b"VOLT 3.0,(@1);:CURR:LIM 0.1,(@1);:OUTP ON,(@1)"
"""What a user would send to power the board: a voltage that the data sheet's supply current tables have a
column for, and a limit far above what the part draws at 80 MHz and below what its supply pins bear (DS10198,
table 21: 150 mA)."""

POWER_ON_SETTLING_S = 0.01
"""Long against the analyzer's slew and the part's reset temporisation (250 us: DS10198 Rev 8, table 25)."""

_SHUTDOWN_PATIENCE_S = 2.0
_WAKE_UP_S = 0.2


class Server(Protocol):
    """A server of one of the bench's connections."""

    @property
    def address(self) -> str:
        """``host:port``."""

    def close(self) -> None:
        """Stop serving."""


def run(config: BenchConfig, *, bench_time: bool, lease: StdinLease | None) -> None:
    """Serve the bench that ``config`` describes until it is to end: by a signal, or when the lease does.

    Time passes while a client waits if ``bench_time`` says so, and with the clock on the wall otherwise.

    Raises:
        TwinError: the rig file's wiring is unusable, or a trace cannot be written.
    """
    stop = threading.Event()
    _stop_on_signals(stop)
    bench = Bench(config)
    power_on = config.power_on_at_start
    if power_on or (power_on is None and lease is None):
        if bench.powershield is None:
            bench.analyzer.execute(POWER_ON)
        else:
            bench.powershield.power_on(POWER_ON_V)
        for rail in bench.rails:
            rail.power_on()
        bench.advance(config.realism.output_on_s + POWER_ON_SETTLING_S)
        if lease is None:
            bench.close_relay()  # whoever started the bench by hand has no driver that would
    token = secrets.token_hex(8)
    with contextlib.ExitStack() as cleanup:
        realism = config.realism
        console = ConsoleServer(
            bench, HOST, ANY_FREE_PORT, baud=bench.config.console_baud, stray_bytes=realism.stray_bytes
        )
        if config.miswiring.console_port == "busy":
            console.refuse()
        daqs = {
            role.replace("daqs.", "daq_"): daq.serve(HOST, ANY_FREE_PORT, realism.daq_latency_s)
            for role, daq in bench.daqs.items()
        }
        probe = ProbeServer(bench, HOST, ANY_FREE_PORT, realism.probe_latency_s)
        supplies = {config.analyzer_role: _ways_in(bench, bench.analyzer, bench.powershield)}
        supplies |= {
            f"rail_{rail.name}": _ways_in(bench, rail.analyzer, rail.powershield) for rail in bench.rails
        }
        together = {name: Together([*ways_in.values()]) for name, ways_in in supplies.items()}
        faults = Faults(
            bench,
            links={"probe": probe, **daqs, "console": console, **together},
            instruments={**daqs, "console": console, **together},
        )
        servers: dict[str, Server] = {
            "probe": probe,
            **daqs,
            **{name: ways_in["own"] for name, ways_in in supplies.items()},
            "console": console,
            "clock": ClockServer(bench, HOST, ANY_FREE_PORT, token, before=console.pull),
            "faults": FaultServer(faults, HOST, ANY_FREE_PORT, token),
            "hands": HandsServer(Hands(bench), HOST, ANY_FREE_PORT, token),
        }
        if config.has_thermometer:
            servers["thermometer"] = Thermometer(bench, config.thermometer).serve(HOST, ANY_FREE_PORT)
        for name, ways_in in supplies.items():
            suffix = "" if name == config.analyzer_role else f"_{name}"
            servers |= {f"{way}{suffix}": server for way, server in ways_in.items() if way != "own"}
        if config.trace is not None:
            cleanup.callback(_trace(bench, console, config.trace))
        for server in servers.values():
            cleanup.callback(server.close)
        wall = None if bench_time else WallClock(bench)
        if wall is not None:
            cleanup.callback(wall.close)
        addresses = {name: server.address for name, server in servers.items()}
        if lease is not None:
            lease.call_at_end(stop.set)
            assumptions = [text for _, text in ASSUMPTIONS]
            print(json.dumps({"ready": True, "addresses": addresses, "assumptions": assumptions}), flush=True)
            with bench.lock:
                for entry in bench.harm.entries:
                    _report_harm(entry)
                bench.harm.noted.connect(_report_harm)
            _tell_what_is_not_modelled(bench)
            _wait(stop)
        else:
            status.announce(addresses, target=bench.board.part.pyocd_target, bench_time=bench_time)
            bench.harm.noted.connect(lambda entry: print(f"HARM: {entry}", flush=True))
            status.watch(bench, console, stop, wall)
    # Nobody touches the machine while the interpreter ends; a wait that does not let go ends with it.
    if not bench.lock.acquire(timeout=_SHUTDOWN_PATIENCE_S):
        os._exit(1)


def _ways_in(bench: Bench, analyzer: PowerAnalyzer, powershield: PowerShield | None) -> dict[str, Server]:
    """The servers of an instrument that supplies: "own" is the one that its driver uses."""
    if powershield is not None:
        return {"own": SerialPort(bench, powershield, HOST, ANY_FREE_PORT)}
    return {
        "own": analyzer.serve(HOST, ANY_FREE_PORT),
        "hislip": analyzer.serve_hislip(HOST, ANY_FREE_PORT),
        "vxi11": analyzer.serve_vxi11(HOST, ANY_FREE_PORT),
    }


def _report_harm(entry: str) -> None:
    """Tell whoever started the bench what it would not have survived."""
    print(json.dumps({"harm": entry}), flush=True)


def _tell_what_is_not_modelled(bench: Bench) -> None:
    """Print a remark, for whoever leases the bench, on everything the part was asked and does not model."""

    def remark(access: object) -> None:
        print(json.dumps({"remark": f"not modelled: {access}"}), flush=True)

    with bench.lock:
        for device in bench.unmodelled_devices:
            remark(device)
        unmodelled = bench.mcu.peripherals.unmodelled
        for access in unmodelled.accesses:
            remark(access)
        unmodelled.added.connect(remark)


def _trace(bench: Bench, console: ConsoleServer, path: Path) -> Callable[[], None]:
    """Begin a trace; what is returned ends it."""
    from hil.twin.trace import Trace  # its package is needed for nothing else

    with bench.lock:
        return Trace(bench, console, path).close


def _stop_on_signals(stop: threading.Event) -> None:
    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)


def _wait(stop: threading.Event) -> None:
    # With a time-out, because on Windows a wait without one keeps Ctrl-C from its handler.
    while not stop.wait(_WAKE_UP_S):
        pass

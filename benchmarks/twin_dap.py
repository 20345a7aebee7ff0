# SPDX-License-Identifier: Apache-2.0
"""What programming 64 KiB costs: `pyocd load` against a client that only starts, connects and leaves.

Beside the wall time, which other programs on the machine lengthen, it gives the CPU time that client and
bench spend on it: what a client spends no bench can save.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import grpc
import nidaqmx

from benchmarks.benchmark import Benchmark, Results, Say, Target
from benchmarks.twin_process import RIG_FILE, TwinProcess
from hil.boards import REFERENCE, Board

_SIZE = 64 * 1024
_TURNS = 3
_TARGET = Board.load(REFERENCE).part.pyocd_target
_POWER_ON = "VOLT 3.0,(@1);:CURR:LIM 0.1,(@1);:OUTP ON,(@1)"


def power_on(address: str) -> None:
    """Switch the power analyzer's output on, and wait until it says that it is done."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as client:
        client.sendall(f"{_POWER_ON};*OPC?\n".encode("ascii"))
        client.recv(16)


def connect_probe(daq_address: str) -> None:
    """Have the relay of the rig connect the debug lines; it stays so when the task has ended."""
    relay = tomllib.loads(RIG_FILE.read_text("utf-8"))["wiring"]["debug_connection"]
    options = nidaqmx.GrpcSessionOptions(grpc.insecure_channel(daq_address), session_name="")
    with nidaqmx.Task(grpc_options=options) as task:
        task.do_channels.add_do_chan(relay["terminal"])
        task.write(relay["active"] == "high", auto_start=True)


@dataclass(frozen=True)
class Spent:
    """What a command took, in s."""

    wall_s: float
    client_cpu_s: float
    bench_cpu_s: float


def pyocd(twin: TwinProcess, *arguments: str) -> Spent:
    """Run a pyocd command on the bench's probe."""
    command = [
        sys.executable,
        "-m",
        "pyocd",
        *arguments,
        "-u",
        f"remote:{twin.addresses['probe']}",
        "-t",
        _TARGET,
        "--no-config",
    ]
    bench_cpu_s, client_cpu_s, began_s = twin.cpu_s, children_cpu_s(), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    wall_s = time.perf_counter() - began_s
    return Spent(wall_s, children_cpu_s() - client_cpu_s, twin.cpu_s - bench_cpu_s)


def children_cpu_s() -> float:
    """CPU time of the programs that were started and have ended, in s; 0 on Windows, which keeps none."""
    times = os.times()
    return times.children_user + times.children_system


def run(say: Say) -> Results:
    """Take turns; the best of each counts. Every image differs from the one before: all of it is written."""
    connects, loads = [], []
    with TwinProcess() as twin, tempfile.TemporaryDirectory(prefix="hil-benchmark-") as folder:
        power_on(twin.addresses["power_analyzer"])
        connect_probe(twin.addresses["daq"])
        for turn in range(_TURNS):
            image = Path(folder, f"image{turn}.bin")
            image.write_bytes(random.Random(turn).randbytes(_SIZE))
            connects.append(pyocd(twin, "cmd", "-c", "exit"))
            loads.append(pyocd(twin, "load", str(image), "--base-address", "0x08000000"))
            say(f"connect {connects[-1].wall_s:.2f} s, load {loads[-1].wall_s:.2f} s")

    def extra_s(figure: Callable[[Spent], float]) -> float:
        return round(min(map(figure, loads)) - min(map(figure, connects)), 3)

    return {
        "extra_s": extra_s(lambda spent: spent.wall_s),
        "extra_bench_cpu_s": extra_s(lambda spent: spent.bench_cpu_s),
        "extra_client_cpu_s": extra_s(lambda spent: spent.client_cpu_s),
        "connect_s": round(min(spent.wall_s for spent in connects), 3),
        "load_s": round(min(spent.wall_s for spent in loads), 3),
    }


BENCHMARK = Benchmark(
    summary="`pyocd load` of 64 KiB beyond the client's own start and connect",
    run=run,
    targets={"extra_s": Target("at most", 1.5)},
)

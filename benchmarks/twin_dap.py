# SPDX-License-Identifier: Apache-2.0
"""What programming 64 KiB costs: `pyocd load` against a client that only starts, connects and leaves."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.benchmark import Benchmark, Results, Say, Target
from benchmarks.twin_process import TwinProcess

_SIZE = 64 * 1024
_TURNS = 3
_TARGET = "stm32l475xg"
"""Built into pyOCD; the flash controller is the L476's."""
_POWER_ON = "VOLT 3.0,(@1);:CURR:LIM 0.1,(@1);:OUTP ON,(@1)"


def power_on(address: str) -> None:
    """Switch the power analyzer's output on, and wait until it says that it is done."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as client:
        client.sendall(f"{_POWER_ON};*OPC?\n".encode("ascii"))
        client.recv(16)


def pyocd(probe: str, *arguments: str) -> float:
    """Run a pyocd command on the bench's probe; return its wall time in s."""
    command = [
        sys.executable,
        "-m",
        "pyocd",
        *arguments,
        "-u",
        f"remote:{probe}",
        "-t",
        _TARGET,
        "--no-config",
    ]
    began_s = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began_s


def run(say: Say) -> Results:
    """Take turns; the best of each counts. Every image differs from the one before: all of it is written."""
    connect_s, load_s = [], []
    with TwinProcess() as twin, tempfile.TemporaryDirectory(prefix="hil-benchmark-") as folder:
        power_on(twin.addresses["power_analyzer"])
        probe = twin.addresses["probe"]
        for turn in range(_TURNS):
            image = Path(folder, f"image{turn}.bin")
            image.write_bytes(random.Random(turn).randbytes(_SIZE))
            connect_s.append(pyocd(probe, "cmd", "-c", "exit"))
            load_s.append(pyocd(probe, "load", str(image), "--base-address", "0x08000000"))
            say(f"connect {connect_s[-1]:.2f} s, load {load_s[-1]:.2f} s")
    return {
        "extra_s": round(min(load_s) - min(connect_s), 3),
        "connect_s": round(min(connect_s), 3),
        "load_s": round(min(load_s), 3),
    }


BENCHMARK = Benchmark(
    summary="`pyocd load` of 64 KiB beyond the client's own start and connect",
    run=run,
    targets={"extra_s": Target("at most", 1.0)},
)

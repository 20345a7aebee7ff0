# SPDX-License-Identifier: Apache-2.0
"""The whole virtual bench as a process: how it starts, announces itself and ends."""

from __future__ import annotations

import io
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from vcd.reader import tokenize

RIG = """
[wiring]
sensor = { pin = "PA0", terminal = "Dev1/ao0" }
debug_connection = { terminal = "Dev1/port0/line0" }

[power_analyzer]
"""


VCD_START = b"$timescale 1 ps $end"

ROOT = Path(__file__).parents[2]


def start(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "hil.twin", "serve", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )


Benches = dict[str, subprocess.Popen[bytes]]


@pytest.fixture(scope="module")
def benches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Benches]:
    """Three benches that load at the same time, one for each way to end; loading takes most of the time."""
    rig_file = tmp_path_factory.mktemp("rig") / "lab.toml"
    rig_file.write_text(RIG, encoding="utf-8")
    rig = ("--rig", str(rig_file))
    processes = {
        "leased": start(*rig, "--stdin-lease"),
        "signalled": start(*rig, "--stdin-lease", "--seed", "5"),
        "by hand": start(*rig, "--trace", str(rig_file.with_suffix(".vcd"))),
    }
    yield processes
    for process in processes.values():
        process.kill()
        process.communicate()


def announced(process: subprocess.Popen[bytes]) -> dict[str, str]:
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    assert ready["ready"] is True
    return dict(ready["addresses"])


def ask(address: str, request: bytes) -> bytes:
    token, _, place = address.rpartition("@")
    host, _, port = place.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as client, client.makefile("rwb") as lines:
        if token:
            lines.write(f"TOKEN {token}\n".encode())
            lines.flush()
            assert lines.readline() == b"OK\n"
        lines.write(request + b"\n")
        lines.flush()
        return lines.readline().strip()


def test_a_leased_bench_announces_its_connections_and_ends_with_its_input(benches: Benches) -> None:
    bench = benches["leased"]
    addresses = announced(bench)
    assert set(addresses) == {
        "probe",
        "daq",
        "power_analyzer",
        "hislip",
        "vxi11",
        "console",
        "clock",
        "faults",
        "hands",
    }
    assert all(address.rpartition("@")[2].startswith("127.0.0.1:") for address in addresses.values())
    assert {name for name, address in addresses.items() if "@" in address} == {"clock", "faults", "hands"}
    assert ask(addresses["clock"], b"NOW") == b"OK 0.0"
    assert ask(addresses["clock"], b"SLEEP 1.5") == b"OK 1.5"
    assert ask(addresses["power_analyzer"], b"*IDN?").startswith(b"Keysight Technologies,N6705C,")
    # The board waits for its supply, like a board whose IDD jumper is open.
    assert ask(addresses["power_analyzer"], b"OUTP? (@1)") == b"0"
    output, errors = bench.communicate(timeout=10)
    assert (bench.returncode, output, errors) == (0, b"", b"")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process on SIGTERM without asking it")
def test_a_signalled_bench_ends_cleanly_with_clients_connected(benches: Benches) -> None:
    bench = benches["signalled"]
    addresses = announced(bench)
    host, _, port = addresses["console"].rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10):
        bench.send_signal(signal.SIGTERM)
        assert bench.wait(10) == 0
    assert bench.stderr is not None
    assert bench.stderr.read() == b""


def test_a_bench_served_by_hand_is_powered_and_ends_on_ctrl_c(benches: Benches) -> None:
    bench = benches["by hand"]
    assert bench.stdout is not None
    text = ""
    while "Ctrl-C" not in text:
        text += bench.stdout.readline().decode()
    assert "pyocd cmd -u remote:127.0.0.1:" in text
    resource = text.partition("TCPIP::127.0.0.1::")[2].partition("::")[0]
    assert ask(f"127.0.0.1:{resource}", b"OUTP? (@1)") == b"1"
    clock = text.partition("clock: tcp://")[2].split()[0]
    before = ask(clock, b"NOW")
    deadline_s = time.monotonic() + 10
    while ask(clock, b"NOW") == before:  # it follows the wall
        assert time.monotonic() < deadline_s
    bench.send_signal(signal.SIGINT)
    _, errors = bench.communicate(timeout=10)
    assert (bench.returncode, errors) == (0, b"")
    trace = Path(bench.args[-1])  # type: ignore[index, arg-type]
    assert VCD_START in trace.read_bytes()
    *_, last = tokenize(io.BytesIO(trace.read_bytes()))
    assert last.time_change > 0  # it was closed with the time of its end


def test_a_missing_rig_file_is_one_line_of_error() -> None:
    bench = start("--rig", "no_such_rig")
    output, errors = bench.communicate(timeout=20)
    assert (bench.returncode, output) == (2, b"")
    assert errors.startswith(b"hil.twin: no rig file rig_configs")
    assert errors.count(b"\n") == 1


def test_a_missing_emulator_says_what_to_install(tmp_path: Path) -> None:
    rig_file = tmp_path / "lab.toml"
    rig_file.write_text(RIG, encoding="utf-8")
    program = "import sys; sys.modules['numba'] = None; from hil.twin.__main__ import main; sys.exit(main())"
    bench = subprocess.run(
        [sys.executable, "-c", program, "serve", "--rig", str(rig_file)],
        capture_output=True,
        cwd=ROOT,
        timeout=20,
    )
    assert bench.returncode == 2
    assert bench.stderr.strip() == b"hil.twin: the package 'numba' is missing; pip install 'hil-rig[sim]'"

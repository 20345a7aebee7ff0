# SPDX-License-Identifier: Apache-2.0
"""Whatever ends a run, a bench that outlives it is off within ten seconds, says its own SCPI port."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hil.rig.guardian import RECORD_FILE
from hil.rig.lock import BenchLock
from tests.fault_injection.tcp_proxy import TcpProxy

SIM = Path(__file__).resolve().parents[2] / "rig_configs" / "sim.toml"
OFF_WITHIN_S = 10.0
DEADLINE = 128 + 14
RIG_ONLY = {"rig served": "rig served"}
"""What the lock of a run covers beside the instruments."""

SUITE = """
from hil.rig import State

def test_waits(rig, clock):
    rig.to(State.POWERED)
    print("supplied", flush=True)
    while True:
        clock.sleep(0.01)
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")


@dataclass
class Bench:
    """A virtual bench that was started by nobody's run, and a project with a suite for it."""

    scpi: socket.socket
    project: Path

    def ask(self, query: str) -> str:
        self.scpi.sendall(query.encode() + b"\n")
        return self.scpi.makefile("r").readline().strip()

    @property
    def is_on(self) -> bool:
        return self.ask("OUTP? (@1)") != "0"

    def switch_on(self) -> None:
        self.scpi.sendall(b"VOLT 3.0,(@1);:CURR:LIM 0.1,(@1);:OUTP ON,(@1)\n")
        assert self.is_on

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "pytest", "-s", "--rig=served.toml", *arguments, "test_suite.py"]
        return subprocess.Popen(
            command,
            cwd=self.project,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait_until_off(self) -> float:
        began_s = time.monotonic()
        while self.is_on:
            assert time.monotonic() - began_s < OFF_WITHIN_S, "still on"
            time.sleep(0.05)
        return time.monotonic() - began_s

    @property
    def folder(self) -> Path:
        return max((self.project / "results").iterdir(), key=lambda path: path.stat().st_mtime)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    project = tmp_path_factory.mktemp("lab")
    (project / "pytest.ini").write_text("[pytest]\n", "utf-8")
    (project / "test_suite.py").write_text(SUITE, "utf-8")
    with subprocess.Popen(
        [sys.executable, "-m", "hil.twin", "serve", "--rig", str(SIM), "--stdin-lease"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as served:
        assert served.stdout is not None
        addresses = json.loads(served.stdout.readline())["addresses"]
        text = SIM.read_text("utf-8")
        text = text[: text.index("# The program that this bench needs")] + "[twin]\nseed = 1\n"
        host, _, port = addresses["power_analyzer"].rpartition(":")
        for key, value in {
            **addresses,
            "power_analyzer.host": host,
            "power_analyzer.port": port,
        }.items():
            text = text.replace(f"{{service.{key}}}", value)
        (project / "served.toml").write_text(text.replace('name = "sim"', 'name = "served"'), "utf-8")
        with socket.create_connection((host, int(port))) as scpi:
            yield Bench(scpi, project)
        served.communicate(timeout=30)


def wait_until_supplied(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if "supplied" in line:
            return
    pytest.fail("".join(said))


@pytest.mark.parametrize(("name", "times"), [("SIGTERM", 1), ("SIGHUP", 2), ("SIGINT", 10)])
def test_a_signal_switches_off_and_tells_the_truth(bench: Bench, name: str, times: int) -> None:
    number = signal.Signals[name]
    process = bench.start()
    wait_until_supplied(process)
    assert bench.is_on
    for _ in range(times):
        process.send_signal(number)
    bench.wait_until_off()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + number, output
    described = json.loads((bench.folder / "run.json").read_text("utf-8"))
    assert described["ended_by"] == name
    assert described["verdict"] == "nothing tested"
    assert "test_waits was interrupted in its call" in described["verdict_reason"]
    assert described["shutdown_errors"] == []
    lock = BenchLock("served")
    lock.acquire(RIG_ONLY)
    lock.release()


def test_a_signal_at_any_instant_from_start_to_report_leaves_the_bench_off(bench: Bench) -> None:
    """``HIL_INSTANTS=200`` draws so many instants, and ``HIL_SEED=N`` draws those of an earlier run again."""
    seed = int(os.environ.get("HIL_SEED", "") or random.randrange(10**6))
    print(f"HIL_SEED={seed}")
    draw = random.Random(seed)
    began_s = time.monotonic()
    process = bench.start()
    wait_until_supplied(process)
    start_s = time.monotonic() - began_s
    for _ in range(int(os.environ.get("HIL_INSTANTS", "3"))):
        number = draw.choice([signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
        times, delay_s = draw.choice([1, 2, 10]), draw.uniform(0.0, 1.3 * start_s)
        for _ in range(times):
            process.send_signal(number)
        bench.wait_until_off()
        told = f"{number.name} x{times}: {process.communicate(timeout=120)[0]}"
        # Before pytest has read its options a signal does what it does to any process.
        assert process.returncode in (128 + number, -number), told
        lock = BenchLock("served")
        lock.acquire(RIG_ONLY)
        lock.release()
        process = bench.start()
        time.sleep(delay_s)  # the next signal's instant
    process.kill()
    process.communicate(timeout=60)
    bench.wait_until_off()


def test_a_run_s_deadline_ends_it_the_same_way(bench: Bench) -> None:
    process = bench.start("--deadline=100 ms")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == DEADLINE, output
    assert not bench.is_on
    assert json.loads((bench.folder / "run.json").read_text("utf-8"))["ended_by"] == "its deadline"


def test_a_killed_run_s_guardian_switches_off(bench: Bench) -> None:
    process = bench.start()
    wait_until_supplied(process)
    assert bench.is_on
    process.kill()
    bench.wait_until_off()
    process.communicate(timeout=60)
    record = bench.folder / RECORD_FILE
    while not record.exists():  # it is written when the instruments are released
        time.sleep(0.05)
    told = json.loads(record.read_text("utf-8"))
    assert told["done"] == ["DAQ at rest", "supply off"]
    assert told["errors"] == []


def test_a_guardian_tries_until_the_instrument_answers_again(bench: Bench) -> None:
    proxy = TcpProxy(bench.scpi.getpeername(), random.Random(1))
    try:
        text = (bench.project / "served.toml").read_text("utf-8")
        own = f"::{bench.scpi.getpeername()[1]}::SOCKET"
        assert own in text
        (bench.project / "proxied.toml").write_text(text.replace(own, f"::{proxy.port}::SOCKET"), "utf-8")
        process = bench.start("--rig=proxied.toml")
        wait_until_supplied(process)
        proxy.strike("drop")
        process.kill()
        process.communicate(timeout=60)
        record = bench.folder / RECORD_FILE
        while not record.exists():
            time.sleep(0.05)
        assert json.loads(record.read_text("utf-8"))["errors"]
        assert bench.is_on
        proxy.heal()
        bench.wait_until_off()
        while (told := json.loads(record.read_text("utf-8")))["errors"]:
            time.sleep(0.05)
        assert told["tries"] > 1
    finally:
        proxy.close()


def test_what_a_run_ended_before_it_opened_it_is_switched_off_too(bench: Bench) -> None:
    bench.switch_on()  # as an earlier user has left it
    process = bench.start("--deadline=1 us")  # while the tests are collected
    output, _ = process.communicate(timeout=60)
    assert process.returncode == DEADLINE, output
    assert not bench.is_on, output


def test_a_bench_is_switched_off_by_hand_unless_a_run_has_it(bench: Bench) -> None:
    command = [sys.executable, "-c", "from hil.cli import app; app()", "safe", "--rig", "served.toml"]
    bench.switch_on()
    lock = BenchLock("served")
    lock.acquire(RIG_ONLY)
    refused = subprocess.run(command, cwd=bench.project, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "in use by process" in refused.stderr
    assert bench.is_on
    lock.release()
    done = subprocess.run(command, cwd=bench.project, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "DAQ at rest: done\nsupply off: done\n"
    assert not bench.is_on


def test_what_cannot_be_switched_off_by_hand_is_said(bench: Bench) -> None:
    text = (bench.project / "served.toml").read_text("utf-8")
    nobody = text.replace(f"TCPIP::127.0.0.1::{bench.scpi.getpeername()[1]}", "TCPIP::127.0.0.1::1")
    assert nobody != text
    (bench.project / "nobody.toml").write_text(nobody.replace('name = "served"', 'name = "nobody"'), "utf-8")
    command = [sys.executable, "-c", "from hil.cli import app; app()", "safe", "--rig", "nobody.toml"]
    done = subprocess.run(command, cwd=bench.project, capture_output=True, text=True, check=False)
    assert done.returncode == 10
    assert done.stdout == "DAQ at rest: done\n"
    assert "an output may still be on" in done.stderr

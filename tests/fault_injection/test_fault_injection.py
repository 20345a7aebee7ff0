# SPDX-License-Identifier: Apache-2.0
"""A small campaign, drawn anew each time; ``HIL_SEED=N`` draws that of an earlier run again.

``python -m tests.fault_injection`` does a large one.
"""

import os
import random
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("sends POSIX signals", allow_module_level=True)

from tests.fault_injection.campaign import Outcome, Plan, run
from tests.fault_injection.disturbances import FULL_DISK, Disturbance, faults, kills
from tests.fault_injection.tcp_proxy import HOSTILE, MODES, TcpProxy
from tests.fault_injection.trial import CELLS, Trial

KILLS, FAULTS = 2, 2


def test_whatever_befalls_a_run_its_bench_is_off_and_its_record_true(tmp_path: Path) -> None:
    seed = int(os.environ.get("HIL_SEED", "") or random.randrange(10**6))
    print(f"HIL_SEED={seed}")
    outcome = run(Plan(KILLS, FAULTS, seed), tmp_path, print)
    print(outcome.table())
    assert len(outcome.trials) == KILLS + FAULTS
    assert outcome.full


def test_the_same_seed_draws_the_same_and_each_way_as_often() -> None:
    plan = Plan(20, 200, 7)
    assert plan.disturbances(disks=True) == plan.disturbances(disks=True)
    assert sorted(number for number, _ in plan.disturbances(disks=True)) == list(range(1, 221))
    assert {one.kind for one in kills(10, random.Random(1))} >= {"SIGKILL", "SIGINT x10"}
    drawn = [one.kind for one in faults(200, random.Random(1), disks=True)]
    assert set(MODES) < set(drawn)
    assert FULL_DISK not in {one.kind for one in faults(200, random.Random(1), disks=False)}


def test_a_cell_that_is_not_true_is_counted_and_spoils_the_outcome() -> None:
    good = Trial(1, Disturbance("SIGKILL", "", 0.5, 1))
    bad = Trial(2, Disturbance("SIGKILL", "", 0.5, 2), {"journal": "lacks one"}, off_s=3.0, run_s=7.0)
    outcome = Outcome(Plan(2, 0, 5), [good, bad], disks=True)
    assert not outcome.full
    (row,) = (line for line in outcome.table().splitlines() if line.startswith("SIGKILL"))
    assert row.split() == ["SIGKILL", "2", "2", "2", "1", "2", "2", "2", "3.0", "s", "7.0", "s"]
    assert CELLS[2] == "journal"


@pytest.fixture
def echo() -> Iterator[tuple[str, int]]:
    """A server that sends back what it gets."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            while data := connection.recv(4096):
                connection.sendall(data)

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()
    thread.join()
    listener.close()


LINE = b"+2.99716E+00,+1.0E-06\n"


@pytest.mark.parametrize("mode", ["sound", *MODES])
def test_a_proxy_has_the_fault_that_it_is_told(echo: tuple[str, int], mode: str) -> None:
    proxy = TcpProxy(echo, random.Random(1))
    try:
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as client:
            client.sendall(b"before\n")
            assert client.recv(100) == b"before\n"
            if mode != "sound":
                proxy.strike(mode)
            began_s = time.monotonic()
            client.sendall(LINE)
            if mode == "stall":
                client.settimeout(0.3)
                with pytest.raises(TimeoutError):
                    client.recv(100)
                return
            got = client.recv(100)
            took_s = time.monotonic() - began_s
            match mode:
                case "sound":
                    assert got == LINE
                case "drop":
                    assert got == b""
                case "delay":
                    assert got == LINE
                    assert took_s > 0.1  # both ways
                case "duplicate":
                    assert got == LINE + LINE
                case "garble":
                    assert sum(a != b for a, b in zip(got, LINE, strict=True)) == 1
                case "truncate":
                    assert got == LINE[: len(LINE) // 2]
                case "trickle":
                    assert got == LINE[:1]
                case "hostile text":
                    assert any(text[:50] in got for text in HOSTILE)
            if mode != "drop":
                proxy.heal()
    finally:
        proxy.close()

# SPDX-License-Identifier: Apache-2.0
"""A bench that is served by hand keeps the wall's time, so that anybody's script works as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import nidaqmx
import pytest
import pyvisa
from nidaqmx.errors import DaqReadError

ROOT = Path(__file__).parents[2]
RIG = """
[wiring]
sensor = { pin = "PA0", terminal = "Dev1/ao0" }

[power_analyzer]
"""


@dataclass(frozen=True)
class Bench:
    daq: str
    analyzer: str

    def task(self) -> nidaqmx.Task:
        return nidaqmx.Task(
            grpc_options=nidaqmx.GrpcSessionOptions(grpc.insecure_channel(self.daq), session_name="")
        )

    def open_analyzer(self) -> pyvisa.resources.MessageBasedResource:
        instrument = pyvisa.ResourceManager("@py").open_resource(
            f"TCPIP::127.0.0.1::{self.analyzer}::SOCKET", read_termination="\n", write_termination="\n"
        )
        assert isinstance(instrument, pyvisa.resources.MessageBasedResource)
        instrument.timeout = 60_000
        return instrument


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    rig_file = tmp_path_factory.mktemp("rig") / "lab.toml"
    rig_file.write_text(RIG, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "hil.twin", "serve", "--rig", str(rig_file)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    assert process.stdout is not None
    text = ""
    while "Ctrl-C" not in text:
        text += process.stdout.readline()
    assert "Bench time follows the clock on the wall" in text
    daq = re.search(r'insecure_channel\("([^"]+)"\)', text)
    analyzer = re.search(r"TCPIP::127\.0\.0\.1::(\d+)::SOCKET", text)
    assert daq is not None
    assert analyzer is not None
    yield Bench(daq[1], analyzer[1])
    process.kill()
    process.communicate()


def test_an_acquisition_of_a_second_takes_a_second_of_polls(bench: Bench) -> None:
    with bench.task() as task:
        task.ai_channels.add_ai_voltage_chan("Dev1/ai0")
        task.timing.cfg_samp_clk_timing(1000, samps_per_chan=1000)
        began_s = time.monotonic()
        task.start()
        while not task.is_task_done():
            pass
        elapsed_s = time.monotonic() - began_s
        assert len(task.read(1000)) == 1000
    assert 0.95 < elapsed_s < 3.0


def test_one_thread_gives_the_trigger_that_another_waits_for(bench: Bench) -> None:
    with bench.task() as acquisition, bench.task() as output:
        acquisition.ai_channels.add_ai_voltage_chan("Dev1/ai0")
        acquisition.timing.cfg_samp_clk_timing(1000, samps_per_chan=100)
        acquisition.triggers.start_trigger.cfg_dig_edge_start_trig("/Dev1/PFI0")
        acquisition.start()
        output.do_channels.add_do_chan("Dev1/port1/line0")
        output.write(False)
        trigger = threading.Timer(1.0, lambda: output.write(True))
        began_s = time.monotonic()
        trigger.start()
        assert len(acquisition.read(100, timeout=30)) == 100
        elapsed_s = time.monotonic() - began_s
        trigger.join()
    assert 1.05 < elapsed_s < 10.0


def test_a_time_out_ahead_does_not_stop_the_bench_afterwards(bench: Bench) -> None:
    with bench.task() as task:
        task.ai_channels.add_ai_voltage_chan("Dev1/ai0")
        task.timing.cfg_samp_clk_timing(1000, samps_per_chan=10)
        task.triggers.start_trigger.cfg_dig_edge_start_trig("/Dev1/PFI1")
        task.start()
        began_s = time.monotonic()
        with pytest.raises(DaqReadError):
            task.read(10, timeout=1.0)
        waited_s = time.monotonic() - began_s
    with bench.task() as task:
        task.ai_channels.add_ai_voltage_chan("Dev1/ai0")
        task.timing.cfg_samp_clk_timing(1000, samps_per_chan=10)
        began_s = time.monotonic()
        assert len(task.read(10)) == 10
        after_s = time.monotonic() - began_s
    assert 0.95 < waited_s < 10.0
    assert after_s < 0.9, "the bench was ahead of the wall, and rested"


def test_an_instrument_that_is_waited_for_leaves_the_others_their_time(bench: Bench) -> None:
    scope = bench.open_analyzer()
    scope.write("SENS:SWE:TINT 0.0004,(@1)")
    scope.write("SENS:SWE:POIN 5000,(@1)")  # about 2 s
    scope.write("TRIG:ACQ:SOUR BUS,(@1);:INIT:ACQ (@1);:TRIG:ACQ (@1)")
    assert scope.query("SYST:ERR?").startswith("+0")
    completed: list[str] = []
    waiting = threading.Thread(target=lambda: completed.append(scope.query("*OPC?")))
    began_s = time.monotonic()
    waiting.start()
    with bench.task() as task:
        task.ai_channels.add_ai_voltage_chan("Dev1/ai0")
        task.timing.cfg_samp_clk_timing(1000, samps_per_chan=100)
        assert len(task.read(100)) == 100
    assert waiting.is_alive(), "the DAQ had to wait until the analyzer was done"
    waiting.join(30)
    assert completed == ["1"]
    assert time.monotonic() - began_s > 1.5

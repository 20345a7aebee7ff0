# SPDX-License-Identifier: Apache-2.0
"""A virtual bench that nobody's run has started, and what it says about itself to its stock clients.

Nothing of the controller is used to ask: what switches a bench off must not be what says that it is off.
"""

from __future__ import annotations

import contextlib
import json
import math
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import nidaqmx
from nidaqmx.constants import LineGrouping, TaskMode
from pyocd.core import exceptions
from pyocd.probe.debug_probe import DebugProbe
from pyocd.probe.tcp_client_probe import TCPClientProbe

ROOT = Path(__file__).resolve().parents[2]
SIM = ROOT / "rig_configs" / "sim.toml"

LINKS = ("probe", "power_analyzer", "daq", "console", "clock")
"""The connections of a run to its bench."""

QUIET_V = 0.05
"""What is no voltage any more: an analog input's noise and offset are millivolts (NI X Series)."""
_ANSWER_S = 20.0


class ServedBench:
    """The bench's process. A context manager."""

    def __init__(self, seed: int) -> None:
        """Start it and wait until it serves."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hil.twin", "serve", f"--rig={SIM}", f"--seed={seed}", "--stdin-lease"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self._process.stdout is not None
        self.addresses: dict[str, str] = json.loads(self._process.stdout.readline())["addresses"]

    def __enter__(self) -> ServedBench:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.communicate(timeout=60)

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def place(self, name: str) -> tuple[str, int]:
        """Host and port of a connection."""
        host, _, port = self.addresses[name].rpartition("@")[2].rpartition(":")
        return host, int(port)

    def rig_text(self, name: str, ports: dict[str, int] | None = None) -> str:
        """A rig file for this bench, in which ``ports`` take the place of the bench's own."""
        addresses = dict(self.addresses)
        for link, port in (ports or {}).items():
            token, at, _ = addresses[link].rpartition("@")
            addresses[link] = f"{token}{at}127.0.0.1:{port}"
        host, _, analyzer_port = addresses["power_analyzer"].rpartition(":")
        addresses |= {"power_analyzer.host": host, "power_analyzer.port": analyzer_port}
        text = SIM.read_text("utf-8")
        text = text[: text.index("# The program that this bench needs")]
        for key, value in addresses.items():
            text = text.replace(f"{{service.{key}}}", value)
        return text.replace('name = "sim"', f'name = "{name}"')

    def order_fault(self, order: str) -> None:
        """Give an order to the port for faults, as ``OPEN SUPPLY``."""
        token = self.addresses["faults"].partition("@")[0]
        with self._connected("faults") as connection, connection.makefile("rw") as lines:
            for line in (f"TOKEN {token}", order):
                lines.write(f"{line}\n")
                lines.flush()
                answer = lines.readline()
                assert answer == "OK\n", (order, answer)

    def sleep(self, duration_s: float) -> None:
        """Let bench time pass."""
        token = self.addresses["clock"].partition("@")[0]
        with self._connected("clock") as connection, connection.makefile("rw") as lines:
            for line in (f"TOKEN {token}", f"SLEEP {duration_s}"):
                lines.write(f"{line}\n")
                lines.flush()
                assert lines.readline().startswith("OK")

    @contextlib.contextmanager
    def scpi(self) -> Iterator[ScpiQuestions]:
        """A connection to the power analyzer."""
        with self._connected("power_analyzer") as connection:
            yield ScpiQuestions(connection)

    def what_is_on(self) -> list[str]:
        """What the power analyzer, the DAQ and the probe say is still on or in use; empty if nothing is."""
        return [*self._by_scpi(), *self._by_grpc(), *self._by_probe()]

    def _by_scpi(self) -> Iterator[str]:
        with self.scpi() as analyzer:
            if analyzer.is_on:
                yield "the supply's output is on"
            voltage_v = float(analyzer.ask("MEAS:VOLT? (@1)"))
            if not abs(voltage_v) < QUIET_V:
                yield f"the supply's output has {voltage_v:g} V"

    def _by_grpc(self) -> Iterator[str]:
        try:
            with grpc.insecure_channel(self.addresses["daq"]) as channel:
                options = nidaqmx.GrpcSessionOptions(channel, "")
                with nidaqmx.Task(grpc_options=options) as task:
                    for line in ("Dev1/ai0", "Dev1/ai1"):
                        task.ai_channels.add_ai_voltage_chan(line)
                    for name, value_v in zip(("sensor", "VDD"), task.read(), strict=True):
                        if not abs(value_v) < QUIET_V:
                            yield f"{name} has {value_v:g} V"
                with nidaqmx.Task(grpc_options=options) as task:
                    task.di_channels.add_di_chan("Dev1/port0/line0", line_grouping=LineGrouping.CHAN_PER_LINE)
                    if task.read():
                        yield "the relay is closed"
                with nidaqmx.Task(grpc_options=options) as task:
                    task.ao_channels.add_ao_voltage_chan("Dev1/ao0")
                    task.control(TaskMode.TASK_RESERVE)  # refused while another task has it
                for counter in ("ctr0", "ctr1"):
                    with nidaqmx.Task(grpc_options=options) as task:
                        task.ci_channels.add_ci_pulse_width_chan(f"Dev1/{counter}")
                        task.control(TaskMode.TASK_RESERVE)
        except nidaqmx.DaqError as error:
            yield f"the DAQ is not free: {' '.join(str(error).split())[:200]}"

    def _by_probe(self) -> Iterator[str]:
        probe = TCPClientProbe("{}:{}".format(*self.place("probe")))
        probe.open()
        try:
            probe.connect(DebugProbe.Protocol.SWD)
            idcode = probe.read_dp(0)
        except exceptions.Error:
            return  # a part without supply does not answer
        finally:
            probe.close()
        yield f"the part answers its probe with {idcode:#x}"

    @contextlib.contextmanager
    def _connected(self, name: str) -> Iterator[socket.socket]:
        with socket.create_connection(self.place(name), timeout=_ANSWER_S) as connection:
            yield connection


class ScpiQuestions:
    """Questions to the power analyzer, over one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._answers = connection.makefile("r")

    def ask(self, query: str) -> str:
        """The answer to a query."""
        self._connection.sendall(query.encode() + b"\n")
        answer = self._answers.readline()
        if not answer:
            raise ConnectionResetError("the power analyzer has hung up")
        return answer.strip()

    @property
    def is_on(self) -> bool:
        """Whether the output is on."""
        return self.ask("OUTP? (@1)") != "0"

    def seconds_until_off(self, process: subprocess.Popen[bytes], limit_s: float, bound_s: float) -> float:
        """Wait until the output is off and ``process`` has ended; return when the output was last seen on.

        Returns infinity where it is on ``limit_s`` after now, or ``process`` has not ended by ``bound_s``.
        """
        began_s = time.monotonic()
        last_on_s = 0.0
        while True:
            ended = process.poll() is not None  # asked first: a run that lives may switch on again
            waited_s = time.monotonic() - began_s
            if self.is_on:
                last_on_s = waited_s
                if ended and waited_s > limit_s:
                    return math.inf
            elif ended:
                return last_on_s
            if waited_s > bound_s:
                return math.inf
            time.sleep(0.05)

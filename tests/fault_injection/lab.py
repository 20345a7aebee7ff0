# SPDX-License-Identifier: Apache-2.0
"""A lab's project with a short suite for a bench, and one run of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

DEADLINE_S = 150.0
"""What each run is given, ``--deadline``: many times what it takes, also on a machine with other work."""
LAST_RESORT_S = 90.0
"""After its deadline, or the first signal, a run is ended by force in this time (hil.instruments.ending)."""
RUN_BOUND_S = DEADLINE_S + LAST_RESORT_S
"""No run is longer."""

_EVIDENCE = "HIL_LAB_EVIDENCE"

CONFTEST = f'''
"""Says over a pipe what was acknowledged and which test came to its end, past all that a run keeps itself."""

import json
import os

import pytest
from hil.results.journal import Journal

_PIPE = int(os.environ["{_EVIDENCE}"])
_append = Journal.append


def append(journal, test, measurement, *others):
    entry = _append(journal, test, measurement, *others)
    os.write(_PIPE, json.dumps(["acknowledged", measurement.name, measurement.value]).encode() + b"\\n")
    return entry


Journal.append = append


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    result = yield
    os.write(_PIPE, json.dumps(["done", pyfuncitem.name]).encode() + b"\\n")
    return result
'''

SUITE = """
import numpy as np

from hil.measurement.limit import Limit
from hil.measurement.measurement import Measurement
from hil.rig import State


def test_boot(rig, image, console, measure):
    rig.to(State.RUNNING, image, restart=True)
    period_s = console.wait_for("BOOT", 10.0).integer("period_ms") / 1000
    measure(Measurement("period", period_s, "s", 0.0, Limit.exactly(10.0, "firmware/config.h")))


def test_supply(rig, image, power_analyzer, measure):
    rig.to(State.RUNNING, image)
    voltage_v = power_analyzer.measure_voltage_v()
    measure(Measurement("supply", voltage_v, "V", 0.01, Limit(2.9, 3.1, "the rig's file, with 3 %")))


def test_sensor(rig, image, daq, measure):
    rig.to(State.RUNNING, image)
    wiring = rig.config.wiring
    daq.play(wiring.sensor.terminal, np.full(100, 1.0), 1000.0, repeat=True)
    (read_v,) = daq.acquire([wiring.sensor_readback.terminal], 1000.0, 50)
    measure(Measurement("sensor", float(read_v.mean()), "V", 0.01, Limit(0.9, 1.1, "what was played")))


def test_command(rig, image, measure):
    rig.to(State.MEASURING, image)
    with rig.commander() as commander:
        wakes = commander.ask("STATUS").integer("wakes")
    measure(Measurement("wakes", wakes, "", 0.0))


def test_sleep(rig, image, power_analyzer, clock, measure, waveforms):
    rig.to(State.MEASURING, image, restart=True)
    clock.sleep(5.0)
    waveform = power_analyzer.log(1.0, 1e-3)
    waveforms.save("asleep", waveform, [], 3.0)
    limit = Limit.at_most(1e-3, "far below any mode in which the core runs")
    measure(Measurement("sleep", waveform.mean_a, "A", 1e-7, limit))
"""
TESTS = ("test_boot", "test_supply", "test_sensor", "test_command", "test_sleep")
"""One for each link of a run to its bench, and one without a debugger."""


@dataclass(frozen=True)
class Evidence:
    """What a run said past its own record."""

    acknowledged: list[tuple[str, float]]
    """Measurements that the journal has acknowledged."""
    done: list[str]
    """Tests that came to the end of their call."""


@dataclass
class Run:
    """A run of the suite."""

    process: subprocess.Popen[bytes]
    started_s: float
    results: Path
    output_file: Path
    _pipe: int

    def end(self, bound_s: float) -> float:
        """Wait for the end, by force after ``bound_s``; return how long the run took."""
        try:
            self.process.wait(max(0.1, self.started_s + bound_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        return time.monotonic() - self.started_s

    def evidence(self) -> Evidence:
        """All that was said over the pipe; once, after the end."""
        with os.fdopen(self._pipe, "rb") as pipe:
            said = [json.loads(line) for line in pipe.read().split(b"\n")[:-1]]
        return Evidence(
            [(name, value) for kind, name, *value_ in said if kind == "acknowledged" for value in value_],
            [entry[1] for entry in said if entry[0] == "done"],
        )

    @property
    def output(self) -> str:
        """What the run printed."""
        return self.output_file.read_text("utf-8", "replace")

    @property
    def folder(self) -> Path | None:
        """The run's own folder; None if there is none."""
        folders = sorted(self.results.glob("*/")) if self.results.is_dir() else []
        return folders[-1] if folders else None


class Lab:
    """A project of its own in ``path``, with a folder of lock files of its own."""

    def __init__(self, path: Path, image: Path) -> None:
        """Write the project.

        Args:
            path: an empty folder.
            image: the firmware under test.
        """
        self.path = path
        self.project = path / "project"
        self.locks = path / "locks"
        self._image = image
        self.project.mkdir()
        self.locks.mkdir()
        (self.project / "pytest.ini").write_text("[pytest]\n", "utf-8")
        (self.project / "conftest.py").write_text(CONFTEST, "utf-8")
        (self.project / "test_suite.py").write_text(SUITE, "utf-8")

    @property
    def environment(self) -> dict[str, str]:
        """That of each process of the lab."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # compiling takes as long as all the rest
        return environment | {"HIL_LOCK_DIRECTORY": str(self.locks), "PYTHONUNBUFFERED": "1"}

    def rig_file(self, name: str, text: str) -> Path:
        """A rig file with ``text``."""
        file = self.path / f"{name}.toml"
        file.write_text(text, "utf-8")
        return file

    def start(
        self, rig: Path, results: Path, *, output: Path | None = None, project: Path | None = None
    ) -> Run:
        """Start a run of the suite.

        Args:
            rig: the rig file.
            results: where its folder is made.
            output: beside this, ``.txt``, is written what it prints; None: beside ``results``.
            project: another copy of the project, in which it is run.
        """
        read, write = os.pipe()
        beside = output or results
        output_file = beside.with_name(f"{beside.name}.txt")
        command = [
            *(sys.executable, "-m", "pytest", "-p", "no:hypothesispytest", "-p", "no:xdist"),
            *("-p", "no:cacheprovider", f"--rig={rig}", f"--results={results}", f"--firmware={self._image}"),
            *(f"--deadline={DEADLINE_S:g} s", "test_suite.py"),
        ]
        with output_file.open("wb") as printed:
            process = subprocess.Popen(
                command,
                cwd=project or self.project,
                env=self.environment | {_EVIDENCE: str(write)},
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                pass_fds=(write,),
            )
        os.close(write)
        return Run(process, time.monotonic(), results, output_file, read)

    def hil(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``hil`` with ``arguments``."""
        command = [sys.executable, "-c", "from hil.cli import app; app()", *arguments]
        return subprocess.run(
            command, cwd=self.project, env=self.environment, capture_output=True, text=True, check=False
        )

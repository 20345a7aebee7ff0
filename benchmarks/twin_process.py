# SPDX-License-Identifier: Apache-2.0
"""A virtual bench as a process of its own, whose memory can be looked at."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil  # type: ignore[import-untyped]  # it has none

RIG_FILE = Path(__file__).parents[1] / "rig_configs" / "sim.toml"


class TwinProcess:
    """Started on entry, ended on exit; `addresses` are those that it announces."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "hil.twin", "serve", "--rig", str(RIG_FILE), "--stdin-lease"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None  # it is a pipe
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the virtual bench ended with status {self._process.wait()}")
        self.addresses: Mapping[str, str] = json.loads(line)["addresses"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    @property
    def cpu_s(self) -> float:
        """CPU time that the process has taken so far, in s."""
        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.user + times.system)

    @property
    def resident_mb(self) -> float:
        """Memory the process holds now, in MB (Linux, macOS)."""
        command = ["ps", "-o", "rss=", "-p", str(self._process.pid)]
        status = Path(f"/proc/{self._process.pid}/status")
        if status.exists():
            line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
            kilobytes = int(line.split()[1])
        else:
            kilobytes = int(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
        return kilobytes * 1024 / 1e6

# SPDX-License-Identifier: Apache-2.0
"""On which machines the NI-DAQmx driver exists; elsewhere the DAQ is reached over NI's gRPC Device Server."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from hil.errors import ConfigError


def require(grpc_target: str | None, file: Path | None = None) -> None:
    """Refuse a DAQ on this machine where no driver can be installed.

    NI-DAQmx is released for Windows and Linux on x86-64 (NI's list of supported operating systems). The
    package nidaqmx refuses other systems itself, at the first call.

    Raises:
        ConfigError: there is no driver for this machine, and no other machine is named.
    """
    machine = platform.machine()
    if grpc_target is not None or (
        sys.platform in ("win32", "linux") and machine.lower() in ("x86_64", "amd64")
    ):
        return
    raise ConfigError(
        f"NI-DAQmx has no driver for {platform.system() or sys.platform} on {machine or 'this processor'}",
        file=file,
        key="daq",
        hint="run NI's gRPC Device Server on a machine that has it, and name that: "
        '[daq] grpc = "host:31763"',
    )

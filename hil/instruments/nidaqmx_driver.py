# SPDX-License-Identifier: Apache-2.0
"""An NI device in a rig file: ``driver = "nidaqmx"``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from hil.config.drivers import Driver, Surroundings
from hil.config.tables import DaqTable
from hil.instruments import daq_driver
from hil.instruments.counter_ranges import timebase_hz
from hil.measurement.capabilities import DaqCapabilities


class NiDaqTable(DaqTable):
    """``[daq]`` of an NI X Series device; ``device`` is its name in NI MAX, "Dev1"."""

    addresses: ClassVar[frozenset[str]] = frozenset({"grpc"})

    grpc: str | None = None
    """``host:port`` of an NI gRPC Device Server; without it the NI-DAQmx driver of this machine is used."""
    serial: str | None = Field(default=None, pattern=r"^(0x)?[0-9A-Fa-f]{1,8}$", examples=["1A2B3C4"])
    """Serial number in hexadecimal that must answer under the device name; not checked when absent."""

    def check_machine(self, file: Path) -> None:
        """Without a server on another machine this one needs NI's driver."""
        daq_driver.require(self.grpc, file)

    def claims(self) -> dict[str, str]:
        """The device by its address, and by its serial number where the file names it."""
        found = {f"DAQ {self.device}": f"daq {self.grpc or 'here'} {self.device}"}
        if self.serial is not None:
            found[f"DAQ {self.serial}"] = f"ni {int(self.serial, 16):X}"
        return found


def _open(table: NiDaqTable, bench: Surroundings) -> Any:
    from hil.instruments.nidaqmx_daq import NiDaq

    return NiDaq(
        table.device,
        grpc_target=table.grpc,
        limits_v=bench.limits_v,
        lines=list(bench.lines),
        serial=table.serial,
        role=bench.role,
    )


def _preload() -> None:
    import hil.instruments.nidaqmx_daq  # noqa: F401


DRIVER = Driver(
    NiDaqTable, DaqCapabilities(tick_s=lambda longest_s: 1 / timebase_hz(longest_s)), _open, _preload
)

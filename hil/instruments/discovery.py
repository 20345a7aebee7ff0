# SPDX-License-Identifier: Apache-2.0
"""What is connected to this machine: probes, serial ports, VISA resources, NI devices, in bounded time.

A driver that hangs keeps nobody: its search goes on in a thread that ends with the process. What devices say
of themselves is made fit to be shown.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hil.foreign_text import visible

TIMEOUT_S = 10.0
"""Wall time for each kind (assumption): a VISA search by multicast takes 1 to 3 s."""
_MOST = 50
"""Devices of a kind that are told."""
_LONGEST_TEXT = 200
_BY_ID = Path("/dev/serial/by-id")


@dataclass(frozen=True)
class Device:
    """Something that was found."""

    address: str
    """As a rig file names it."""
    about: str = ""
    """What it says of itself."""

    def __str__(self) -> str:
        return f"{self.address} ({self.about})" if self.about else self.address


@dataclass(frozen=True)
class Search:
    """What became of the search for one kind."""

    kind: str
    devices: tuple[Device, ...] = ()
    problem: str = ""
    """Why it is not known whether there are any; empty where the search has ended in order."""

    @property
    def only(self) -> Device | None:
        """The one device of the kind; None where there is none, or more than one."""
        return self.devices[0] if len(self.devices) == 1 else None


Find = Callable[[], Sequence[tuple[str, str]]]
"""Returns address and description of each device."""


def probes() -> Sequence[tuple[str, str]]:
    """Debug probes on USB, by pyOCD."""
    from pyocd.core.helpers import ConnectHelper

    return [
        (probe.unique_id, f"{probe.vendor_name} {probe.product_name}")
        for probe in ConnectHelper.get_all_connected_probes(blocking=False, print_wait_message=False)
    ]


def serial_ports() -> Sequence[tuple[str, str]]:
    """Serial ports of USB devices, under the name that stays where the system has one."""
    from serial.tools import list_ports

    lasting = {link.resolve(): str(link) for link in _BY_ID.iterdir()} if _BY_ID.is_dir() else {}
    return [
        (lasting.get(Path(port.device).resolve(), port.device), port.description or "")
        for port in list_ports.comports()
        if port.vid is not None  # a board's own port is on USB; a PC's ttyS0 leads nowhere
    ]


def visa_resources() -> Sequence[tuple[str, str]]:
    """VISA resources on LAN and USB, by PyVISA-py."""
    import pyvisa

    manager = pyvisa.ResourceManager("@py")
    try:
        with warnings.catch_warnings(action="ignore"):  # of ways to search that are not installed
            found = manager.list_resources()
    finally:
        manager.close()
    return [(name, "") for name in found if not name.startswith("ASRL")]  # serial ports are told by their own


def ni_devices() -> Sequence[tuple[str, str]]:
    """NI devices by NI-DAQmx on this machine."""
    import nidaqmx.system

    return [(device.name, device.product_type) for device in nidaqmx.system.System.local().devices]


KINDS: dict[str, Find] = {
    "debug probe": probes,
    "serial port": serial_ports,
    "VISA resource": visa_resources,
    "NI device": ni_devices,
}


def discover(kinds: dict[str, Find] | None = None, timeout_s: float = TIMEOUT_S) -> dict[str, Search]:
    """Search for every kind at once; return by ``timeout_s`` of wall time.

    Args:
        kinds: what to search for, and how.
        timeout_s: for all kinds together, since they are searched for at the same time.
    """
    kinds = KINDS if kinds is None else kinds
    running = {kind: _Running(kind, find) for kind, find in kinds.items()}
    for one in running.values():
        one.thread.start()
    ended = threading.Event()
    timer = threading.Timer(timeout_s, ended.set)
    timer.daemon = True
    timer.start()
    try:
        return {kind: one.result(ended, timeout_s) for kind, one in running.items()}
    finally:
        timer.cancel()


class _Running:
    """One search in a thread of its own."""

    def __init__(self, kind: str, find: Find) -> None:
        self._kind, self._find = kind, find
        self._search: Search | None = None
        self.thread = threading.Thread(target=self._run, name=f"find {kind}", daemon=True)

    def _run(self) -> None:
        try:
            found = self._find()
            devices = tuple(Device(_clean(address), _clean(about)) for address, about in found[:_MOST])
            self._search = Search(self._kind, devices)
        except Exception as error:  # noqa: BLE001  # whatever a vendor's library raises, the others are told
            words = str(error).strip().splitlines()
            said = _clean(words[0]) if words else ""
            self._search = Search(self._kind, problem=f"{type(error).__name__}: {said}".rstrip(": "))

    def result(self, ended: threading.Event, timeout_s: float) -> Search:
        while self.thread.is_alive() and not ended.is_set():
            self.thread.join(0.05)
        return self._search or Search(self._kind, problem=f"no answer within {timeout_s:g} s")


def _clean(text: object) -> str:
    """One line, printable, of a length that is no nuisance."""
    return visible(" ".join(str(text).split()))[:_LONGEST_TEXT]

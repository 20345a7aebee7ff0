# SPDX-License-Identifier: Apache-2.0
"""What of a lab a rig uses: the things that no other run may use at the same time, by their identity."""

from __future__ import annotations

from pathlib import Path

from hil.config import RigConfig


def claims(config: RigConfig) -> dict[str, str]:
    """The rig itself and each of its instruments, with what tells each from all others of the lab.

    An instrument is claimed by its address and, where the file names it, by its serial number as well: two
    rig files may call one analyzer by its host name and by its address.

    Args:
        config: with every address known.

    Returns:
        By the name that a message gives the thing: its key for :class:`hil.rig.lock.BenchLock`.
    """
    found = {f"rig {config.name}": f"rig {config.name}"}
    if config.probe is not None:
        found[f"debug probe {config.probe.uid}"] = f"probe {config.probe.uid}"
    if config.power_analyzer is not None:
        analyzer = config.power_analyzer
        found[f"power analyzer {analyzer.resource}"] = f"visa {_canonical(analyzer.resource)}"
        if analyzer.serial is not None:
            found[f"power analyzer {analyzer.serial}"] = f"keysight {analyzer.serial}"
    if config.daq is not None:
        daq = config.daq
        found[f"DAQ {daq.device}"] = f"daq {daq.grpc or 'here'} {daq.device}"
        if daq.serial is not None:
            found[f"DAQ {daq.serial}"] = f"ni {int(daq.serial, 16):X}"
    if config.console is not None:
        port = config.console.port
        # A link of /dev/serial/by-id and the device that it leads to are one port.
        found[f"console {port}"] = f"port {Path(port).resolve() if port.startswith('/') else port}"
    return found


def _canonical(resource: str) -> str:
    """One name for all spellings of a VISA resource, which leave out what has a default."""
    from pyvisa.rname import to_canonical_name  # PyVISA takes a third of a second

    try:
        return str(to_canonical_name(resource))
    except ValueError:  # the driver will refuse it, in better words
        return resource

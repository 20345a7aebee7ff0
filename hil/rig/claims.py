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
    for table in config.instruments.values():
        found |= table.claims()
    if config.console is not None:
        port = config.console.port
        # A link of /dev/serial/by-id and the device that it leads to are one port.
        found[f"console {port}"] = f"port {Path(port).resolve() if port.startswith('/') else port}"
    return found

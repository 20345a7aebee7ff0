# SPDX-License-Identifier: Apache-2.0
"""``[[board.devices]]`` of a rig file: what is connected to the part's buses."""

from __future__ import annotations

from typing import Any

from hil.boards import Board, Device
from hil.twin.errors import BenchConfigError

_KEYS = {"kind": str, "name": str, "bus": str, "pins": dict, "address": int, "baud": int}
_EXAMPLE = '{ kind = "lsm6dsl", bus = "I2C1", pins = { scl = "PB8", sda = "PB9" } }'


def parse(entries: object, board: Board, source: str) -> tuple[Device, ...]:
    """The devices of the file called ``source``.

    Raises:
        BenchConfigError: an entry says what no device can be, or names a pin that the package has not.
    """
    if not isinstance(entries, list):
        raise BenchConfigError(f"{source}: [board] devices: expected [[board.devices]], not {entries!r}")
    return tuple(
        _device(entry, board, f"{source}: [[board.devices]] {number}")
        for number, entry in enumerate(entries, 1)
    )


def _device(entry: Any, board: Board, where: str) -> Device:
    if not isinstance(entry, dict) or not {"kind", "bus", "pins"} <= set(entry):
        raise BenchConfigError(f"{where}: expected {_EXAMPLE}, not {entry!r}")
    for key, value in entry.items():
        if key not in _KEYS:
            raise BenchConfigError(f"{where}: no key {key!r}; known are {', '.join(_KEYS)}")
        if type(value) is not _KEYS[key]:
            raise BenchConfigError(f"{where}.{key}: expected {_KEYS[key].__name__}, not {value!r}")
    name = str(entry.get("name", entry["kind"]))
    device = Device(name, entry["kind"], entry["bus"], entry["pins"], entry.get("address"), entry.get("baud"))
    if device.missing_signals:
        raise BenchConfigError(f"{where}.pins: {device.bus} needs {', '.join(device.missing_signals)} too")
    if device.on_uart is not (device.baud is not None and device.baud > 0):
        raise BenchConfigError(f"{where}.baud: expected the rate of a device on a UART, and of no other")
    for signal, pin in device.pins.items():
        if pin not in board.pins:
            raise BenchConfigError(
                f"{where}.pins.{signal}: the {board.package.name} package of {board.name} has no pin {pin!r}"
            )
    return device

# SPDX-License-Identifier: Apache-2.0
"""``[wiring]`` of a rig file, and the faults that ``[twin.wires]`` plants in it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from hil.datasheet import ni_x_series
from hil.twin.bench_values import quantity
from hil.twin.errors import BenchConfigError

RETIRED_ROLE = "debug_isolation"
"""A relay with normally closed contacts, which earlier rig files had."""

SHAKER = "shaker"
"""The role of the analog output that moves the board."""
_WIRE_KEYS = {
    "pin",
    "terminal",
    "active",
    "minimum",
    "maximum",
    "input_resistance",
    "connects",
    "sensitivity",
}
PULLED_DOWN = ("ctr", "PFI", "port")
"""Terminals that the DAQ pulls down while it uses them as inputs."""


@dataclass(frozen=True)
class Wire:
    """One role of the bench: a pin of the part, an instrument's terminal, and the wire between them."""

    role: str
    pin: str | None = None
    terminal: str | None = None
    active_high: bool = True
    """Which level of a digital terminal means that the role is active."""
    connects_high: bool | None = None
    """Of a contact that a digital line works: the level that it gives the pin while closed. None: the line
    itself drives the pin."""
    is_open: bool = False
    """Planted fault: the wire is not connected."""
    input_resistance_ohm: float = math.inf
    """What the terminal, used as an input, is between the pin and ground."""
    m_per_s2_per_v: float = 0.0
    """Of a shaker: the acceleration for each volt."""


def parse(role: str, entry: object, where: str, source: str) -> Wire:
    """The wire of a role, from its entry at ``where`` of the file called ``source``.

    Raises:
        BenchConfigError: the entry is no wire.
    """
    if role == RETIRED_ROLE:
        raise BenchConfigError(
            f"{source}: {where}: this relay connected the lines at rest and is no longer known; "
            "wire its normally open contacts and call the role debug_connection"
        )
    if not isinstance(entry, dict):
        raise BenchConfigError(
            f'{source}: {where}: expected {{pin = "PA0", terminal = "Dev1/ao0"}}, not {entry!r}'
        )
    unknown = sorted(set(entry) - _WIRE_KEYS)
    if unknown:
        raise BenchConfigError(
            f"{source}: {where}: no key {unknown[0]!r}; known are {', '.join(sorted(_WIRE_KEYS))}"
        )
    for key in ("pin", "terminal"):
        if not isinstance(entry.get(key, ""), str):
            raise BenchConfigError(f"{source}: {where}.{key}: expected a name, not {entry[key]!r}")
    active = entry.get("active", "high")
    if active not in ("high", "low"):
        raise BenchConfigError(f'{source}: {where}.active: expected "high" or "low", not {active!r}')
    connects = entry.get("connects")
    if connects not in (None, "high", "low"):
        raise BenchConfigError(f'{source}: {where}.connects: expected "high" or "low", not {connects!r}')
    wire = Wire(
        role,
        entry.get("pin"),
        entry.get("terminal"),
        active_high=active == "high",
        connects_high=None if connects is None else connects == "high",
    )
    if wire.connects_high is not None:
        if not channel(wire).startswith("port"):
            raise BenchConfigError(f"{source}: {where}.connects: {wire.terminal} is no digital line")
        return wire
    if role == SHAKER:
        sensitivity = quantity(entry, "sensitivity", "m/s/s/V", "12.3 m/s/s/V", f"{source}: {where}")
        return replace(wire, m_per_s2_per_v=sensitivity)
    if "sensitivity" in entry:
        raise BenchConfigError(f"{source}: {where}.sensitivity: {role} is no {SHAKER}")
    if not channel(wire).startswith(("ai", *PULLED_DOWN)):
        if "input_resistance" in entry:
            raise BenchConfigError(f"{source}: {where}.input_resistance: {wire.terminal} is no input")
        return wire
    typical = f"{ni_x_series.input_resistance_ohm(wire.terminal or '')} ohm"
    return replace(
        wire,
        input_resistance_ohm=quantity(entry, "input_resistance", "ohm", typical, f"{source}: {where}"),
    )


def channel(wire: Wire) -> str:
    """The terminal's name without its device: "ctr0", "port0/line0"."""
    return (wire.terminal or "").partition("/")[2]


def override(wire: Wire, entry: object, where: str, source: str) -> Wire:
    """A planted wiring fault: ``{open = true}``, or other ends for the wire."""
    if isinstance(entry, dict) and "open" in entry:
        if entry != {"open": True}:
            raise BenchConfigError(
                f"{source}: {where}: an open wire is {{open = true}} and nothing else, not {entry!r}"
            )
        return replace(wire, is_open=True)
    if isinstance(entry, dict) and "input_resistance" in entry:
        entry = {"terminal": wire.terminal, **entry}  # whose resistance it is
    fault = parse(wire.role, entry, where, source)
    given = isinstance(entry, dict) and ("terminal" in entry or "input_resistance" in entry)
    return replace(
        wire,
        pin=fault.pin or wire.pin,
        terminal=fault.terminal or wire.terminal,
        input_resistance_ohm=fault.input_resistance_ohm if given else wire.input_resistance_ohm,
    )

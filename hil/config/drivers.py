# SPDX-License-Identifier: Apache-2.0
"""Drivers of instruments, found by the name that a rig file gives them.

A driver is an entry point of the group ``hil.instruments``: its name is what ``driver = "..."`` says, its
value a :class:`Driver`. hil-rig's own drivers are found in the same way as those of any other package.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from hil.config.tables import (
    AmmeterTable,
    DaqTable,
    InstrumentTable,
    PowerAnalyzerTable,
    SupplyTable,
    ThermometerTable,
)
from hil.errors import ConfigError
from hil.measurement.capabilities import Capabilities, DaqCapabilities

GROUP = "hil.instruments"
"""Of the entry points."""

KINDS: Mapping[str, type[InstrumentTable]] = {
    "power_analyzer": PowerAnalyzerTable,
    "supply": SupplyTable,
    "ammeter": AmmeterTable,
    "daq": DaqTable,
    "thermometer": ThermometerTable,
}
"""Tables of a rig file whose driver is looked up, and what the driver's own table must derive from."""

RAIL_KINDS = ("power_analyzer", "supply", "ammeter")
"""Those that a rail may have."""

TableT = TypeVar("TableT", bound=InstrumentTable)


@dataclass(frozen=True)
class Surroundings:
    """What an instrument needs to know of the bench beside its own table."""

    role: str
    """The table's name, for messages: "power_analyzer", "rails.radio.supply"."""
    clock: Any
    """The bench's :class:`hil.instruments.protocols.Clock`."""
    voltage_maximum_v: float
    """What the board, or the rail, may get at most."""
    current_maximum_a: float
    """What the board, or the rail, may draw at most."""
    limits_v: Mapping[str, tuple[float, float]]
    """Of each wired analog output: lowest and highest voltage."""
    lines: tuple[str, ...]
    """Wired digital lines."""


@dataclass(frozen=True)
class Driver(Generic[TableT]):
    """One kind of instrument."""

    table: type[TableT]
    """Its table in a rig file."""
    capabilities: Capabilities | DaqCapabilities | None
    """What it can do; None of a thermometer, which can do one thing."""
    open: Callable[[TableT, Surroundings], Any]
    """Connects to it. Heavy libraries are imported here, so that a rig file is read without them. Raises
    :class:`hil.errors.ConnectError`."""

    preload: Callable[[], None] = lambda: None
    """Imports what :attr:`open` needs, ahead of a moment that has no time for it."""

    def fits(self, kind: str) -> bool:
        """Whether it can stand in the table ``kind`` of a rig file."""
        if not issubclass(self.table, KINDS[kind]):
            return False
        can = self.capabilities
        if can is None:
            return kind == "thermometer"
        if isinstance(can, DaqCapabilities):
            return kind == "daq"
        return {
            "power_analyzer": can.can_source and can.measures_current,
            "supply": can.can_source,
            "ammeter": can.measures_current,
        }.get(kind, False)


def find(name: str) -> Driver[Any]:
    """The driver registered as ``name``.

    Raises:
        ConfigError: there is none, or its module cannot be imported.
    """
    point = _registered().get(name)
    if point is None:
        raise ConfigError(
            f"{name!r} is not known", expected=f"one of {', '.join(sorted(_registered())) or 'none'}"
        )
    return _load(point)


def find_for(kind: str, name: str) -> Driver[Any]:
    """The driver registered as ``name``, for the table ``kind``.

    Raises:
        ConfigError: there is none, its module cannot be imported, or it is an instrument of another kind.
    """
    if name in _registered():
        driver = find(name)
        if driver.fits(kind):
            return driver
        problem = f"{name!r} cannot serve as [{kind}]"
    else:
        problem = f"{name!r} is not known"
    raise ConfigError(problem, expected=f"one of {', '.join(names(kind)) or 'none'}")


def names(kind: str) -> list[str]:
    """The names of all drivers that can stand in the table ``kind``; those that cannot be imported are left
    out.
    """
    fitting = []
    for name, point in sorted(_registered().items()):
        try:
            if _load(point).fits(kind):
                fitting.append(name)
        except ConfigError:
            continue
    return fitting


def _registered() -> dict[str, EntryPoint]:
    """By name. What is installed can change while tests run, so that nothing is remembered."""
    return {point.name: point for point in entry_points(group=GROUP)}


@functools.cache
def _load(point: EntryPoint) -> Driver[Any]:
    try:
        loaded = point.load()
    except Exception as error:  # whatever a stranger's module raises
        raise ConfigError(
            f"the driver {point.name!r} cannot be loaded: {type(error).__name__}: {error}",
            expected=f"a module that can be imported ({point.value})",
        ) from error
    if not isinstance(loaded, Driver):
        raise ConfigError(
            f"the driver {point.name!r} is a {type(loaded).__name__}",
            expected=f"{point.value} to be a hil.config.drivers.Driver",
        )
    return loaded

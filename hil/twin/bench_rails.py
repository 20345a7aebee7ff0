# SPDX-License-Identifier: Apache-2.0
"""``[rails.NAME]`` of a rig file: supplies beside the part's, with what hangs on them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from hil.twin.bench_values import quantity
from hil.twin.errors import BenchConfigError

Analyzer = Literal["n6705c", "lpm01a"]
"""Virtual instruments that can supply a part, and measure what they supply."""
SUPPLIES = ("power_analyzer", "supply")
"""Tables that such an instrument can serve."""
_KEYS = {"voltage", "voltage_maximum", "current_limit", "feeds", *SUPPLIES, "ammeter"}


@dataclass(frozen=True)
class RailConfig:
    """A supply beside the part's."""

    name: str
    analyzer: Analyzer
    """Which instrument supplies it and measures it."""
    voltage_v: float
    """What its user sets it to."""
    feeds: tuple[str, ...]
    """Names of the devices that hang on it."""


def parse(rails: Mapping[str, Any], devices: Collection[str], source: str) -> tuple[RailConfig, ...]:
    """The rails of the file called ``source``, on which some of these devices hang.

    Raises:
        BenchConfigError: one has no instrument that this bench has, or feeds what is not there.
    """
    found: list[RailConfig] = []
    for name, table in rails.items():
        where = f"{source}: [rails.{name}]"
        if not isinstance(table, dict):
            raise BenchConfigError(f"{where}: expected a table, not {table!r}")
        if unknown := sorted(set(table) - _KEYS):
            raise BenchConfigError(f"{where} has no key {unknown[0]!r}; known are {', '.join(sorted(_KEYS))}")
        feeds = table.get("feeds", [])
        fed_already = [device for rail in found for device in rail.feeds]
        for device in feeds:
            if device not in devices or device in fed_already:
                raise BenchConfigError(
                    f"{where} feeds: expected devices that hang on no other rail, of "
                    f"{', '.join(sorted(devices)) or 'none'}, not {device!r}"
                )
        found.append(
            RailConfig(
                name,
                analyzer(table, where),
                quantity(table, "voltage", "V", "3.3 V", where),
                tuple(feeds),
            )
        )
    return tuple(found)


def analyzer(tables: Mapping[str, Any], where: str) -> Analyzer:
    """The instrument that supplies, from the table that holds ``[power_analyzer]`` or ``[supply]``.

    Raises:
        BenchConfigError: this bench has no such instrument. The message begins with ``where``.
    """
    if "ammeter" in tables:
        raise BenchConfigError(
            f"{where} ammeter: the instruments of the virtual bench supply what they measure; "
            "use [power_analyzer]"
        )
    role = next((role for role in SUPPLIES if role in tables), SUPPLIES[0])
    table = tables.get(role, {})
    driver = table.get("driver", "n6705c") if isinstance(table, dict) else table
    if driver not in get_args(Analyzer):
        raise BenchConfigError(
            f"{where} [{role}] driver: the virtual bench has no {driver!r}; "
            f"expected one of {', '.join(get_args(Analyzer))}"
        )
    return cast(Analyzer, driver)

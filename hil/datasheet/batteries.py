# SPDX-License-Identifier: Apache-2.0
"""Battery capacities as their makers print them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from hil.datasheet.figures import DatasheetError, load

_COULOMB_PER_MAH = 3.6
_DAYS_PER_YEAR = 365.25


@dataclass(frozen=True)
class Draws:
    """How batteries of one kind differ, age and give way. Sources and assumptions: data/batteries.toml."""

    lot: float
    """Relative standard deviation of the capacity."""
    loss_per_year: tuple[float, float]
    """Of the capacity at 20 °C, anywhere between both."""
    open_circuit: tuple[tuple[float, float], ...]
    """V against the fraction of the capacity that is used."""
    resistance: tuple[tuple[float, float], ...]
    """Ohm against the fraction used, at 20 °C."""


@dataclass(frozen=True)
class Battery:
    """A primary cell or a pack of them."""

    id: str
    title: str
    short: str
    """A name for the head of a column."""
    capacity_c: float
    """Charge to the cut-off voltage under the stated condition, in coulomb."""
    nominal_v: float
    cutoff_v: float
    condition: str
    source: str
    capacity_half_width: float = 0.0
    """How far the capacity may be off, relative; 0 where the maker states no tolerance."""
    fresh_v: float | None = None
    """Voltage of the fresh battery with hardly a load, where it is known."""
    shelf_life_days: float | None = None
    """How long the maker says that it keeps, where he does: no device runs longer on it."""
    shelf_life_condition: str = ""
    draws: Draws | None = None
    """What a life is drawn from; None where nothing is known of it."""


@cache
def _cells() -> dict[str, dict[str, Any]]:
    return load("batteries.toml")


def get(battery_id: str) -> Battery:
    """The battery of that id. Raises DatasheetError for one that is not on file."""
    cells = _cells()
    if battery_id not in cells:
        raise DatasheetError(f"no battery {battery_id!r} is on file; there are {', '.join(sorted(cells))}")
    cell = cells[battery_id]
    return Battery(
        id=battery_id,
        title=cell["title"],
        short=cell["short"],
        capacity_c=cell["capacity_mah"] * _COULOMB_PER_MAH,
        nominal_v=cell["nominal_v"],
        cutoff_v=cell["cutoff_v"],
        condition=cell["condition"],
        source=cell["source"],
        capacity_half_width=cell.get("capacity_half_width", 0.0),
        fresh_v=cell.get("fresh_v"),
        shelf_life_days=years * _DAYS_PER_YEAR if (years := cell.get("shelf_life_years")) else None,
        shelf_life_condition=cell.get("shelf_life_condition", ""),
        draws=_draws(cell.get("draws")),
    )


def _draws(table: dict[str, Any] | None) -> Draws | None:
    if table is None:
        return None
    low, high = table["loss_per_year"]
    return Draws(
        lot=table["lot"],
        loss_per_year=(low, high),
        open_circuit=tuple((used, volt) for used, volt in table["open_circuit"]),
        resistance=tuple((used, ohm) for used, ohm in table["resistance"]),
    )

# SPDX-License-Identifier: Apache-2.0
"""Battery capacities as their makers print them."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from hil.datasheet.figures import DatasheetError, load

_COULOMB_PER_MAH = 3.6


@dataclass(frozen=True)
class Battery:
    """A primary cell or a pack of them."""

    id: str
    title: str
    capacity_c: float
    """Charge to the cut-off voltage under the stated condition, in coulomb."""
    nominal_v: float
    cutoff_v: float
    condition: str
    source: str


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
        capacity_c=cell["capacity_mah"] * _COULOMB_PER_MAH,
        nominal_v=cell["nominal_v"],
        cutoff_v=cell["cutoff_v"],
        condition=cell["condition"],
        source=cell["source"],
    )

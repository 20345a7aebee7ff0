# SPDX-License-Identifier: Apache-2.0
"""Battery life from an average current and the capacity that the maker prints."""

from __future__ import annotations

from dataclasses import dataclass

from hil.datasheet.batteries import Battery
from hil.errors import MeasurementError

SECONDS_PER_DAY = 86_400.0

ASSUMPTIONS = (
    "the capacity is the maker's nominal one, at the maker's load and temperature",
    "self-discharge is not included: the maker's sheet gives no figure",
    "the current stays that of the measured supply voltage while the battery's voltage falls",
    "pulses draw the same capacity as a constant current of the same mean",
)
"""What a life computed here takes for granted; every report of one shows these."""


@dataclass(frozen=True)
class BatteryLife:
    """Time until a battery's capacity is used up, in days, with its expanded uncertainty (k = 2)."""

    battery: Battery
    days: float
    expanded_uncertainty_days: float
    """From the current only: the maker states no tolerance for the capacity."""


def life(battery: Battery, average_a: float, expanded_uncertainty_a: float) -> BatteryLife:
    """Return how long a battery carries an average current.

    Raises:
        MeasurementError: if the current is not above 0 A.
    """
    if not average_a > 0:
        raise MeasurementError(
            f"an average current of {average_a!r} A empties no battery",
            where="battery life",
            hint="look whether the power analyzer is in the supply line",
        )
    days = battery.capacity_c / average_a / SECONDS_PER_DAY
    return BatteryLife(battery, days, days * expanded_uncertainty_a / average_a)

# SPDX-License-Identifier: Apache-2.0
"""Battery life from an average current, the capacity that the maker prints, and the shelf life that bounds
it.
"""

from __future__ import annotations

from dataclasses import dataclass

from hil.datasheet.batteries import Battery
from hil.errors import MeasurementError
from hil.measurement.budget import Budget, rectangle
from hil.measurement.text import uncertain
from hil.measurement.uncertainty import Estimate
from hil.parts import Part

SECONDS_PER_DAY = 86_400.0
DAYS_PER_YEAR = 365.25

ASSUMPTIONS = (
    "the capacity is the maker's nominal one, at the maker's load and temperature",
    "self-discharge counts only as far as the maker states a shelf life, which bounds what is claimed",
    "the current stays that of the measured supply voltage while the battery's voltage falls",
    "pulses draw the same capacity as a constant current of the same mean",
)
"""What a life computed here takes for granted; every report of one shows these."""


@dataclass(frozen=True)
class BatteryLife:
    """How long a battery carries a device."""

    battery: Battery
    part: Part
    """What the battery feeds."""
    charge_days: Estimate
    """Until the capacity is used up, in days. Its uncertainty is that of the current and of reading the
    maker's chart; the maker states no tolerance of the capacity."""
    days: Estimate
    """What may be claimed, in days: no more than the shelf life."""

    @property
    def years(self) -> Estimate:
        """What may be claimed, in years."""
        return self.days.scaled(1.0 / DAYS_PER_YEAR)

    @property
    def bounded(self) -> bool:
        """Whether the shelf life, not the charge, is what may be claimed."""
        return self.days != self.charge_days

    @property
    def notes(self) -> tuple[str, ...]:
        """Where the capacity comes from and what the number does not say, one statement each."""
        cell = self.battery
        told = [f"{cell.capacity_c / 3.6:g} mA h {cell.condition} ({cell.source})"]
        if self.bounded and cell.shelf_life_days is not None:
            years = cell.shelf_life_days / DAYS_PER_YEAR
            told.append(
                f"the charge alone would last {in_years(self.charge_days)}, but the maker states a shelf "
                f"life of {years:g} years {cell.shelf_life_condition}, and no more than that is claimed"
            )
        if cell.cutoff_v < self.part.vdd_min_v:
            told.append(
                f"the capacity is counted down to {cell.cutoff_v:g} V, but the part needs "
                f"{self.part.vdd_min_v:g} V ({self.part.vdd_source}): the last of it is out of reach, and "
                "the maker gives no figure for how much that is"
            )
        if cell.fresh_v is not None and cell.fresh_v >= self.part.vdd_max_v:
            told.append(
                f"fresh and hardly loaded it reaches {cell.fresh_v:g} V, the part's highest supply voltage "
                f"({self.part.vdd_source}): check a fresh one before it feeds the part directly"
            )
        return tuple(told)


def life(battery: Battery, average_a: Estimate, part: Part) -> BatteryLife:
    """Return how long a battery carries the average current of a device with this part.

    Raises:
        MeasurementError: if the current is not above 0 A.
    """
    if not average_a.value > 0:
        raise MeasurementError(
            f"an average current of {average_a.value!r} A empties no battery",
            where="battery life",
            hint="look whether the power analyzer is in the supply line",
        )
    days = battery.capacity_c / average_a.value / SECONDS_PER_DAY
    budget = Budget.of(
        average_a.contribution("average current", "A", -days / average_a.value),
        rectangle("reading the maker's chart", battery.capacity_half_width, "", battery.source, days),
    )
    by_charge = Estimate.of(days, budget)
    return BatteryLife(battery, part, by_charge, _claimed(by_charge, battery.shelf_life_days))


def _claimed(by_charge: Estimate, shelf_days: float | None) -> Estimate:
    """The smaller of both; a charge that may fall short of the shelf life leaves that much open."""
    if shelf_days is None or by_charge.value <= shelf_days:
        return by_charge
    lowest_days = by_charge.value - by_charge.expanded_uncertainty
    return Estimate(shelf_days, max(0.0, shelf_days - lowest_days))


def in_years(days: Estimate) -> str:
    """A life as people say it: ``2.31 ± 0.04 years``, or in days below one year."""
    if days.value < DAYS_PER_YEAR:
        return uncertain(days.value, days.expanded_uncertainty, "days")
    return uncertain(days.value / DAYS_PER_YEAR, days.expanded_uncertainty / DAYS_PER_YEAR, "years")

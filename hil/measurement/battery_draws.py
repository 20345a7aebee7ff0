# SPDX-License-Identifier: Apache-2.0
"""Battery life as a distribution: 10,000 batteries, each with its own capacity, losses and end.

A battery ends where its voltage under the device's highest current, ``V_oc(q) - I_peak R(q)``, meets the
lowest supply that the part works at. Its charge goes into the device and into losses that double with each
10 K (rule of thumb after Arrhenius, an assumption). Sources of a battery's figures: data/batteries.toml.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hil.datasheet.batteries import Battery
from hil.errors import MeasurementError
from hil.measurement.battery import DAYS_PER_YEAR, SECONDS_PER_DAY
from hil.measurement.uncertainty import Estimate
from hil.parts import Part

DRAWS = 10_000
SEED = 20_26
"""Fixed, so that one result gives one life."""
ASSUMPTIONS = (
    "a lot's capacities scatter by 3 % (standard deviation), and the inner resistance by 50 % (half width)",
    "losses double with each 10 K, and the inner resistance with each 25 K towards the cold",
    "the current stays that of the measured supply voltage while the battery's voltage falls",
    "the battery stays at the rig's ambient temperature, and no capacitor helps it with the highest current",
)
"""What drawn lives take for granted; every report of one shows these."""
_YEAR_S = DAYS_PER_YEAR * SECONDS_PER_DAY
_LOSS_AT_C = 20.0
_DOUBLING_K = 10.0
_RESISTANCE_DOUBLING_K = 25.0
"""Assumption: the inner resistance doubles so often towards the cold."""
_RESISTANCE_SPREAD = 0.5
"""Assumption: half width of the resistance, relative."""
_POINTS = 500
"""Of the battery's curve."""


@dataclass(frozen=True)
class Use:
    """What a battery feeds, and where."""

    average_a: Estimate
    peak_a: float
    """Highest current that the battery has to give by itself."""
    lowest_v: float
    """Supply below which the device stops: see :func:`lowest_supply_v`."""
    hours_at_c: Mapping[float, float] = field(default_factory=lambda: {20.0: 1.0})
    """Temperatures with their shares of the time, in any unit."""
    other_parts_a: float = 0.0
    """What another part of the product may draw more than this one, at most."""


@dataclass(frozen=True)
class LifeDistribution:
    """Lives of many batteries, in years."""

    battery: Battery
    years: NDArray[np.float64]
    product_years: NDArray[np.float64]
    """With parts that differ as their datasheet allows."""
    shares: Mapping[str, float]
    """Part of the variance by each unknown alone, the largest first; they need not add up to one."""
    lowest_v: float

    def reached_by(self, share: float) -> float:
        """The years that so many batteries reach on this board."""
        return float(np.quantile(self.years, 1.0 - share))

    @property
    def claim(self) -> Estimate:
        """The years that 95 % reach, less what so few draws leave open.

        All that is uncertain is in the draws, so that nothing stands beside this bound.
        """
        order = np.sort(self.years)
        at, spread = 0.05 * order.size, 1.96 * np.sqrt(0.05 * 0.95 * order.size)
        return Estimate(float(order[max(0, int(at - spread))]), 0.0)

    @property
    def sentence(self) -> str:
        """The claim as an engineer signs it."""
        product = float(np.quantile(self.product_years, 0.05))
        shelf_days = self.battery.shelf_life_days
        bounded = shelf_days is not None and self.reached_by(0.5) >= shelf_days / DAYS_PER_YEAR
        largest = "none, the shelf life ends it" if bounded else next(iter(self.shares))
        return (
            f"at least {self.reached_by(0.95):.2g} years with 95 % for this board, {product:.2g} for the "
            f"product, {self.reached_by(0.5):.2g} for half of the batteries; largest unknown: {largest}; it "
            f"ends at {self.lowest_v:.2f} V under load"
        )


def lowest_supply_v(part: Part, brown_out_level: int = 0) -> tuple[float, str]:
    """The lowest supply at which a part works, in V, and why: its minimum or its brown-out detector."""
    falls = part.fact("bor_V")
    highest_v = float(falls.extra[f"bor{brown_out_level}_fall"][-1])
    if highest_v > part.vdd_min_v:
        return highest_v, f"brown-out level {brown_out_level}, {falls.source}"
    return part.vdd_min_v, part.vdd_source


def of_part(
    part: Part,
    average_a: Estimate,
    peak_a: float,
    supply_v: float,
    ambient_c: float,
    brown_out_level: int = 0,
) -> Use:
    """What a battery feeds that supplies a part.

    Other parts of the product may draw more in Stop 2, as far as the datasheet allows.
    """
    asleep = part.supply_current("stop2_rtc_lse_quartz", supply_v, ambient_c)
    return Use(
        average_a,
        peak_a,
        lowest_supply_v(part, brown_out_level)[0],
        {ambient_c: 1.0},
        0.0 if asleep.max is None else asleep.max - asleep.typ,
    )


def draw(battery: Battery, use: Use, draws: int = DRAWS, seed: int = SEED) -> LifeDistribution:
    """Draw the lives of many batteries.

    Raises:
        MeasurementError: the current empties no battery, or nothing is on file to draw from.
    """
    if battery.draws is None:
        raise MeasurementError(f"nothing is known of how a {battery.title} ages", where="battery life")
    if not use.average_a.value > 0:
        raise MeasurementError(
            f"an average current of {use.average_a.value!r} A empties no battery",
            where="battery life",
            hint="look whether the power analyzer is in the supply line",
        )
    unknowns = _Unknowns.drawn(battery, use, draws, seed)
    years = _years(battery, use, unknowns)
    median = unknowns.medians()
    variances = {
        name: float(np.var(_years(battery, use, replace(median, **{key: getattr(unknowns, key)}))))
        for key, name in _NAMES.items()
    }
    whole = float(np.var(years)) or 1.0
    ranked = sorted(variances, key=lambda name: -variances[name])
    others = replace(unknowns, current_a=unknowns.current_a + use.other_parts_a * unknowns.part)
    return LifeDistribution(
        battery,
        years,
        _years(battery, use, others),
        {name: variances[name] / whole for name in ranked},
        use.lowest_v,
    )


_NAMES = {
    "capacity": "capacity",
    "loss": "losses per year",
    "resistance": "inner resistance",
    "current_a": "average current",
}


@dataclass(frozen=True)
class _Unknowns:
    """One entry per battery."""

    capacity: NDArray[np.float64]
    loss: NDArray[np.float64]
    resistance: NDArray[np.float64]
    current_a: NDArray[np.float64]
    part: NDArray[np.float64]

    @classmethod
    def drawn(cls, battery: Battery, use: Use, draws: int, seed: int) -> _Unknowns:
        rng = np.random.default_rng(seed)
        assert battery.draws is not None  # its caller has looked
        reading = rng.uniform(-battery.capacity_half_width, battery.capacity_half_width, draws)
        current_a = rng.normal(use.average_a.value, use.average_a.standard_uncertainty, draws)
        return cls(
            capacity=np.maximum(0.0, 1.0 + rng.normal(0.0, battery.draws.lot, draws) + reading),
            loss=rng.uniform(*battery.draws.loss_per_year, draws),
            resistance=rng.uniform(1.0 - _RESISTANCE_SPREAD, 1.0 + _RESISTANCE_SPREAD, draws),
            current_a=np.maximum(1e-12, current_a),
            part=rng.uniform(0.0, 1.0, draws),
        )

    def medians(self) -> _Unknowns:
        """Every battery as the middle one."""
        return _Unknowns(
            *(np.full_like(getattr(self, key), np.median(getattr(self, key))) for key in (*_NAMES, "part"))
        )


def _years(battery: Battery, use: Use, unknowns: _Unknowns) -> NDArray[np.float64]:
    total = sum(use.hours_at_c.values())
    faster = sum(
        hours / total * 2.0 ** ((at_c - _LOSS_AT_C) / _DOUBLING_K) for at_c, hours in use.hours_at_c.items()
    )
    usable_c = battery.capacity_c * unknowns.capacity * _used_at_end(battery, use, unknowns.resistance)
    lost_a = battery.capacity_c * unknowns.capacity * unknowns.loss * faster / _YEAR_S
    years: NDArray[np.float64] = usable_c / (unknowns.current_a + lost_a) / _YEAR_S
    if battery.shelf_life_days is not None:
        years = np.minimum(years, battery.shelf_life_days / DAYS_PER_YEAR)
    return years


def _used_at_end(battery: Battery, use: Use, factor: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fraction of the capacity that is used where the voltage under load falls below what is needed, at the
    coldest of the temperatures.
    """
    assert battery.draws is not None  # its caller has looked
    used = np.linspace(0.0, 1.0, _POINTS)
    open_v, ohm = (
        np.interp(used, [at for at, _ in curve], [value for _, value in curve])
        for curve in (battery.draws.open_circuit, battery.draws.resistance)
    )
    colder_k = max(0.0, _LOSS_AT_C - min(use.hours_at_c))
    drop_v = use.peak_a * ohm * 2.0 ** (colder_k / _RESISTANCE_DOUBLING_K)
    # Voltage falls and resistance rises with use: at each fraction used, one resistance ends the battery.
    with np.errstate(divide="ignore"):
        allowed = np.where(drop_v > 0, (open_v - use.lowest_v) / np.maximum(drop_v, 1e-30), np.inf)
    allowed[open_v < use.lowest_v] = -np.inf
    return np.interp(-factor, -np.clip(allowed, -1e3, 1e3), used)

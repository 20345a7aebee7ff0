# SPDX-License-Identifier: Apache-2.0
"""Drawn battery lives: against arithmetic, a published test, and what has to shorten a life."""

from dataclasses import replace

import numpy as np
import pytest

from hil.boards import REFERENCE, Board
from hil.datasheet import batteries
from hil.errors import MeasurementError
from hil.measurement.battery_draws import Use, draw, lowest_supply_v, of_part
from hil.measurement.uncertainty import Estimate

PART = Board.load(REFERENCE).part
COIN = batteries.get("cr2032_panasonic")
PAIR = batteries.get("l91_energizer_pair")
USE = Use(Estimate(20e-6, 0.2e-6), 1e-3, 2.0)
HOURS_PER_YEAR = 24 * 365.25


def test_the_standard_discharge_is_reproduced() -> None:
    """A CR2032 gives 0.2 mA down to 2.0 V for about 1,150 h: 230 mAh (Energizer's test, Hackaday, December
    2017); Panasonic's handbook has 225 mAh under the same load.
    """
    hours = draw(COIN, Use(Estimate(0.2e-3, 0.0), 0.2e-3, 2.0)).years * HOURS_PER_YEAR
    low, high = np.quantile(hours, (0.05, 0.95))
    assert low < 1125 < high
    assert low < 1150 < high
    assert high - low < 0.15 * 1125


def test_a_year_on_the_shelf_costs_what_was_measured() -> None:
    """Pro Elec: 200 h when fresh, 196 h after 12 months, so 2 %; the draws lie between 1 % and 2 %."""
    current_a = COIN.capacity_c / (365.25 * 86_400)  # empty in a year
    ideal = draw(COIN, Use(Estimate(current_a, 0.0), 0.0, 2.0)).reached_by(0.5)
    assert 1 / 1.02 < ideal < 1 / 1.01


def test_losses_double_with_ten_kelvin() -> None:
    def lost(at_c: float) -> float:
        current_a = 1e-6
        cell = replace(COIN, shelf_life_days=None)
        years = draw(cell, Use(Estimate(current_a, 0.0), 0.0, 2.0, {at_c: 8760})).reached_by(0.5)
        return COIN.capacity_c / (years * HOURS_PER_YEAR * 3600) - current_a

    assert lost(40.0) / lost(30.0) == pytest.approx(2.0, rel=0.02)


@pytest.mark.parametrize(
    "change",
    [
        {"lowest_v": 2.86},
        {"peak_a": 50e-3},
        {"hours_at_c": {20.0: 1.0, 50.0: 1.0}},
        {"average_a": Estimate(22e-6, 0.2e-6)},
        {"peak_a": 15e-3, "hours_at_c": {-20.0: 1.0}},
    ],
)
def test_a_harder_life_is_shorter(change: dict[str, object]) -> None:
    assert draw(COIN, replace(USE, **change)).reached_by(0.95) < draw(COIN, USE).reached_by(0.95)  # type: ignore[arg-type]


def test_the_cold_ends_a_loaded_cell_sooner() -> None:
    loaded = replace(USE, peak_a=20e-3, lowest_v=2.4)
    cold = draw(COIN, replace(loaded, hours_at_c={-20.0: 1.0}))
    assert cold.reached_by(0.5) < draw(COIN, loaded).reached_by(0.5)


def test_it_ends_at_the_part_s_minimum_or_its_brown_out_level() -> None:
    assert lowest_supply_v(PART)[0] == PART.vdd_min_v == 1.71
    assert lowest_supply_v(PART, 3)[0] == 2.57  # DS10198 Rev 8, table 25: falling, maximum
    assert of_part(PART, USE.average_a, 1e-3, 3.0, 25.0, 4).lowest_v == 2.86


def test_the_claim_names_the_largest_unknown() -> None:
    life = draw(COIN, USE)
    assert next(iter(life.shares)) == "capacity"
    assert "largest unknown: capacity" in life.sentence
    reached = np.quantile(life.years, 0.05)
    assert 0.99 * reached < life.claim.value < reached
    assert life.claim.expanded_uncertainty == 0  # all that is uncertain is in the draws


def test_the_product_lives_shorter_than_a_typical_board() -> None:
    life = draw(COIN, replace(USE, average_a=Estimate(4e-6, 0.1e-6), other_parts_a=1.7e-6))
    assert np.quantile(life.product_years, 0.05) < 0.9 * life.reached_by(0.95)


def test_the_shelf_life_ends_it() -> None:
    life = draw(PAIR, replace(USE, average_a=Estimate(2e-6, 0.1e-6)))
    assert life.reached_by(0.95) == life.reached_by(0.05) == 20.0
    assert "the shelf life ends it" in life.sentence


def test_no_current_empties_no_battery() -> None:
    with pytest.raises(MeasurementError, match="empties no battery"):
        draw(COIN, replace(USE, average_a=Estimate(0.0, 0.0)))


def test_a_cell_of_which_nothing_is_known_is_refused() -> None:
    with pytest.raises(MeasurementError, match="nothing is known"):
        draw(replace(COIN, draws=None), USE)
